/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Derives a session's list of clock offsets from its rows. A step of the wall clock is in the
 * manifest only after the next time that it is written; if the recorder is killed before, the
 * manifest lacks that offset. Each row has both times, and their difference is the offset. */
#ifndef IOTRC_ROW_CLOCK_H
#define IOTRC_ROW_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct row_clock {
	size_t n, known; /* offsets; the first KNOWN were in the manifest */
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];
};

/* Starts with the manifest's list. False if that is not a valid list: then rows change nothing. */
bool row_clock__list(struct row_clock *c, const struct clock_offset *offsets, size_t n);

/* Adds a row, in any order: its local wall time in microseconds, and its mono_ns. True if the list
 * has changed. Rows before the last listed offset are ignored. */
bool row_clock__row(struct row_clock *c, int64_t wall_us, uint64_t mono_ns);

#endif
