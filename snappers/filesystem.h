/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the real filesystems: all of them first, then what has changed since. What was seen
 * last, the baseline, is kept sorted on the disk, so that neither the walk nor the comparison needs
 * memory for the tree. docs/snapshots.md tells how. */
#ifndef IOTRC_SNAP_FILESYSTEM_H
#define IOTRC_SNAP_FILESYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "schema/selection.h"
#include "snappers/rows.h"

struct filesystem_config {
	struct rows_config rows; /* stamp and counts are set by the caller, stream too */
	struct clock *clock;
	struct anonymizer *anon; /* NULL: names in clear */
	const char *dataset;     /* names what the baseline belongs to, with anonymisation */
	int state;               /* the state directory */
	const struct path_prefix *roots; /* only these trees, unless N_ROOTS is 0 */
	size_t n_roots;
	bool network;      /* network filesystems as well */
	bool full;         /* as if there were no baseline */
	size_t sort_bytes; /* records sorted at once; 0: the sorter's own */
	/* Called at least at each entry; true ends the walk. It may wait. */
	bool (*pause)(void *arg);
	void *arg;
	atomic_uint_least64_t *seen,
		*expected; /* entries, of the baseline's: for the status line */
};

struct filesystem_result {
	bool full, complete;
	uint64_t entries;    /* files looked at */
	uint64_t unreadable; /* directories (or names) that could not be */
	uint64_t gone;       /* tombstones */
	unsigned int parts;
	char base[96]; /* the snapshot that this one tells the changes to; "" for a full one */
	int error;     /* why it isn't complete (-EINTR: told to end), or what keeps the
				      * next one from building on it */
};

/* Makes a snapshot; its files are finished when this returns. NAME is what a later snapshot calls
 * this one: session/stamp. */
void filesystem__snapshot(const struct filesystem_config *config, const char *name,
			  struct filesystem_result *ret);

#endif
