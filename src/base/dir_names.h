/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in a directory. Directories may be anybody's: names are as long as the file system lets
 * them be (4,095 bytes with FUSE; NAME_MAX is what most others stop at), and there may be any
 * number of them. */
#ifndef IOTRC_DIR_NAMES_H
#define IOTRC_DIR_NAMES_H

#include <stddef.h>

#define DIR_NAMES_MAX (1 << 20)     /* names */
#define DIR_NAMES_BYTES (128 << 20) /* and bytes of them */

struct dir_names {
	char **names; /* in the order of strcmp(), without "." and ".." */
	size_t n;
};

/* Reads the directory that FD is, from its start; FD stays open. 0, or a negative errno (-E2BIG:
 * more than the bounds say), and then RET is empty. */
int dir_names__read(struct dir_names *ret, int fd);

void dir_names__clear(struct dir_names *d);

#endif
