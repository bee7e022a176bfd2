/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One trace file against what its schema and its manifest say of it. */
#ifndef IOTRC_VERIFY_FILE_H
#define IOTRC_VERIFY_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "dataset/csv_file.h"
#include "schema/schema.h"

/* Faults of one file, a line each: PATH: what. Those past FAULTS_SHOWN are counted. */
#define FAULTS_SHOWN 20
struct faults {
	FILE *out;
	const char *dir, *path; /* PATH is dir/path; shown as base/shown.h says */
	uint64_t count;
};

void faults__add(struct faults *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says how many were not shown. */
void faults__end(struct faults *f);

/* LEN bytes of S as far as they fit a message, escaped. Returns BUF. */
#define SHOWN_SIZE 180
const char *faults__show(char buf[SHOWN_SIZE], const char *s, size_t len);

enum lost_cause { LOST_RING, LOST_QUEUE, LOST_DISK, LOST_SHED, LOST_CAUSES };
extern const char *const lost_causes[LOST_CAUSES];

struct verify_session {
	const struct clock_offset *offsets; /* ascending, at least one */
	size_t n_offsets;
	uint64_t lost[STREAM_COUNT][LOST_CAUSES]; /* summed up from the rows of the lost stream */
};

/* Reads FD, the compressed file, to its end; what isn't as STATED is a fault. */
void verify_file__check(struct verify_session *v, struct faults *f, int fd,
			const struct file_facts *stated);

#endif
