// SPDX-License-Identifier: GPL-2.0-or-later
#include "aggregate/sketch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Pairs of a bucket and its count in 64 bits, up to this number of buckets. */
#define PAIRS_MAX 96
#define PAIR_BITS 12 /* of the bucket; the other 52 are the count */
#define PAIR_BUCKET(pair) ((pair) >> (64 - PAIR_BITS))
#define PAIR_COUNT(pair) ((pair) << PAIR_BITS >> PAIR_BITS)
#define PAIR(bucket, count) ((uint64_t)(bucket) << (64 - PAIR_BITS) | (count))
#define COUNT_MAX ((UINT64_C(1) << (64 - PAIR_BITS)) - 1)
#define STEP 64 /* number of buckets by which the dense form grows */

_Static_assert(BUCKET_COUNT <= 1 << PAIR_BITS, "a bucket fits into a pair");

uint64_t sketch__middle(unsigned int i)
{
	unsigned int shift = i < 2 << BUCKET_BITS ? 0 : (i >> BUCKET_BITS) - 1;
	uint64_t low = (uint64_t)(i - (shift << BUCKET_BITS)) << shift;

	return low + ((UINT64_C(1) << shift) - 1) / 2;
}

/* Returns the index of BUCKET in the pairs, or where it would be inserted. */
static unsigned int find_pair(const struct sketch *s, unsigned int bucket)
{
	unsigned int low = 0, high = s->len;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		/* NOLINTNEXTLINE(*.NullDereference): there are counts where LEN is not 0 */
		if (PAIR_BUCKET(s->counts[middle]) < bucket)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Grows the array for one more pair. */
static int grow_pairs(struct sketch *s)
{
	unsigned int size = s->size ? s->size * 2 : 4;
	uint64_t *counts;

	if (s->len < s->size)
		return 0;
	if (size > PAIRS_MAX)
		size = PAIRS_MAX;
	counts = realloc(s->counts, size * sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	s->counts = counts;
	s->size = size;
	s->sparse = 1;
	return 0;
}

/* Extends the dense form to BUCKET. */
static int widen(struct sketch *s, unsigned int bucket)
{
	unsigned int first = s->len && s->first < bucket ? s->first : bucket / STEP * STEP;
	unsigned int end = s->len && s->first + s->len > bucket ? s->first + s->len :
								  bucket / STEP * STEP + STEP;
	uint64_t *counts;

	if (s->len && first == s->first && end == (unsigned int)s->first + s->len)
		return 0;
	counts = calloc(end - first, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	if (s->len)
		memcpy(counts + (s->first - first), s->counts, s->len * sizeof(*counts));
	/* NOLINTNEXTLINE(*.Malloc): the previous array, which nothing else refers to */
	free(s->counts);
	s->counts = counts;
	s->first = first;
	s->len = s->size = end - first;
	return 0;
}

/* Converts pairs to a count for each bucket. */
static int make_dense(struct sketch *s)
{
	struct sketch dense = { .n = s->n, .min = s->min, .max = s->max };
	int err = widen(&dense, PAIR_BUCKET(s->counts[0]));

	if (!err)
		err = widen(&dense, PAIR_BUCKET(s->counts[s->len - 1]));
	if (err) {
		free(dense.counts);
		return err;
	}
	for (unsigned int i = 0; i < s->len; i++)
		dense.counts[PAIR_BUCKET(s->counts[i]) - dense.first] = PAIR_COUNT(s->counts[i]);
	free(s->counts);
	*s = dense;
	return 0;
}

/* Adds N to the pair of BUCKET; -E2BIG if pairs are no longer suitable. */
static int count_pair(struct sketch *s, unsigned int bucket, uint64_t n)
{
	unsigned int i = find_pair(s, bucket);
	int err;

	/* NOLINTNEXTLINE(*.NullDereference): there are counts where LEN is not 0 */
	if (i < s->len && PAIR_BUCKET(s->counts[i]) == bucket) {
		if (n > COUNT_MAX - PAIR_COUNT(s->counts[i]))
			return -E2BIG;
		s->counts[i] += n;
		return 0;
	}
	if (s->len == PAIRS_MAX || n > COUNT_MAX)
		return -E2BIG;
	err = grow_pairs(s);
	if (err)
		return err;
	/* NOLINTNEXTLINE(*.NonNullParamChecker): grow_pairs() has allocated it */
	memmove(s->counts + i + 1, s->counts + i, (s->len - i) * sizeof(*s->counts));
	s->counts[i] = PAIR(bucket, n);
	s->len++;
	return 0;
}

static int count_bucket(struct sketch *s, unsigned int bucket, uint64_t n)
{
	int err = -E2BIG;

	if (s->sparse || !s->counts)
		err = count_pair(s, bucket, n);
	if (err != -E2BIG)
		return err;
	err = s->sparse ? make_dense(s) : 0;
	if (!err)
		err = widen(s, bucket);
	if (!err)
		s->counts[bucket - s->first] += n;
	return err;
}

int sketch__add(struct sketch *s, uint64_t v, uint64_t n)
{
	if (!n)
		return 0;
	if (!s->n || v < s->min)
		s->min = v;
	if (!s->n || v > s->max)
		s->max = v;
	s->n += n;
	return count_bucket(s, buckets__of(v), n);
}

int sketch__add_bucket(struct sketch *s, unsigned int i, uint64_t n)
{
	s->n += n;
	return n ? count_bucket(s, i, n) : 0;
}

int sketch__merge(struct sketch *s, const struct sketch *from)
{
	int err = 0;

	if (!from->n)
		return 0;
	if (!s->n || from->min < s->min)
		s->min = from->min;
	if (!s->n || from->max > s->max)
		s->max = from->max;
	s->n += from->n;
	for (unsigned int i = 0; !err && i < from->len; i++) {
		uint64_t count = from->counts[i];

		if (from->sparse)
			err = count_bucket(s, PAIR_BUCKET(count), PAIR_COUNT(count));
		else if (count)
			err = count_bucket(s, from->first + i, count);
	}
	return err;
}

uint64_t sketch__quantile(const struct sketch *s, double q)
{
	uint64_t rank = q * s->n, so_far = 0, found = s->max;

	/* ceil() without the rounding error of the product: 0.99 * 100 is more than 99. */
	if ((double)rank < q * s->n - 1e-9 * s->n)
		rank++;
	for (unsigned int i = 0; i < s->len; i++) {
		so_far += s->sparse ? PAIR_COUNT(s->counts[i]) : s->counts[i];
		if (so_far && so_far >= rank) {
			found = sketch__middle(s->sparse ? PAIR_BUCKET(s->counts[i]) :
							   s->first + i);
			break;
		}
	}
	return found < s->min ? s->min : found > s->max ? s->max : found;
}

size_t sketch__bytes(const struct sketch *s)
{
	return s->size * sizeof(*s->counts);
}

void sketch__clear(struct sketch *s)
{
	free(s->counts);
	*s = (struct sketch){ 0 };
}
