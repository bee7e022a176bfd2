/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc upload --upload-format parquet`: adds sessions to a lake where they would be uploaded. */
#ifndef IOTRC_UPLOAD_LAKE_H
#define IOTRC_UPLOAD_LAKE_H

#include <signal.h>

#include "options/options.h"

/* Adds the finished sessions in the options' directories that the lake does not know; with
 * --continuous, again every 30 seconds until STOPS is set, and then a last time. Without it STOPS
 * ends it after the current session. Returns the exit code. */
int upload_lake__run(const struct options *o, const volatile sig_atomic_t *stops);

#endif
