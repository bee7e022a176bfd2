/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows of a session are wanted, by what a recorder could have filtered, and by what only
 * shows at the end of a call. Used by one thread at a time. */
#ifndef IOTRC_FILTER_H
#define IOTRC_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "export/row.h"
#include "export/table.h"

#define FILTER_LIST_MAX 16 /* entries of each list */
#define FILTER_DESCENDANTS_MAX 1000000

struct filter_list {
	const char *texts[FILTER_LIST_MAX]; /* borrowed, not ended at lens */
	size_t lens[FILTER_LIST_MAX];
	int n; /* 0: anything */
};

struct filter {
	uint64_t slow_ns; /* only what took at least so long */
	bool errors;      /* only what failed */
	/* Of fs, operations; prefixes of paths; of all, commands; processes, and what descends from
	 * them as far as their parents are known. */
	struct filter_list ops, paths, commands, pids, excluded_paths, excluded_commands;
	bool ops_inverted; /* all but these */

	struct table descendants; /* own: pids that passed */
};

/* Adds the items of LIST, separated by commas (WHOLE: LIST is one item), to TO. False where there
 * are too many, or one is empty. */
bool filter_list__add(struct filter_list *to, const char *list, bool whole);

/* Does F look at anything? */
bool filter__any(const struct filter *f);

/* Can rows of STREAM have what F asks for? NULL, or the name of what they have not. */
const char *filter__lacks(const struct filter *f, enum stream stream);

/* How many of the first fields of a row of STREAM filter__passes() looks at. */
int filter__fields(const struct filter *f, enum stream stream);

struct measure;

/* Does ROW, measured as M, pass F? */
bool filter__passes(struct filter *f, const struct export_row *row, const struct measure *m);

/* Frees what F owns. */
void filter__end(struct filter *f);

#endif
