// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/line.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"
#include "rows/names.h"

#define ERRNO_MAX 4095 /* MAX_ERRNO of the kernel, for an error without a name */
#define ERRNO_NAMED 532

/* ---- words ---- */

static bool take(struct span *s, const char *word)
{
	size_t len = strlen(word);

	if (s->len < len || memcmp(s->s, word, len) != 0)
		return false;
	s->s += len;
	s->len -= len;
	return true;
}

static void skip_blanks(struct span *s)
{
	while (s->len && *s->s == ' ') {
		s->s++;
		s->len--;
	}
}

/* Parses decimal digits, at least one. */
static bool take_number(struct span *s, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < s->len && s->s[i] >= '0' && s->s[i] <= '9')
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s->s[i++] - '0', &n))
			return false;
	if (!i)
		return false;
	s->s += i;
	s->len -= i;
	*ret = n;
	return true;
}

/* Parses SECONDS.FRACTION into ns. */
static bool take_time(struct span *s, uint64_t *ret)
{
	uint64_t seconds, ns = 0, unit = NSEC_PER_SEC;

	if (!take_number(s, &seconds) || seconds > INT32_MAX * UINT64_C(4) || !take(s, "."))
		return false;
	while (s->len && *s->s >= '0' && *s->s <= '9' && unit > 1) {
		unit /= 10;
		ns += (*s->s++ - '0') * unit;
		s->len--;
	}
	*ret = seconds * NSEC_PER_SEC + ns;
	return true;
}

static struct span before(struct span s, const char *at)
{
	return (struct span){ s.s, at - s.s };
}

static struct span after(struct span s, const char *at)
{
	return (struct span){ at, s.s + s.len - at };
}

/* ---- lines ---- */

static bool ends_with(struct span *s, const char *word)
{
	size_t len = strlen(word);

	if (s->len < len || memcmp(s->s + s->len - len, word, len) != 0)
		return false;
	s->len -= len;
	return true;
}

static int signal_number(struct span name)
{
	for (int i = 1; i < NSIG; i++) {
		const char *known = names__word(&names_signal, i);

		if (known && strlen(known) == name.len && !memcmp(known, name.s, name.len))
			return i;
	}
	return SIGKILL; /* an unknown signal is still a signal */
}

/* +++ … +++ */
static enum line_kind parse_event(struct line *l, struct span s)
{
	const char *end;
	uint64_t n;

	if (take(&s, "exited with ") && take_number(&s, &n)) {
		l->status = (int)(n & 0xff) << 8;
		return LINE_ENDED;
	}
	if (take(&s, "killed by ")) {
		end = memchr(s.s, ' ', s.len);
		l->status = signal_number(end ? before(s, end) : s);
		return LINE_ENDED;
	}
	if (take(&s, "superseded by execve in pid ") && take_number(&s, &n)) {
		l->other = n;
		return LINE_SUPERSEDED;
	}
	return LINE_IGNORED;
}

static enum line_kind parse_resumed(struct line *l, struct span s)
{
	const char *end = memmem(s.s, s.len, " resumed>", 9);

	if (!end)
		return LINE_BAD;
	l->name = before(s, end);
	l->body = after(s, end + 9);
	return LINE_RESUMED;
}

static enum line_kind parse_unfinished(struct line *l, struct span s)
{
	static const char moved[] = " <pid changed to ";
	const char *at;
	uint64_t n;

	if (ends_with(&s, " <unfinished ...>")) {
		l->body = s;
		return LINE_UNFINISHED;
	}
	if (!ends_with(&s, " ...>"))
		return LINE_CALL;
	at = memmem(s.s, s.len, moved, sizeof(moved) - 1);
	if (!at)
		return LINE_BAD;
	l->body = before(s, at);
	s = after(s, at + sizeof(moved) - 1);
	if (!take_number(&s, &n))
		return LINE_BAD;
	l->other = n;
	return LINE_MOVED;
}

void line__parse(struct line *ret, const char *s, size_t len)
{
	struct span rest = { s, len };
	uint64_t tid;

	*ret = (struct line){ .kind = LINE_BAD };
	if (!take_number(&rest, &tid) || !tid || tid > INT32_MAX)
		return;
	ret->tid = tid;
	skip_blanks(&rest);
	if (!take_time(&rest, &ret->ns) || !take(&rest, " "))
		return;
	ret->body = rest;
	if (take(&rest, "--- "))
		ret->kind = LINE_IGNORED;
	else if (take(&rest, "+++ "))
		ret->kind = parse_event(ret, rest);
	else if (take(&rest, "<... "))
		ret->kind = parse_resumed(ret, rest);
	else
		ret->kind = parse_unfinished(ret, rest);
}

/* ---- calls ---- */

/* Returns the end of the first element of S: a comma or bracket outside of all inner brackets. */
static const char *element_end(struct span s)
{
	const char *p = s.s, *end = s.s + s.len;
	int depth = 0;

	for (; p < end; p++) {
		switch (*p) {
		case '"':
			p = memchr(p + 1, '"', end - p - 1);
			if (!p)
				return end;
			break;
		case '(':
		case '[':
		case '{':
			depth++;
			break;
		case ')':
		case ']':
		case '}':
			if (!depth--)
				return p;
			break;
		case ',':
			if (!depth)
				return p;
		}
	}
	return end;
}

bool line__next(struct span *list, struct span *ret)
{
	const char *end;

	skip_blanks(list);
	if (!list->len)
		return false;
	end = element_end(*list);
	*ret = before(*list, end);
	*list = after(*list, end + (end < list->s + list->len && *end == ','));
	return true;
}

