/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about files that the rows of a recording leave open, taken from the file systems
 * afterwards. */
#ifndef IOTRC_RUN_AFTER_H
#define IOTRC_RUN_AFTER_H

#include "commands/run_files.h"

/* When a command ran, in nanoseconds since 1970 like files' times. */
struct run_span {
	int64_t began_ns, ended_ns;
};

/* To be called after the last row: finds out whether a file that was opened with O_CREAT and not
 * written to existed before, which paths are directories, and which files that the command only
 * read were changed, replaced or removed by others while it ran. Sorts the files by path. */
void run_after__look(struct run_files *f, struct run_span ran);

#endif
