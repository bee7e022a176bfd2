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

/* The name of a class in a verdict, and in text for one and for several. */
struct check_class_text {
	const char *key, *one, *many;
};
extern const struct check_class_text check_classes[CHECK_CLASSES];

/* Returns the verdict: an object with a list for each class, whose objects have a `path` or a
 * `glob`, `processes` (pid and command), and for writes `deleted`; `not_judged`, the keys of the
 * classes that this report cannot decide; and `undetermined`, those of them that the declaration
 * leaves open. REPORT must contain the processes and, as `unread`, the files that existed but were
 * not used (check_unread.h). SCOPE has the globs that it excludes. Marks the globs of D as used.
 * Returns NULL if out of memory. */
json_t *check__judge(const json_t *report, struct declaration *d, const struct run_scope *scope);

/* Returns the number of violations in VERDICT. */
size_t check__violations(const json_t *verdict);

#endif
