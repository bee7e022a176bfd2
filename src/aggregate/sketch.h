/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quantiles of numbers, from counts in log-linear buckets (schema/buckets.h). The relative error of
 * a quantile is at most SKETCH_ERROR; numbers below 128 are exact. Sketches can be added. Used by
 * one thread at a time. */
#ifndef IOTRC_SKETCH_H
#define IOTRC_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#include "schema/buckets.h"

#define SKETCH_ERROR (1 / 128.0)

/* A zeroed struct is an empty sketch. COUNTS takes at most 8 * BUCKET_COUNT bytes; a sketch of few
 * different numbers takes 8 bytes for each. */
struct sketch {
	uint64_t n;        /* numbers that were added */
	uint64_t min, max; /* of them, exact */
	uint64_t *counts;  /* COUNTS[i] of bucket FIRST + i; or, SPARSE, LEN ascending pairs */
	uint16_t first, len, size;
	uint8_t sparse;
};

/* Adds V, N times. Returns 0, or -ENOMEM: V is then in n, min and max, but not in the quantiles. */
int sketch__add(struct sketch *s, uint64_t v, uint64_t n);

/* Adds N numbers of bucket I to n and the quantiles; the caller maintains min and max. Returns 0,
 * or -ENOMEM. */
int sketch__add_bucket(struct sketch *s, unsigned int i, uint64_t n);

/* Adds everything in FROM. Returns 0, or -ENOMEM: a part is then missing. */
int sketch__merge(struct sketch *s, const struct sketch *from);

/* Returns the number of rank ceil(Q * n), for 0 <= Q <= 1; 0 if the sketch is empty. */
uint64_t sketch__quantile(const struct sketch *s, double q);

/* Bytes of memory behind S. */
size_t sketch__bytes(const struct sketch *s);

/* Frees them; S is as new. */
void sketch__clear(struct sketch *s);

/* The middle of bucket I of schema/buckets.h. */
uint64_t sketch__middle(unsigned int i);

#endif
