/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a report tells of, and as what. */
#ifndef IOTRC_RUN_SCOPE_H
#define IOTRC_RUN_SCOPE_H

#include <stdbool.h>

#define RUN_IGNORES_MAX 256

struct run_scope {
	const char *shown;                    /* the workspace, as it was given */
	char *root;                           /* its real path */
	bool all;                             /* outside of it, too */
	bool stated;                          /* what was only looked at counts as read */
	const char *ignores[RUN_IGNORES_MAX]; /* globs, ending with NULL */
};

/* PATH, absolute, below the workspace, or as it is where all are wanted; NULL: it is not told
 * of. */
const char *run_scope__told(const struct run_scope *s, const char *path);

/* Is PATH, as told, left out? A glob without a slash is about every part of a path, another about
 * its beginning. */
bool run_scope__ignores(const struct run_scope *s, const char *path);

#endif
