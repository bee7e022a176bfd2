/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of sessions in the order of time, whatever files and streams they are in. */
#ifndef IOTRC_ROWS_H
#define IOTRC_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "export/row.h"

#define ROWS_WHY_MAX 1024

struct where;

struct rows_config {
	const char *const *paths; /* sessions, or directories with sessions below; ends with NULL */
	uint32_t streams;         /* 1 << stream for each that is wanted */
	const struct where *where; /* which rows; NULL: all */
	/* How long before its mono_ns a row begins, which is its place then. NULL: not before. */
	uint64_t (*lead)(const struct export_row *row);
	/* 0, or a negative errno that ends it all. */
	int (*row)(void *arg, const struct export_row *row);
	void *arg;
};

struct rows_result {
	uint64_t sessions, rows[STREAM_COUNT]; /* that were read */
	uint64_t lost[STREAM_COUNT];           /* rows that the manifests say were lost */
	bool unfinished;        /* a session is still running: what is finished was read */
	char why[ROWS_WHY_MAX]; /* what failed, printable */
};

/* Gives all rows to CONFIG->row(). Rows of sessions with one clock are in the order of mono_ns
 * across its steps; those of others are put beside each other by their wall time at the start.
 * 0, or a negative errno with RET->why. */
int rows__read(const struct rows_config *config, struct rows_result *ret);

#endif
