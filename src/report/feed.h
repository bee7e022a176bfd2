/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passes all rows of a session to several threads: one thread decompresses, WORKERS threads split
 * rows and process them. Rows of a running session are read as far as they are written. Errors in a
 * file are reported, and the rest is read. */
#ifndef IOTRC_FEED_H
#define IOTRC_FEED_H

#include <stdint.h>

#include "dataset/row_file.h"
#include "dataset/session_reader.h"

#define FEED_WORKERS_MAX 64

struct feed_config {
	const struct session_reader *session;
	unsigned int workers; /* 1 to FEED_WORKERS_MAX */
	/* Processes a row of STREAM, whose FIELDS are as many as the columns of its schema. Called
	 * by WORKER (from 0 on), concurrently for different workers. Returns 0, or a negative errno
	 * that ends everything. */
	int (*row)(void *arg, unsigned int worker, enum stream stream,
		   const struct row_field *fields);
	/* Called in the caller's thread for a file that cannot be read to its end, with a printable
	 * reason. */
	void (*fault)(void *arg, const char *path, const char *what);
	/* Called often in the caller's thread: READ of TOTAL compressed bytes are done. May be
	 * NULL. */
	void (*progress)(void *arg, uint64_t read, uint64_t total);
	void *arg;
};

struct feed_result {
	uint64_t rows[STREAM_COUNT]; /* that were given */
	uint64_t bad;                /* lines that do not conform to the schema, skipped */
	uint64_t files, parts;       /* that were read; parts: unfinished ones */
	uint64_t raw_bytes;
};

/* 0, or a negative errno. */
int feed__run(const struct feed_config *config, struct feed_result *ret);

/* Returns when the session's last data was written, in ns of CLOCK_REALTIME: the time of the newest
 * unfinished file. 0: none is unfinished. */
uint64_t feed__newest(const struct session_reader *session);

#endif
