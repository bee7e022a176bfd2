// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/shown.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/csv.h"
#include "platform/macros.h"
#include "platform/write_stream.h"

/* Unicode 15's categories Cf, Zl and Zp, and the unassigned tag characters. */
static const struct {
	uint32_t from, to;
} obeyed[] = {
	{ 0xad, 0xad },       { 0x600, 0x605 },     { 0x61c, 0x61c },     { 0x6dd, 0x6dd },
	{ 0x70f, 0x70f },     { 0x890, 0x891 },     { 0x8e2, 0x8e2 },     { 0x180e, 0x180e },
	{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe007f },
};

/* The length of a character of more than one byte in LEN bytes of valid UTF-8. */
static uint32_t decode(const char *s, unsigned int len)
{
	uint32_t c = (unsigned char)*s & (0x7f >> len);

	for (unsigned int i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

static bool is_obeyed(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(obeyed) && c >= obeyed[i].from; i++)
		if (c <= obeyed[i].to)
			return true;
	return false;
}

char *shown__copy(char *p, const char *s, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const char *end = s + len;

	while (s < end) {
		unsigned int n = *s == '\\' ? 1 : csv__char_len(s, end - s);
		unsigned int escaped = !n ? 1 : n > 1 && is_obeyed(decode(s, n)) ? n : 0;

		for (; escaped; escaped--, s++) {
			*p++ = '\\';
			*p++ = 'x';
			*p++ = digits[(unsigned char)*s >> 4];
			*p++ = digits[(unsigned char)*s & 15];
			n = 0;
		}
		p = csv__mem(p, s, n);
		s += n;
	}
	*p = 0;
	return p;
}

#define PIECE 1024 /* bytes of text that are escaped without allocating memory */

void shown__vline(FILE *out, const char *format, va_list args)
{
	char small[PIECE], shown_small[SHOWN_MAX(PIECE) + 1], *text = NULL, *shown, *end;
	va_list again;
	int len;

	va_copy(again, args);
	len = vasprintf(&text, format, args);
	if (len < 0) {
		text = NULL;
		if (vsnprintf(small, sizeof(small), format, again) >= 0)
			len = (int)strlen(small);
	}
	va_end(again);
	if (len < 0)
		return;
	shown = text ? malloc(SHOWN_MAX(len) + 1) : NULL;
	end = shown ? shown__copy(shown, text, len) :
		      shown__copy(shown_small, text ?: small, MIN(len, PIECE));
	*end++ = '\n';
	fwrite(shown ?: shown_small, 1, end - (shown ?: shown_small), out);
	free(shown);
	free(text);
}

void shown__line(FILE *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	shown__vline(out, format, args);
	va_end(args);
}

#define CHAR_MAX_BYTES 4 /* of one character in UTF-8 */

/* What is written to a terminal. A character may come in two pieces: its first bytes wait here. */
struct terminal {
	FILE *out, *shown;
	char text[PIECE];
	size_t len;
};

/* Bytes of a character at the end of LEN bytes of TEXT that is not whole yet. */
static size_t begun(const char *text, size_t len)
{
	for (size_t n = 1; n < CHAR_MAX_BYTES && n <= len; n++) {
		unsigned char c = text[len - n];

		if (c >= 0xc0)
			return n < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) ? n : 0;
		if (c < 0x80)
			break;
	}
	return 0;
}

/* Writes LEN bytes, which are at most PIECE and end with a whole character. */
static void write_shown(FILE *out, const char *text, size_t len)
{
	char shown[SHOWN_MAX(PIECE)];

	while (len) {
		size_t n = 0;

		while (n < len && text[n] != '\n' && text[n] != '\t')
			n++;
		fwrite(shown, 1, shown__copy(shown, text, n) - shown, out);
		if (n < len)
			putc(text[n++], out);
		text += n;
		len -= n;
	}
}

static ssize_t on_write(void *cookie, const char *text, size_t len)
{
	struct terminal *t = cookie;

	for (size_t done = 0, n, rest; done < len; done += n) {
		n = MIN(len - done, PIECE - t->len);
		memcpy(t->text + t->len, text + done, n);
		t->len += n;
		rest = begun(t->text, t->len);
		write_shown(t->out, t->text, t->len - rest);
		memmove(t->text, t->text + t->len - rest, rest);
		t->len = rest;
	}
	return fflush(t->out) ? -1 : (ssize_t)len;
}

FILE *shown__stream(FILE *out)
{
	static struct terminal terminals[2];
	struct terminal *t = &terminals[out == stderr];

	if (!isatty(fileno(out)))
		return out;
	if (!t->shown) {
		t->out = out;
		t->shown = write_stream__new(t, on_write);
	}
	return t->shown;
}
