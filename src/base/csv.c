// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/csv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "00" to "99": one division by 100 yields two digits */
#define TENS(t) t "0" t "1" t "2" t "3" t "4" t "5" t "6" t "7" t "8" t "9"
static const char pairs[] = TENS("0") TENS("1") TENS("2") TENS("3") TENS("4") TENS("5") TENS("6")
	TENS("7") TENS("8") TENS("9");

/* Length of the UTF-8 character that starts with a byte, or 0 if the byte must be escaped. DEL is a
 * control character; 0xc0, 0xc1 and 0xf5 to 0xff start no UTF-8 character. */
static const unsigned char unit_len[256] = {
	[' ' ... '\\' - 1] = 1, ['\\' + 1 ... '~'] = 1, [0xc2 ... 0xdf] = 2,
	[0xe0 ... 0xef] = 3,    [0xf0 ... 0xf4] = 4,
};

#define EIGHT UINT32_C(100000000)
#define EACH_BYTE UINT64_C(0x0101010101010101)

/* The eight digits of V (below EIGHT), one per byte, the first in the lowest byte. Halves, then
 * quarters, then digits are divided side by side in one word: 10486 / 2^20 and 103 / 2^10 are 1/100
 * and 1/10 exactly enough for four and two digits. */
static inline __attribute__((always_inline)) uint64_t eight_digits(uint32_t v)
{
	uint64_t halves = v / 10000 | (uint64_t)(v % 10000) << 32;
	uint64_t tops = (halves * 10486) >> 20 & UINT64_C(0x7f0000007f);
	uint64_t pairs_of = tops | (halves - 100 * tops) << 16;
	uint64_t tens = (pairs_of * 103) >> 10 & UINT64_C(0x000f000f000f000f);

	return tens | (pairs_of - 10 * tens) << 8;
}

/* Stores the eight bytes of WORD, the lowest first. */
static void put_word(char *p, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	memcpy(p, &word, 8);
}

/* Writes V without leading zeroes. Always stores eight bytes, whatever the length. */
static char *put_short(char *p, uint32_t v)
{
	uint64_t digits = eight_digits(v);
	unsigned int zeroes = __builtin_ctzll(digits | UINT64_C(1) << 56) / 8;

	put_word(p, (digits | '0' * EACH_BYTE) >> 8 * zeroes);
	return p + 8 - zeroes;
}

char *csv__eight(char *p, uint32_t v)
{
	put_word(p, eight_digits(v) | '0' * EACH_BYTE);
	return p + 8;
}

char *csv__padded(char *p, uint64_t v, unsigned int n)
{
	char *end = p + n;

	for (p = end; n >= 2; n -= 2, v /= 100)
		memcpy(p -= 2, pairs + v % 100 * 2, 2);
	if (n)
		p[-1] = (char)('0' + v % 10);
	return end;
}

char *csv__u64(char *p, uint64_t v)
{
	uint64_t high;

	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	if (v < EIGHT)
		return put_short(p, (uint32_t)v);
	high = v / EIGHT;
	p = high < EIGHT ? put_short(p, (uint32_t)high) :
			   csv__eight(put_short(p, (uint32_t)(high / EIGHT)), high % EIGHT);
	return csv__eight(p, v % EIGHT);
}

char *csv__i64(char *p, int64_t v)
{
	if (v >= 0)
		return csv__u64(p, v);
	*p++ = '-';
	return csv__u64(p, -(uint64_t)v);
}

char *csv__hex(char *p, uint64_t v)
{
	unsigned int digits = v ? (67 - __builtin_clzll(v)) / 4 : 1;

	*p++ = '0';
	*p++ = 'x';
	while (digits--)
		*p++ = "0123456789abcdef"[v >> 4 * digits & 15];
	return p;
}

char *csv__device(char *p, uint32_t major, uint32_t minor)
{
	p = csv__u64(p, major);
	*p++ = ':';
	return csv__u64(p, minor);
}

char *csv__millis(char *p, uint64_t ns)
{
	p = csv__u64(p, ns / 1000000);
	*p++ = '.';
	return csv__padded(p, ns % 1000000, 6);
}

unsigned int csv__char_len(const char *s, size_t left)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned int len = unit_len[*u];

	if (len <= 1)
		return len;
	if (len > left)
		return 0;
	for (unsigned int i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	switch (u[0]) {
	/* NOLINTNEXTLINE(bugprone-branch-clone): one case for each first byte, and its reason */
	case 0xc2:
		return u[1] < 0xa0 ? 0 : len; /* U+0080 to U+009F: control characters */
	case 0xe0:
		return u[1] < 0xa0 ? 0 : len; /* overlong */
	case 0xed:
		return u[1] > 0x9f ? 0 : len; /* surrogates */
	case 0xf0:
		return u[1] < 0x90 ? 0 : len; /* overlong */
	case 0xf4:
		return u[1] > 0x8f ? 0 : len; /* past U+10FFFF */
	default:
		return len;
	}
}

static char *put_escaped(char *p, unsigned char byte)
{
	*p++ = '\\';
	if (byte == '\\') {
		*p++ = '\\';
		return p;
	}
	*p++ = 'x';
	*p++ = "0123456789abcdef"[byte >> 4];
	*p++ = "0123456789abcdef"[byte & 15];
	return p;
}

/* Whether a byte of WORD is a control character, a backslash or beyond ASCII. The subtractions set
 * the top bit of the lowest such byte; what they borrow can only set more of them. */
