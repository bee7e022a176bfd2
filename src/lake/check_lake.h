/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks a lake: whether its files contain the rows that `sessions` states for each session, each
 * row in the file where it belongs, and whether sessions are in it as their manifests say. */
#ifndef IOTRC_CHECK_LAKE_H
#define IOTRC_CHECK_LAKE_H

#include <stdint.h>
#include <stdio.h>

#include "dataset/session_reader.h"
#include "lake/store.h"

#define CHECK_LAKE_WHY_MAX STORE_WHY_MAX

struct check_lake {
	uint64_t files, sessions, rows; /* in the lake */
	uint64_t incomplete;            /* sessions that are running, or lost rows */
	uint64_t leftovers;             /* files of writers that were killed; harmless */
	uint64_t replaced;              /* files that were replaced, and will be removed */
	uint64_t faults;
	char why[CHECK_LAKE_WHY_MAX];
};

struct lake_checker;

/* Reads the whole lake, and prints a line for each fault to OUT. Returns 0, or a negative errno
 * with RET->why if it cannot be read. Free *RET_CHECKER in both cases. */
int check_lake__read(struct lake_checker **ret_checker, struct store *s, FILE *out,
		     struct check_lake *ret);

/* Checks that session R is in the lake, with the counts of its manifest. 0, or a negative errno
 * with RET->why. */
int check_lake__session(struct lake_checker *c, const struct session_reader *r,
			struct check_lake *ret);

/* Frees it; NULL is allowed. Returns NULL. */
struct lake_checker *check_lake__free(struct lake_checker *c);

#endif
