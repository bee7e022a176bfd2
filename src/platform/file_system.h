/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identifies the file system of a file. */
#ifndef IOTRC_FILE_SYSTEM_H
#define IOTRC_FILE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file_system {
	dev_t dev;
	int64_t type;   /* statfs(2): set by the kernel, users cannot choose it */
	uint32_t id[2]; /* f_fsid of statfs(2); 0 if it has none */
};

/* Examines the open file FD. Returns 0, or a negative errno. */
int file_system__of(int fd, struct file_system *ret);

/* Whether A and B are the same file system: the same device or, for a disk that came back with
 * another name, the same type and id. */
bool file_system__is_same(const struct file_system *a, const struct file_system *b);

#endif
