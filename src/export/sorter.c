// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/sorter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"
#include "export/spill_file.h"
#include "platform/libc.h"
#include "platform/sort.h"

/* Each has a buffer of RUN_BUFFER: 64 MiB for 64 GiB of records, if a run has 64 MiB. */
#define RUNS_MAX 1024
#define RUN_BUFFER (64 * 1024)

/* Precedes the bytes of a record, in memory and on disk. */
struct record {
	uint64_t key;
	uint64_t len;
};

struct sorted_run {
	off_t at, end; /* bytes that are not in the buffer yet */
	char *buf;
	size_t pos, fill, size;
};

struct sorter {
	char *arena;
	size_t memory, fill;
	size_t *records; /* their offsets in the arena */
	size_t n_records, max_records, next_record;
	int fd; /* the runs, or -1 */
	off_t end;
	struct sorted_run *runs;
	size_t n_runs;
	struct sorted_run **heap; /* runs that have a record; the smallest is first */
	size_t n_heap;
	bool sorted;
	struct sorted_run *given; /* its first record has been returned */
};

int sorter__new(struct sorter **ret, size_t memory)
{
	struct sorter *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->memory = memory;
	s->arena = malloc(memory + sizeof(struct record));
	if (!s->arena) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct sorter *sorter__free(struct sorter *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_runs; i++)
		free(s->runs[i].buf);
	if (s->fd >= 0)
		close(s->fd);
	free(s->arena);
	free(s->records);
	free(s->runs);
	free(s->heap);
	free(s);
	return NULL;
}

static struct record record_at(const char *p)
{
	struct record r;

	memcpy(&r, p, sizeof(r));
	return r;
}

/* By key, then by position: the arena is filled in the order of arrival. */
static int compare_records(const void *a, const void *b, void *arena)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	uint64_t p = record_at((char *)arena + x).key, q = record_at((char *)arena + y).key;

	if (p != q)
		return p < q ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void sort(struct sorter *s)
{
	if (s->n_records)
		sort__by(s->records, s->n_records, sizeof(*s->records), compare_records, s->arena);
}

static int write_records(struct sorter *s, char *buf)
{
	size_t fill = 0;
	int err = 0;

	for (size_t i = 0; !err && i < s->n_records; i++) {
		const char *p = s->arena + s->records[i];
		size_t len = sizeof(struct record) + record_at(p).len;

		if (fill + len > SORTER_RECORD_MAX + sizeof(struct record)) {
			err = write_all(s->fd, buf, fill, s->end);
			s->end += fill;
			fill = 0;
		}
		memcpy(buf + fill, p, len);
		fill += len;
	}
	if (!err)
		err = write_all(s->fd, buf, fill, s->end);
	s->end += fill;
	return err;
}

static int open_runs(struct sorter *s)
{
	int fd = spill_file__open();

	if (fd >= 0)
		s->fd = fd;
	return fd < 0 ? fd : 0;
}

/* Writes the records in memory as a run. */
static int spill_records(struct sorter *s)
{
	char *buf = malloc(SORTER_RECORD_MAX + sizeof(struct record));
	struct sorted_run *runs = reallocarray(s->runs, s->n_runs + 1, sizeof(*runs));
	int err = s->n_runs == RUNS_MAX ? -EFBIG : 0;
	off_t start = s->end;

	if (runs)
		s->runs = runs;
	if (!buf || !runs)
		err = -ENOMEM;
	if (!err && s->fd < 0)
		err = open_runs(s);
	if (!err) {
		sort(s);
		err = write_records(s, buf);
	}
	if (!err)
		s->runs[s->n_runs++] = (struct sorted_run){ .at = start, .end = s->end };
	s->n_records = s->fill = 0;
	free(buf);
	return err;
}

int sorter__add(struct sorter *s, uint64_t key, const void *data, size_t len)
{
	struct record r = { key, len };
	int err;

	if (len > SORTER_RECORD_MAX)
		return -E2BIG;
	if (s->fill + sizeof(r) + len > s->memory && s->n_records) {
		err = spill_records(s);
		if (err)
			return err;
	}
	if (s->n_records == s->max_records) {
		size_t max = s->max_records ? 2 * s->max_records : 4096;
		size_t *records = reallocarray(s->records, max, sizeof(*records));

		if (!records)
			return -ENOMEM;
		s->records = records;
		s->max_records = max;
	}
	s->records[s->n_records++] = s->fill;
	memcpy(s->arena + s->fill, &r, sizeof(r));
	memcpy(s->arena + s->fill + sizeof(r), data, len);
	s->fill += sizeof(r) + len;
	return 0;
}

