/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes old sessions from a lake. */
#ifndef IOTRC_EXPIRE_LAKE_H
#define IOTRC_EXPIRE_LAKE_H

#include <stdint.h>

#include "lake/store.h"

struct expire_lake {
	uint64_t sessions, files, bytes; /* removed */
	uint64_t leftovers;              /* of these, files left by killed writers */
	char why[STORE_WHY_MAX];
};

/* Removes all files of each session whose last day is before DAY (since 1970, UTC), its row in
 * `sessions` first: a reader sees the session, or rows without a session. Compacted days before DAY
 * lose all rows, also those of later sessions; the day's list tells check_lake__read() how many
 * these were. Also removes what killed writers left more than a day ago, and what a compaction has
 * replaced. Returns 0, or a negative errno with RET->why. */
int expire_lake(struct store *s, int64_t day, struct expire_lake *ret);

#endif
