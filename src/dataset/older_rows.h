/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of older recorders, which lack the columns that were added since (schema.h). */
#ifndef IOTRC_OLDER_ROWS_H
#define IOTRC_OLDER_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/schema.h"

/* Returns how many columns the file of STREAM has whose header row is LINE (LEN bytes, without a
 * line feed): as many as the schema, or fewer. 0: it is not a header row of STREAM. */
size_t older_rows__columns(enum stream stream, const char *line, size_t len);

/* Copies the row LINE (LEN bytes) to BUF, with MISSING empty fields before its last field. BUF has
 * room for LEN + MISSING bytes. Returns false if LINE is not a row. */
bool older_rows__widen(const char *line, size_t len, size_t missing, char *buf);

#endif
