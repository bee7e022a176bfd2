// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "engine/bpf/lane.h"
#include "schema/records.h"

#define N 4096
#define CPUS 2

struct seen {
	uint64_t n, next; /* records, and the size field that the next one should have */
	bool in_order;
};

static void on_record(void *arg, const void *record, size_t size)
{
	const struct rec_fs *r = record;
	struct seen *s = arg;

	s->in_order &= size == sizeof(*r) && r->size == s->next;
	s->n++;
	s->next++;
}

/* The kernel's part: what lane_reserve() and lane_put() of bpf/lane.h do. */
static bool put(struct rec_fs *records, u64 *at, u64 taken, uint64_t number)
{
	if (*at - taken == N)
		return false;
	records[*at % N].size = number;
	++*at;
	return true;
}

Test(lane, many_times_round)
{
	int fd = memfd_create("lanes", 0);
	size_t size = CPUS * N * sizeof(struct rec_fs);
	u64 at = 0, taken = 0;
	uint64_t number = 0;
	struct seen seen = { .in_order = true };
	struct rec_fs *all;
	struct lane *l;

	cr_assert_eq(ftruncate(fd, size), 0);
	all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(all, MAP_FAILED);
	/* The lane of the other CPU is the first. */
	cr_assert_eq(lane__new(&l, fd, 1, N, &at, &taken), 0);
	for (size_t burst = 1; burst < 3 * N; burst += 509) {
		for (size_t i = 0; i < burst; i++)
			if (put(all + N, &at, taken, number))
				number++;
		cr_assert_eq(lane__waiting(l), burst < N ? burst : N);
		lane__drain(l, lane__end(l), UINT64_MAX,
			    &(struct ring_sink){ .record = on_record, .arg = &seen });
		cr_assert_eq(lane__waiting(l), 0);
	}
	cr_expect(seen.in_order);
	cr_expect_eq(seen.n, number);
	cr_expect_gt(number, 3 * N);
	lane__free(l);
	munmap(all, size);
	close(fd);
}

/* A long record with LEN bytes of text, all NUMBER. Returns the number of its places. */
static size_t make_long(struct lane_record *ret, size_t len, uint64_t number)
{
	struct rec_fs_long *r = (struct rec_fs_long *)ret;

	memset(ret, 0, sizeof(*ret));
	r->fs.type = REC_FS_LONG;
	r->fs.size = number;
	r->len = len - len / 3;
	r->len2 = len / 3;
	memset(r->requested, number % 251, len);
	return (sizeof(*r) + len + sizeof(struct rec_fs) - 1) / sizeof(struct rec_fs);
}

struct mixed {
	uint64_t n;
	bool whole;
};

/* What the record with that number has to be: each third one is short. */
static size_t text_of(uint64_t number)
{
	return number * 37 % (sizeof(struct lane_record) - sizeof(struct rec_fs_long) + 1);
}

static void on_mixed(void *arg, const void *record, size_t size)
{
	struct lane_record expected;
	struct mixed *m = arg;
	size_t len = text_of(m->n);

	if (m->n % 3) {
		make_long(&expected, len, m->n);
		m->whole &= size == sizeof(struct rec_fs_long) + len &&
			    !memcmp(record, &expected, size);
	} else {
		m->whole &= size == sizeof(struct rec_fs) &&
			    ((const struct rec_fs *)record)->size == m->n;
	}
	m->n++;
}

/* Longer records, at each place of the lane and across its end. */
Test(lane, long_records)
{
	int fd = memfd_create("lanes", 0);
	size_t size = N * sizeof(struct rec_fs), places;
	u64 at = 0, taken = 0;
	uint64_t number = 0;
	struct mixed seen = { .whole = true };
	struct lane_record record;
	struct rec_fs *all;
	struct lane *l;

	cr_assert_eq(ftruncate(fd, size), 0);
	all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(all, MAP_FAILED);
	cr_assert_eq(lane__new(&l, fd, 0, N, &at, &taken), 0);
	while (at < 20 * N) {
		for (size_t i = 0; i < number % 500 + 1; i++) {
			places = make_long(&record, text_of(number), number);
			if (number % 3 == 0) {
				record.places[0].type = REC_FS;
				places = 1;
			}
			if (at - taken + places > N)
				break;
			for (size_t j = 0; j < places; j++)
				all[(at + j) % N] = record.places[j];
			at += places;
			number++;
		}
		lane__drain(l, lane__end(l), UINT64_MAX,
			    &(struct ring_sink){ .record = on_mixed, .arg = &seen });
		cr_assert_eq(lane__waiting(l), 0);
	}
	cr_expect(seen.whole);
	cr_expect_eq(seen.n, number);
	lane__free(l);
	munmap(all, size);
	close(fd);
}

