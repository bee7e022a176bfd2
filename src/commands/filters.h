/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters that cannot match, or have matched nothing, so that the user learns why a recording is
 * empty. */
#ifndef IOTRC_FILTERS_H
#define IOTRC_FILTERS_H

#include "commands/status.h"
#include "rows/matched.h"
#include "schema/selection.h"

/* The paths of one option. */
struct filter_paths {
	struct path_list *list; /* borrowed */
	const char *option;     /* its name */
	bool excludes;
	size_t n_given; /* as given; the others are what they resolve to */
	struct {
		char *path;
		size_t given; /* the prefix that leads there */
	} resolved[SELECTION_LIST_MAX];
};

struct filters {
	struct selection *selection; /* borrowed */
	struct filter_paths paths, excluded;
};

/* Examines SELECTION, which is borrowed until filters__done(). For a prefix that contains symlinks
 * it adds the real path, by which the kernel knows the file. Logs a line for each such prefix, and
 * for each prefix or process that does not exist or is outside the default scope. */
void filters__look(struct filters *f, struct selection *selection);
void filters__done(struct filters *f);

/* At the end of a recording: if there are filters, logs a line if there were no rows at all, or one
 * that lists the values of filters that matched nothing. */
void filters__tell_end(const struct filters *f, const struct matched *matched,
		       const struct status_snapshot *counts);

#endif
