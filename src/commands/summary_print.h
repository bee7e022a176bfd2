/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints a summary for people, as CSV, and as JSON. */
#ifndef IOTRC_SUMMARY_PRINT_H
#define IOTRC_SUMMARY_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "summary/summary.h"

#define SUMMARY_NAME_MAX 5000 /* bytes of a group's name that are shown */

struct summary_print {
	FILE *out;
	size_t top; /* number of groups; 0: all */
	/* Returns what to show instead of KEY, of dimension D; NULL: KEY itself. The callback may
	 * be NULL. */
	const char *(*name)(void *arg, const struct dimension *d, const char *key, size_t len);
	void *arg;
};

/* Prints a table. Returns 0 or -ENOMEM. */
int summary_print__table(const struct summary_print *p, const struct summary *s);

/* Prints a header row, a row for each group, and, if there are more groups, one for them together,
 * which is named as in the table: "(9 others)". Returns 0 or -ENOMEM. */
int summary_print__csv(const struct summary_print *p, const struct summary *s);

/* Returns an object with stream, by, groups[], others and total; without memory NULL, or one
 * that lacks something (json_text__lacks_memory()). */
json_t *summary_print__json(const struct summary_print *p, const struct summary *s);

#endif
