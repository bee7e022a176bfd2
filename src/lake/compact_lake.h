/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merges the small files of a day of a lake into large ones. */
#ifndef IOTRC_COMPACT_LAKE_H
#define IOTRC_COMPACT_LAKE_H

#include <stdint.h>

#include "lake/store.h"

#define COMPACT_GRACE_S 3600 /* by default */

struct compact_lake {
	uint64_t merged, merged_bytes; /* files that were merged */
	uint64_t files, bytes, rows;   /* the new files */
	uint64_t removed;              /* files that were replaced at least GRACE_S ago */
	uint64_t waiting;              /* … and those replaced more recently */
	char why[STORE_WHY_MAX];
};

/* Merges the files of DAY (since 1970, UTC) of sessions that have ended, stream by stream, into
 * files of about 256 MiB, which then replace them all at once for readers (lake/compactions.h).
 * Removes files that were replaced at least GRACE_S seconds ago: a reader may still use files that
 * it has listed before. Can be interrupted and repeated at any time. Returns 0, or a negative errno
 * with RET->why: -EAGAIN if another process has compacted the day meanwhile. */
int compact_lake(struct store *s, int64_t day, uint64_t grace_s, struct compact_lake *ret);

/* Removes FILE, which does not count, if no reader uses it any more, because C's list of DAY was
 * written at least GRACE_S seconds before NOW_S. *RET says whether it did. Returns 0, or a negative
 * errno. */
struct compactions;
int compact_lake__clear(struct store *s, struct compactions *c, const struct store_file *file,
			int64_t day, uint64_t grace_s, bool *ret);

#endif
