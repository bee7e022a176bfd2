// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/pair_runs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"
#include "export/spill_file.h"

/* Each is at least twice as large as the next one. */
#define RUNS_MAX 48

/* A Bloom filter: of the keys that are in no run, most need no search. Of 10 million keys it lets 1
 * in 200 pass, of 100 million nearly all. */
#define FILTER_BITS (UINT64_C(1) << 27)
#define FILTER_PROBES 4

struct pair_run {
	int fd;
	uint64_t n;
	uint64_t *firsts; /* the first key of each block */
};

struct pair_runs {
	struct pair_run runs[RUNS_MAX]; /* the oldest is first */
	size_t n;
	uint64_t filter[FILTER_BITS / 64];
};

static void free_run(struct pair_run *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->firsts);
	*r = (struct pair_run){ .fd = -1 };
}

struct pair_runs *pair_runs__free(struct pair_runs *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n; i++)
		free_run(&r->runs[i]);
	free(r);
	return NULL;
}

/* ---- the filter ---- */

/* The bit of probe I. Keys are hashes, or mixed well enough by the odd factors. */
static uint64_t probe(uint64_t key, unsigned int i)
{
	static const uint64_t factors[FILTER_PROBES] = { UINT64_C(0x9e3779b97f4a7c15),
							 UINT64_C(0xc2b2ae3d27d4eb4f),
							 UINT64_C(0x165667b19e3779f9),
							 UINT64_C(0xd6e8feb86659fd93) };

	return (key ^ key >> 32) * factors[i] >> 37;
}
_Static_assert(FILTER_BITS == UINT64_C(1) << (64 - 37), "probe()");

static void note(struct pair_runs *r, uint64_t key)
{
	for (unsigned int i = 0; i < FILTER_PROBES; i++)
		r->filter[probe(key, i) / 64] |= UINT64_C(1) << probe(key, i) % 64;
}

static bool may_have(const struct pair_runs *r, uint64_t key)
{
	for (unsigned int i = 0; i < FILTER_PROBES; i++)
		if (!(r->filter[probe(key, i) / 64] >> probe(key, i) % 64 & 1))
			return false;
	return true;
}

/* ---- reading ---- */

/* Reads block NUMBER of R. Returns the number of its pairs, or a negative errno. */
static int read_block(const struct pair_run *r, uint64_t number, struct pair pairs[PAIR_BLOCK])
{
	uint64_t left = r->n - number * PAIR_BLOCK;
	size_t n = left < PAIR_BLOCK ? left : PAIR_BLOCK, got = 0;
	off_t at = number * PAIR_BLOCK * sizeof(*pairs);

	while (got < n * sizeof(*pairs)) {
		ssize_t bytes =
			pread(r->fd, (char *)pairs + got, n * sizeof(*pairs) - got, at + got);

		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes <= 0)
			return bytes ? -errno : -EIO;
		got += bytes;
	}
	return (int)n;
}

