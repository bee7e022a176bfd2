/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The declared inputs and outputs of a command: lists of globs relative to the workspace. */
#ifndef IOTRC_DECLARATION_H
#define IOTRC_DECLARATION_H

#include <jansson.h>

#include "base/glob.h"

enum declared {
	DECLARED_INPUTS,
	DECLARED_OUTPUTS,
	IGNORED_READS,
	IGNORED_WRITES,
	OPTIONAL_INPUTS, /* never reported as unused */
	DECLARED_LISTS,
};

struct declaration {
	json_t *document; /* as given */
	struct globs *lists[DECLARED_LISTS];
};

/* The workspace's directory, and its spelling by the user. */
struct declaration_root {
	const char *real, *shown;
};

#define DECLARATION_WHY_MAX 512

/* Creates a declaration from DOCUMENT and keeps a reference to it. A literal path that exists and
 * is reached through a symlink also stands for its real path. Returns 0, or a negative errno and
 * the reason in WHY. */
int declaration__new(struct declaration *ret, json_t *document, const struct declaration_root *root,
		     char why[DECLARATION_WHY_MAX]);

/* Whether LIST is in `undetermined`: the declaration leaves it open. */
bool declaration__is_undetermined(const struct declaration *d, enum declared list);

/* Frees what D holds. */
void declaration__clear(struct declaration *d);

#endif
