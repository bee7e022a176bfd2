/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MACOS_CALL_LINE_H
#define IOTRC_MACOS_CALL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_NUMBERS_MAX 10
#define CALL_TEXTS_MAX 2
#define CALL_NAME_MAX 24 /* NUL included */

struct call_text {
	const char *s;
	size_t len;
};

/* What a tracer's line says about one call. The names of calls are in calls.def. */
struct call_line {
	char name[CALL_NAME_MAX];
	uint32_t cpu, pid, tid;
	uint64_t ns, duration; /* of the tracer's clock */
	int64_t ret;
	int error;      /* errno; 0: none */
	bool no_result; /* RET is unknown; the call has succeeded */
	int64_t n[CALL_NUMBERS_MAX];
	size_t n_numbers, n_texts;
	struct call_text text[CALL_TEXTS_MAX];
};

#endif
