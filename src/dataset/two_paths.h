/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file name of a row: one path, or two (of a rename, a link) with an arrow between them. Inside a
 * path the arrow is escaped (csv__escape_arrow() of base/csv.h). */
#ifndef IOTRC_TWO_PATHS_H
#define IOTRC_TWO_PATHS_H

#include <stdbool.h>
#include <string.h>

#include "dataset/row_file.h"

#define TWO_PATHS_ARROW " -> "

/* An unknown path is empty. */
struct two_paths {
	struct row_field first, second;
	bool two;
};

/* Splits NAME, whose bytes the result refers to. If it has one path, both are that. */
static inline struct two_paths two_paths__split(const struct row_field *name)
{
	const size_t arrow_len = sizeof(TWO_PATHS_ARROW) - 1;
	char *arrow = memmem(name->s, name->len, TWO_PATHS_ARROW, arrow_len), *second;

	if (!arrow)
		return (struct two_paths){ *name, *name, false };
	second = arrow + arrow_len;
	return (struct two_paths){ { name->s, arrow - name->s },
				   { second, name->s + name->len - second },
				   true };
}

/* The path under which a row is counted: the first, or the second if the first is unknown. */
static inline struct row_field two_paths__main(const struct row_field *name)
{
	struct two_paths paths = two_paths__split(name);

	return paths.first.len ? paths.first : paths.second;
}

#endif
