/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of sessions in the order of time, whatever files and streams they are in. */
#ifndef IOTRC_ROWS_H
#define IOTRC_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "export/row.h"
#include "export/scan.h"

struct where;

struct rows_config {
	const char *const *paths; /* sessions, or directories with sessions below; ends with NULL */
	uint32_t streams;         /* 1 << stream for each that is wanted */
	const struct where *where; /* which rows; NULL: all */
	/* How long before its mono_ns a row begins, which is its place then. NULL: not before. */
	uint64_t (*lead)(const struct export_row *row);
	/* 0, or a negative errno that ends it all. */
	int (*row)(void *arg, const struct export_row *row);
	/* Called now and then: so many rows were read, and so many given. May be NULL. */
	void (*progress)(void *arg, uint64_t read, uint64_t given);
	void *arg;
};

/* Gives all rows to CONFIG->row(). Rows of sessions with one clock are in the order of mono_ns
 * across its steps; those of others are put beside each other by their wall time at the start.
 * 0, or a negative errno with RET->why. */
int rows__read(const struct rows_config *config, struct scan_result *ret);

#endif
