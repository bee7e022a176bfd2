/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quantiles of numbers, from counts in log-linear buckets (schema/buckets.h).
 * A quantile is at most SKETCH_ERROR away from the number that sorting would find there, relative
 * to it; numbers below 128 are exact. Sketches can be added up. Used by one thread at a time. */
#ifndef IOTRC_SKETCH_H
#define IOTRC_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#include "schema/buckets.h"

#define SKETCH_ERROR (1 / 128.0)

/* All members 0: nothing was added. At most 8 * BUCKET_COUNT bytes behind COUNTS; a sketch of few
 * different numbers needs 8 bytes for each. */
struct sketch {
	uint64_t n;        /* numbers that were added */
	uint64_t min, max; /* of them, exact */
	uint64_t *counts;  /* COUNTS[i] for bucket FIRST + i; or, SPARSE, LEN ascending pairs */
	uint16_t first, len, size;
	uint8_t sparse;
};

/* Adds V, N times. 0, or -ENOMEM: V is in n, min and max, but in no quantile. */
int sketch__add(struct sketch *s, uint64_t v, uint64_t n);

/* Adds a number of bucket I, N times: n and the quantiles; min and max are the caller's. 0, or
 * -ENOMEM. */
int sketch__add_bucket(struct sketch *s, unsigned int i, uint64_t n);

/* Adds all that is in FROM. 0, or -ENOMEM: a part is missing. */
int sketch__merge(struct sketch *s, const struct sketch *from);

/* The number of rank ceil(Q * n), for 0 <= Q <= 1: as many are not greater than it. 0 where nothing
 * was added. */
uint64_t sketch__quantile(const struct sketch *s, double q);

/* Bytes of memory behind S. */
size_t sketch__bytes(const struct sketch *s);

/* Frees them; S is as new. */
void sketch__clear(struct sketch *s);

/* The number in the middle of bucket I of schema/buckets.h. */
uint64_t sketch__middle(unsigned int i);

#endif
