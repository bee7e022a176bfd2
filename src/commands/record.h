/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_RECORD_H
#define IOTRC_RECORD_H

#include "options/options.h"

#define EXIT_OK 0
#define EXIT_CANNOT 1 /* cannot record */
#define EXIT_USAGE 2
#define EXIT_LOST 3 /* recorded, but rows were lost or could not be written */

/* `iotrc`: records until a signal or the end of --duration. Returns the exit code. */
int record__main(const struct options *options);

#endif
