/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a report contains, and under which names. */
#ifndef IOTRC_RUN_SCOPE_H
#define IOTRC_RUN_SCOPE_H

#include <stdbool.h>

#define RUN_IGNORES_MAX 256

struct run_scope {
	const char *shown;                    /* the workspace, as given */
	char *root;                           /* its real path */
	bool all;                             /* also files outside of it */
	bool stated;                          /* files whose attributes were read count as read */
	const char *ignores[RUN_IGNORES_MAX]; /* globs, ending with NULL */
};

/* Returns absolute PATH relative to the workspace, or unchanged with --all; NULL if the report does
 * not contain it. */
const char *run_scope__name(const struct run_scope *s, const char *path);

/* Whether PATH, as returned above, is ignored. A glob without a slash is compared with each
 * component, others with the beginning of the path. */
bool run_scope__ignores(const struct run_scope *s, const char *path);

#endif
