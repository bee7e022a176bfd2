/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files that streams identify only by device and inode, from rows of fs. */
#ifndef IOTRC_FILE_NAMES_H
#define IOTRC_FILE_NAMES_H

#include "export/row.h"

struct file_names;

/* 0, or -ENOMEM. */
int file_names__new(struct file_names **ret);
struct file_names *file_names__free(struct file_names *n);

/* How many of the first fields of a row of fs file_names__row() reads. */
int file_names__fields(void);

/* Adds ROW, of fs. Returns 0, or -ENOMEM. If there are too many names, the least frequent are
 * dropped. */
int file_names__row(struct file_names *n, const struct export_row *row);

/* Returns the last name of the file MAJOR:MINOR/INODE, LEN bytes long; NULL if unknown. */
const char *file_names__find(struct file_names *n, const char *key, size_t len);

#endif
