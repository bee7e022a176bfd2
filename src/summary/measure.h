/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a row counts as in a sum: one call, request or event. */
#ifndef IOTRC_MEASURE_H
#define IOTRC_MEASURE_H

#include "aggregate/tally.h"
#include "export/row.h"

/* Which measures the rows of a stream have. */
struct measures {
	bool errors, time, wait, amount, pages; /* PAGES: its amount is pages, of hits and misses */
};

/* Those of STREAM, one that can be summed up; NULL for others. */
const struct measures *measures__of(enum stream stream);

/* How many of the first fields of a row of STREAM measure__row() looks at. */
int measure__fields(enum stream stream);

/* Measures ROW, whose mono_ns and wall_ns need not be set. 0, or -EBADMSG: a field isn't of its
 * column's type. */
int measure__row(const struct export_row *row, struct measure *ret);

/* The name of the error that ROW ended with, into *RET and *RET_LEN; false where it is no error. */
bool measure__errno(const struct export_row *row, const char **ret, size_t *ret_len);

#endif
