/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that gets its name only when it is complete. Devices, pipes and sockets are written to as
 * they are: a file must not take the place of /dev/null. Where NAME is a symlink, so is the file
 * that it leads to. */
#ifndef IOTRC_OUT_FILE_H
#define IOTRC_OUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct out_file {
	const char *name; /* borrowed; NULL: stdout */
	char *target;     /* own: NAME without symlinks; NULL: not a regular file */
	char *temporary;  /* own */
	FILE *file;       /* to be written to; NULL: it could not be opened */
};

/* Whether a file has NAME, which would be replaced. */
bool out_file__exists(const char *name);

/* Opens O, which must be zeroed, for NAME. Returns 0, or a negative errno; out_file__close() must
 * be called in both cases. */
int out_file__open(struct out_file *o, const char *name);

/* Gives the file its name if ERR is 0, or removes it. Replaces an existing file only with FORCE.
 * Returns ERR, or a new error. */
int out_file__close(struct out_file *o, int err, bool force);

#endif
