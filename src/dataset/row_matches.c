// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/row_matches.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dataset/zstd_block.h"

/* What is kept of earlier blocks: rows further back are hardly ever the nearest that match, and
 * offsets grow with it. Without any, a row takes 5 % more bytes, with 32 KiB as many. */
#define HISTORY (16 * 1024)
/* Offsets are within the frame's window. */
#define WINDOW (128 * 1024)
#define SEEN 2048     /* rows that can be referred to; a power of two */
#define PLACES_LOG 10 /* of a table */
#define PLACES (1 << PLACES_LOG)
/* Shorter matches take more bytes than literals, but at the offset of the match before. */
#define MATCH_MIN 5
#define LITTLE_MIN 3
/* So many digits of the time have to be saved for another offset to pay. */
#define NEARER_MIN 4
/* A row with the same numbers that is further back, in bytes or rows, differs too much in its
 * times. */
#define NUMBERS_NEAR (16 * 1024)
#define NUMBERS_NEAR_ROWS 100
/* The wall time has a match from here on: the date hardly ever changes. */
#define WALL_MIN 4

/* What text has that no earlier row is known to have is searched for by so many bytes. */
#define WORD 6
#define WORDS_LOG 12

/* The last row of a task, of its operation, of that on the same file with the same numbers and
 * flags; and of any task's the last one of a file, and with flags of the same length. */
enum key { BY_TASK, BY_OPERATION, BY_NUMBERS, BY_FILENAME, BY_FLAGS, KEYS };

struct seen_row {
	uint32_t at;       /* position in the frame, modulo 2^32, as all positions here */
	uint32_t filename; /* a number that stands for it */
	struct row_mark mark;
};

struct row_matches {
	uint32_t base;   /* position of the block */
	uint32_t n_seen; /* number of rows so far, modulo 2^32 */
	uint32_t n_kept; /* so many of them are in the history or the block */
	uint32_t offset; /* of the last match; 0: none yet */
	uint32_t history_len;
	const unsigned char *data, *data_end; /* of the block */
	uint32_t last[KEYS][PLACES];          /* number of the last such row, from 1 */
	struct seen_row seen[SEEN];           /* by number */
	uint32_t words[1 << WORDS_LOG];       /* positions, by text */
	unsigned char history[HISTORY];       /* what is before the block */
};

/* What can be read from a position on. */
struct text {
	const unsigned char *at, *end; /* NULL: it is no longer kept */
};

/* An earlier row. */
struct earlier_row {
	const struct seen_row *seen; /* NULL: none */
	struct text text;
};

