// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/snap_sorter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/state.h"
#include "platform/sort.h"
#include "snappers/run.h"

/* Runs merged at the same time; each reader takes half a megabyte. */
#define RUNS_MAX 32
#define STOP_EACH 4096

struct run_head {
	struct run_reader *reader;
	const void *record;
	uint32_t len;
};

struct snap_sorter {
	int (*order)(const void *a, const void *b);
	int dir;
	bool (*stop)(void *arg);
	void *arg;
	unsigned int until_stop;

	/* Records (length, bytes, padding to a multiple of 8), and pointers to them. */
	char *memory;
	size_t size, used, n, capacity;
	void **list;

	int runs[RUNS_MAX];
	size_t n_runs;

	bool merging;
	struct run_head heads[RUNS_MAX];
	size_t heap[RUNS_MAX], n_heap, at;
	size_t taken; /* head whose record was returned last; n_runs: none */
};

int snap_sorter__new(struct snap_sorter **ret, int (*order)(const void *a, const void *b), int dir,
		     bool (*stop)(void *arg), void *arg, size_t memory)
{
	struct snap_sorter *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->order = order;
	s->dir = dir;
	s->stop = stop;
	s->arg = arg;
	s->size = memory ? memory : SNAP_SORTER_MEMORY;
	s->memory = malloc(s->size);
	s->capacity = s->size / 64;
	s->list = malloc(s->capacity * sizeof(*s->list));
	if (!s->memory || !s->list) {
		snap_sorter__free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static void end_merge(struct snap_sorter *s)
{
	for (size_t i = 0; i < RUNS_MAX; i++)
		s->heads[i].reader = run_reader__free(s->heads[i].reader);
	s->merging = false;
	s->n_heap = 0;
}

struct snap_sorter *snap_sorter__free(struct snap_sorter *s)
{
	if (!s)
		return NULL;
	end_merge(s);
	for (size_t i = 0; i < s->n_runs; i++)
		close(s->runs[i]);
	free(s->memory);
	free(s->list);
	free(s);
	return NULL;
}

static bool must_stop_sorting(struct snap_sorter *s)
{
	if (!s->stop || s->until_stop++ % STOP_EACH)
		return false;
	return s->stop(s->arg);
}

static uint32_t len_of(const void *record)
{
	uint64_t len;

	memcpy(&len, (const char *)record - sizeof(len), sizeof(len));
	return len;
}

static int by_order(const void *a, const void *b, void *order)
{
	struct snap_sorter *s = order;

	return s->order(*(void *const *)a, *(void *const *)b);
}

static void sort_memory(struct snap_sorter *s)
{
	sort__by(s->list, s->n, sizeof(*s->list), by_order, s);
}

/* ---- merging ---- */

static bool before(const struct snap_sorter *s, size_t a, size_t b)
{
	return s->order(s->heads[a].record, s->heads[b].record) < 0;
}

static void sift_down(struct snap_sorter *s, size_t i)
{
	for (;;) {
		size_t least = i, child = 2 * i + 1, t;

		for (size_t c = child; c < child + 2 && c < s->n_heap; c++)
			if (before(s, s->heap[c], s->heap[least]))
				least = c;
		if (least == i)
			return;
		t = s->heap[i];
		s->heap[i] = s->heap[least];
		s->heap[least] = t;
		i = least;
	}
}

static int begin_merge(struct snap_sorter *s)
{
	s->n_heap = 0;
	s->taken = RUNS_MAX;
	s->merging = true;
	for (size_t i = 0; i < s->n_runs; i++) {
		struct run_head *h = &s->heads[i];
		int err = run_reader__new(&h->reader, s->runs[i]);

		if (!err)
			err = run_reader__next(h->reader, &h->record, &h->len);
		if (err < 0)
			return err;
		if (err)
			s->heap[s->n_heap++] = i;
	}
	for (size_t i = s->n_heap / 2; i--;)
		sift_down(s, i);
	return 0;
}

static int merge_next(struct snap_sorter *s, const void **ret_record, uint32_t *ret_len)
{
	if (s->taken < RUNS_MAX) {
		struct run_head *h = &s->heads[s->taken];
		int err = run_reader__next(h->reader, &h->record, &h->len);

		if (err < 0)
			return err;
		if (!err)
			s->heap[0] = s->heap[--s->n_heap];
		sift_down(s, 0);
	}
	if (!s->n_heap)
		return 0;
	s->taken = s->heap[0];
	*ret_record = s->heads[s->taken].record;
	*ret_len = s->heads[s->taken].len;
	return 1;
}

/* ---- runs ---- */

/* The next record, from memory or from the merge. */
static int next(struct snap_sorter *s, const void **ret_record, uint32_t *ret_len)
{
	if (must_stop_sorting(s))
		return -EINTR;
	if (s->merging)
		return merge_next(s, ret_record, ret_len);
	if (s->at == s->n)
		return 0;
	*ret_record = s->list[s->at++];
	*ret_len = len_of(*ret_record);
	return 1;
}

/* Writes all records from next() to a new run. */
static int write_run(struct snap_sorter *s, int *ret_fd)
{
	int fd = state__temporary(s->dir), err;
	struct run_writer *w = NULL;
	const void *record;
	uint32_t len;

	if (fd < 0)
		return fd;
	err = run_writer__new(&w, fd);
	if (err)
		goto out;
	while ((err = next(s, &record, &len)) > 0) {
		err = run_writer__add(w, record, len);
		if (err)
			goto out;
	}
	if (!err)
		err = run_writer__end(w);
out:
	run_writer__free(w);
	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

static int merge_runs(struct snap_sorter *s)
{
	int fd, err = begin_merge(s);

	if (!err)
		err = write_run(s, &fd);
	end_merge(s);
	if (err)
		return err;
	while (s->n_runs)
		close(s->runs[--s->n_runs]);
	s->runs[s->n_runs++] = fd;
	return 0;
}

static int spill(struct snap_sorter *s)
{
	int err = s->n_runs == RUNS_MAX ? merge_runs(s) : 0;

	if (err || !s->n)
		return err;
	sort_memory(s);
	s->at = 0;
	err = write_run(s, &s->runs[s->n_runs]);
	if (err)
		return err;
	s->n_runs++;
	s->n = s->used = s->at = 0;
	return 0;
}

int snap_sorter__add(struct snap_sorter *s, const void *record, uint32_t len)
{
	size_t need = sizeof(uint64_t) + (((size_t)len + 7) & ~(size_t)7);
	uint64_t stored = len;
	int err;

	if (need > s->size)
		return -E2BIG;
	if (s->used + need > s->size || s->n == s->capacity) {
		err = spill(s);
		if (err)
			return err;
	}
	memcpy(s->memory + s->used, &stored, sizeof(stored));
	memcpy(s->memory + s->used + sizeof(stored), record, len);
	s->list[s->n++] = s->memory + s->used + sizeof(stored);
	s->used += need;
	return 0;
}

/* All records are still in memory. */
static int end_adding(struct snap_sorter *s)
{
	int err;

	if (!s->n_runs) {
		sort_memory(s);
		return 0;
	}
	err = spill(s);
	free(s->memory);
	free(s->list);
	s->memory = NULL;
	s->list = NULL;
	return err ? err : begin_merge(s);
}

int snap_sorter__next(struct snap_sorter *s, const void **ret_record, uint32_t *ret_len)
{
	if (!s->merging && !s->at) {
		int err = end_adding(s);

		if (err)
			return err;
	}
	return next(s, ret_record, ret_len);
}
