// SPDX-License-Identifier: GPL-2.0-or-later
/* blkparse: the text that blkparse(1) prints of a trace, with its default format: a line when a
 * request was issued to the driver (D) and one when it was completed (C), in the order of time. */
#include "export/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"
#include "rows/names.h"

#define SECTOR 512
#define PENDING_MAX 65536
#define RWBS_MAX 9
#define ERRNO_MAX 133 /* include/uapi/asm-generic/errno.h ends with it */

/* Rows arrive in the order of issue. Completions wait in a heap, with the earliest at the root. */
struct completion {
	uint64_t ns, sector;
	uint32_t sectors, major, minor, cpu;
	uint16_t error;
	char rwbs[RWBS_MAX];
};
struct blkparse {
	size_t n;
	struct completion heap[PENDING_MAX];
};

/* ---- the heap ---- */

static void swap(struct completion *a, struct completion *b)
{
	struct completion c = *a;

	*a = *b;
	*b = c;
}

static void push(struct blkparse *b, const struct completion *c)
{
	size_t i = b->n++;

	b->heap[i] = *c;
	for (; i && b->heap[(i - 1) / 2].ns > b->heap[i].ns; i = (i - 1) / 2)
		swap(&b->heap[i], &b->heap[(i - 1) / 2]);
}

static struct completion pop(struct blkparse *b)
{
	struct completion first = b->heap[0];
	size_t i = 0, least;

	b->heap[0] = b->heap[--b->n];
	for (;; i = least) {
		least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < b->n && b->heap[child].ns < b->heap[least].ns)
				least = child;
		if (least == i)
			return first;
		swap(&b->heap[i], &b->heap[least]);
	}
}

/* ---- fields ---- */

/* Whether WORD is one of the words of F, which are separated by '|'. */
static bool has(const struct row_field *f, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = f->s, *end = f->s + f->len, *bar; at < end; at = bar + 1) {
		bar = memchr(at, '|', end - at) ?: end;
		if ((size_t)(bar - at) == len && !memcmp(at, word, len))
			return true;
	}
	return false;
}

/* Like blkparse's fill_rwbs(). An operation is a write if its REQ_OP_* is odd. */
static void fill_rwbs(char rwbs[RWBS_MAX], const struct export_row *row, uint64_t bytes)
{
	static const struct {
		const char *operation;
		char letter;
	} operations[] = {
		{ "write", 'W' },        { "discard", 'D' },     { "secure_erase", 'D' },
		{ "write_zeroes", 'W' }, { "zone_append", 'W' },
	};
	const struct row_field *flags = &row->fields[row__column(STREAM_BLOCK, "flags")];
	int operation = row__column(STREAM_BLOCK, "operation");
	char letter = bytes ? 'R' : 'N';

	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (row__is(row, operation, operations[i].operation))
			letter = operations[i].letter;
	snprintf(rwbs, RWBS_MAX, "%s%c%s%s%s%s",
		 has(flags, "preflush") || row__is(row, operation, "flush") ? "F" : "", letter,
		 has(flags, "fua") ? "F" : "", has(flags, "ahead") ? "A" : "",
		 has(flags, "sync") ? "S" : "", has(flags, "meta") ? "M" : "");
}

/* The error as blktrace stores it: the negative errno in 16 bits. */
static uint16_t error_of(const struct export_row *row)
{
	const struct row_field *flags = &row->fields[row__column(STREAM_BLOCK, "flags")];
	char word[64];

	for (int error = 1; error <= ERRNO_MAX; error++) {
		const char *name = names__errno(error);

		snprintf(word, sizeof(word), "error=%s", name ? name : "");
		if (name && has(flags, word))
			return (uint16_t)-error;
	}
	return 0;
}

