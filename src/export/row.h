/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of a session, split into fields. */
#ifndef IOTRC_ROW_H
#define IOTRC_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "dataset/row_file.h"
#include "schema/schema.h"

struct session_names;

struct export_row {
	enum stream stream;
	const struct row_field *fields; /* as many as the stream has columns */
	uint64_t mono_ns;
	uint64_t wall_ns; /* since 1970, UTC, of mono_ns and the offset in force */
	/* The position in the order: the wall time at which the row began (rows_config.lead), by a
	 * clock that is not set after the start of the session. */
	uint64_t began_ns;
	const char *machine;               /* its id */
	const char *session;               /* its stamp; NULL: the manifest lacks it */
	const char *boot;                  /* the id of the boot; NULL: unknown to the recorder */
	int32_t utc_offset_s;              /* local time - UTC, at mono_ns */
	const struct session_names *names; /* of the session; NULL: unknown */
};

/* Returns the index of column NAME of STREAM, which must exist. */
int row__column(enum stream stream, const char *name);

/* Gets a column as a number; returns false if it is empty or not a number. */
bool row__uint(const struct export_row *row, int column, uint64_t *ret);
bool row__int(const struct export_row *row, int column, int64_t *ret);
/* Whether the column is WORD. */
bool row__is(const struct export_row *row, int column, const char *word);

#endif
