// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/known_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dataset/field.h"
#include "platform/libc.h"

/* Where the second field begins: the first is a wall time in all streams. */
#define SECOND (CLOCK_WALL_LEN + 1)
/* These bytes of a row decide with which one it is compared: as a rule operation, pid and tid. */
#define KEY_LEN 16
/* A row whose fields that differ have more bytes replaces the known one. */
#define CHANGES_MAX 128

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define SAFE_DIGITS 18 /* of a number below 2^63 */

struct known_rows *known_rows__new(enum stream stream, size_t n_columns)
{
	struct known_rows *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->n_columns = n_columns;
	for (size_t i = 0; i < n_columns; i++)
		k->columns[i] = &schema_streams[stream]
					 .columns[schema__column_of_field(stream, n_columns, i)];
	return k;
}

/* The lowest zero byte of WORD gets its top bit; above it, others may get theirs. */
static uint64_t zeroes(uint64_t word)
{
	return word - EACH_BYTE;
}

static struct known_row *find_known(struct known_rows *k, const char *row)
{
	uint64_t hash = row_field__word(row + SECOND) * UINT64_C(0x9e3779b97f4a7c15);

	hash = (hash ^ hash >> 32 ^ row_field__word(row + SECOND + 8)) *
	       UINT64_C(0xc2b2ae3d27d4eb4f);
	return &k->rows[hash >> (64 - KNOWN_ROWS_LOG)];
}

/* Whether the 32 bytes at A and B are equal. */
static bool are_equal(const char *a, const char *b)
{
	typedef uint64_t vector __attribute__((vector_size(16)));
	vector a0, a1, b0, b1, differ;

	memcpy(&a0, a, 16);
	memcpy(&a1, a + 16, 16);
	memcpy(&b0, b, 16);
	memcpy(&b1, b + 16, 16);
	differ = (a0 ^ b0) | (a1 ^ b1);
	return !(differ[0] | differ[1]);
}

/* Returns the number of leading bytes, at most MAX, in which A and B are equal. */
static size_t count_equal(const char *a, const char *b, size_t max)
{
	size_t n = 0;

	for (;;) {
		uint64_t differ = row_field__word(a + n) ^ row_field__word(b + n);

		if (differ) {
			n += __builtin_ctzll(differ) / 8;
			break;
		}
		n += 8;
		while (n + 32 <= max && are_equal(a + n, b + n))
			n += 32;
		if (n >= max)
			break;
	}
	return n < max ? n : max;
}

/* Returns the first comma from AT on, or NULL if there is none before END. */
static const char *find_comma(const char *at, const char *end)
{
	for (; at < end; at += 8) {
		uint64_t commas = row_field__commas(row_field__word(at));

		if (commas) {
			at += __builtin_ctzll(commas) / 8;
			return at < end ? at : NULL;
		}
	}
	return NULL;
}

/* Returns where the digits at S end. */
static const char *skip_digits(const char *s)
{
	for (;; s += 8) {
		uint64_t word = row_field__word(s) ^ '0' * EACH_BYTE;

		/* The top bit of each byte that is no digit; the sum can carry only beyond such. */
		word = (word | (word + (0x7f - 9) * EACH_BYTE)) & 0x80 * EACH_BYTE;
		if (word)
			return s + __builtin_ctzll(word) / 8;
	}
}

/* Returns where the number at S ends, or NULL if it is none or has many digits. */
static const char *skip_number(const char *s)
{
	const char *end = skip_digits(s);

	return end - s == 1 || (end - s <= SAFE_DIGITS && *s != '0') ? end : NULL;
}

/* Returns the first byte from S on that is no plain character of a field without quotes. */
static const char *skip_plain(const char *s)
{
	for (;; s += 8) {
		uint64_t word = row_field__word(s);

		word = (word | (word - ' ' * EACH_BYTE) | zeroes(word ^ '\\' * EACH_BYTE) |
			zeroes(word ^ 0x7f * EACH_BYTE) | zeroes(word ^ '"' * EACH_BYTE) |
			zeroes(word ^ ',' * EACH_BYTE)) &
		       0x80 * EACH_BYTE;
		if (word)
			return s + __builtin_ctzll(word) / 8;
	}
}

/* Returns the comma behind the field at S, which has no quotes; NULL: it is invalid, or not as
 * simple. */
static const char *take_field(const struct column *column, const char *s, const char *end)
{
	const char *comma = NULL;

	switch (column->type) {
	case COL_UINT:
	case COL_INODE:
		comma = skip_number(s);
		break;
	case COL_INT:
		comma = skip_number(*s == '-' && s[1] > '0' && s[1] <= '9' ? s + 1 : s);
		break;
	case COL_TEXT:
		comma = skip_plain(s);
		break;
	default:
		break;
	}
	if (comma && *comma == ',')
		return comma;
	comma = find_comma(s, end);
	if (!comma || (column->type == COL_TEXT && memchr(s, '"', comma - s)) ||
	    field__check(column, s, comma - s))
		return NULL;
	return comma;
}

/* Returns the comma behind the field at S, or END. */
static const char *end_field(const char *s, const char *end)
{
	/* A quote in a quoted field is doubled. */
	while (s < end && *s == '"') {
		const char *quote = memchr(s + 1, '"', end - s - 1);

		s = quote ? quote + 1 : end;
	}
	return find_comma(s, end) ?: end;
}

void known_rows__add(struct known_rows *k, const char *row, size_t len)
{
	struct known_row *known;
	const char *at = row, *end = row + len, *comma;
	size_t n = 0;

	k->last = NULL;
	if (len < SECOND + KEY_LEN || len >= KNOWN_ROW_MAX || row[SECOND - 1] != ',')
		return;
	known = find_known(k, row);
	known->len = 0;
	do {
		comma = end_field(at, end);
		known->starts[n++] = at - row;
		for (size_t i = at - row; i <= (size_t)(comma - row); i += 8)
			memcpy(known->field_at + i, &(uint64_t){ (n - 1) * EACH_BYTE }, 8);
		at = comma + 1;
	} while (comma < end && n < k->n_columns);
	if (n != k->n_columns || comma < end)
		return;
	memcpy(known->text, row, len + 1);
	known->len = len;
	k->last = known;
}

const char *known_rows__accept(struct known_rows *k, const char *row, size_t len)
{
	struct known_row *known;
	const char *at = row + SECOND, *end = row + len;
	size_t from = SECOND, changed = 0;

	if (len < SECOND + KEY_LEN || at[-1] != ',')
		return NULL;
	known = find_known(k, row);
	while (known->len) {
		size_t same = count_equal(at, known->text + from, known->len - from);
		size_t i = known->field_at[from + same];
		const char *start = at + known->starts[i] - from, *comma;

		if (i + 1 == k->n_columns) {
			if (changed > CHANGES_MAX)
				known_rows__add(k, row, len);
			return start;
		}
		comma = take_field(k->columns[i], start, end);
		if (!comma)
			break;
		changed += comma - start;
		at = comma + 1;
		from = known->starts[i + 1];
	}
	return NULL;
}

void known_rows__forget(struct known_rows *k)
{
	if (k->last)
		k->last->len = 0;
}
