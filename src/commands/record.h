/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc`: records until a signal or the end of --duration. */
#ifndef IOTRC_RECORD_H
#define IOTRC_RECORD_H

#include "options/options.h"

/* Returns the exit code. */
int record__run(const struct options *options);

#endif
