/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rows can be grouped by. */
#ifndef IOTRC_DIMENSION_H
#define IOTRC_DIMENSION_H

#include "export/row.h"

#define DIMENSION_NONE "-" /* the group of rows that have no such thing */
#define DIMENSION_TEXT_MAX 256

struct dimension {
	const char *name; /* of --by */
	/* The column of each stream that has one, or NULL. */
	const char *columns[STREAM_COUNT];
	/* A second column that KEY looks at, likewise. */
	const char *others[STREAM_COUNT];
	/* What of ROW is its group: a piece of its field COLUMN, which isn't empty, or text in BUF.
	 * NULL: the field. */
	struct row_field (*key)(const struct export_row *row, int column,
				char buf[DIMENSION_TEXT_MAX]);
};

extern const struct dimension dimensions[]; /* ends with a row without a name */

/* The dimension called by the LEN bytes of NAME, or NULL. */
const struct dimension *dimension__find(const char *name, size_t len);

/* The column by which rows of STREAM are grouped, or -1: they can't be. */
int dimension__column(const struct dimension *d, enum stream stream);

/* How many of the first fields of a row of STREAM dimension__key() looks at. */
int dimension__fields(const struct dimension *d, enum stream stream);

/* The group of ROW, whose dimension__column() is COLUMN: a piece of its fields, of BUF, or
 * static. */
struct row_field dimension__key(const struct dimension *d, int column, const struct export_row *row,
				char buf[DIMENSION_TEXT_MAX]);

#endif
