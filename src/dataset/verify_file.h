/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One trace file against what its schema and its manifest say of it. */
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
	uint64_t lost[STREAM_COUNT][LOST_CAUSES]; /* summed up from the rows of the lost stream */
};

/* Reads FD, the compressed file, to its end; what isn't as STATED is a fault. */
void verify_file__check(struct verify_session *v, struct faults *f, int fd,
			const struct file_facts *stated);

#endif
