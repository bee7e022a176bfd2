/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters that nothing can pass, or nothing has passed: a recording that stays empty says why. */
#ifndef IOTRC_FILTERS_H
#define IOTRC_FILTERS_H

#include "commands/status.h"
#include "rows/matched.h"
#include "schema/selection.h"

struct filters {
	struct selection *selection; /* borrowed */
	size_t n_given;              /* of its paths: what follows is where these lead to */
	struct {
		char *path;
		size_t given; /* the prefix that leads there */
	} resolved[SELECTION_LIST_MAX];
};

/* Looks at what SELECTION (borrowed until filters__done()) is about. A prefix that leads through
 * symlinks gets the file's own name beside it: that is what the kernel knows a file by. Logs a line
 * for each such prefix, and for each prefix or process that isn't there or that the default scope
 * leaves out. */
void filters__look(struct filters *f, struct selection *selection);
void filters__done(struct filters *f);

/* At the end of a recording: logs a line if there are filters and no row has come, or else one that
 * names the values of --path, --pid and --command that nothing has matched. */
void filters__tell_end(const struct filters *f, const struct matched *matched,
		       const struct status_snapshot *counts);

#endif
