// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/shown.h"

static const char *shown(const char *s, size_t len)
{
	static char buf[1024];
	char *end = shown__copy(buf, s, len);

	cr_assert_eq(end, buf + strlen(buf));
	cr_assert_leq((size_t)(end - buf + 1), SHOWN_MAX(len));
	return buf;
}

#define SHOWS(text, expected) cr_expect_str_eq(shown(text, sizeof(text) - 1), expected)

Test(shown, what_can_be_read_stays)
{
	SHOWS("", "");
	SHOWS("a file, \"quoted\" 'and' \\x41 \\", "a file, \"quoted\" 'and' \\x41 \\");
	SHOWS("ünï — ☃ 日本語 🙂 עברית", "ünï — ☃ 日本語 🙂 עברית");
}

Test(shown, what_a_terminal_obeys_is_escaped)
{
	SHOWS("\x1b]0;owned\a", "\\x1b]0;owned\\x07");
	SHOWS("one\ntwo\r\t", "one\\x0atwo\\x0d\\x09");
	SHOWS("\x7f\xc2\x9b"
	      "31m\xc2\x80\xc2\x9f\xc2\xa0",
	      "\\x7f\\xc2\\x9b31m\\xc2\\x80\\xc2\\x9f\xc2\xa0");
	SHOWS("a\0b", "a\\x00b");
}

Test(shown, what_lies_about_the_order_is_escaped)
{
	SHOWS("\u202egnp.exe", "\\xe2\\x80\\xaegnp.exe");
	SHOWS("\u200e\u200f\u061c\u2066\u2069\u202a",
	      "\\xe2\\x80\\x8e\\xe2\\x80\\x8f\\xd8\\x9c\\xe2\\x81\\xa6\\xe2"
	      "\\x81\\xa9\\xe2\\x80\\xaa");
	SHOWS("\u2028\u2029\ufeff\u00ad",
	      "\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xef\\xbb\\xbf\\xc2\\xad");
	SHOWS("\U000e0041", "\\xf3\\xa0\\x81\\x81");
	SHOWS("\u2027\u202f\u2065", "\u2027\u202f\\xe2\\x81\\xa5");
}

Test(shown, what_is_not_utf8_is_escaped)
{
	SHOWS("\xff\xc0\xaf\xed\xa0\x80\xe2\x80", "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x80");
}

Test(shown, twice_is_once)
{
	char once[64];

	strcpy(once, shown("\x1b\u202e\\\xff", 6));
	cr_expect_str_eq(shown(once, strlen(once)), once);
}

Test(shown, a_line_is_one_line)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	shown__line(out, "%s: %d", "a\nb", 7);
	fclose(out);
	cr_expect_str_eq(text, "a\\x0ab: 7\n");
	free(text);
}
