/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for a terminal or a log. Names of files and the answers of servers may be anybody's: nothing
 * of them may move the cursor, change the order of what is read, or begin a line that looks like
 * one of ours. Whatever is printed for people passes through here. */
#ifndef IOTRC_SHOWN_H
#define IOTRC_SHOWN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Bytes that LEN bytes of text may take, a NUL included. */
#define SHOWN_MAX(len) (4 * (size_t)(len) + 1)

/* Copies LEN bytes of S to P, which has room for SHOWN_MAX(LEN), and ends them with a NUL. Written
 * as \xHH are control characters (C0, line feeds included, DEL, C1), bytes that are not UTF-8, and
 * the characters of Unicode's categories Cf, Zl and Zp: those that change the direction of text,
 * are invisible, or break a line. All else stays, a backslash too, so that showing twice is showing
 * once. Returns the end, where the NUL is. */
char *shown__copy(char *p, const char *s, size_t len);

/* Prints the formatted text and a line feed to OUT, as shown__copy() writes it. Nothing when memory
 * is out. */
void shown__line(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Like shown__line(), with a va_list. */
void shown__vline(FILE *out, const char *format, va_list args);

#endif
