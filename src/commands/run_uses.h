/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which programs used a file, and how. */
#ifndef IOTRC_RUN_USES_H
#define IOTRC_RUN_USES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a program used a file. */
enum {
	RUN_USE_OPENED = 1 << 0, /* to read */
	RUN_USE_READ = 1 << 1,   /* bytes of it */
	RUN_USE_MADE = 1 << 2,   /* put it there, or emptied it */
	RUN_USE_WROTE = 1 << 3,  /* bytes or attributes of it */
	RUN_USE_EXECUTED = 1 << 4,
	RUN_USE_REMOVED = 1 << 5,
};

struct run_use {
	uint32_t program; /* of the tree (run_tree.h) */
	uint32_t how;
};

struct run_uses {
	struct run_use *items; /* sorted by program after run_uses__merge() */
	uint32_t n, capacity;
};

/* Adds USE to those of the same program. Returns false if out of memory. */
bool run_uses__add(struct run_uses *u, struct run_use use);

/* Sorts them and merges those of the same program. */
void run_uses__merge(struct run_uses *u);

/* Frees what U holds. */
void run_uses__clear(struct run_uses *u);

#endif
