/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for people: three digits and a suffix, such as 999, 12.3K, 123M. */
#ifndef IOTRC_UNITS_H
#define IOTRC_UNITS_H

#include <stdint.h>

#define UNITS_SIZE 16

/* Formats N bytes; K, M, G and T are powers of 1,024. Returns BUF. */
const char *units__bytes(char buf[UNITS_SIZE], double n);

/* Formats a count; k, M, G and T are powers of 1,000. Returns BUF. */
const char *units__count(char buf[UNITS_SIZE], double n);

/* Formats N in whole, such as 1,204. Returns BUF, of UNITS_WHOLE_SIZE bytes. */
#define UNITS_WHOLE_SIZE 27
const char *units__whole(char buf[UNITS_WHOLE_SIZE], uint64_t n);

/* Formats NS nanoseconds, such as 45ns, 1.23ms, 67.8s: three digits, more from 1000 s on. Returns
 * BUF. */
const char *units__time(char buf[UNITS_SIZE], double ns);

/* Parses a positive number with its unit (10ms, 1.5s, 2h, 1d) into nanoseconds. Returns 0, or
 * -1. */
int units__parse_time(const char *text, uint64_t *ret_ns);

/* Parses a decimal number of at most MAX. Returns 0, or -1. */
int units__parse_number(const char *text, unsigned long max, unsigned long *ret);

#endif
