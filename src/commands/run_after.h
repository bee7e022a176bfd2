/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rows of a recording leave open about files, and the file systems tell afterwards. */
#ifndef IOTRC_RUN_AFTER_H
#define IOTRC_RUN_AFTER_H

#include "commands/run_files.h"

/* When a command ran, in nanoseconds since 1970 as files' times have them. */
struct run_span {
	int64_t began_ns, ended_ns;
};

/* After the last row: looks whether a file that was opened with O_CREAT and not written to was
 * there before, what is a directory, and which files that the command only read somebody else has
 * changed, replaced or removed while it ran. Sorts the files by path. */
void run_after__look(struct run_files *f, struct run_span ran);

#endif
