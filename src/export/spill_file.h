/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_SPILL_FILE_H
#define IOTRC_SPILL_FILE_H

/* Opens an empty file without a name, in $TMPDIR or /tmp, for what memory cannot hold. Returns its
 * descriptor, or a negative errno. */
int spill_file__open(void);

/* Returns what to do about ERR, a negative errno from such a file; NULL if it is not an error of
 * the disk. */
const char *spill_file__advice(int err);

#endif