int row_matches__new(struct row_matches **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct row_matches *row_matches__free(struct row_matches *m)
{
	free(m);
	return NULL;
}

/* The number of equal bytes at A and B, before END and B_END. */
static inline size_t equal_after(const unsigned char *a, const unsigned char *end,
				 const unsigned char *b, const unsigned char *b_end)
{
	const unsigned char *begin = a;

	if (b_end - b < end - a)
		end = a + (b_end - b);
	for (; end - a >= 8; a += 8, b += 8) {
		uint64_t x, y;

		memcpy(&x, a, 8);
		memcpy(&y, b, 8);
		if (x != y)
			return a - begin + __builtin_ctzll(x ^ y) / 8;
	}
	while (a < end && *a == *b)
		a++, b++;
	return a - begin;
}

/* The number of equal bytes before A and B, at most eight, behind BEGIN and B_BEGIN. */
static size_t equal_before(const unsigned char *a, const unsigned char *begin,
			   const unsigned char *b, const unsigned char *b_begin)
{
	uint64_t x, y;
	size_t most = a - begin < b - b_begin ? a - begin : b - b_begin, n;

	memcpy(&x, a - 8, 8);
	memcpy(&y, b - 8, 8);
	n = x == y ? 8 : __builtin_clzll(x ^ y) / 8;
	return n < most ? n : most;
}

/* ---- earlier rows ---- */

static uint32_t place(uint32_t key)
{
	return key * UINT32_C(0x9e3779b1) >> (32 - PLACES_LOG);
}

static uint32_t flags_len(const struct row_mark *mark)
{
	return mark->end[PART_FLAGS] - mark->end[PART_DEVICE];
}

/* The text at the position AT, as seen from the position BY. */
static inline struct text text_at(const struct row_matches *m, uint32_t at, uint32_t by)
{
	int32_t in_block = (int32_t)(at - m->base);

	if (by - at > WINDOW || in_block < -(int32_t)m->history_len)
		return (struct text){ 0 };
	if (in_block >= 0)
		return (struct text){ m->data + in_block, m->data_end };
	return (struct text){ m->history + m->history_len + in_block, m->history + m->history_len };
}

/* The row with this NUMBER, as seen from the position BY. What is noted of a row that is no longer
 * kept has mostly left the CPU's cache, too. */
static inline struct earlier_row get(const struct row_matches *m, uint32_t number, uint32_t by)
{
	const struct seen_row *seen = &m->seen[number % SEEN];
	struct text text = { 0 };

	if (m->n_seen - number < m->n_kept)
		text = text_at(m, seen->at, by);
	return (struct earlier_row){ text.at ? seen : NULL, text };
}

/* A number that stands for the eight bytes before END. */
static uint32_t text_key(const unsigned char *end)
{
	uint64_t text;

	memcpy(&text, end - sizeof(text), sizeof(text));
	return (text * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
}

/* Notes ROW, at AT, as the last one of its kind; RET gets the numbers of the last ones before. */
static void note_row(struct row_matches *m, const struct row_mark *mark, const unsigned char *row,
		     uint32_t at, uint32_t ret[KEYS])
{
	uint32_t operation = mark->task * 31 + mark->operation;
	uint32_t filename = mark->path ?:
					 text_key(row + mark->end[PART_FILENAME]) +
					    mark->end[PART_FILENAME] - mark->end[PART_COMMAND];
	uint32_t places[KEYS] = {
		[BY_TASK] = place(mark->task),
		[BY_OPERATION] = place(operation),
		[BY_NUMBERS] = place(operation + filename + text_key(row + mark->end[PART_BYTES]) +
				     text_key(row + mark->end[PART_FLAGS])),
		[BY_FILENAME] = place(filename),
		[BY_FLAGS] = place(mark->operation * 31 + flags_len(mark)),
	};
	uint32_t number = ++m->n_seen;
	struct seen_row *self = &m->seen[number % SEEN];

	if (m->n_kept < SEEN)
		m->n_kept++;
	for (int t = 0; t < KEYS; t++) {
		ret[t] = m->last[t][places[t]];
		m->last[t][places[t]] = number;
	}
	self->at = at;
	self->filename = filename;
	self->mark = *mark;
}

/* ---- matches ---- */

/* A row, and how far it has got. */
struct progress {
	struct row_matches *m;
	struct zstd_block *block;
	const unsigned char *literals; /* not in a sequence yet */
	const unsigned char *row, *at, *end;
	const struct row_mark *mark;
	unsigned int part;   /* that AT is in */
	uint32_t begin;      /* position of ROW */
	uint32_t last[KEYS]; /* numbers of earlier rows of its kind */
};

static uint32_t position(const struct row_matches *m, const unsigned char *p)
{
	return m->base + (uint32_t)(p - m->data);
}

/* Adds a match of LEN bytes at p->at, OFFSET bytes back. */
static inline void add(struct progress *p, size_t len, uint32_t offset)
{
	zstd_block__add(p->block, p->literals, p->at - p->literals, len, offset);
	p->m->offset = offset;
	p->at += len;
	p->literals = p->at;
}

/* Where the part begins. */
static const unsigned char *part_of(const unsigned char *row, const struct row_mark *mark,
				    unsigned int part)
{
	return row + (part ? mark->end[part - 1] : CLOCK_WALL_LEN);
}

/* Where SOURCE has the text that corresponds to p->at, by the beginning of the part. NULL: its part
 * is shorter. */
static const unsigned char *corresponding(const struct progress *p,
					  const struct earlier_row *source)
{
	const struct row_mark *mark = &source->seen->mark;
	const unsigned char *from = part_of(source->text.at, mark, p->part) +
				    (p->at - part_of(p->row, p->mark, p->part));

	return from <= source->text.at + mark->end[p->part] ? from : NULL;
}

/* Moves on as far as SOURCE has the same text at FROM: as a match, or as literals if it is short.
 * Returns whether it has moved. */
static inline bool follow(struct progress *p, const struct earlier_row *source,
			  const unsigned char *from)
{
	size_t n = equal_after(p->at, p->end, from, source->text.end);
	uint32_t offset;

	if (n >= LITTLE_MIN) {
		offset = position(p->m, p->at) - source->seen->at -
			 (uint32_t)(from - source->text.at);
		if (n >= MATCH_MIN || (p->at == p->literals && offset == p->m->offset)) {
			add(p, n, offset);
			return true;
		}
	}
	p->at += n;
	return n;
}

/* The wall time, as far as the text at the last offset is the same: that is mostly a row that
 * begins. */
static void match_wall_time(struct progress *p)
{
	uint32_t at = position(p->m, p->at), offset = p->m->offset;
	struct text text = text_at(p->m, at - offset, at);
	size_t n;

	if (!offset || !text.at)
		return;
	n = equal_after(p->at, p->row + CLOCK_WALL_LEN, text.at, text.end);
	if (n >= WALL_MIN)
		add(p, n, offset);
}

/* Whether A is so much later than B that its time has more digits in common with the row's. */
static bool is_nearer(const struct progress *p, const struct earlier_row *a,
		      const struct earlier_row *b)
{
	const unsigned char *time = part_of(p->row, p->mark, PART_MONO);
	size_t n = equal_after(time, p->end, part_of(a->text.at, &a->seen->mark, PART_MONO),
			       a->text.end);

	return n >= NEARER_MIN + equal_after(time, p->end,
					     part_of(b->text.at, &b->seen->mark, PART_MONO),
					     b->text.end);
}

/* Takes the thread's last row as SOURCE if it is nearer. */
static void take_nearer(const struct progress *p, struct earlier_row *source)
{
	struct earlier_row task = get(p->m, p->last[BY_TASK], p->begin);

	if (task.seen && task.seen != source->seen && is_nearer(p, &task, source))
		*source = task;
}

/* Passes the parts that AT is behind. Returns false at the end: the rest of the time are
 * literals. */
static bool enter_part(struct progress *p)
{
	while (p->part < PART_MONO && p->at >= p->row + p->mark->end[p->part])
		p->part++;
	return p->part < PART_MONO;
}

static const struct seen_row *this_row(const struct row_matches *m)
{
	return &m->seen[m->n_seen % SEEN];
}

/* Another row that may have the text of the part that AT is in. */
static struct earlier_row other_source(const struct progress *p)
{
	if (p->part == PART_FILENAME) {
		struct earlier_row source = get(p->m, p->last[BY_FILENAME], p->begin);

		if (source.seen && source.seen->filename == this_row(p->m)->filename)
			return source;
		return (struct earlier_row){ 0 };
	}
	if (p->part == PART_FLAGS)
		return get(p->m, p->last[BY_FLAGS], p->begin);
	return (struct earlier_row){ 0 };
}

/* Follows another row in the part that AT is in. Returns whether it has moved. */
static bool follow_other(struct progress *p, const struct seen_row *than)
{
	struct earlier_row other = other_source(p);
	const unsigned char *from =
		other.seen && other.seen != than ? corresponding(p, &other) : NULL;

	return from && follow(p, &other, from);
}

/* Where the last occurrence of the WORD bytes at TEXT is noted; eight bytes are readable. */
static uint32_t *word_place(struct row_matches *m, const unsigned char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	word <<= 8 * (sizeof(word) - WORD);
	return &m->words[(word * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - WORDS_LOG)];
}

/* The earlier row that has most in common with this one. */
static struct earlier_row best_source(const struct progress *p)
{
	struct earlier_row source = { 0 };
	const struct seen_row *self = this_row(p->m);

	if (p->m->n_seen - p->last[BY_NUMBERS] <= NUMBERS_NEAR_ROWS)
		source = get(p->m, p->last[BY_NUMBERS], p->begin);
	/* Different keys may have the same place. */
	if (source.seen && p->begin - source.seen->at <= NUMBERS_NEAR &&
	    source.seen->filename == self->filename && source.seen->mark.task == self->mark.task &&
	    source.seen->mark.operation == self->mark.operation)
		return source;
	source = get(p->m, p->last[BY_OPERATION], p->begin);
	if (!source.seen)
		source = get(p->m, p->last[BY_TASK], p->begin);
	return source.seen ? source : get(p->m, p->last[BY_FLAGS], p->begin);
}

/* Searches the text up to END, which no other row is known to have, for what earlier such text had:
 * names of directories, arguments. */
static void search(struct progress *p, const unsigned char *end)
{
	while (end - p->at >= WORD) {
		uint32_t at = position(p->m, p->at), *last = word_place(p->m, p->at);
		uint32_t offset = at - *last;
		struct text text = text_at(p->m, *last, at);
		size_t n = 0;

		*last = at;
		if (offset && text.at)
			n = equal_after(p->at, end, text.at, text.end);
		if (n >= WORD)
			add(p, n, offset);
		else
			p->at++;
	}
}

/* Where SOURCE goes on with the text at p->at, by the beginning of the part. NULL: it does not. */
static const unsigned char *going_on(const struct progress *p, const struct earlier_row *source)
{
	const unsigned char *from = corresponding(p, source);

	return from && *from == *p->at ? from : NULL;
}

/* Takes what is the same in SOURCE, or in another row, and leaves the rest of a part to the
 * literals, until it is in the last part. */
static void match_parts(struct progress *p, struct earlier_row *source)
{
	const unsigned char *from = source->text.at + CLOCK_WALL_LEN, *to;
	size_t same;

	while (follow(p, source, from), enter_part(p)) {
		from = going_on(p, source);
		if (from)
			continue;
		if (follow_other(p, source->seen)) {
			if (!enter_part(p))
				return;
			from = going_on(p, source);
			if (from)
				continue;
		}
		if (p->part == PART_DURATION)
			take_nearer(p, source);
		from = source->text.at + source->seen->mark.end[p->part];
		to = p->row + p->mark->end[p->part];
		same = equal_before(to, p->at, from,
				    part_of(source->text.at, &source->seen->mark, p->part));
		from -= same;
		if (p->part == PART_FILENAME || p->part == PART_FS_TYPE)
			search(p, to - same);
		p->at = to - same;
		if (!same)
			p->part++;
	}
}

static void match_row(struct progress *p)
{
	struct earlier_row source = best_source(p);

	match_wall_time(p);
	if (!source.seen)
		return;
	p->at = p->row + CLOCK_WALL_LEN;
	p->part = 0;
	match_parts(p, &source);
	if (p->at == part_of(p->row, p->mark, PART_MONO))
		follow(p, &source, part_of(source.text.at, &source.seen->mark, PART_MONO));
}

/* The number of rows that begin in the history, which ends at the base. */
static uint32_t count_kept(const struct row_matches *m)
{
	uint32_t n = 0;

	while (n < m->n_kept && m->base - m->seen[(m->n_seen - n) % SEEN].at <= m->history_len)
		n++;
	return n;
}

/* Keeps the end of the block, which then is the history of the next one. */
static void keep_history(struct row_matches *m, size_t len)
{
	size_t keep = len < HISTORY ? HISTORY - len : 0;

	if (keep > m->history_len)
		keep = m->history_len;
	memmove(m->history, m->history + m->history_len - keep, keep);
	if (len > HISTORY)
		len = HISTORY;
	memcpy(m->history + keep, m->data_end - len, len);
	m->history_len = keep + len;
	m->base += (uint32_t)(m->data_end - m->data);
	m->n_kept = count_kept(m);
}

size_t row_matches__find(struct row_matches *m, const char *data, size_t len,
			 const struct row_mark *marks, size_t n, struct zstd_block *block)
{
	struct progress p = { .m = m,
			      .block = block,
			      .literals = (const unsigned char *)data,
			      .row = (const unsigned char *)data };

	m->data = p.row;
	m->data_end = p.row + len;
	for (size_t i = 0; i < n; i++, p.row = p.end) {
		p.mark = &marks[i];
		if (!p.mark->end[PART_MONO]) {
			p.end = memchr(p.row, '\n', m->data_end - p.row);
			if (!p.end++)
				break;
			continue;
		}
		if (p.mark->end[PART_MONO] >= m->data_end - p.row)
			break;
		p.end = p.row + p.mark->end[PART_MONO] + 1;
		p.at = p.row;
		p.begin = position(m, p.row);
		note_row(m, p.mark, p.row, p.begin, p.last);
		match_row(&p);
	}
	keep_history(m, len);
	return p.literals - m->data;
}
