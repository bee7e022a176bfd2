/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for the files that streams know by device and inode alone, taken from rows of fs. */
#ifndef IOTRC_FILE_NAMES_H
#define IOTRC_FILE_NAMES_H

#include "export/row.h"

struct file_names;

/* 0, or -ENOMEM. */
int file_names__new(struct file_names **ret);
struct file_names *file_names__free(struct file_names *n);

/* How many of the first fields of a row of fs file_names__row() looks at. */
int file_names__fields(void);

/* Takes in ROW, of fs. 0, or -ENOMEM. What was seen least is forgotten when there are many. */
int file_names__row(struct file_names *n, const struct export_row *row);

/* The last name of the file MAJOR:MINOR/INODE, of LEN bytes; NULL where none is known. */
const char *file_names__find(struct file_names *n, const char *key, size_t len);

#endif
