/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output of `iotrc watch`. A terminal that is slower than the machine gets fewer lines, so that
 * they are recent, and the number of missing ones. A pipe or a file gets all lines. */
#ifndef IOTRC_WATCH_OUTPUT_H
#define IOTRC_WATCH_OUTPUT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "export/format.h"
#include "export/row.h"
#include "watch/line.h"

struct watch_output {
	int fd;
	bool terminal; /* drops lines if it is slow */
	bool shown;    /* people read it, also JSON */
	bool json;
	struct line_style style;
	struct export export;              /* of JSON lines */
	const volatile sig_atomic_t *stop; /* a signal arrived: do not wait for the reader */

	/* A batch: the lines in TEXT, in the order of rows. */
	FILE *out;
	char *text;
	size_t len;
	struct watch_line {
		uint64_t mono_ns;
		size_t at, len;
	} * lines;
	size_t n_lines;

	uint64_t left_out; /* lines, since the last notice */
	uint64_t notice_ns;
	bool closed; /* the reader has gone, or the output failed */
	int err;     /* why it failed: negative errno */
};

#define WATCH_BATCH_LINES 16384 /* of a batch; further lines are dropped */

/* Starts output to FD (borrowed). WIDTH 0 and !COLOURS unless it is a terminal. 0, or -ENOMEM. */
int watch_output__begin(struct watch_output *o, int fd);

/* Adds the line of ROW to the batch. */
void watch_output__row(struct watch_output *o, const struct export_row *row);

/* Writes the batch sorted by time. SORTED: it already is. */
void watch_output__flush(struct watch_output *o, bool sorted);

/* Adds N lines that could not even be formatted to the dropped ones. */
void watch_output__left_out(struct watch_output *o, uint64_t n);

/* Prints the last notice and frees everything. Returns 0, or why lines could not be written:
 * negative errno. */
int watch_output__end(struct watch_output *o);

#endif
