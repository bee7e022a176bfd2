/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of the files on real filesystems: first all files, then changes. The result of the last
 * walk, the baseline, is kept sorted on disk, so that neither the walk nor the comparison holds the
 * tree in memory. docs/snapshots.md describes it. */
#ifndef IOTRC_SNAP_FILESYSTEM_H
#define IOTRC_SNAP_FILESYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "schema/selection.h"
#include "snappers/snap_rows.h"

struct filesystem_config {
	struct snap_rows_config rows; /* the caller sets stamp, counts and stream */
	struct clock *clock;
	struct anonymizer *anon; /* NULL: names in clear */
	const char *dataset;     /* identifies the baseline's dataset, anonymisation included */
	int state;               /* the state directory */
	const struct path_prefix *roots; /* trees to walk; all if N_ROOTS is 0 */
	size_t n_roots;
	bool network;      /* include network filesystems */
	bool full;         /* ignore the baseline */
	size_t sort_bytes; /* memory for sorting; 0: the sorter's default */
	/* Called at least once per entry; true ends the walk. It may sleep. */
	bool (*pause)(void *arg);
	void *arg;
	atomic_uint_least64_t *seen,
		*expected; /* entries, of the baseline's: for the status line */
};

struct filesystem_result {
	bool full, complete;
	uint64_t entries;    /* files examined */
	uint64_t unreadable; /* directories and names that could not be read */
	uint64_t gone;       /* tombstones */
	unsigned int parts;
	char base[96]; /* the snapshot with which this one was compared; "" for a full one */
	int error;     /* why it isn't complete (-EINTR: told to end), or what keeps the
				      * next one from building on it */
};

/* Makes a snapshot; its files are complete when this returns. NAME (session/stamp) is what later
 * snapshots call this one. */
void filesystem__snapshot(const struct filesystem_config *config, const char *name,
			  struct filesystem_result *ret);

#endif
