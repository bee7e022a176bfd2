/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the scripts in dtrace/, whose README describes it. The input is untrusted. */
#ifndef IOTRC_DTRACE_LINE_H
#define IOTRC_DTRACE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTRACE_NUMBERS_MAX 10
#define DTRACE_TEXTS_MAX 2
#define DTRACE_NAME_MAX 24 /* NUL included */

struct dtrace_text {
	const char *s;
	size_t len;
};

struct dtrace_line {
	char name[DTRACE_NAME_MAX];
	uint32_t cpu, pid, tid;
	uint64_t ns, duration; /* of DTrace's clock */
	int64_t ret;
	int error; /* errno; 0: none */
	int64_t n[DTRACE_NUMBERS_MAX];
	size_t n_numbers, n_texts;
	struct dtrace_text text[DTRACE_TEXTS_MAX];
};

/* Parses S, LEN bytes without the line feed; texts are unescaped in place. Returns false if it is
 * not a valid line; S may have changed nevertheless. */
bool dtrace_line__parse(struct dtrace_line *ret, char *s, size_t len);

#endif