static bool has_special(uint64_t word)
{
	uint64_t backslash = word ^ '\\' * EACH_BYTE, del = word ^ 0x7f * EACH_BYTE;

	return (word | (word - ' ' * EACH_BYTE) | (backslash - EACH_BYTE) | (del - EACH_BYTE)) &
	       0x80 * EACH_BYTE;
}

size_t csv__plain_len(const char *s, size_t len)
{
	size_t n = 0;
	uint64_t word;

	for (; len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, s + n, sizeof(word));
		if (has_special(word))
			break;
	}
	while (n < len && unit_len[(unsigned char)s[n]] == 1)
		n++;
	return n;
}

/* Copies bytes that need no escape, eight at a time, up to the first eight that may contain one
 * that does. Returns the number of bytes. The last eight may overlap those before. */
static size_t copy_plain(char *p, const char *s, size_t len)
{
	uint64_t word;
	size_t n = 0;

	if (len < sizeof(word))
		return 0;
	for (; n < len; n += sizeof(word)) {
		size_t at = n <= len - sizeof(word) ? n : len - sizeof(word);

		memcpy(&word, s + at, sizeof(word));
		if (has_special(word))
			return n;
		memcpy(p + at, &word, sizeof(word));
	}
	return len;
}

char *csv__escape(char *p, const char *s, size_t len)
{
	const char *end = s + len;
	size_t plain = copy_plain(p, s, len);

	p += plain;
	s += plain;
	while (s < end) {
		const char *run = s;
		unsigned int n;

		do {
			while (s < end && unit_len[(unsigned char)*s] == 1)
				s++;
			s += n = s < end ? csv__char_len(s, end - s) : 0;
		} while (n);
		p = csv__mem(p, run, s - run);
		if (s < end)
			p = put_escaped(p, *s++);
	}
	return p;
}

char *csv__escape_arrow(char *p, const char *s, size_t len)
{
	const char *end = s + len, *arrow;

	if (!memchr(s, '>', len)) /* many times as fast as memmem() */
		return csv__escape(p, s, len);
	/* A partial arrow at the end is escaped too: the separator that follows would complete it,
	 * and a reader would split the field too early. */
	while ((arrow = memmem(s, end - s, " ->", 3))) {
		p = csv__escape(p, s, arrow - s);
		if (arrow + 3 == end || arrow[3] == ' ')
			p = put_escaped(p, ' ');
		else
			*p++ = ' ';
		s = arrow + 1;
	}
	return csv__escape(p, s, end - s);
}

char *csv__quote(char *field, char *end)
{
	size_t quotes = 0;
	char *to, *ret;

	/* RFC 4180 quotes line breaks as well, but escaped text contains none. */
	for (const char *s = field; (s = memchr(s, '"', end - s)); s++)
		quotes++;
	if (!quotes && !memchr(field, ',', end - field))
		return end;

	/* From the end backwards, so that each byte is moved before it is overwritten. */
	to = ret = end + quotes + 2;
	*--to = '"';
	while (end > field) {
		*--to = *--end;
		if (*to == '"')
			*--to = '"';
	}
	*field = '"';
	return ret;
}

bool csv__is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (unit_len[(unsigned char)s[i]] != 1 || s[i] == ',' || s[i] == '"')
			return false;
	return true;
}

/* Sixteen bytes, compared at once on processors that can do that. */
typedef uint8_t vector __attribute__((vector_size(16)));

/* Whether none of the bytes needs an escape or quotes, or is part of an arrow. */
static bool all_plain(vector v)
{
	vector bad = (vector)(v < ' ') | (vector)(v > '~') | (vector)(v == '"') |
		     (vector)(v == ',') | (vector)(v == '>') | (vector)(v == '\\');
	uint64_t halves[2];

	memcpy(halves, &bad, sizeof(halves));
	return !(halves[0] | halves[1]);
}

/* The last sixteen bytes may overlap those before; of fewer than sixteen, the two halves do. */
char *csv__plain(char *p, const char *s, size_t len)
{
	const size_t size = sizeof(vector), half = size / 2;
	vector v;

	if (len < half)
		return NULL;
	if (len < size) {
		memcpy(&v, s, half);
		memcpy((char *)&v + half, s + len - half, half);
		memcpy(p, &v, half);
		memcpy(p + len - half, (const char *)&v + half, half);
		return all_plain(v) ? p + len : NULL;
	}
	for (size_t n = 0; n < len; n += size) {
		size_t at = n <= len - size ? n : len - size;

		memcpy(&v, s + at, size);
		if (!all_plain(v))
			return NULL;
		memcpy(p + at, &v, size);
	}
	return p + len;
}

char *csv__text(char *p, const char *s, size_t len)
{
	return csv__quote(p, csv__escape(p, s, len));
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

uint8_t csv__next_byte(const char **s, const char *end)
{
	const char *at = *s;

	if (*at == '\\' && end - at > 3 && at[1] == 'x') {
		*s += 4;
		return (uint8_t)(hex(at[2]) << 4 | hex(at[3]));
	}
	at += *at == '\\' && end - at > 1;
	*s = at + 1;
	return (uint8_t)*at;
}

char *csv__unescape(const char *s, size_t len, size_t *ret_len)
{
	char *text = malloc(len + 1), *p = text;

	if (!text)
		return NULL;
	for (const char *end = s + len; s < end;)
		*p++ = (char)csv__next_byte(&s, end);
	*p = '\0';
	if (ret_len)
		*ret_len = p - text;
	return text;
}
