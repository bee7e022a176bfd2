// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/fs_usage_line.h"

#include <string.h>
#include <sys/param.h>

#define CALL_AT 17   /* its name's column, */
#define FIELDS_AT 34 /* its fields' … */
#define PLAIN_LEN 18 /* … and their width where there is only an errno */
#define COMMAND_MAX 64

struct fs_usage_rest {
	const char *s, *end;
};

static bool take_word(struct fs_usage_rest *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->s) < len || memcmp(r->s, word, len) != 0)
		return false;
	r->s += len;
	return true;
}

static void skip_blanks(struct fs_usage_rest *r)
{
	while (r->s < r->end && *r->s == ' ')
		r->s++;
}

static int digit(char c, int base)
{
	int n = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : base;

	return n < base ? n : -1;
}

static bool take_digits_of(struct fs_usage_rest *r, int base, uint64_t *ret)
{
	const char *begin = r->s;
	uint64_t n = 0;

	for (; r->s < r->end && digit(*r->s, base) >= 0; r->s++)
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, digit(*r->s, base), &n))
			return false;
	*ret = n;
	return r->s > begin;
}

/* Parses a decimal number in the range of int. */
static bool take_int(struct fs_usage_rest *r, int *ret)
{
	bool negative = take_word(r, "-");
	uint64_t n;

	if (!take_digits_of(r, 10, &n) || n > INT32_MAX)
		return false;
	*ret = negative ? -(int)n : (int)n;
	return true;
}

static bool two_digits(struct fs_usage_rest *r, uint64_t below, uint64_t *ret)
{
	struct fs_usage_rest two = { r->s, MIN(r->s + 2, r->end) };

	if (!take_digits_of(&two, 10, ret) || two.s != r->s + 2 || *ret >= below)
		return false;
	r->s = two.s;
	return true;
}

static bool take_time(struct fs_usage_rest *r, uint64_t *ret)
{
	uint64_t hours, minutes, seconds, us;
	const char *fraction;

	if (!two_digits(r, 24, &hours) || !take_word(r, ":") || !two_digits(r, 60, &minutes) ||
	    !take_word(r, ":") || !two_digits(r, 61, &seconds) || !take_word(r, "."))
		return false;
	fraction = r->s;
	if (!take_digits_of(r, 10, &us) || r->s != fraction + 6)
		return false;
	*ret = ((hours * 60 + minutes) * 60 + seconds) * 1000000 + us;
	return true;
}

/* ---- from the end: " SECONDS W COMMAND.THREAD" ---- */

/* Whether "%3llu.%06llu", then " W" or two blanks, then a blank are at S. */
static bool parse_seconds(const char *s, const char *end, struct fs_usage_line *l,
			  const char **ret_command)
{
	struct fs_usage_rest r = { s, end };
	uint64_t seconds, us;
	const char *fraction;

	skip_blanks(&r);
	/* The seconds have at least three columns. */
	if (!take_digits_of(&r, 10, &seconds) || r.s < s + 3 || seconds > INT32_MAX ||
	    !take_word(&r, "."))
		return false;
	fraction = r.s;
	if (!take_digits_of(&r, 10, &us) || r.s != fraction + 6)
		return false;
	l->waited = take_word(&r, " W ");
	if (!l->waited && !take_word(&r, "   "))
		return false;
	l->duration_us = seconds * 1000000 + us;
	*ret_command = r.s;
	return true;
}

static bool parse_thread(const char *s, const char **end, uint64_t *ret)
{
	const char *dot = memrchr(s, '.', *end - s);
	struct fs_usage_rest r = { dot ? dot + 1 : s, *end };

	if (!dot || !take_digits_of(&r, 10, ret) || r.s != r.end)
		return false;
	*end = dot;
	return true;
}

/* Finds where SECONDS begins: at the column of the other lines, or, in the first line, at the only
 * possible place, since names of files and commands can look the same. Returns NULL if there is
 * none, or several. */
static const char *find_seconds(const char *s, const char *end, size_t *column,
				struct fs_usage_line *l, const char **ret_command)
{
	const char *first = MAX(s + FIELDS_AT, end - COMMAND_MAX), *found = NULL;

	if (*column && (size_t)(end - s) > *column && s[*column - 1] == ' ' &&
	    parse_seconds(s + *column, end, l, ret_command))
		return s + *column;
	for (const char *at = first; at < end; at++) {
		struct fs_usage_line other = *l;
		const char *command;

		if (at[-1] != ' ' || !parse_seconds(at, end, &other, &command) ||
		    (found && command == *ret_command))
			continue;
		if (found)
			return NULL;
		found = at;
		*l = other;
		*ret_command = command;
	}
	/* The digits have three columns. */
	while (found && digit(*found, 10) < 0)
		found++;
	if (found) {
		const char *dot = memchr(found, '.', end - found);

		found = MIN(found, dot - 3);
		*column = *column ? *column : (size_t)(found - s);
	}
	return found;
}

/* ---- fields ---- */

/* "[%3d]" */
static bool take_error(struct fs_usage_rest *r, int *ret)
{
	struct fs_usage_rest in = *r;
	int error;

	if (!take_word(&in, "["))
		return false;
	skip_blanks(&in);
	if (!take_int(&in, &error) || !take_word(&in, "]") || in.s - r->s < 5)
		return false;
	*ret = error;
	*r = in;
	return true;
}

