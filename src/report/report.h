/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a session to its page. */
#ifndef IOTRC_REPORT_H
#define IOTRC_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define REPORT_WHY_MAX 1024

struct report_config {
	int dir;          /* the session's; borrowed */
	const char *path; /* the same, for people */
	unsigned int workers;
	bool anonymous, live;
	unsigned int sample_divisor; /* 1, or more for a smaller page */
	void (*progress)(void *arg, uint64_t read, uint64_t total); /* or NULL */
	void *arg;
};

struct report_result {
	uint64_t rows, faults; /* rows that were counted; files that could not be read whole */
	bool running;
	char why[REPORT_WHY_MAX]; /* what failed, printable */
};

/* Reads the session; *RET_DATA is the page's data. Returns 0, or a negative errno with
 * RESULT->why. */
int report__data(const struct report_config *config, json_t **ret_data,
		 struct report_result *result);

/* The same as a page in malloc()ed memory with a NUL after it. If it would exceed PAGE_MAX bytes,
 * samples are reduced. */
int report__page(const struct report_config *config, char **ret_page, size_t *ret_len,
		 struct report_result *result);

#endif
