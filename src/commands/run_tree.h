/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of a recording. A process that executes another program becomes a new entry, with
 * the same pid: what it does from then on is the new program's doing. */
#ifndef IOTRC_RUN_TREE_H
#define IOTRC_RUN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/row.h"

#define RUN_TREE_MAX 4000000 /* entries */
#define RUN_TREE_NONE UINT32_MAX

struct run_program {
	uint64_t pid, parent;
	bool replaced;   /* it executed the next entry of this pid */
	bool executed;   /* it is a program of its own, not what a fork left running */
	char *arguments; /* blanks between, the row's bytes; cut where the row's are */
};

struct run_tree {
	struct run_program *programs; /* in the order in which they were first seen */
	size_t n, room;
	void *index;   /* by pid: which is the process's latest */
	uint32_t last; /* that of the row before: most rows have the same */
	bool full;     /* RUN_TREE_MAX was reached, or memory is out: some are missing */
};

/* The entry of the process that ROW, of stream fs, is about; RUN_TREE_NONE where there is no room.
 * In the order of time. */
uint32_t run_tree__row(struct run_tree *t, const struct export_row *row);

void run_tree__clear(struct run_tree *t);

#endif
