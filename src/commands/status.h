/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status line during a recording, and the table at its end. */
#ifndef IOTRC_STATUS_H
#define IOTRC_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "schema/row_counts.h"
#include "schema/streams.h"

/* Counters since the start of the session; the caller fills them in. */
struct status_stream {
	bool enabled;
	struct row_counts rows;
	uint64_t bytes; /* compressed, on disk */
};

struct status_snapshot {
	uint64_t elapsed_ns;
	struct status_stream streams[STREAM_COUNT];
	char note[48];   /* other current activities; may be empty */
	char upload[48]; /* likewise of the upload */
};

#define STATUS_LINE_MAX 512

/* One line without line feed, at most WIDTH columns: elapsed time, rows per second of each stream
 * since BEFORE, rows lost and written, bytes on disk, the notes. What does not fit is left out,
 * rates first. Returns its length. */
size_t status__line(char buf[STATUS_LINE_MAX], size_t width, const struct status_snapshot *now,
		    const struct status_snapshot *before);

/* Prints the counters of each enabled stream as a table. */
void status__table(FILE *out, const struct status_snapshot *s);

/* Prints the table of the session DIRECTORY at its end. */
void status__summary(FILE *out, const struct status_snapshot *s, const char *directory);

/* Prints the commands that summarise it and load it in pandas. */
void status__hint(FILE *out, const char *directory);

/* The line that is rewritten in place each second on a terminal, and printed once a minute
 * elsewhere. */
struct status {
	FILE *out;
	int fd;
	bool quiet, terminal, shown;
	struct status_snapshot before; /* of the last line */
};

/* OUT is borrowed; FD is its descriptor. */
void status__begin(struct status *status, FILE *out, int fd, bool quiet);

/* Prints the line if it is due by NOW's elapsed time; to be called at least each second. */
void status__tick(struct status *status, const struct status_snapshot *now);

/* Removes the line from the terminal; to be called before anything else is printed to OUT. */
void status__clear(struct status *status);

#endif
