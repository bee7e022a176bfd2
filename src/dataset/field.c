// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/field.h"

#include <string.h>

#include "base/csv.h"
#include "dataset/row_file.h"

/* Kinds of bytes. Words and flags are made of letters, digits and some more: error=EIO, disk-sleep,
 * 0x400, fuse.sshfs. */
enum { DIGIT = 1, HEX_DIGIT = 2, WORD_CHAR = 4 };
static const unsigned char kinds[256] = {
	['0' ... '9'] = DIGIT | HEX_DIGIT | WORD_CHAR,
	['a' ... 'f'] = HEX_DIGIT | WORD_CHAR,
	['g' ... 'z'] = WORD_CHAR,
	['A' ... 'Z'] = WORD_CHAR,
	['_'] = WORD_CHAR,
	['-'] = WORD_CHAR,
	['+'] = WORD_CHAR,
	['='] = WORD_CHAR,
	['.'] = WORD_CHAR,
	[':'] = WORD_CHAR,
};

/* Returns the number of leading bytes of S that are of KIND. */
static size_t span(const char *s, size_t len, unsigned char kind)
{
	size_t n = 0;

	while (n < len && kinds[(unsigned char)s[n]] & kind)
		n++;
	return n;
}

/* A number with this many digits fits into 64 bits. */
#define SAFE_DIGITS 19

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Parses the eight digits in WORD: pairs, then fours, then all are combined side by side. Returns
 * false if they are not digits. */
static bool eight_digits(uint64_t word, uint64_t *ret)
{
	uint64_t pairs;

	if (((word & (word + 6 * EACH_BYTE)) & 0xf0 * EACH_BYTE) != 0x30 * EACH_BYTE)
		return false;
	word -= '0' * EACH_BYTE;
	pairs = word * 10 + (word >> 8);
	*ret = ((pairs & UINT64_C(0xff000000ff)) * UINT64_C(0xf424000000064) +
		(pairs >> 16 & UINT64_C(0xff000000ff)) * UINT64_C(0x271000000001)) >>
	       32;
	return true;
}

