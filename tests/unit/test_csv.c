// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "platform/macros.h"

/* A parser of a field that shares nothing with the writer: RFC 4180, then the contract's escapes.
 * Returns the length, or -1 if the field is invalid or longer than necessary. */
static int read_field(const char *field, size_t len, char *out)
{
	char plain[256];
	size_t n = 0;
	int ret = 0;

	if (len && field[0] == '"') {
		bool needed = false;

		if (len < 2 || field[len - 1] != '"')
			return -1;
		for (size_t i = 1; i < len - 1; i++) {
			if (field[i] == '"' && (i + 1 == len - 1 || field[++i] != '"'))
				return -1;
			needed |= field[i] == '"' || field[i] == ',';
			plain[n++] = field[i];
		}
		if (!needed)
			return -1;
	} else {
		for (size_t i = 0; i < len; i++)
			if (strchr(",\"\r\n", field[i]))
				return -1;
		memcpy(plain, field, n = len);
	}
	for (size_t i = 0; i < n; i++) {
		unsigned int byte;

		if ((unsigned char)plain[i] < 0x20 || plain[i] == 0x7f)
			return -1;
		if (plain[i] != '\\') {
			out[ret++] = plain[i];
		} else if (i + 1 < n && plain[i + 1] == '\\') {
			out[ret++] = '\\';
			i++;
		} else if (i + 3 < n && sscanf(plain + i, "\\x%2x", &byte) == 1) {
			out[ret++] = byte;
			i += 3;
		} else {
			return -1;
		}
	}
	return ret;
}

static void assert_round_trip(const char *s, size_t len)
{
	/* Exactly as much as the header promises to need: the sanitizer detects a byte more. */
	char *buf = malloc(CSV_TEXT_MAX(len)), back[256];
	char *end = csv__text(buf, s, len);

	cr_assert_eq(read_field(buf, end - buf, back), (int)len, "%.*s", (int)(end - buf), buf);
	cr_assert_arr_eq(back, s, len);
	end = csv__quote(buf, csv__escape_arrow(buf, s, len));
	cr_assert_eq(read_field(buf, end - buf, back), (int)len, "%.*s", (int)(end - buf), buf);
	cr_assert_arr_eq(back, s, len);
	free(buf);
}

Test(csv, every_byte_round_trips)
{
	for (int a = 0; a < 256; a++) {
		char s[] = { a, 'x', a };

		assert_round_trip(s, 1);
		assert_round_trip(s, 2);
		assert_round_trip(s, 3);
		assert_round_trip(s + 1, 2);
	}
}

Test(csv, every_pair_round_trips)
{
	for (int i = 0; i < 65536; i++) {
		char s[] = { 'p', i >> 8, i, 'q' };

		assert_round_trip(s + 1, 2);
		assert_round_trip(s, 4);
	}
}

Test(csv, random_bytes_round_trip)
{
	static const char likely[] = "\\\",->  \n\xc2\x85\xe2\x82\xac\xf0\x9f\x98\x80";

	srand(1);
	for (int i = 0; i < 20000; i++) {
		char s[40];
		size_t len = rand() % sizeof(s);

		for (size_t k = 0; k < len; k++)
			s[k] = rand() % 2 ? rand() : likely[rand() % (sizeof(likely) - 1)];
		assert_round_trip(s, len);
	}
}

static const char *text(const char *s)
{
	static char buf[256];

	*csv__text(buf, s, strlen(s)) = '\0';
	return buf;
}

Test(csv, unescaped_bytes_are_those_that_were_escaped)
{
	for (unsigned int pair = 0; pair < 1 << 16; pair++) {
		const char bytes[4] = { (char)(pair >> 8), (char)pair, 'x', '\\' };
		char escaped[CSV_TEXT_MAX(4)], *text;
		size_t len;

		text = csv__unescape(escaped, csv__escape(escaped, bytes, 4) - escaped, &len);
		cr_assert(text && len == 4 && !memcmp(text, bytes, 4), "%x", pair);
		free(text);
	}
}

/* Arbitrary bytes: nothing beyond the text is read (AddressSanitizer). */
Test(csv, text_that_ends_inside_an_escape)
{
	static const char *const texts[] = { "", "\\", "\\x", "\\x4", "a\\" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *copy = strndup(texts[i], strlen(texts[i])),
		     *text = csv__unescape(copy, strlen(copy), NULL);

		cr_assert(strlen(text) <= strlen(copy));
		free(text);
		free(copy);
	}
}

