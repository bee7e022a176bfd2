/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passes records to an encoder as the reader does. */
#ifndef IOTRC_FUZZ_ENCODING_H
#define IOTRC_FUZZ_ENCODING_H

#include "fuzz.h"
#include "rows/encode.h"

/* Encodes RECORD, which is valid and has an encoder, and aborts unless its row is one line. */
static inline void encoding__row(struct encoder *e, const void *record, size_t size)
{
	static char row[ROW_MAX];
	char *end = record_kinds[*(const uint8_t *)record].encode(e, record, size, row);

	if (end && (end > row + sizeof(row) || end[-1] != '\n' || memchr(row, '\n', end - row - 1)))
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
