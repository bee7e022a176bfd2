/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a row of iotrc top counts. */
#ifndef IOTRC_TOP_COUNTS_H
#define IOTRC_TOP_COUNTS_H

#include <stdint.h>

struct top_counts {
	uint64_t calls, errors, read, written; /* bytes */
	uint64_t time_ns, timed;               /* of TIMED calls */
};

/* Adds MORE to C. */
void top_counts__add(struct top_counts *c, const struct top_counts *more);

/* Subtracts FROM, an earlier state of C. */
void top_counts__subtract(struct top_counts *c, const struct top_counts *from);

/* COUNT per second, if it was counted in SPAN_NS nanoseconds. */
double top_counts__rate(uint64_t count, uint64_t span_ns);

#endif
