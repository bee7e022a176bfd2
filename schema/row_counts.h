/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The account of a stream: seen = written + filtered + lost, exactly. */
#ifndef IOTRC_ROW_COUNTS_H
#define IOTRC_ROW_COUNTS_H

#include <stdint.h>

/* Why rows are lost: no room in the kernel's buffers; none in the queue to the writer; the disk was
 * full or failed; left out by --on-overload=lighten. */
enum lost_cause { LOST_RING, LOST_QUEUE, LOST_DISK, LOST_SHED, LOST_CAUSES };

/* Their words in the manifest and in the lost stream. */
extern const char *const lost_causes[LOST_CAUSES];

/* Rows of one stream since the start of the session. */
struct row_counts {
	uint64_t seen, written, filtered, lost[LOST_CAUSES];
};

/* Rows lost, whatever the cause. */
static inline uint64_t row_counts__lost(const struct row_counts *c)
{
	uint64_t sum = 0;

	for (int k = 0; k < LOST_CAUSES; k++)
		sum += c->lost[k];
	return sum;
}

#endif
