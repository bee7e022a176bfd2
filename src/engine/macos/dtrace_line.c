// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/dtrace_line.h"

#include <string.h>

struct dtrace_rest {
	char *s, *end;
};

static bool is_digit(const struct dtrace_rest *r)
{
	return r->s < r->end && *r->s >= '0' && *r->s <= '9';
}

static bool take_one(struct dtrace_rest *r, char c)
{
	if (r->s == r->end || *r->s != c)
		return false;
	r->s++;
	return true;
}

/* Parses decimal digits, at least one; a number beyond 64 bits is invalid. */
static bool take_decimal(struct dtrace_rest *r, uint64_t *ret)
{
	uint64_t n = 0;

	if (!is_digit(r))
		return false;
	while (is_digit(r))
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *r->s++ - '0', &n))
			return false;
	*ret = n;
	return true;
}

/* Unsigned numbers above 2^63 - 1 have the same bits. */
static bool take_number(struct dtrace_rest *r, int64_t *ret)
{
	bool negative = take_one(r, '-');
	uint64_t n;

	if (!take_decimal(r, &n) || (negative && n > UINT64_C(1) << 63))
		return false;
	*ret = (int64_t)(negative ? 0 - n : n);
	return true;
}

static bool take_u32(struct dtrace_rest *r, uint32_t *ret)
{
	uint64_t n;

	if (!take_one(r, ' ') || !take_decimal(r, &n) || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static bool take_name(struct dtrace_rest *r, char name[CALL_NAME_MAX])
{
	const char *end = memchr(r->s, ' ', r->end - r->s);
	size_t len = (end ? end : r->end) - r->s;

	if (!len || len >= CALL_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((r->s[i] >= 'a' && r->s[i] <= 'z') || (r->s[i] >= '0' && r->s[i] <= '9') ||
		      r->s[i] == '_'))
			return false;
	memcpy(name, r->s, len);
	name[len] = 0;
	r->s += len;
	return true;
}

/* ---- texts ---- */

/* A character as DTrace's %S writes it: itself, or a backslash with a letter or octal digits. */
static bool take_char(struct dtrace_rest *r, char *ret)
{
	static const char letters[] = "abfnrtv\\\"'?", means[] = "\a\b\f\n\r\t\v\\\"'?";
	const char *letter;
	unsigned int octal = 0;
	int digits;

	if (r->s == r->end)
		return false;
	*ret = *r->s++;
	if (*ret != '\\')
		return true;
	for (digits = 0; digits < 3 && r->s < r->end && *r->s >= '0' && *r->s <= '7'; digits++)
		octal = octal << 3 | (unsigned int)(*r->s++ - '0');
	if (digits) {
		*ret = (char)octal;
		return octal && octal <= 0xff;
	}
	letter = r->s < r->end && *r->s ? strchr(letters, *r->s) : NULL;
	if (!letter)
		return false;
	r->s++;
	*ret = means[letter - letters];
	return true;
}

/* LEN bytes, escaped. DTrace for Linux also writes the text's NUL. */
static bool take_text(struct dtrace_rest *r, uint64_t len, struct call_text *ret)
{
	char *to = r->s;

	*ret = (struct call_text){ to, len };
	if (len > (uint64_t)(r->end - r->s))
		return false;
	for (uint64_t i = 0; i < len; i++)
		if (!take_char(r, to++))
			return false;
	if (r->end - r->s >= 2 && !memcmp(r->s, "\\0", 2))
		r->s += 2;
	return true;
}

/* A number, or a text preceded by its length. */
static bool take_argument(struct dtrace_rest *r, struct call_line *l)
{
	int64_t n;

	if (!take_one(r, ' ') || !take_number(r, &n))
		return false;
	if (!take_one(r, ':')) {
		if (l->n_numbers == CALL_NUMBERS_MAX || l->n_texts)
			return false;
		l->n[l->n_numbers++] = n;
		return true;
	}
	return n >= 0 && l->n_texts < CALL_TEXTS_MAX &&
	       take_text(r, (uint64_t)n, &l->text[l->n_texts++]);
}

bool dtrace_line__parse(struct call_line *ret, char *s, size_t len)
{
	struct dtrace_rest r = { s, s + len };
	uint32_t error;

	*ret = (struct call_line){ .n_numbers = 0 };
	if (!take_name(&r, ret->name) || !take_u32(&r, &ret->cpu) || !take_u32(&r, &ret->pid) ||
	    !take_u32(&r, &ret->tid) || !take_one(&r, ' ') || !take_decimal(&r, &ret->ns) ||
	    !take_one(&r, ' ') || !take_decimal(&r, &ret->duration) || !take_one(&r, ' ') ||
	    !take_number(&r, &ret->ret) || !take_u32(&r, &error) || error > INT32_MAX)
		return false;
	ret->error = (int)error;
	while (r.s < r.end)
		if (!take_argument(&r, ret))
			return false;
	return true;
}
