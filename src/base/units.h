/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers as people read them: three digits and a suffix, such as 999, 12.3K, 123M. */
#ifndef IOTRC_UNITS_H
#define IOTRC_UNITS_H

#define UNITS_SIZE 16

/* N bytes; K, M, G and T are powers of 1,024. Returns BUF. */
const char *units__bytes(char buf[UNITS_SIZE], double n);

/* N of anything; k, M, G and T are powers of 1,000. Returns BUF. */
const char *units__count(char buf[UNITS_SIZE], double n);

#endif
