// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/open_real.h"

#include <errno.h>
#include <fcntl.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int open_real__dir(const char *path)
{
	struct open_how how = { .flags = DIR_FLAGS, .resolve = RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}
#else
/* O_NOFOLLOW_ANY: "no symlinks allowed in path" (sys/fcntl.h, macOS 11). */
int open_real__dir(const char *path)
{
	int fd = open(path, DIR_FLAGS | O_NOFOLLOW_ANY);

	return fd < 0 ? -errno : fd;
}
#endif
