/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in a directory. The directory may be hostile: names can be as long as the file system
 * allows (4,095 bytes with FUSE, longer than NAME_MAX), and their number is not limited. */
#ifndef IOTRC_DIR_NAMES_H
#define IOTRC_DIR_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define DIR_NAMES_MAX (1 << 20)     /* names */
#define DIR_NAMES_BYTES (128 << 20) /* and bytes of them */

struct dir_names {
	char **names; /* sorted by strcmp(), without "." and ".." */
	size_t n;
};

/* Reads the directory FD from its start; FD stays open. Returns 0, or a negative errno (-E2BIG: a
 * bound is exceeded); RET is then empty. */
int dir_names__read(struct dir_names *ret, int fd);

/* The same of the names that are WANTED. */
int dir_names__choose(struct dir_names *ret, int fd, bool (*wanted)(const char *name));

/* Frees what D holds. */
void dir_names__clear(struct dir_names *d);

#endif
