/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a row adds to a sum: one call, request or event. */
#ifndef IOTRC_MEASURE_H
#define IOTRC_MEASURE_H

#include "aggregate/tally.h"
#include "export/row.h"

/* The measures that the rows of a stream have. */
struct measures {
	bool errors, time, wait, amount;
	bool pages; /* its amount is pages, hits and misses */
	bool flows; /* its amount is what was sent and received */
};

/* Returns the measures of STREAM, or NULL if it cannot be summarised. */
const struct measures *measures__of(enum stream stream);

/* How many of the first fields of a row of STREAM measure__row() reads. */
int measure__fields(enum stream stream);

/* Measures ROW, whose mono_ns and wall_ns need not be set. Returns 0, or -EBADMSG if a field does
 * not have its column's type. */
int measure__row(const struct export_row *row, struct measure *ret);

/* Gets the name of the error of ROW in *RET and *RET_LEN; returns false if it succeeded. */
bool measure__errno(const struct export_row *row, const char **ret, size_t *ret_len);

#endif
