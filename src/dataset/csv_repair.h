/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a dataset that a recorder left behind. */
#ifndef IOTRC_CSV_REPAIR_H
#define IOTRC_CSV_REPAIR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "dataset/csv_file.h"

struct csv_repair {
	/* For rows of the lost stream: what each tells. May be NULL. */
	void (*lost)(void *arg, const char *stream, const char *cause, uint64_t count);
	/* Of each row: its wall time in us of the local zone, and its mono_ns. May be NULL. */
	void (*row)(void *arg, int64_t wall_us, uint64_t mono_ns);
	void *arg;
	const atomic_bool *stop; /* -EINTR as soon as it is set; NULL: never */
};

/* Turns NAME.csv.zst.part in directory DIR, a file of STREAM, into FINAL.csv.zst: the rows of all
 * its whole blocks, each row whole, in one whole frame, on the disk. It may be killed at any moment
 * and done again. Facts without path. 0; -ENODATA: it has no row, and is left as it is; -EBADMSG:
 * it is not what a recorder leaves behind, and is left as it is; or another negative errno. */
int csv_repair__finish(const struct csv_repair *r, int dir, enum stream stream, const char *name,
		       const char *final, struct file_facts *ret);

/* The facts, without path, of NAME.csv.zst, which is finished. 0, -EBADMSG: it isn't whole; or
 * another negative errno. */
int csv_repair__read(const struct csv_repair *r, int dir, enum stream stream, const char *name,
		     struct file_facts *ret);

#endif
