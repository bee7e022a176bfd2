/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report of `iotrc run` about a command: lists of files, for programs and for people. */
#ifndef IOTRC_RUN_REPORT_H
#define IOTRC_RUN_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "commands/run_files.h"
#include "commands/run_scope.h"
#include "commands/run_tree.h"

#define RUN_SHOWN_MAX 50 /* lines of a list for people */
#define RUN_DEPTH_MAX 20 /* maximum levels of indentation of processes */

struct run_facts {
	char **argv;
	const char *engine, *engine_why; /* why it was chosen, or NULL: the user requested it */
	int status;
	uint64_t duration_ns;
	json_t *incomplete; /* why something may be missing: texts */
};

/* Observations of a command, from any engine. */
struct run_observed {
	const struct run_files *files; /* after run_after__look() */
	const struct run_tree *tree;
	bool processes; /* also list what each did */
};

/* Returns the report as JSON, or NULL if out of memory. */
json_t *run_report__new(const struct run_observed *observed, const struct run_scope *scope,
			const struct run_facts *facts);

/* Prints to OUT that N more lines are only in the JSON. */
void run_report__more(size_t n, FILE *out);

/* Prints REPORT to OUT for people. */
void run_report__print(const json_t *report, FILE *out);

#endif