bool field__uint(const char *s, size_t len, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if (!len || (*s == '0' && len > 1))
		return false;
	for (uint64_t more; i + 8 <= len && i + 8 <= SAFE_DIGITS; i += 8) {
		if (!eight_digits(row_field__word(s + i), &more))
			return false;
		v = v * 100000000 + more;
	}
	for (; i < len && i < SAFE_DIGITS; i++) {
		unsigned int digit = (unsigned char)s[i] - '0';

		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	for (; i < len; i++) {
		unsigned int digit = (unsigned char)s[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*ret = v;
	return true;
}

/* Parses the N digits at S; returns false if they are not digits. */
static bool digits(const char *s, unsigned int n, int *ret)
{
	for (*ret = 0; n--; s++) {
		if (*s < '0' || *s > '9')
			return false;
		*ret = *ret * 10 + *s - '0';
	}
	return true;
}

bool field__wall(const char *s, size_t len, int64_t *ret_us)
{
	static const char month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	static const short days_before[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
	};
	int year, month, day, hour, minute, second, us, past;
	int64_t days;
	bool leap;

	if (len != 26 || s[4] != '-' || s[7] != '-' || s[10] != ' ' || s[13] != ':' ||
	    s[16] != ':' || s[19] != '.' || !digits(s, 4, &year) || !digits(s + 5, 2, &month) ||
	    !digits(s + 8, 2, &day) || !digits(s + 11, 2, &hour) || !digits(s + 14, 2, &minute) ||
	    !digits(s + 17, 2, &second) || !digits(s + 20, 6, &us))
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (!year || month < 1 || month > 12 || day < 1 ||
	    day > month_days[month - 1] + (leap && month == 2) || hour > 23 || minute > 59 ||
	    second > 59)
		return false;
	past = year - 1;
	days = past * 365 + past / 4 - past / 100 + past / 400 - 719162 + days_before[month - 1] +
	       (leap && month > 2) + day - 1;
	*ret_us = ((days * 24 + hour) * 60 + minute) * 60 + second;
	*ret_us = *ret_us * 1000000 + us;
	return true;
}

bool field__wall_near(struct field_second *last, const char *s, size_t len, int64_t *ret_us)
{
	uint64_t us;

	if (!*last->text || len != 26 || memcmp(s, last->text, sizeof(last->text)) != 0) {
		if (!field__wall(s, len, ret_us))
			return false;
		memcpy(last->text, s, sizeof(last->text));
		last->us = *ret_us - *ret_us % 1000000;
		return true;
	}
	/* The last eight bytes but the first two, a digit of the second and the decimal point. */
	if (!eight_digits((row_field__word(s + 18) & ~UINT64_C(0xffff)) | 0x3030, &us))
		return false;
	*ret_us = last->us + (int64_t)us;
	return true;
}

static bool fits_wall(const struct column *column, const char *s, size_t len)
{
	int64_t us;

	return field__wall(s, len, &us);
}

static bool fits_uint(const struct column *column, const char *s, size_t len)
{
	uint64_t v;

	return field__uint(s, len, &v) && v <= INT64_MAX;
}

static bool fits_inode(const struct column *column, const char *s, size_t len)
{
	uint64_t v;

	return field__uint(s, len, &v);
}

static bool fits_int(const struct column *column, const char *s, size_t len)
{
	bool negative = *s == '-';
	uint64_t v;

	return field__uint(s + negative, len - negative, &v) &&
	       (negative ? v && v <= (uint64_t)INT64_MAX + 1 : v <= INT64_MAX);
}

static bool fits_float(const struct column *column, const char *s, size_t len)
{
	bool negative = *s == '-';
	size_t whole = span(s += negative, len -= negative, DIGIT);

	if (!whole || (*s == '0' && whole > 1))
		return false;
	return whole == len || (s[whole] == '.' && len > whole + 1 &&
				span(s + whole + 1, len - whole - 1, DIGIT) == len - whole - 1);
}

static bool fits_text(const struct column *column, const char *s, size_t len)
{
	for (size_t i = csv__plain_len(s, len), n; i < len;
	     i += n, i += csv__plain_len(s + i, len - i)) {
		n = csv__char_len(s + i, len - i);
		if (n)
			continue;
		if (s[i] != '\\')
			return false;
		if (len - i >= 2 && s[i + 1] == '\\')
			n = 2;
		else if (len - i >= 4 && s[i + 1] == 'x' && span(s + i + 2, 2, HEX_DIGIT) == 2)
			n = 4;
		else
			return false;
	}
	return true;
}

static bool fits_word(const struct column *column, const char *s, size_t len)
{
	if (span(s, len, WORD_CHAR) != len)
		return false;
	/* A word contains neither a blank nor a NUL, as these are not of kind WORD_CHAR. */
	for (const char *w = column->words; w; w = strchr(w, ' ')) {
		w += *w == ' ';
		if (*w == *s && !strncmp(w, s, len) && (w[len] == ' ' || !w[len]))
			return true;
	}
	return !column->words;
}

static bool fits_flags(const struct column *column, const char *s, size_t len)
{
	for (;;) {
		size_t n = span(s, len, WORD_CHAR);

		if (!n || n == len)
			return n;
		if (s[n] != '|')
			return false;
		s += n + 1;
		len -= n + 1;
	}
}

static bool fits_device(const struct column *column, const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	uint64_t major, minor;

	return colon && field__uint(s, colon - s, &major) &&
	       field__uint(colon + 1, s + len - colon - 1, &minor) && major <= UINT32_MAX &&
	       minor <= UINT32_MAX;
}

static bool fits_address(const struct column *column, const char *s, size_t len)
{
	return len > 2 && len <= 18 && s[0] == '0' && s[1] == 'x' &&
	       span(s + 2, len - 2, HEX_DIGIT) == len - 2;
}

static const struct {
	bool (*fits)(const struct column *column, const char *s, size_t len);
	const char *fault;
} types[] = {
	[COL_WALL] = { fits_wall, "no wall time" },
	[COL_MONO] = { fits_uint, "no unsigned number below 2^63" },
	[COL_UINT] = { fits_uint, "no unsigned number below 2^63" },
	[COL_INODE] = { fits_inode, "no unsigned number" },
	[COL_INT] = { fits_int, "no whole number" },
	[COL_FLOAT] = { fits_float, "no decimal number" },
	[COL_TEXT] = { fits_text, "not escaped text" },
	[COL_WORD] = { fits_word, "not one of its words" },
	[COL_FLAGS] = { fits_flags, "no flags" },
	[COL_DEVICE] = { fits_device, "no major:minor" },
	[COL_ADDRESS] = { fits_address, "no address" },
};

const char *field__check(const struct column *column, const char *s, size_t len)
{
	if (!len)
		return column->type == COL_MONO ? "empty" : NULL;
	return types[column->type].fits(column, s, len) ? NULL : types[column->type].fault;
}
