/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the fields of a row to memory of the caller, which must be large enough. The writing
 * functions do not allocate and cannot fail; each returns the new end. N bytes of text take at most
 * CSV_TEXT_MAX(n) bytes. The last two functions read. */
#ifndef IOTRC_CSV_H
#define IOTRC_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_U64_MAX 20
#define CSV_TEXT_MAX(n) (4 * (size_t)(n) + 2)

/* Numbers; at most CSV_U64_MAX bytes each, without a NUL. Memory must have room for CSV_U64_MAX
 * bytes (of each part of two), however short the number: what follows the number is overwritten. */
char *csv__u64(char *p, uint64_t v);
char *csv__i64(char *p, int64_t v);
char *csv__padded(char *p, uint64_t v, unsigned int n); /* the last N digits, zero-padded */
char *csv__eight(char *p, uint32_t v);                  /* eight digits, zero-padded: V < 10^8 */
char *csv__hex(char *p, uint64_t v);                    /* 0x… */
char *csv__device(char *p, uint32_t major, uint32_t minor); /* major:minor */
char *csv__millis(char *p, uint64_t ns);                    /* ns as ms, six decimals */

/* Text with the contract's escapes (control characters, backslash, invalid UTF-8), without the CSV
 * quotes. Appending several pieces and quoting once at the end gives a field of several parts. */
char *csv__escape(char *p, const char *s, size_t len);
/* Like csv__escape(), and also escapes a literal " -> ", which separates two paths in a field. */
char *csv__escape_arrow(char *p, const char *s, size_t len);
/* Turns the text between FIELD and END into a CSV field in place, quoted only if necessary; 2 *
 * (end - field) + 2 bytes must be available. */
char *csv__quote(char *field, char *end);
/* Whether the text is its own field: ASCII with nothing to escape and no need for quotes. */
bool csv__is_plain(const char *s, size_t len);
/* Copies text that is its own field, as most paths are: the same as csv__escape_arrow() and
 * csv__quote() in one pass. NULL if these would change it, and for text of fewer than eight bytes,
 * or with a '>'. */
char *csv__plain(char *p, const char *s, size_t len);
/* csv__escape() followed by csv__quote(). */
char *csv__text(char *p, const char *s, size_t len);

/* The number of leading bytes of S that are ASCII and need no escape. */
size_t csv__plain_len(const char *s, size_t len);

/* Length of the character at S, where LEFT (not 0) bytes remain: 1 to 4, or 0 if the byte must be
 * escaped (control character, backslash, not UTF-8). */
unsigned int csv__char_len(const char *s, size_t left);

/* Decodes the byte at *S, which is before END in escaped text, and moves *S behind it. */
uint8_t csv__next_byte(const char **s, const char *end);
/* Decodes LEN bytes of escaped text into a NUL-terminated string that the caller frees. RET_LEN may
 * be NULL; it gets the number of bytes. Returns NULL if out of memory. */
char *csv__unescape(const char *s, size_t len, size_t *ret_len);

static inline char *csv__mem(char *p, const char *s, size_t len)
{
	__builtin_memcpy(p, s, len);
	return p + len;
}

#endif
