/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of iotrc top in each view: what the engine has summed up since the last refresh. */
#ifndef IOTRC_TOP_TABLE_H
#define IOTRC_TOP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands/top_counts.h"
#include "engine/engine.h"

#define TOP_NAME_MAX 4200 /* bytes of a row's name, escaped as in rows */

enum top_view {
	TOP_PROCESSES,
	TOP_FILES,
	TOP_DEVICES,
	TOP_CONTAINERS,
	TOP_USERS,
	TOP_COMMANDS,
	TOP_CONNECTIONS
};
#define TOP_VIEWS 7

enum top_sort { TOP_BYTES, TOP_CALLS, TOP_ERRORS, TOP_READ, TOP_WRITTEN, TOP_LATENCY, TOP_TIME };
#define TOP_SORTS 7

extern const char *const top_view_names[TOP_VIEWS]; /* as in --by, and above the table */
extern const char *const top_view_heads[TOP_VIEWS]; /* of the column of names */
extern const char *const top_sort_names[TOP_SORTS];

/* The heads of the columns of counts, from CALLS/s to LATENCY: a connection has segments, and not
 * calls. */
#define TOP_HEADS 5
extern const char *const top_heads[2][TOP_HEADS];
static inline const char *const *top_heads__of(enum top_view view)
{
	return top_heads[view == TOP_CONNECTIONS];
}

struct top_row {
	struct top_counts counts; /* since the last refresh */
	const char *name;         /* escaped as in rows; valid until the next top_table__look() */
	uint64_t id;              /* the argument of top_table__open() */
	uint64_t id2;
};

/* A level of opened rows. */
struct top_level {
	enum top_view view;
	bool narrowed; /* only what belongs to the row ID, ID2 of view OF */
	enum top_view of;
	uint64_t id, id2;
	char name[64]; /* of that row, cut at its start */
};

struct top_table;

/* SELECTION and PLAN are borrowed until top_table__free(). Returns 0, or a negative errno and
 * PROBLEM (ENGINE_PROBLEM_MAX bytes). */
int top_table__new(struct top_table **ret, const struct selection *selection,
		   const struct memory_plan *plan, char *problem);
/* Frees it; NULL is allowed. Returns NULL. */
struct top_table *top_table__free(struct top_table *t);

/* Drains names of files; to be called several times a second, and if it returns true, within
 * TOP_TABLE_SOON_MS. */
#define TOP_TABLE_SOON_MS 1
bool top_table__drain(struct top_table *t);

/* Reads the sums: from now on rows are what was added since the previous refresh. Returns 0, or a
 * negative errno. */
int top_table__look(struct top_table *t);

/* The time between the last two refreshes. */
uint64_t top_table__span_ns(const struct top_table *t);

/* Returns the number of rows of LEVEL whose names contain FILTER (may be empty), sorted by SORT,
 * and the rows, which are valid until the next call. ALL: the sum of these and all other rows. */
size_t top_table__rows(struct top_table *t, const struct top_level *level, enum top_sort sort,
		       const char *filter, const struct top_row **ret, struct top_counts *ret_all);

/* Gets the level that a row opens; false if there is none. */
bool top_level__open(const struct top_level *from, const struct top_row *row,
		     struct top_level *ret);

/* Number of calls since the last refresh that were counted without their file, because there was no
 * space, and of events that were missed since the start. */
uint64_t top_table__without_file(const struct top_table *t);
uint64_t top_table__missing(const struct top_table *t);

/* Writes the share of SPAN_NS that the calls of C took to TO, or "-" if rows of VIEW have none.
 * Returns TO. */
#define TOP_SHARE_MAX 32
const char *top_table__share(char to[TOP_SHARE_MAX], enum top_view view, const struct top_counts *c,
			     uint64_t span_ns);

#endif
