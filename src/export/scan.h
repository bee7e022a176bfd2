/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the lines of trace files in their order on disk: session by session, file by file. */
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

	/* Called before the lines of a session; may be NULL. Returns 0, or a negative errno that
	 * ends everything. */
	int (*session)(void *arg, struct session_reader *session);
	/* Whether to read a file of the session; NULL: read all. */
	bool (*file)(void *arg, const struct file_facts *file);
	/* Called for each row, which is not split yet (row_file.h). LINE may be modified. SESSION
	 * is NULL for a file given by itself. Returns 0, or a negative errno that ends everything:
	 * -EBADMSG for a row that does not conform to the schema. */
	int (*line)(void *arg, const struct session_reader *session, enum stream stream, char *line,
		    size_t len);
	void *arg;
};

struct scan_result {
	uint64_t sessions, files, rows[STREAM_COUNT]; /* that were read */
	uint64_t lost[STREAM_COUNT];                  /* rows that the manifests say were lost */
	bool unfinished;        /* a session is still running: its finished files were read */
	char why[SCAN_WHY_MAX]; /* what failed, printable */
};

/* Returns 0, or a negative errno with RET->why. */
int scan__run(const struct scan_config *config, struct scan_result *ret);

#endif
