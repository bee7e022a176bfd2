/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that appears under its name when it is whole. */
#ifndef IOTRC_OUT_FILE_H
#define IOTRC_OUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct out_file {
	const char *name; /* borrowed; NULL: stdout */
	char *temporary;
	FILE *file; /* to write to; NULL: it could not be opened */
};

/* Opens O, which is all 0, for NAME. 0, or a negative errno; in both cases out_file__close() is
 * due. */
int out_file__open(struct out_file *o, const char *name);

/* Gives the file its name, if nothing has gone wrong (ERR), or takes it away. Another file of that
 * name is replaced with FORCE only. ERR, or what went wrong now. */
int out_file__close(struct out_file *o, int err, bool force);

#endif