/* ---- merging ---- */

/* Reads until NEED bytes of R are in its buffer. Returns 1, 0 at the end of the run, or a negative
 * errno. */
static int fill_run(struct sorter *s, struct sorted_run *r, size_t need)
{
	if (r->pos == r->fill && r->at == r->end)
		return 0;
	if (r->fill - r->pos >= need)
		return 1;
	if (need > r->size) {
		size_t size = need > RUN_BUFFER ? need : RUN_BUFFER;
		char *buf = realloc(r->buf, size);

		if (!buf)
			return -ENOMEM;
		r->buf = buf;
		r->size = size;
	}
	memmove(r->buf, r->buf + r->pos, r->fill - r->pos);
	r->fill -= r->pos;
	r->pos = 0;
	while (r->fill < need) {
		size_t want = r->size - r->fill;
		ssize_t n;

		if ((off_t)want > r->end - r->at)
			want = r->end - r->at;
		n = pread(s->fd, r->buf + r->fill, want, r->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		r->fill += n;
		r->at += n;
	}
	return 1;
}

/* The same for the whole next record of R. */
static int load_record(struct sorter *s, struct sorted_run *r)
{
	int got = fill_run(s, r, sizeof(struct record));

	if (got <= 0)
		return got;
	return fill_run(s, r, sizeof(struct record) + record_at(r->buf + r->pos).len);
}

/* Runs are in the order of time: the earlier one is first. */
static bool before(const struct sorted_run *a, const struct sorted_run *b)
{
	uint64_t x = record_at(a->buf + a->pos).key, y = record_at(b->buf + b->pos).key;

	return x != y ? x < y : a < b;
}

static void sift_down(struct sorter *s, size_t i)
{
	struct sorted_run *moved = s->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= s->n_heap)
			break;
		if (child + 1 < s->n_heap && before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!before(s->heap[child], moved))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = moved;
}

static int begin_merge(struct sorter *s)
{
	int err = spill_records(s);

	if (err)
		return err;
	free(s->arena);
	s->arena = NULL;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	s->heap = calloc(s->n_runs, sizeof(*s->heap));
	if (!s->heap)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_runs; i++) {
		int got = load_record(s, &s->runs[i]);

		if (got < 0)
			return got;
		if (got)
			s->heap[s->n_heap++] = &s->runs[i];
	}
	for (size_t i = s->n_heap / 2; i-- > 0;)
		sift_down(s, i);
	return 0;
}

static int next_merged(struct sorter *s, const char **ret)
{
	if (s->given) {
		int got;

		s->given->pos +=
			sizeof(struct record) + record_at(s->given->buf + s->given->pos).len;
		got = load_record(s, s->given);
		if (got < 0)
			return got;
		if (!got)
			s->heap[0] = s->heap[--s->n_heap];
		if (s->n_heap)
			sift_down(s, 0);
		s->given = NULL;
	}
	if (!s->n_heap)
		return 0;
	s->given = s->heap[0];
	*ret = s->given->buf + s->given->pos;
	return 1;
}

int sorter__next(struct sorter *s, uint64_t *ret_key, const void **ret_data, size_t *ret_len)
{
	const char *p = NULL;
	struct record r;
	int got = 1;

	if (!s->sorted) {
		s->sorted = true;
		if (s->n_runs) {
			int err = begin_merge(s);

			if (err)
				return err;
		} else {
			sort(s);
		}
	}
	if (s->n_runs)
		got = next_merged(s, &p);
	else if (s->next_record < s->n_records)
		p = s->arena + s->records[s->next_record++];
	else
		got = 0;
	if (got <= 0)
		return got;
	r = record_at(p);
	*ret_key = r.key;
	*ret_data = p + sizeof(r);
	*ret_len = r.len;
	return 1;
}
