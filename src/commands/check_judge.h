/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the report of a run with a declaration. */
#ifndef IOTRC_CHECK_JUDGE_H
#define IOTRC_CHECK_JUDGE_H

#include <jansson.h>
#include <stdbool.h>

#include "commands/declaration.h"
#include "commands/run_scope.h"

enum check_class {
	UNDECLARED_READS,
	UNDECLARED_WRITES,
	UNUSED_INPUTS,
	MISSING_OUTPUTS,
	CHECK_CLASSES,
};

/* What a class is called in a verdict, and in words for one and for several. */
struct check_class_text {
	const char *key, *one, *many;
};
extern const struct check_class_text check_classes[CHECK_CLASSES];

/* The verdict, an object: a list for each class, of objects with a `path` or a `glob`, `processes`
 * (pid and command), and for writes `deleted`; `not_judged`, the keys of the classes that this
 * report can't tell; and where that is so because of the declaration its `undetermined`. REPORT is
 * that of a run with its processes and, as `unread`, the files that were there all the same
 * (check_unread.h). SCOPE has the globs that were left out of it. Marks the globs of D as used.
 * NULL when memory is out. */
json_t *check__judge(const json_t *report, struct declaration *d, const struct run_scope *scope);

/* How many violations VERDICT has. */
size_t check__violations(const json_t *verdict);

#endif
