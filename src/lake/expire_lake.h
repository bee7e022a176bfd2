/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes old sessions from a lake. */
#ifndef IOTRC_EXPIRE_LAKE_H
#define IOTRC_EXPIRE_LAKE_H

#include <stdint.h>

#include "lake/store.h"

struct expire_lake {
	uint64_t sessions, files, bytes; /* that were removed */
	uint64_t leftovers;              /* of these files that killed writers had left */
	char why[STORE_WHY_MAX];
};

/* Removes all files of each session whose last day is before DAY (since 1970, UTC), what is known
 * of it first: a reader sees the session, or rows of no session. Of days before DAY that have been
 * compacted all rows go, those of later sessions included, and the day's list tells
 * check_lake__read() how many these were. Removes what killed writers left more than a day ago, and
 * what has been replaced by a compaction, too. 0, or a negative errno with RET->why. */
int expire_lake(struct store *s, int64_t day, struct expire_lake *ret);

#endif
