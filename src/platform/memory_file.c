// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/memory_file.h"

#include <errno.h>
#include <sys/mman.h>

#ifdef __linux__
int memory_file__new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
#else
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Objects of shm_open(2) cannot be read or written: use a file in the user's own directory for
 * temporary files (confstr(3)), which others cannot access. */
int memory_file__new(const char *name)
{
	char path[PATH_MAX];
	size_t len = confstr(_CS_DARWIN_USER_TEMP_DIR, path, sizeof(path));
	int fd;

	if (!len || len > sizeof(path))
		return -ENOENT;
	if (snprintf(path + len - 1, sizeof(path) - len + 1, "%s.XXXXXX", name) >=
	    (int)(sizeof(path) - len + 1))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}
#endif
