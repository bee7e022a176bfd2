// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/pieces.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"

#define DAY_NS INT64_C(86400000000000)

struct cutter {
	const struct session_reader *r;
	enum stream stream;
	uint64_t first, last; /* mono_ns of the stream's rows */
	uint64_t *cuts;       /* mono_ns at which a piece has enough rows; ascending */
	size_t n_cuts;
	struct lake_piece *pieces;
	size_t n, capacity;
};

static int by_first(const void *a, const void *b)
{
	const struct file_facts *const *x = a, *const *y = b;
	uint64_t s = (*x)->first_mono_ns, t = (*y)->first_mono_ns;

	return s < t ? -1 : s > t;
}

/* Finds where the stream begins and ends, and the files before which there are enough rows for a
 * piece. */
static int find_cuts(struct cutter *c)
{
	const struct file_facts **files = calloc(c->r->n_files + 1, sizeof(const void *));
	uint64_t rows = 0;
	size_t n = 0;

	c->cuts = calloc(c->r->n_files + 1, sizeof(*c->cuts));
	if (!files || !c->cuts) {
		free(files);
		return -ENOMEM;
	}
	for (size_t i = 0; i < c->r->n_files; i++)
		if (c->r->files[i].stream == c->stream && c->r->files[i].rows)
			files[n++] = &c->r->files[i];
	qsort(files, n, sizeof(const void *), by_first);
	c->first = n ? files[0]->first_mono_ns : 1;
	for (size_t i = 0; i < n; i++) {
		if (rows + files[i]->rows > PIECE_ROWS && rows) {
			c->cuts[c->n_cuts++] = files[i]->first_mono_ns;
			rows = 0;
		}
		rows += files[i]->rows;
		if (files[i]->last_mono_ns > c->last)
			c->last = files[i]->last_mono_ns;
	}
	free(files);
	return 0;
}

/* Returns the number of pieces of DAY. If the clock was set back, a day can occur twice. */
static unsigned int count_of(const struct cutter *c, int64_t day)
{
	for (size_t i = c->n; i-- > 0;)
		if (c->pieces[i].day == day)
			return c->pieces[i].n;
	return 0;
}

/* Adds the span from FROM to TO, to the last piece if nothing separates them. */
static int add_span(struct cutter *c, int64_t day, uint64_t from, uint64_t to, bool apart)
{
	struct lake_piece *more;

	if (c->n && !apart && c->pieces[c->n - 1].day == day) {
		c->pieces[c->n - 1].to = to;
		return 0;
	}
	if (c->n == PIECES_MAX)
		return -E2BIG;
	more = array__grow(c->pieces, c->n, &c->capacity, sizeof(*more));
	if (!more)
		return -ENOMEM;
	c->pieces = more;
	c->pieces[c->n] = (struct lake_piece){ day, count_of(c, day) + 1, from, to };
	c->n++;
	return 0;
}

/* Walks from boundary to boundary: midnights, changes of the offset, cuts. */
static int walk(struct cutter *c)
{
	size_t offset = 0, cut = 0;
	uint64_t at = c->first;
	int err = 0;

	while (!err && at <= c->last) {
		const struct clock_offset *o = c->r->offsets;
		uint64_t to = c->last;
		__int128 wall, midnight;
		bool apart = false;
		int64_t day;

		while (offset + 1 < c->r->n_offsets && o[offset + 1].from_mono_ns <= at)
			offset++;
		for (; cut < c->n_cuts && c->cuts[cut] <= at; cut++)
			apart = true;
		wall = (__int128)at + o[offset].offset_ns;
		if (wall < 0 || wall > INT64_MAX)
			return -ERANGE;
		day = (int64_t)wall / DAY_NS;
		midnight = (__int128)(day + 1) * DAY_NS - o[offset].offset_ns;
		if (midnight <= to)
			to = midnight - 1;
		if (offset + 1 < c->r->n_offsets && o[offset + 1].from_mono_ns <= to)
			to = o[offset + 1].from_mono_ns - 1;
		if (cut < c->n_cuts && c->cuts[cut] <= to)
			to = c->cuts[cut] - 1;
		err = add_span(c, day, at, to, apart);
		if (to == UINT64_MAX)
			break;
		at = to + 1;
	}
	return err;
}

int pieces__cut(const struct session_reader *r, enum stream stream, struct lake_piece **ret,
		size_t *ret_n)
{
	struct cutter c = { .r = r, .stream = stream };
	int err = find_cuts(&c);

	if (!err)
		err = walk(&c);
	free(c.cuts);
	if (err) {
		free(c.pieces);
		return err;
	}
	*ret = c.pieces;
	*ret_n = c.n;
	return 0;
}
