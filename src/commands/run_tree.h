/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of a recording. When a process executes another program, a new entry with the same
 * pid begins, to which its later rows belong. */
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
	bool replaced;   /* it executed the program of the next entry with this pid */
	bool executed;   /* it is a program of its own, not the copy that a fork made */
	char *arguments; /* separated by blanks, with the row's bytes; cut as in the row */
};

struct run_tree {
	struct run_program *programs; /* in the order in which they first appear */
	size_t n, capacity;
	void *index;   /* by pid: the latest entry of the process */
	uint32_t last; /* of the previous row, as most rows have the same */
	bool full;     /* RUN_TREE_MAX was reached, or out of memory: some are missing */
};

/* Returns the entry of the process of ROW, of stream fs, or RUN_TREE_NONE if there is no space. To
 * be called in the order of time. */
uint32_t run_tree__row(struct run_tree *t, const struct export_row *row);

/* Frees what T holds. */
void run_tree__clear(struct run_tree *t);

#endif
