// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform/libc.h"

/* Odd numbers with many bits set: fractions of the golden ratio and of the square root of 3. */
#define K1 UINT64_C(0x9e3779b97f4a7c15)
#define K2 UINT64_C(0xbb67ae8584caa73b)

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t sample__priority(uint64_t mono_ns, uint64_t who, uint64_t kind)
{
	return mix(mix(mono_ns ^ K1, K2) + who, K1 ^ kind << 56);
}

uint64_t sample__name(const char *name, size_t len)
{
	uint64_t h = len ^ K2, word;

	for (; len >= 8; name += 8, len -= 8) {
		memcpy(&word, name, 8);
		h = mix(h ^ word, K1);
	}
	word = 0;
	memcpy(&word, name, len);
	return mix(mix(h ^ word, K1), K2) | 1;
}

void sample__begin(struct sample *s, size_t max)
{
	*s = (struct sample){ .max = max, .limit = UINT64_MAX };
}

static int by_priority(const void *a, const void *b)
{
	uint64_t x = ((const struct sampled *)a)->priority;
	uint64_t y = ((const struct sampled *)b)->priority;

	return (x > y) - (x < y);
}

static int by_sample_time(const void *a, const void *b)
{
	const struct sampled *x = a, *y = b;

	if (x->mono_ns != y->mono_ns)
		return x->mono_ns < y->mono_ns ? -1 : 1;
	return by_priority(a, b);
}

/* Leaves MAX rows at most. */
static void cut(struct sample *s, size_t max)
{
	if (s->n <= max)
		return;
	qsort(s->rows, s->n, sizeof(*s->rows), by_priority);
	s->n = max;
	s->limit = max ? s->rows[max - 1].priority + 1 : 0;
}

int sample__add(struct sample *s, const struct sampled *row)
{
	if (s->n == s->size && s->size < 2 * s->max) {
		size_t size = s->size ? s->size * 2 : 1024;
		struct sampled *rows;

		size = size < 2 * s->max ? size : 2 * s->max;
		rows = reallocarray(s->rows, size, sizeof(*rows));
		if (!rows)
			return -ENOMEM;
		s->rows = rows;
		s->size = size;
	}
	if (s->n == s->size)
		cut(s, s->max);
	if (sample__wants(s, row->priority))
		s->rows[s->n++] = *row;
	return 0;
}

int sample__merge(struct sample *s, const struct sample *from)
{
	int err = 0;

	for (size_t i = 0; i < from->n && !err; i++)
		if (sample__wants(s, from->rows[i].priority))
			err = sample__add(s, &from->rows[i]);
	return err;
}

void sample__finish(struct sample *s, size_t max)
{
	cut(s, max);
	qsort(s->rows, s->n, sizeof(*s->rows), by_sample_time);
}

void sample__clear(struct sample *s)
{
	free(s->rows);
	s->rows = NULL;
	s->n = s->size = 0;
}
