/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of sessions in the order of time, whatever files and streams they are in. */
#ifndef IOTRC_ROWS_H
#define IOTRC_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataset/row_file.h"
#include "schema/schema.h"

#define ROWS_WHY_MAX 1024

struct export_row {
	enum stream stream;
	const struct row_field *fields; /* as many as the stream has columns */
	uint64_t mono_ns;
	uint64_t wall_ns;    /* since 1970, UTC, of mono_ns and the offset in force */
	const char *machine; /* its id */
};

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

/* Which column of STREAM is called NAME; it has to be there. */
int rows__column(enum stream stream, const char *name);

/* A column's number; false where it is empty or none. */
bool rows__uint(const struct export_row *row, int column, uint64_t *ret);
/* Is the column WORD? */
bool rows__is(const struct export_row *row, int column, const char *word);

#endif