Test(csv, text_by_example)
{
	cr_assert_str_eq(text(""), "");
	cr_assert_str_eq(text("/usr/lib/a b.so"), "/usr/lib/a b.so");
	cr_assert_str_eq(text("a,b"), "\"a,b\"");
	cr_assert_str_eq(text("say \"x\""), "\"say \"\"x\"\"\"");
	cr_assert_str_eq(text("\""), "\"\"\"\"");
	cr_assert_str_eq(text("C:\\x"), "C:\\\\x");
	cr_assert_str_eq(text("a\tb\r\n\x1b\x7f"), "a\\x09b\\x0d\\x0a\\x1b\\x7f");
	cr_assert_str_eq(text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
			 "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	cr_assert_str_eq(text("\xc2\x85|\xc2\xa0"), "\\xc2\\x85|\xc2\xa0"); /* C1 control */
	cr_assert_str_eq(text("\xc0\xaf"), "\\xc0\\xaf");                   /* overlong */
	cr_assert_str_eq(text("\xed\xa0\x80"), "\\xed\\xa0\\x80");          /* surrogate */
	cr_assert_str_eq(text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* U+110000 */
	cr_assert_str_eq(text("\xe2\x82"), "\\xe2\\x82");                   /* cut short */
	cr_assert_str_eq(text("\xe2\x82,"), "\"\\xe2\\x82,\"");
}

static const char *arrow(const char *s)
{
	static char buf[256];

	*csv__escape_arrow(buf, s, strlen(s)) = '\0';
	return buf;
}

Test(csv, arrow_by_example)
{
	cr_assert_str_eq(arrow("/a -> /b"), "/a\\x20-> /b");
	cr_assert_str_eq(arrow("/a -> -> b"), "/a\\x20->\\x20-> b");
	cr_assert_str_eq(arrow("/a->b ->c -> "), "/a->b ->c\\x20-> ");
	cr_assert_str_eq(arrow("/a ->"), "/a\\x20->");
	cr_assert_str_eq(arrow("/a -"), "/a -");
	cr_assert_str_eq(arrow(" -> "), "\\x20-> ");
	cr_assert_str_eq(arrow(""), "");
}

/* Any two names joined by an arrow are split at the first arrow. */
Test(csv, arrow_divides_names)
{
	static const char alphabet[] = " ->a";

	for (int i = 0; i < 1 << 16; i++) {
		char name[2][4], buf[128], *sep;
		char *p = buf;

		for (int k = 0; k < 8; k++)
			name[k / 4][k % 4] = alphabet[i >> 2 * k & 3];
		p = csv__escape_arrow(p, name[0], 4);
		sep = p;
		p = csv__mem(p, " -> ", 4);
		p = csv__escape_arrow(p, name[1], 4);
		cr_assert_eq((char *)memmem(buf, p - buf, " -> ", 4), sep, "%.*s", (int)(p - buf),
			     buf);
	}
}

/* glibc's converter says what is UTF-8. */
static unsigned int oracle_char_len(iconv_t cd, char *s, size_t left)
{
	for (size_t len = 1; len <= left && len <= 4; len++) {
		uint32_t code;
		char *in = s, *out = (char *)&code;
		size_t in_left = len, out_left = 4;

		iconv(cd, NULL, NULL, NULL, NULL);
		if (iconv(cd, &in, &in_left, &out, &out_left) == (size_t)-1)
			continue;
		return code < 0x20 || code == '\\' || (code >= 0x7f && code < 0xa0) ? 0 : len;
	}
	return 0;
}

Test(csv, utf8_is_what_glibc_says)
{
	static const unsigned char edges[] = { 0,    0x41, 0x7f, 0x80, 0x8f, 0x90,
					       0x9f, 0xa0, 0xbf, 0xc0, 0xff };
	iconv_t cd = iconv_open("UTF-32LE", "UTF-8");

	cr_assert_neq(cd, (iconv_t)-1);
	for (int i = 0; i < 65536; i++)
		for (size_t k = 0; k < sizeof(edges) * sizeof(edges); k++) {
			char s[] = { i >> 8, i, edges[k / sizeof(edges)],
				     edges[k % sizeof(edges)] };

			/* Only long characters depend on the second and later bytes. */
			if (k && (i >> 8) < 0xe0)
				break;
			for (size_t left = 1; left <= 4; left++)
				cr_assert_eq(csv__char_len(s, left), oracle_char_len(cd, s, left));
		}
	iconv_close(cd);
}

#define ASSERT_PRINTS(want, call) \
	do { \
		char buf_[64]; \
		*(call) = '\0'; \
		cr_assert_str_eq(buf_, want); \
	} while (0)

static void assert_number(uint64_t v)
{
	char want[64];

	snprintf(want, sizeof(want), "%" PRIu64, v);
	ASSERT_PRINTS(want, csv__u64(buf_, v));
	snprintf(want, sizeof(want), "%" PRId64, (int64_t)v);
	ASSERT_PRINTS(want, csv__i64(buf_, v));
	snprintf(want, sizeof(want), "0x%" PRIx64, v);
	ASSERT_PRINTS(want, csv__hex(buf_, v));
	snprintf(want, sizeof(want), "%" PRIu64 ".%06" PRIu64, v / 1000000, v % 1000000);
	ASSERT_PRINTS(want, csv__millis(buf_, v));
	snprintf(want, sizeof(want), "%u:%u", (uint32_t)(v >> 32), (uint32_t)v);
	ASSERT_PRINTS(want, csv__device(buf_, v >> 32, v));
}

/* A byte that needs an escape, at each position of texts of each length around the eight bytes that
 * are copied at a time; the oracle escapes byte by byte. */
Test(csv, escapes_at_each_place)
{
	static const unsigned char odd[] = { 0,   0x1f, ' ',  '!',  '[', '\\',
					     ']', '~',  0x7f, 0x80, 0xff };

	for (size_t len = 1; len <= 27; len++)
		for (size_t at = 0; at < len; at++)
			for (size_t k = 0; k < sizeof(odd); k++) {
				char s[32], got[CSV_TEXT_MAX(32)], want[CSV_TEXT_MAX(32)],
					*w = want;

				memset(s, 'a', len);
				s[at] = (char)odd[k];
				for (size_t i = 0; i < len; i++)
					if (s[i] == '\\')
						w += sprintf(w, "\\\\");
					else if ((unsigned char)(s[i] - ' ') > '~' - ' ')
						w += sprintf(w, "\\x%02x", (unsigned char)s[i]);
					else
						*w++ = s[i];
				*csv__escape(got, s, len) = *w = '\0';
				cr_assert_str_eq(got, want, "%zu of %zu: %#x", at, len, odd[k]);
				cr_assert_eq(csv__is_plain(s, len),
					     csv__text(got, s, len) == got + len);
			}
}

Test(csv, plain_is_what_stays_as_it_is)
{
	for (int c = 0; c < 256; c++) {
		char s[] = { 'x', (char)c }, field[CSV_TEXT_MAX(2)];

		cr_assert_eq(csv__is_plain(s, 2), csv__text(field, s, 2) == field + 2, "%#x", c);
	}
}

/* A '>' may be part of an arrow. */
Test(csv, plain_paths_are_copied)
{
	for (size_t len = 0; len <= 40; len++)
		for (size_t at = 0; at < len; at++)
			for (int c = 0; c < 256; c++) {
				char s[40], field[CSV_TEXT_MAX(40)], *end, *copy = malloc(len);
				bool plain;

				memset(s, 'x', sizeof(s));
				s[at] = (char)c;
				end = csv__quote(field, csv__escape_arrow(field, s, len));
				plain = len >= 8 && c != '>' && end == field + len &&
					!memcmp(field, s, len);
				cr_assert_eq(csv__plain(copy, s, len), plain ? copy + len : NULL,
					     "%#x at %zu of %zu", c, at, len);
				cr_assert(!plain || !memcmp(copy, s, len));
				free(copy);
			}
}

Test(csv, numbers_are_printfs)
{
	uint64_t edge = 1;

	srand(2);
	for (int i = 0; i < 100000; i++) {
		assert_number(i);
		assert_number(((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ rand()) >>
			      rand() % 64);
	}
	for (int i = 0; i < 20; i++, edge *= 10)
		for (int d = -2; d <= 2; d++)
			assert_number(edge + d);
	for (int i = 0; i < 64; i++)
		for (int d = -1; d <= 1; d++)
			assert_number((1ull << i) + d);
	assert_number(UINT64_MAX);
	assert_number(INT64_MAX);
	assert_number((uint64_t)INT64_MIN);
}
