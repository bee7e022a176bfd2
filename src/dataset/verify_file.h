/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verifies one trace file against the schema and the manifest. */
#ifndef IOTRC_VERIFY_FILE_H
#define IOTRC_VERIFY_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "dataset/csv_file.h"
#include "dataset/faults.h"
#include "schema/row_counts.h"
#include "schema/schema.h"

struct verify_session {
	const struct clock_offset *offsets; /* ascending, at least one */
	size_t n_offsets;
	const size_t *n_columns; /* of each stream (session_reader.h); NULL: the schema's */
	uint64_t lost[STREAM_COUNT][LOST_CAUSES]; /* sums over the rows of the lost stream */
	/* Called with the number of compressed bytes just read; or NULL. */
	void (*read)(void *arg, size_t bytes);
	void *arg;
};

/* Reads the compressed file FD to its end; each difference from STATED is a fault. */
void verify_file__check(struct verify_session *v, struct faults *f, int fd,
			const struct file_facts *stated);

#endif
