/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Valid rows that were read before. Most fields of a row equal those of an earlier row, often of
 * the same process and operation. Where two rows are equal, the fields of the second need not be
 * checked again, nor even be found. */
#ifndef IOTRC_KNOWN_ROWS_H
#define IOTRC_KNOWN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset/row_file.h"
#include "schema/schema.h"

#define KNOWN_ROWS_LOG 8
#define KNOWN_ROWS (1 << KNOWN_ROWS_LOG)
#define KNOWN_ROW_MAX 1536 /* bytes, its line feed included */

struct known_row {
	size_t len; /* without the line feed; 0: none */
	uint16_t starts[ROW_FIELDS_MAX];
	/* the field to which a byte, or the comma, belongs */
	uint8_t field_at[KNOWN_ROW_MAX + ROW_FILE_SLACK];
	char text[KNOWN_ROW_MAX + ROW_FILE_SLACK];
};

struct known_rows {
	const struct column *columns[ROW_FIELDS_MAX];
	size_t n_columns;
	struct known_row *last; /* the row that was added last */
	struct known_row rows[KNOWN_ROWS];
};

/* For a file of STREAM whose rows have N_COLUMNS. Returns NULL if out of memory. To be freed with
 * free(). */
struct known_rows *known_rows__new(enum stream stream, size_t n_columns);

/* Returns the start of the last field if all fields of ROW are valid; ROW has LEN bytes, and a line
 * feed behind them. The first field and the last, which differ in each row, are left to the caller.
 * NULL: it is not known whether they are. Remembers ROW if it differs much from the known one. */
const char *known_rows__accept(struct known_rows *k, const char *row, size_t len);

/* Remembers ROW, which may be invalid. */
void known_rows__add(struct known_rows *k, const char *row, size_t len);

/* Forgets the row that was added last, since it is invalid. */
void known_rows__forget(struct known_rows *k);

#endif