static int error_number(struct span s)
{
	const char *end = memchr(s.s, ' ', s.len);
	struct span name = end ? before(s, end) : s;

	for (int i = 1; i < ERRNO_NAMED; i++) {
		const char *known = names__errno(i);

		if (known && strlen(known) == name.len && !memcmp(known, name.s, name.len))
			return i;
	}
	return ERRNO_MAX;
}

/* Parses the path of a descriptor, in angle brackets, and whether the file has been removed. */
static void take_path(struct span *s, struct line_file *f)
{
	const char *end;

	f->path = (struct span){ NULL, 0 };
	f->deleted = false;
	if (!take(s, "<") || !(end = memchr(s->s, '>', s->len)))
		return;
	f->path = before(*s, end);
	*s = after(*s, end + 1);
	f->deleted = take(s, "(deleted)");
}

static bool hexadecimal(struct span *s, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < s->len && i < 16; i++) {
		char c = s->s[i];

		if (c >= '0' && c <= '9')
			n = n << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (c - 'a' + 10);
		else
			break;
	}
	s->s += i;
	s->len -= i;
	*ret = n;
	return i;
}

/* Parses the result of a call, after its "= ". */
static bool parse_result(struct line_call *c, struct span s)
{
	uint64_t n;

	c->file = (struct line_file){ .number = -1 };
	c->finished = !take(&s, "?");
	if (!c->finished)
		return true;
	if (take(&s, "-1 ")) {
		c->ret = -error_number(s);
	} else if (take(&s, "0x")) {
		if (!hexadecimal(&s, &n))
			return false;
		c->ret = n;
	} else {
		if (!take_number(&s, &n) || n > INT64_MAX)
			return false;
		/* The id in another pid namespace is followed by the one here. */
		if (take(&s, " /* ") && !take_number(&s, &n))
			return false;
		c->ret = n;
		take_path(&s, &c->file);
	}
	return true;
}

/* The last ") = " is the call's own: strings have no blanks. */
static const char *result_of(struct span s)
{
	const char *found = NULL, *p = s.s;

	while ((p = memmem(p, s.s + s.len - p, ")", 1))) {
		struct span rest = after(s, p + 1);

		skip_blanks(&rest);
		if (rest.len > 2 && !memcmp(rest.s, "= ", 2))
			found = p;
		p++;
	}
	return found;
}

static uint64_t duration_of(struct span s)
{
	const char *at = memrchr(s.s, '<', s.len);
	uint64_t ns;

	s = after(s, at ? at + 1 : s.s + s.len);
	return at && take_time(&s, &ns) ? ns : 0;
}

bool line__call(struct line_call *ret, struct span body)
{
	const char *open = memchr(body.s, '(', body.len);
	struct span args, result;
	const char *close;

	if (!open || !(close = result_of(body)) || close < open)
		return false;
	ret->name = before(body, open);
	args = (struct span){ open + 1, close - open - 1 };
	for (ret->n_args = 0; ret->n_args < LINE_ARGS_MAX; ret->n_args++)
		if (!line__next(&args, &ret->args[ret->n_args]))
			break;
	result = after(body, close + 1);
	skip_blanks(&result);
	ret->duration = duration_of(result);
	return take(&result, "= ") && parse_result(ret, result);
}

/* ---- arguments ---- */

static bool one_number(struct span *s, uint64_t *ret)
{
	bool negative = take(s, "-");
	uint64_t n = 0;

	if (take(s, "0x")) {
		if (!hexadecimal(s, &n))
			return false;
	} else if (s->len > 1 && *s->s == '0') {
		for (; s->len && *s->s >= '0' && *s->s <= '7'; s->s++, s->len--)
			n = n << 3 | (*s->s - '0');
	} else if (!take_number(s, &n)) {
		return false;
	}
	*ret = negative ? -n : n;
	return true;
}

bool line__number(struct span arg, uint64_t *ret)
{
	uint64_t all = 0, n;

	do {
		if (!one_number(&arg, &n))
			return false;
		all |= n;
	} while (take(&arg, "|"));
	*ret = all;
	return true;
}

struct span line__member(struct span arg, const char *name)
{
	const char *at = arg.s;
	size_t len = strlen(name);

	while (arg.len && (at = memmem(at, arg.s + arg.len - at, name, len))) {
		if (at > arg.s && (at[-1] == '{' || at[-1] == ' ')) {
			struct span value = after(arg, at + len);

			return before(value, element_end(value));
		}
		at++;
	}
	return (struct span){ NULL, 0 };
}

bool line__file(struct span arg, struct line_file *ret)
{
	uint64_t n;

	if (!one_number(&arg, &n))
		return false;
	ret->number = (int)n;
	take_path(&arg, ret);
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int line__bytes(struct span escaped, char *out, size_t size)
{
	size_t n = escaped.len / 4;

	if (escaped.len % 4 || n > size)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *s = escaped.s + 4 * i;

		if (s[0] != '\\' || s[1] != 'x' || hex_digit(s[2]) < 0 || hex_digit(s[3]) < 0)
			return -1;
		out[i] = (char)(hex_digit(s[2]) << 4 | hex_digit(s[3]));
	}
	return (int)n;
}

int line__text(struct span arg, char *out, size_t size)
{
	if (!take(&arg, "\"") || !ends_with(&arg, "\""))
		return -1;
	return line__bytes(arg, out, size);
}