/* Copies the text between OPEN and CLOSE to RET, as far as there is room. */
static bool take_enclosed(struct fs_usage_rest *r, char open, char close, char *ret)
{
	const char *end;
	size_t len;

	if (r->s == r->end || *r->s != open || !(end = memchr(r->s, close, r->end - r->s)))
		return false;
	len = MIN(end - r->s - 1, FS_USAGE_FLAGS_MAX - 1);
	memcpy(ret, r->s + 1, len);
	ret[len] = 0;
	r->s = end + 1;
	return true;
}

/* Skips a field NAME=NUMBER. */
static bool take_other(struct fs_usage_rest *r)
{
	struct fs_usage_rest in = *r;
	uint64_t n;

	if (in.end - in.s < 3 || !strchr("ADNPS", *in.s) || in.s[1] != '=')
		return false;
	in.s += 2;
	if (take_word(&in, "0x") ? !take_digits_of(&in, 16, &n) : !take_digits_of(&in, 10, &n))
		return false;
	*r = in;
	return true;
}

static bool take_field(struct fs_usage_rest *r, struct fs_usage_line *l)
{
	if (!l->has_fd && take_word(r, "F="))
		return l->has_fd = take_int(r, &l->fd);
	if (!l->has_fd2 && l->has_fd && take_word(r, "F="))
		return l->has_fd2 = take_int(r, &l->fd2);
	if (!l->error && take_error(r, &l->error))
		return true;
	if (!l->has_bytes && take_word(r, "B=0x"))
		return l->has_bytes = take_digits_of(r, 16, &l->bytes);
	if (!l->has_offset && take_word(r, "O=0x"))
		return l->has_offset = take_digits_of(r, 16, &l->offset);
	if (!*l->flags && take_enclosed(r, '(', ')', l->flags))
		return true;
	if (!*l->words && take_enclosed(r, '<', '>', l->words))
		return true;
	return take_other(r);
}

/* Calls whose only field is an errno; its width is fixed, so that a path may look like a field. */
static bool is_plain(const struct fs_usage_rest *fields, struct fs_usage_line *l)
{
	struct fs_usage_rest r = *fields;
	int error = 0;

	if (r.end - r.s < PLAIN_LEN + 4)
		return false;
	r.end = r.s + PLAIN_LEN;
	skip_blanks(&r);
	if (r.s == r.end)
		return true;
	if (r.s != fields->s + 6 || !take_error(&r, &error))
		return false;
	skip_blanks(&r);
	if (r.s == r.end)
		l->error = error;
	return r.s == r.end;
}

/* "[DIR]/" before the path of a call whose name ends in at. */
static void take_directory(struct fs_usage_rest *r, struct fs_usage_line *l)
{
	struct fs_usage_rest in = *r;
	size_t len = strlen(l->call);

	if (len < 3 || strcmp(l->call + len - 2, "at") != 0 || !take_word(&in, "[") ||
	    !take_int(&in, &l->dir) || !take_word(&in, "]/"))
		return;
	l->has_dir = true;
	*r = in;
}

/* PATH is the rest of the column, which fs_usage ends with two blanks. If there are no other
 * blanks, the path fills the column, and may have been cut. */
static void take_path(struct fs_usage_rest *r, struct fs_usage_line *l)
{
	const char *end = r->end;

	while (end > r->s && end[-1] == ' ')
		end--;
	l->path_cut = end > r->s && r->end - end <= 2;
	take_directory(r, l);
	if (end <= r->s)
		return;
	l->path = r->s;
	l->path_len = (size_t)(end - r->s);
}

static void parse_fields(struct fs_usage_rest *r, struct fs_usage_line *l)
{
	struct fs_usage_rest fields = *r;

	if (is_plain(&fields, l)) {
		fields.s += PLAIN_LEN + 4;
		take_path(&fields, l);
		return;
	}
	for (;;) {
		struct fs_usage_rest before;

		skip_blanks(&fields);
		before = fields;
		if (take_field(&fields, l))
			continue;
		fields = before;
		break;
	}
	take_path(&fields, l);
}

bool fs_usage_line__parse(struct fs_usage_line *ret, size_t *column, const char *s, size_t len)
{
	struct fs_usage_rest r = { s, s + len };
	const char *end = s + len, *seconds;
	size_t call;

	*ret = (struct fs_usage_line){ .fd = -1 };
	if (len < FIELDS_AT || memchr(s, 0, len) || !take_time(&r, &ret->day_us) ||
	    !take_word(&r, "  ") || !parse_thread(s + FIELDS_AT, &end, &ret->thread))
		return false;
	ret->is_disk = *r.s == ' ';
	call = FIELDS_AT - CALL_AT;
	while (call && s[CALL_AT + call - 1] == ' ')
		call--;
	memcpy(ret->call, s + CALL_AT, call);
	seconds = find_seconds(s, end, column, ret, &ret->command);
	if (!seconds)
		return false;
	ret->command_len = (size_t)(end - ret->command);
	r = (struct fs_usage_rest){ s + FIELDS_AT, seconds };
	if (!ret->is_disk)
		parse_fields(&r, ret);
	return true;
}
