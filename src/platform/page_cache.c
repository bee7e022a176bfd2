// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/page_cache.h"

#include <fcntl.h>

#ifdef __linux__
void page_cache__drop(int fd)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}
#else
/* "turn data caching off" (F_NOCACHE, sys/fcntl.h). */
void page_cache__drop(int fd)
{
	fcntl(fd, F_NOCACHE, 1);
}
#endif
