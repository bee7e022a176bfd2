// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/bpf/ring.h"
#include "engine/bpf/window.h"

#define MIB (1u << 20)
#define SIZE (4 * MIB) /* several windows */

/* A ring as the kernel maps it: a page of each side, and the data twice. */
struct fake {
	int fd;
	size_t page;
	char *data; /* of both copies */
	unsigned long *consumer, *producer;
	uint64_t next; /* the number of the next record */
};

static void begin(struct fake *f)
{
	char *p;

	*f = (struct fake){ .fd = memfd_create("ring", 0), .page = sysconf(_SC_PAGESIZE) };
	cr_assert_eq(ftruncate(f->fd, 2 * f->page + 2 * SIZE), 0);
	p = mmap(NULL, 2 * f->page + 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	cr_assert_neq(p, MAP_FAILED);
	f->consumer = (unsigned long *)p;
	f->producer = (unsigned long *)(p + f->page);
	f->data = p + 2 * f->page;
}

static void end(struct fake *f)
{
	munmap(f->consumer, 2 * f->page + 2 * SIZE);
	close(f->fd);
}

/* Writes at AT of the ring, in both copies. */
static void write_at(struct fake *f, uint64_t at, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t offset = (at + i) % SIZE;

		f->data[offset] = f->data[offset + SIZE] = ((const char *)bytes)[i];
	}
}

/* Writes a record of SIZE bytes, at least 8, that begins with its number and is filled with its
 * lowest byte. Returns false if there is no room. */
static bool put(struct fake *f, size_t size, uint32_t bits)
{
	uint32_t head[2] = { size | bits };
	char body[70000];
	uint64_t at = *f->producer;

	if (at + BPF_RINGBUF_HDR_SZ + size + 8 - *f->consumer > SIZE)
		return false;
	memset(body, (int)(f->next & 0xff), size);
	memcpy(body, &f->next, sizeof(f->next));
	write_at(f, at, head, sizeof(head));
	write_at(f, at + sizeof(head), body, size);
	*f->producer = at + (BPF_RINGBUF_HDR_SZ + size + 7) / 8 * 8;
	f->next++;
	return true;
}

struct seen {
	uint64_t n, next;
	bool right;
};

static void on_record(void *arg, const void *record, size_t size)
{
	const char *bytes = record;
	struct seen *s = arg;
	uint64_t number;

	memcpy(&number, record, sizeof(number));
	s->right &= number == s->next;
	for (size_t i = sizeof(number); i < size; i++)
		s->right &= bytes[i] == (char)(number & 0xff);
	s->n++;
	s->next = number + 1;
}

Test(ring, many_times_round)
{
	struct seen seen = { .right = true };
	struct fake f;
	struct ring *r;
	size_t size = 8;

	begin(&f);
	cr_assert_eq(ring__new(&r, f.fd, SIZE), 0);
	while (*f.producer < 5 * SIZE + 4321) {
		while (put(&f, size, 0))
			size = 8 + size * 7 % 66103;
		cr_assert(ring__drain(r, ring__end(r),
				      &(struct ring_sink){ .record = on_record, .arg = &seen }));
		cr_assert_eq(ring__waiting(r), 0);
	}
	cr_expect(seen.right);
	cr_expect_eq(seen.n, f.next);
	ring__free(r);
	end(&f);
}

Test(ring, waits_for_who_still_writes)
{
	struct seen seen = { .right = true };
	struct fake f;
	struct ring *r;
	uint64_t at;
	uint32_t head;

	begin(&f);
	cr_assert_eq(ring__new(&r, f.fd, SIZE), 0);
	put(&f, 16, 0);
	at = *f.producer;
	put(&f, 24, BPF_RINGBUF_BUSY_BIT);
	put(&f, 16, 0);
	cr_expect_not(ring__drain(r, ring__end(r),
				  &(struct ring_sink){ .record = on_record, .arg = &seen }));
	cr_expect_eq(seen.n, 1);
	cr_expect_eq(*f.consumer, at);
	head = 24 | BPF_RINGBUF_DISCARD_BIT;
	write_at(&f, at, &head, sizeof(head));
	seen.next = 2;
	cr_expect(ring__drain(r, ring__end(r),
			      &(struct ring_sink){ .record = on_record, .arg = &seen }));
	cr_expect_eq(seen.n, 2);
	cr_expect(seen.right);
	ring__free(r);
	end(&f);
}

/* A record that cannot be mapped waits. */
Test(ring, no_memory_for_a_window)
{
	struct seen seen = { .right = true };
	struct fake f;
	struct ring *r;
	int copy;

	begin(&f);
	copy = dup(f.fd);
	cr_assert_eq(ring__new(&r, copy, SIZE), 0);
	while (*f.producer < 2 * MIB)
		put(&f, 1000, 0);
	close(copy);
	cr_expect_not(ring__drain(r, ring__end(r),
				  &(struct ring_sink){ .record = on_record, .arg = &seen }));
	cr_expect_gt(seen.n, 0);
	cr_expect_lt(seen.n, f.next);
	cr_assert_eq(dup2(f.fd, copy), copy);
	cr_expect(ring__drain(r, ring__end(r),
			      &(struct ring_sink){ .record = on_record, .arg = &seen }));
	cr_expect_eq(seen.n, f.next);
	cr_expect(seen.right);
	ring__free(r);
	close(copy);
	end(&f);
}

static size_t mapped(const struct window *w)
{
	size_t n = 0;

	for (size_t i = 0; i < WINDOW_PARTS; i++)
		n += w->parts[i].len;
	return n;
}

/* What is read is mapped, and remains so until it has not been used between two trims. */
Test(window, little_is_mapped)
{
	struct window w;
	struct fake f;

	begin(&f);
	cr_assert_eq(window__open(&w, f.fd, 2 * f.page, 2 * SIZE), 0);
	for (size_t at = 0; at < 2 * SIZE; at += 12345) {
		size_t n = at % 3000 < 2 * SIZE - at ? at % 3000 : 2 * SIZE - at;

		cr_assert(!memcmp(window__see(&w, at, n), f.data + at, n));
		cr_assert_leq(mapped(&w), at + 2 * MIB);
		cr_assert_geq(mapped(&w), at + n);
	}
	window__trim(&w);
	cr_expect_geq(mapped(&w), 2 * SIZE);
	cr_expect_not_null(window__see(&w, MIB, 1));
	window__trim(&w);
	cr_expect_leq(mapped(&w), 2 * MIB);
	cr_expect(!memcmp(window__see(&w, MIB, MIB), f.data + MIB, MIB));
	cr_expect(!memcmp(window__see(&w, 0, 3 * MIB), f.data, 3 * MIB));
	window__trim(&w);
	window__trim(&w);
	cr_expect_eq(mapped(&w), 0);
	cr_expect_null(window__see(&w, 2 * SIZE, 1));
	cr_expect_null(window__see(&w, 2 * SIZE - 8, 9));
	cr_expect_not_null(window__see(&w, 2 * SIZE - 8, 8));
	window__close(&w);
	end(&f);
}
