/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command is declared to read and write: lists of globs, relative to the workspace. */
#ifndef IOTRC_DECLARATION_H
#define IOTRC_DECLARATION_H

#include <jansson.h>

#include "base/glob.h"

enum declared {
	DECLARED_INPUTS,
	DECLARED_OUTPUTS,
	IGNORED_READS,
	IGNORED_WRITES,
	OPTIONAL_INPUTS, /* that are never called unused */
	DECLARED_LISTS,
};

struct declaration {
	json_t *document; /* as it was given */
	struct globs *lists[DECLARED_LISTS];
};

/* Where the workspace is, and how it was spelt. */
struct declaration_root {
	const char *real, *shown;
};

#define DECLARATION_WHY_MAX 512

/* Makes one of DOCUMENT, which it keeps a reference to. A name without wildcards that exists and is
 * reached through a symlink stands for its real name, too. 0, or a negative errno, and WHY says in
 * words what is wrong. */
int declaration__new(struct declaration *ret, json_t *document, const struct declaration_root *root,
		     char why[DECLARATION_WHY_MAX]);

/* Could whoever made the declaration not tell what is in LIST (its `undetermined`)? */
bool declaration__is_undetermined(const struct declaration *d, enum declared list);

void declaration__clear(struct declaration *d);

#endif
