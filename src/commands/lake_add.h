/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iotrc export --to parquet --lake: adds sessions to a lake. */
#ifndef IOTRC_LAKE_ADD_H
#define IOTRC_LAKE_ADD_H

#include "options/command.h"

/* Adds the sessions of PATHS, which end with NULL, to the lake at URL. Prints on stderr for C what
 * it added, and a line for each session that it left out. A path may be s3://BUCKET/PREFIX.
 * Returns the exit code. */
int lake_add(const struct command *c, const char *url, char **paths);

#endif
