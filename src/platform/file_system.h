/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file system a file lies on. */
#ifndef IOTRC_FILE_SYSTEM_H
#define IOTRC_FILE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file_system {
	dev_t dev;
	int64_t type;   /* statfs(2): the kernel's, no user can choose it */
	uint32_t id[2]; /* statfs(2)'s f_fsid; 0 where it has none */
};

/* Looks at the file that FD has open. 0, or a negative errno. */
int file_system__of(int fd, struct file_system *ret);

/* Whether A and B are one: the same device or, for a disk that came back under another name, the
 * same type and id. */
bool file_system__is_same(const struct file_system *a, const struct file_system *b);

#endif
