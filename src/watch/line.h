/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats a row as a line for people: time, process, command, operation, object, position and size,
 * result, duration; or only the selected columns. */
#ifndef IOTRC_LINE_H
#define IOTRC_LINE_H

#include <stdbool.h>
#include <stdio.h>

#include "export/row.h"

#define LINE_COLUMNS_MAX 32

struct line_style {
	bool colours; /* by the escape sequences of ECMA-48 */
	bool utf8;    /* an arrow is U+2192, an ellipsis U+2026; otherwise -> and ... */
	int width;    /* columns of the terminal, to which paths are shortened; 0: do not shorten */
	const char *columns[LINE_COLUMNS_MAX]; /* names; borrowed, not NUL-terminated */
	size_t lens[LINE_COLUMNS_MAX];
	int n_columns; /* 0: the usual line */
};

/* Selects the columns of LIST (a,b,c), which is borrowed. Returns false if one is in no stream of
 * STREAMS (*RET_BAD), or there are too many. */
bool line__choose(struct line_style *style, const char *list, uint32_t streams,
		  const char **ret_bad);

/* Prints ROW to OUT, with a line feed. */
void line__print(FILE *out, const struct line_style *style, const struct export_row *row);

#endif
