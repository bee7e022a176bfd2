/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Criteria by which rows can be grouped. */
#ifndef IOTRC_DIMENSION_H
#define IOTRC_DIMENSION_H

#include "export/row.h"

#define DIMENSION_MINUTE_LEN 16 /* YYYY-MM-DD HH:MM */
#define DIMENSION_NONE "-"      /* the group of rows without a value */
#define DIMENSION_TEXT_MAX 2048

struct dimension {
	const char *name; /* of --by */
	/* The column of each stream that has it, or NULL. */
	const char *columns[STREAM_COUNT];
	/* A second column that KEY needs, in the same form. */
	const char *others[STREAM_COUNT];
	/* Gets the group of ROW: a part of its field COLUMN, not empty by default, or text in BUF.
	 * NULL: the whole field. */
	struct row_field (*key)(const struct export_row *row, int column,
				char buf[DIMENSION_TEXT_MAX]);
	bool of_empty; /* KEY is called even if the field COLUMN is empty */
};

/* The group of a file's PATH by its directory, and by its extension: the text after the last dot of
 * the name, unless the name begins with it. Parts of PATH, or DIMENSION_NONE. */
struct row_field dimension__directory(struct row_field path);
struct row_field dimension__extension(struct row_field path);

extern const struct dimension dimensions[]; /* ends with a row without a name */

/* Returns the dimension with the NAME of LEN bytes, or NULL. */
const struct dimension *dimension__find(const char *name, size_t len);

/* Returns the column by which rows of STREAM are grouped, or -1 if they cannot be. */
int dimension__column(const struct dimension *d, enum stream stream);

/* How many of the first fields of a row of STREAM dimension__key() reads. */
int dimension__fields(const struct dimension *d, enum stream stream);

/* Gets the group of ROW, whose dimension__column() is COLUMN: a part of its fields, of BUF, or
 * static text. */
struct row_field dimension__key(const struct dimension *d, int column, const struct export_row *row,
				char buf[DIMENSION_TEXT_MAX]);

#endif