static bool parse_completion(const struct export_row *row, struct completion *ret)
{
	const struct row_field *device = &row->fields[row__column(STREAM_BLOCK, "device")],
			       *flags = &row->fields[row__column(STREAM_BLOCK, "flags")];
	uint64_t bytes = 0, cpu = 0;
	char text[32] = "";

	*ret = (struct completion){ .ns = row->began_ns + format__duration_ns(row) };
	memcpy(text, device->s, device->len < sizeof(text) ? device->len : 0);
	if (sscanf(text, "%u:%u", &ret->major, &ret->minor) != 2)
		return false;
	row__uint(row, row__column(STREAM_BLOCK, "sector"), &ret->sector);
	row__uint(row, row__column(STREAM_BLOCK, "size"), &bytes);
	row__uint(row, row__column(STREAM_BLOCK, "cpu_id"), &cpu);
	ret->sectors = bytes / SECTOR;
	ret->cpu = cpu;
	fill_rwbs(ret->rwbs, row, bytes);
	if (memmem(flags->s, flags->len, "error=", strlen("error=")))
		ret->error = error_of(row);
	return true;
}

/* ---- lines ---- */

static void print_head(struct export *e, const struct completion *c, uint64_t ns, uint64_t pid,
		       const char *action)
{
	ns -= e->first;
	fprintf(e->out,
		"%3u,%-3u %2u %8" PRIu64 " %5" PRIu64 ".%09" PRIu64 " %5" PRIu64 " %2s %3s ",
		c->major, c->minor, c->cpu, ++e->latest, ns / (int64_t)NSEC_PER_SEC,
		ns % (int64_t)NSEC_PER_SEC, pid, action, c->rwbs);
}

/* Prints the requests that have completed by NS. */
static void print_completions(struct export *e, uint64_t ns)
{
	struct blkparse *b = e->own;

	while (b->n && b->heap[0].ns <= ns) {
		struct completion c = pop(b);

		print_head(e, &c, c.ns, 0, "C");
		fprintf(e->out, "%" PRIu64, c.sector);
		if (c.sectors)
			fprintf(e->out, " + %" PRIu32, c.sectors);
		fprintf(e->out, " [%u]\n", c.error);
	}
}

static void print_issue(struct export *e, const struct export_row *row, const struct completion *c)
{
	const struct row_field *command = &row->fields[row__column(STREAM_BLOCK, "command")];
	uint64_t pid = 0;

	row__uint(row, row__column(STREAM_BLOCK, "tid"), &pid);
	print_head(e, c, row->began_ns, pid, "D");
	if (c->sectors)
		fprintf(e->out, "%" PRIu64 " + %" PRIu32 " ", c->sector, c->sectors);
	fprintf(e->out, "[%.*s]\n", (int)command->len, command->s);
}

static int blkparse_begin(struct export *e, uint32_t streams)
{
	e->own = calloc(1, sizeof(struct blkparse));
	return e->own ? 0 : -ENOMEM;
}

static int blkparse_row(struct export *e, const struct export_row *row)
{
	struct blkparse *b = e->own;
	struct completion c;

	if (!parse_completion(row, &c))
		return 0;
	if (!e->first)
		e->first = row->began_ns;
	print_completions(e, row->began_ns);
	if (b->n == PENDING_MAX) {
		e->why = "more than 65,536 block requests were pending at once";
		return -E2BIG;
	}
	/* A request that never reached the driver, such as a flush of a disk without a cache, has
	 * only a completion. */
	if (row->fields[row__column(STREAM_BLOCK, "latency_ms")].len)
		print_issue(e, row, &c);
	push(b, &c);
	e->rows++;
	return 0;
}

static int blkparse_end(struct export *e)
{
	print_completions(e, UINT64_MAX);
	return 0;
}

const struct format format_blkparse = {
	.name = "blkparse",
	.streams = 1 << STREAM_BLOCK,
	.lead = format__duration_ns,
	.begin = blkparse_begin,
	.row = blkparse_row,
	.end = blkparse_end,
};
