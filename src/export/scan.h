/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of trace files, as they lie on the disk: session after session, file after file. */
#ifndef IOTRC_SCAN_H
#define IOTRC_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset/session_reader.h"
#include "schema/streams.h"

#define SCAN_WHY_MAX 1024

struct scan_config {
	/* sessions, directories with sessions below, or (FILES) trace files; ends with NULL */
	const char *const *paths;
	uint32_t streams; /* 1 << stream for each that is wanted */
	bool files;       /* a path may be a single file, finished or not */

	/* Before the lines of a session; may be NULL. 0, or a negative errno that ends it all. */
	int (*session)(void *arg, struct session_reader *session);
	/* Whether a file of the session is read; NULL: all are. */
	bool (*file)(void *arg, const struct file_facts *file);
	/* A row, which is still to be split: row_file.h. LINE may be changed. SESSION is NULL where
	 * the file was given by itself. 0, or a negative errno that ends it all: -EBADMSG for a row
	 * that is none of the schema's. */
	int (*line)(void *arg, const struct session_reader *session, enum stream stream, char *line,
		    size_t len);
	void *arg;
};

struct scan_result {
	uint64_t sessions, files, rows[STREAM_COUNT]; /* that were read */
	uint64_t lost[STREAM_COUNT];                  /* rows that the manifests say were lost */
	bool unfinished;        /* a session is still running: what is finished was read */
	char why[SCAN_WHY_MAX]; /* what failed, printable */
};

/* 0, or a negative errno with RET->why. */
int scan__run(const struct scan_config *config, struct scan_result *ret);

#endif
