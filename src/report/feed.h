/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All rows of a session, to several threads at once: one decompresses, WORKERS split rows and take
 * them in. Rows of a session that is still running are read as far as they are written. What is
 * wrong with a file is told, and the rest is read. */
#ifndef IOTRC_FEED_H
#define IOTRC_FEED_H

#include <stdint.h>

#include "dataset/row_file.h"
#include "dataset/session_reader.h"

#define FEED_WORKERS_MAX 64

struct feed_config {
	const struct session_reader *session;
	unsigned int workers; /* 1 to FEED_WORKERS_MAX */
	/* Takes a row of STREAM, which has as many FIELDS as its schema has columns. Called by
	 * WORKER, from 0 on; different workers at once. 0, or a negative errno that ends it all. */
	int (*row)(void *arg, unsigned int worker, enum stream stream,
		   const struct row_field *fields);
	/* A file that can't be read to its end, in printable words. From the caller's thread. */
	void (*fault)(void *arg, const char *path, const char *what);
	/* READ of TOTAL compressed bytes are done; often. From the caller's thread. May be NULL. */
	void (*progress)(void *arg, uint64_t read, uint64_t total);
	void *arg;
};

struct feed_result {
	uint64_t rows[STREAM_COUNT]; /* that were given */
	uint64_t bad;                /* lines that are no rows of the schema's: left out */
	uint64_t files, parts;       /* that were read; parts: unfinished ones */
	uint64_t raw_bytes;
};

/* 0, or a negative errno. */
int feed__run(const struct feed_config *config, struct feed_result *ret);

/* When the last of what is in the session was written, as ns of CLOCK_REALTIME: the newest
 * unfinished file's time. 0: none is unfinished. */
uint64_t feed__newest(const struct session_reader *session);

#endif
