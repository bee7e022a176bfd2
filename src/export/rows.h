/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the rows of sessions in the order of time, over all files and streams. */
#ifndef IOTRC_ROWS_H
#define IOTRC_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "export/row.h"
#include "export/scan.h"

struct condition;

struct rows_config {
	const char *const *paths; /* sessions, or directories with sessions below; ends with NULL */
	uint32_t streams;         /* 1 << stream for each that is wanted */
	const struct condition *where; /* which rows; NULL: all */
	/* How long before its mono_ns a row begins; that is its position. NULL: not before. */
	uint64_t (*lead)(const struct export_row *row);
	/* Returns 0, or a negative errno that ends everything. */
	int (*row)(void *arg, const struct export_row *row);
	/* Called now and then with the numbers of rows read and passed on. May be NULL. */
	void (*progress)(void *arg, uint64_t read, uint64_t given);
	void *arg;
};

/* Passes all rows to CONFIG->row(). Rows of sessions with a common clock are in the order of
 * mono_ns, across its steps; other sessions are aligned by their wall time at the start. Returns 0,
 * or a negative errno with RET->why. */
int rows__read(const struct rows_config *config, struct scan_result *ret);

#endif
