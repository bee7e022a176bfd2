/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passes records to an encoder as the reader does. */
#ifndef IOTRC_FUZZ_ENCODING_H
#define IOTRC_FUZZ_ENCODING_H

#include "fuzz.h"
#include "rows/encode.h"

/* Whether each mark of the row from ROW to END is where a field ends, in ascending order. */
static inline bool encoding__marks_hold(const struct row_mark *mark, const char *row,
					const char *end)
{
	for (int i = 0; i < ROW_PARTS; i++)
		if (mark->end[i] < (i ? mark->end[i - 1] : CLOCK_WALL_LEN) ||
		    row[mark->end[i]] != (i == PART_MONO ? '\n' : ','))
			return false;
	return row + mark->end[PART_MONO] + 1 == end;
}

/* Encodes RECORD, which is valid and has an encoder, and aborts unless its row is one line. */
static inline void encoding__row(struct encoder *e, const void *record, size_t size)
{
	static char row[ROW_MAX];
	const struct record_kind *kind = &record_kinds[*(const uint8_t *)record];
	char *end = kind->encode(e, record, size, row);

	if (end && encode__is_short(e, kind, record) && end - row > ROW_SHORT_MAX)
		abort();
	if (end && (end > row + sizeof(row) || end[-1] != '\n' || memchr(row, '\n', end - row - 1)))
		abort();
	if (end && MARKED_STREAMS >> kind->stream & 1 && end - row <= ROW_MARKED_MAX &&
	    !encoding__marks_hold(e->mark, row, end))
		abort();
}

/* A sink for an engine that makes its records itself: each must be valid. ARG: a struct encoder *,
 * by address. */
static inline void encoding__define(void *arg, const void *record, size_t size)
{
	struct encoder **e = arg;

	if (!encode__sound(record, size))
		abort();
	encoder__define(*e, record, size);
}

static inline void encoding__event(void *arg, const void *record, size_t size)
{
	struct encoder **e = arg;

	if (!encode__sound(record, size))
		abort();
	encoding__row(*e, record, size);
}

#endif
