/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Repairs files that a killed recorder left unfinished. */
#ifndef IOTRC_CSV_REPAIR_H
#define IOTRC_CSV_REPAIR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "dataset/csv_file.h"

struct csv_repair {
	/* Called for each row of the lost stream. May be NULL. */
	void (*lost)(void *arg, const char *stream, const char *cause, uint64_t count);
	/* Called for each row, with its wall time (microseconds, local time) and its mono_ns. May
	 * be NULL. */
	void (*row)(void *arg, int64_t wall_us, uint64_t mono_ns);
	void *arg;
	const atomic_bool *stop; /* when set, the repair ends with -EINTR; may be NULL */
};

/* Turns NAME.csv.zst.part in directory DIR, a file of STREAM, into FINAL.csv.zst, with the rows of
 * all whole blocks in one complete frame, and syncs it. A repair that is killed can be repeated.
 * Returns facts without a path. 0; -ENODATA: it has no rows; -EBADMSG: it was not written by a
 * recorder; in both cases the file is unchanged; or another negative errno. */
int csv_repair__finish(const struct csv_repair *r, int dir, enum stream stream, const char *name,
		       const char *final, struct file_facts *ret);

/* Gets the facts, without a path, of the finished file NAME.csv.zst. 0; -EBADMSG if it is damaged
 * or incomplete; or another negative errno. */
int csv_repair__read(const struct csv_repair *r, int dir, enum stream stream, const char *name,
		     struct file_facts *ret);

#endif
