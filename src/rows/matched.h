/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records which values of the filters have matched something. A value that never matches is usually
 * a mistake. */
#ifndef IOTRC_MATCHED_H
#define IOTRC_MATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/records.h"
#include "schema/selection.h"

/* A bit for each entry of the selection's lists. */
struct matched {
	uint64_t ops; /* a bit per enum fs_op that rows had */
	uint32_t paths, excluded_paths;
	uint16_t pids, commands, excluded_commands, cgroups, uids;
	/* A thread with unknown ancestors was recorded: any of the processes may be its
	 * ancestor. */
	bool strangers;
};

_Static_assert(2 * SELECTION_LIST_MAX <= 32, "members for paths have a bit for each prefix");
_Static_assert(SELECTION_LIST_MAX <= 16, "the other members have a bit for each value");

/* Whether PATH is one of --path's, or below one, and of none of --exclude-path's. */
bool matched__path(struct matched *m, const struct selection *s, const char *path, size_t len);

/* Notes a thread that the engine's filters accepted. */
void matched__task(struct matched *m, const struct selection *s, const struct rec_task *task);

#endif
