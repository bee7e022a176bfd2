/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for a terminal or a log. File names and answers of servers are untrusted: they must not move
 * the cursor, change the direction of text, or start a line that looks like one of ours. All text
 * printed for people passes through here. */
#ifndef IOTRC_SHOWN_H
#define IOTRC_SHOWN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Bytes that the result for LEN bytes of text may take, with its NUL. */
#define SHOWN_MAX(len) (4 * (size_t)(len) + 1)

/* Copies LEN bytes of S to P, which has SHOWN_MAX(LEN) bytes, and appends a NUL. Control characters
 * (C0 with line feeds, DEL, C1), bytes that are not UTF-8, and characters of Unicode's categories
 * Cf, Zl and Zp (which change the direction of text, are invisible, or break a line) are written as
 * \xHH. Everything else is copied, backslashes included, so that applying this twice changes
 * nothing more. Returns the end, where the NUL is. */
char *shown__copy(char *p, const char *s, size_t len);

/* Prints the formatted text, escaped as by shown__copy(), and a line feed to OUT. Without memory
 * the line may be cut, but is there. */
void shown__line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Like shown__line(), with a va_list. */
void shown__vline(FILE *out, const char *format, va_list args);

/* Returns OUT, which is stdout or stderr; or, if that is a terminal, a stream that passes each line
 * through shown__copy() but keeps tabs; NULL if out of memory. For output that is otherwise for
 * programs. The caller flushes it, and does not close it. For one thread only. */
FILE *shown__stream(FILE *out);

#endif