Test(lane, stops_where_requested)
{
	int fd = memfd_create("lanes", 0);
	u64 at = 10, taken = 0;
	struct seen seen = { 0 };
	struct lane *l;

	cr_assert_eq(ftruncate(fd, N * sizeof(struct rec_fs)), 0);
	cr_assert_eq(lane__new(&l, fd, 0, N, &at, &taken), 0);
	lane__drain(l, 7, UINT64_MAX, &(struct ring_sink){ .record = on_record, .arg = &seen });
	cr_expect_eq(seen.n, 7);
	cr_expect_eq(taken, 7);
	cr_expect_eq(lane__waiting(l), 3);
	lane__free(l);
	close(fd);
}

Test(lane, no_map)
{
	struct lane *l = NULL;
	u64 at = 0, taken = 0;

	cr_expect_lt(lane__new(&l, -1, 0, N, &at, &taken), 0);
	cr_expect_null(l);
}

Test(lane, stops_at_what_is_later)
{
	int fd = memfd_create("lanes", 0);
	size_t size = N * sizeof(struct rec_fs);
	u64 at = 10, taken = 0;
	struct seen seen = { 0 };
	struct rec_fs *all;
	struct lane *l;

	cr_assert_eq(ftruncate(fd, size), 0);
	all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(all, MAP_FAILED);
	for (int i = 0; i < 10; i++)
		all[i].ns = 100 + i / 2;
	cr_assert_eq(lane__new(&l, fd, 0, N, &at, &taken), 0);
	lane__drain(l, 10, 99, &(struct ring_sink){ .record = on_record, .arg = &seen });
	cr_expect_eq(seen.n, 0);
	lane__drain(l, 10, 102, &(struct ring_sink){ .record = on_record, .arg = &seen });
	cr_expect_eq(seen.n, 6);
	cr_expect_eq(taken, 6);
	lane__drain(l, 9, UINT64_MAX, &(struct ring_sink){ .record = on_record, .arg = &seen });
	cr_expect_eq(seen.n, 9);
	lane__free(l);
	munmap(all, size);
	close(fd);
}

struct expected {
	struct seen seen;
	uint64_t n, next; /* as in struct seen, of places ahead */
	bool in_order;
};

static void on_expected_record(void *arg, const void *record, size_t size)
{
	on_record(&((struct expected *)arg)->seen, record, size);
}

static void on_place(void *arg, const void *place)
{
	struct expected *x = arg;

	x->in_order &= ((const struct rec_fs *)place)->size == x->next;
	x->in_order &= x->next > x->seen.next;
	x->n++;
	x->next++;
}

/* The sink sees places ahead of the record, none beyond the end. */
Test(lane, places_are_expected)
{
	int fd = memfd_create("lanes", 0);
	u64 at = 0, taken = 0;
	struct expected x = { .seen.in_order = true, .in_order = true, .next = 8 };
	const struct ring_sink sink = { .record = on_expected_record,
					.expect = on_place,
					.arg = &x };
	struct rec_fs *records;
	struct lane *l;

	cr_assert_eq(ftruncate(fd, N * sizeof(*records)), 0);
	records = mmap(NULL, N * sizeof(*records), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(records, MAP_FAILED);
	for (size_t i = 0; i < N; i++)
		records[i].size = i;
	cr_assert_eq(lane__new(&l, fd, 0, N, &at, &taken), 0);
	lane__drain(l, 1000, UINT64_MAX, &sink);
	cr_expect_eq(x.seen.n, 1000);
	cr_expect_eq(x.n, 1000 - 8);
	cr_expect(x.seen.in_order && x.in_order);
	lane__free(l);
	munmap(records, N * sizeof(*records));
	close(fd);
}
