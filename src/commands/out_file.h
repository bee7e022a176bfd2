/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that gets its name only when it is complete. */
#ifndef IOTRC_OUT_FILE_H
#define IOTRC_OUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct out_file {
	const char *name; /* borrowed; NULL: stdout */
	char *temporary;
	FILE *file; /* to be written to; NULL: it could not be opened */
};

/* Opens O, which must be zeroed, for NAME. Returns 0, or a negative errno; out_file__close() must
 * be called in both cases. */
int out_file__open(struct out_file *o, const char *name);

/* Gives the file its name if ERR is 0, or removes it. Replaces an existing file only with FORCE.
 * Returns ERR, or a new error. */
int out_file__close(struct out_file *o, int err, bool force);

#endif
