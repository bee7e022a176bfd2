/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_SPILL_FILE_H
#define IOTRC_SPILL_FILE_H

/* Opens an empty file without a name, in $TMPDIR or /tmp, for what memory cannot hold. Returns its
 * descriptor, or a negative errno. */
int spill_file__open(void);

/* Says what to do about ERR, a negative errno of such a file. NULL: it is not of the disk. */
const char *spill_file__advice(int err);

#endif
