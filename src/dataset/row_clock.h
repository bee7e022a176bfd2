/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock's offset list of a session, as its rows tell it. A manifest knows of a step of the wall
 * clock once it is written: a recorder that is killed first leaves rows by an offset that is
 * nowhere listed. But each row has both of its times, so that their difference is the offset. */
#ifndef IOTRC_ROW_CLOCK_H
#define IOTRC_ROW_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct row_clock {
	size_t n, known; /* offsets; the first KNOWN of them are what was listed */
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];
};

/* Begins with what is listed. False, and no row will change anything, when that is no list of
 * ours. */
bool row_clock__list(struct row_clock *c, const struct clock_offset *offsets, size_t n);

/* Takes a row in, in whatever order: its local wall time in us, and its mono_ns. True when the list
 * has changed. Rows before the last offset that was listed agree with the list, or are none of
 * ours. */
bool row_clock__row(struct row_clock *c, int64_t wall_us, uint64_t mono_ns);

#endif
