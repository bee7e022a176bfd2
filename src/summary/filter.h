/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters rows of a session, by what a recorder can filter and by results of calls. Used by one
 * thread at a time. */
#ifndef IOTRC_FILTER_H
#define IOTRC_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "export/row.h"

#define FILTER_LIST_MAX 16        /* entries of each list */
#define FILTER_PIDS_MAX (1 << 22) /* PID_MAX_LIMIT of linux/threads.h; macOS has fewer */

struct filter_list {
	const char *texts[FILTER_LIST_MAX]; /* borrowed, not NUL-terminated at lens */
	size_t lens[FILTER_LIST_MAX];
	int n; /* 0: anything */
};

struct filter {
	uint64_t slow_ns; /* only what took at least this long */
	bool errors;      /* only what failed */
	/* For fs: operations; for fs and extent: prefixes of paths. For all streams: commands;
	 * processes, and their descendants as far as parents are known. */
	struct filter_list ops, paths, commands, pids, excluded_paths, excluded_commands;
	bool ops_inverted; /* all but these */
	/* Names or numbers of users; names of containers, patterns for them, or ids of cgroups. The
	 * session's manifest has what rows lack. */
	struct filter_list users, containers;

	uint64_t *descendants; /* own: a bit for each pid that passed; NULL without pids */
};

/* Adds the items of LIST, separated by commas (WHOLE: LIST is one item), to TO. Returns false if
 * there are too many, or one is empty. */
bool filter_list__add(struct filter_list *to, const char *list, bool whole);

/* Whether F filters anything. */
bool filter__any(const struct filter *f);

/* Returns NULL if rows of STREAM have everything that F needs, otherwise the name of what they
 * lack. */
const char *filter__lacks(const struct filter *f, enum stream stream);

/* Prepares F for rows, once all its lists are complete. Returns 0 or -ENOMEM. */
int filter__begin(struct filter *f);

/* How many of the first fields of a row of STREAM filter__passes() reads. */
int filter__fields(const struct filter *f, enum stream stream);

/* Returns the first of the operations of F that no row of STREAMS can have, in *RET, or NULL. */
const struct row_field *filter__no_op(const struct filter *f, uint32_t streams,
				      struct row_field *ret);

struct measure;

/* Whether ROW, measured as M, passes F. */
bool filter__passes(struct filter *f, const struct export_row *row, const struct measure *m);

/* The same for a row that was not measured. No row of a stream that lacks something passes. */
bool filter__keeps(struct filter *f, const struct export_row *row);

/* How many of the first fields of a row of fs filter__learn() reads. */
int filter__learn_fields(void);

/* Notes whether the process of ROW, of fs, descends from a listed one. Rows of a session are not in
 * the order of time, so a child's may come before its parent's. Returns whether a new descendant
 * was found. */
bool filter__learn(struct filter *f, const struct export_row *row);

/* Frees what F owns. */
void filter__end(struct filter *f);

#endif
