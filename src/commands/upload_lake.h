/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc upload --upload-format parquet`: adds sessions to a lake where they would be uploaded. */
#ifndef IOTRC_UPLOAD_LAKE_H
#define IOTRC_UPLOAD_LAKE_H

#include "options/options.h"

/* Adds the finished sessions in the options' directories that the lake does not know. Returns the
 * exit code. */
int upload_lake__run(const struct options *o);

#endif
