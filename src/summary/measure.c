// SPDX-License-Identifier: GPL-2.0-or-later
#include "summary/measure.h"

#include <errno.h>
#include <string.h>

#include "dataset/field.h"
#include "rows/names.h"

#define ERROR_FLAG "error=" /* of block: schema.c */

/* The columns of a stream that are measured; NULL: it has none. */
struct measured_names {
	const char *time, *wait, *amount; /* names of columns */
	const char *received, *again;     /* of connections; RECEIVED is added to the amount */
	const char *error;                /* a column of the error's name, … */
	const char *result;               /* … of a result, negative on failure, … */
	const char *flags;                /* … or of flags with error=NAME */
	bool millis, pages, known;
};

static const struct measured_names sources[STREAM_COUNT] = {
	[STREAM_FS] = { .time = "duration_ns",
			.amount = "bytes_completed",
			.error = "errno",
			.known = true },
	[STREAM_BLOCK] = { .time = "latency_ms",
			   .wait = "queue_latency_ms",
			   .amount = "size",
			   .flags = "flags",
			   .millis = true,
			   .known = true },
	[STREAM_NW_CONN] = { .time = "latency_ns", .result = "return_value", .known = true },
	[STREAM_NW_EPOLL] = { .time = "latency_ns", .error = "errno", .known = true },
	[STREAM_NW_SOCKOPT] = { .error = "errno", .known = true },
	[STREAM_NW_DROP] = { .amount = "skb_len", .known = true },
	[STREAM_NW_FLOW] = { .time = "duration_ns",
			     .amount = "bytes_sent",
			     .received = "bytes_received",
			     .again = "retransmits",
			     .known = true },
	[STREAM_CACHE] = { .amount = "count", .pages = true, .known = true },
	[STREAM_PAGEFAULT] = { .known = true },
	[STREAM_EXTENT] = { .amount = "size", .known = true },
};

/* The same columns as indices; -1: none. Set once, at the first use. */
struct measured_columns {
	int time, wait, amount, received, again, error, result, flags, event, n;
};

static struct measured_columns found[STREAM_COUNT];

static int place(enum stream stream, const char *name, int *n)
{
	int column = name ? row__column(stream, name) : -1;

	if (column >= *n)
		*n = column + 1;
	return column;
}

static const struct measured_columns *places_of(enum stream stream)
{
	const struct measured_names *s = &sources[stream];
	struct measured_columns *p = &found[stream];

	if (p->n)
		return p;
	p->n = 1;
	p->time = place(stream, s->time, &p->n);
	p->wait = place(stream, s->wait, &p->n);
	p->amount = place(stream, s->amount, &p->n);
	p->received = place(stream, s->received, &p->n);
	p->again = place(stream, s->again, &p->n);
	p->error = place(stream, s->error, &p->n);
	p->result = place(stream, s->result, &p->n);
	p->flags = place(stream, s->flags, &p->n);
	p->event = place(stream, s->pages || s->again ? "event_type" : NULL, &p->n);
	return p;
}

const struct measures *measures__of(enum stream stream)
{
	static struct measures measures[STREAM_COUNT];
	const struct measured_names *s = &sources[stream];

	measures[stream] = (struct measures){ .errors = s->error || s->result || s->flags,
					      .time = s->time,
					      .wait = s->wait,
					      .amount = s->amount,
					      .pages = s->pages,
					      .flows = s->again };
	return s->known ? &measures[stream] : NULL;
}

int measure__fields(enum stream stream)
{
	return places_of(stream)->n;
}

/* Parses digits, possibly with six decimals (MILLIS: in ms; *RET is in ns). Returns false if the
 * field is empty, or not a number (then *BAD is set). */
static bool number(const struct export_row *row, int column, bool millis, uint64_t *ret, bool *bad)
{
	const struct row_field *f = column < 0 ? NULL : &row->fields[column];
	unsigned int decimals = 0;
	bool point = false;
	uint64_t v = 0;

	if (!f || !f->len)
		return false;
	for (size_t i = 0; i < f->len; i++) {
		unsigned int digit = (unsigned char)f->s[i] - '0';

		if (millis && f->s[i] == '.' && !point) {
			point = true;
			continue;
		}
		*bad |= digit > 9 || v > (UINT64_MAX - 9) / 10;
		if (decimals == 6)
			continue;
		v = v * 10 + digit;
		decimals += point;
	}
	for (; millis && decimals < 6; decimals++) {
		*bad |= v > UINT64_MAX / 10;
		v *= 10;
	}
	*ret = v;
	return !*bad;
}

bool measure__errno(const struct export_row *row, const char **ret, size_t *ret_len)
{
	const struct measured_columns *p = places_of(row->stream);
	const struct row_field *f;
	const char *flag;
	uint64_t error;

	if (p->error >= 0) {
		f = &row->fields[p->error];
		*ret = f->s;
		*ret_len = f->len;
		return f->len;
	}
	if (p->result >= 0) {
		f = &row->fields[p->result];
		if (f->len < 2 || *f->s != '-' || !field__uint(f->s + 1, f->len - 1, &error))
			return false;
		*ret = error < INT32_MAX ? names__errno((int)error) : NULL;
		*ret_len = *ret ? strlen(*ret) : f->len;
		*ret = *ret ?: f->s;
		return true;
	}
	f = p->flags >= 0 ? &row->fields[p->flags] : NULL;
	flag = f ? memmem(f->s, f->len, ERROR_FLAG, sizeof(ERROR_FLAG) - 1) : NULL;
	if (!flag)
		return false;
	*ret = flag + sizeof(ERROR_FLAG) - 1;
	*ret_len = f->s + f->len - *ret;
	if (memchr(*ret, '|', *ret_len))
		*ret_len = (const char *)memchr(*ret, '|', *ret_len) - *ret;
	return true;
}

int measure__row(const struct export_row *row, struct measure *ret)
{
	const struct measured_names *s = &sources[row->stream];
	const struct measured_columns *p = places_of(row->stream);
	bool bad = false;
	const char *name;
	size_t len;

	*ret = (struct measure){ .failed = measure__errno(row, &name, &len) };
	ret->has_time = number(row, p->time, s->millis, &ret->time_ns, &bad);
	ret->has_wait = number(row, p->wait, s->millis, &ret->wait_ns, &bad);
	number(row, p->amount, false, &ret->amount, &bad);
	number(row, p->received, false, &ret->received, &bad);
	number(row, p->again, false, &ret->again, &bad);
	ret->amount += ret->received;
	/* A later row contains everything that this one does. */
	ret->superseded = p->again >= 0 && row__is(row, p->event, "ROTATION");
	if (p->event >= 0 && row__is(row, p->event, "HIT"))
		ret->hits = ret->amount;
	/* A page that is wholly overwritten need not be read: MISS_WRITE is not a miss of a
	 * reader. */
	if (p->event >= 0 && row__is(row, p->event, "MISS"))
		ret->misses = ret->amount;
	return bad ? -EBADMSG : 0;
}