/* Returns how many of the first N keys are not above KEY; that of element I is at I * STRIDE. */
static size_t count_up_to(const uint64_t *keys, size_t stride, size_t n, uint64_t key)
{
	size_t low = 0;

	while (n) {
		size_t half = n / 2;

		if (keys[(low + half) * stride] <= key) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

static int find_in(const struct pair_run *r, uint64_t key, uint64_t *ret)
{
	struct pair pairs[PAIR_BLOCK];
	size_t block = count_up_to(r->firsts, 1, (r->n + PAIR_BLOCK - 1) / PAIR_BLOCK, key), at;
	int n;

	if (!block)
		return 0;
	n = read_block(r, block - 1, pairs);
	if (n <= 0)
		return n;
	at = count_up_to(&pairs->key, sizeof(*pairs) / sizeof(pairs->key), n, key);
	if (!at || pairs[at - 1].key != key)
		return 0;
	*ret = pairs[at - 1].value;
	return 1;
}

int pair_runs__find(const struct pair_runs *r, uint64_t key, uint64_t *ret)
{
	int got = 0;

	for (size_t i = r && may_have(r, key) ? r->n : 0; !got && i > 0; i--)
		got = find_in(&r->runs[i - 1], key, ret);
	return got;
}

/* ---- writing ---- */

/* Opens R for at most MAX pairs. */
static int open_run(struct pair_run *r, uint64_t max)
{
	*r = (struct pair_run){ .fd = -1 };
	r->firsts = calloc(max / PAIR_BLOCK + 1, sizeof(*r->firsts));
	if (!r->firsts)
		return -ENOMEM;
	r->fd = spill_file__open();
	return r->fd < 0 ? r->fd : 0;
}

/* Appends pairs: whole blocks, but for the last ones. */
static int append(struct pair_run *r, const struct pair *pairs, size_t n)
{
	int err = write_all(r->fd, pairs, n * sizeof(*pairs), r->n * sizeof(*pairs));

	for (size_t i = 0; i < n; i += PAIR_BLOCK)
		r->firsts[(r->n + i) / PAIR_BLOCK] = pairs[i].key;
	r->n += n;
	return err;
}

/* ---- merging ---- */

struct pair_source {
	const struct pair_run *run;
	struct pair pairs[PAIR_BLOCK];
	uint64_t block; /* the next one */
	int at, n;
};

/* Reads the next block if the current one is used up. At the end N is 0. */
static int load_block(struct pair_source *s)
{
	if (s->at < s->n)
		return 0;
	s->at = 0;
	s->n = s->block * PAIR_BLOCK < s->run->n ? read_block(s->run, s->block++, s->pairs) : 0;
	return s->n < 0 ? s->n : 0;
}

/* Takes the smallest pair; of pairs with the same key the latest, and skips the others. Returns 1,
 * 0 at the end, or a negative errno. */
static int take_smallest(struct pair_source *sources, size_t n, struct pair *ret)
{
	bool found = false;

	for (size_t i = n; i-- > 0;) {
		struct pair_source *s = &sources[i];

		if (s->n && (!found || s->pairs[s->at].key < ret->key)) {
			*ret = s->pairs[s->at];
			found = true;
		}
	}
	for (size_t i = 0; found && i < n; i++) {
		struct pair_source *s = &sources[i];
		int err;

		if (!s->n || s->pairs[s->at].key != ret->key)
			continue;
		s->at++;
		err = load_block(s);
		if (err)
			return err;
	}
	return found;
}

static int merge_into(struct pair_run *merged, struct pair_source *sources, size_t n)
{
	struct pair pairs[PAIR_BLOCK];
	size_t filled = 0;
	int got, err = 0;

	while (!err && (got = take_smallest(sources, n, &pairs[filled])) > 0)
		if (++filled == PAIR_BLOCK) {
			err = append(merged, pairs, filled);
			filled = 0;
		}
	if (err || got < 0)
		return err ? err : got;
	return append(merged, pairs, filled);
}

/* Merges the two newest runs. */
static int merge(struct pair_runs *r)
{
	struct pair_run *newest = &r->runs[r->n - 2], merged = { .fd = -1 };
	struct pair_source *sources = calloc(2, sizeof(*sources));
	int err = sources ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < 2; i++) {
		sources[i].run = &newest[i];
		err = load_block(&sources[i]);
	}
	if (!err)
		err = open_run(&merged, newest[0].n + newest[1].n);
	if (!err)
		err = merge_into(&merged, sources, 2);
	free(sources);
	if (err) {
		free_run(&merged);
		return err;
	}
	free_run(&newest[0]);
	free_run(&newest[1]);
	newest[0] = merged;
	r->n--;
	return 0;
}

static int add_run(struct pair_runs *r, const struct pair *sorted, size_t n)
{
	struct pair_run *added = &r->runs[r->n];
	int err;

	if (r->n == RUNS_MAX)
		return -EFBIG;
	err = open_run(added, n);
	if (!err)
		err = append(added, sorted, n);
	if (err) {
		free_run(added);
		return err;
	}
	r->n++;
	for (size_t i = 0; i < n; i++)
		note(r, sorted[i].key);
	return 0;
}

int pair_runs__add(struct pair_runs **runs, const struct pair *sorted, size_t n)
{
	struct pair_runs *r = *runs;
	int err;

	if (!r)
		*runs = r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	err = add_run(r, sorted, n);
	/* So each pair is merged only as often as the number of pairs doubles. */
	while (!err && r->n > 1 && r->runs[r->n - 2].n < 2 * r->runs[r->n - 1].n)
		err = merge(r);
	return err;
}
