// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/file_system.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/vfs.h>
#else
#include <sys/mount.h>
#endif

int file_system__of(int fd, struct file_system *ret)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	*ret = (struct file_system){ .dev = st.st_dev, .type = fs.f_type };
	_Static_assert(sizeof(fs.f_fsid) == sizeof(ret->id), "two ints on Linux and on macOS");
	memcpy(ret->id, &fs.f_fsid, sizeof(ret->id));
	return 0;
}

/* A user can mount a FUSE file system that reports any owners, but not one that reports another
 * type. */
bool file_system__is_same(const struct file_system *a, const struct file_system *b)
{
	return a->dev == b->dev || (a->type == b->type && (a->id[0] || a->id[1]) &&
				    a->id[0] == b->id[0] && a->id[1] == b->id[1]);
}
