// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/check_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/run_name.h"

const struct check_class_text check_classes[CHECK_CLASSES] = {
	[UNDECLARED_READS] = { "undeclared_reads", "undeclared read", "undeclared reads" },
	[UNDECLARED_WRITES] = { "undeclared_writes", "undeclared write", "undeclared writes" },
	[UNUSED_INPUTS] = { "unused_inputs", "unused input", "unused inputs" },
	[MISSING_OUTPUTS] = { "missing_outputs", "missing output", "missing outputs" },
};

struct judge {
	const json_t *report;
	struct declaration *d;
	const struct run_scope *scope;
	bool not_judged[CHECK_CLASSES];
	json_t *gone;                  /* path: true for those that were deleted */
	json_t *found[CHECK_CLASSES];  /* lists of violations */
	json_t *places[CHECK_CLASSES]; /* path: its violation */
};

/* Calls TAKE() with each path in list KEY of the report. */
static void each_path(struct judge *j, const char *key,
		      void (*take)(struct judge *j, const char *key, const char *path))
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(j->report, key), i, name) {
		char *path = run_name__bytes(name);

		if (path)
			take(j, key, path);
		free(path);
	}
}

/* ---- violations ---- */

/* Returns the violation of class C for PATH, and adds it if it is new. */
static json_t *violate(struct judge *j, enum check_class c, const char *path)
{
	json_t *violation = json_object_get(j->places[c], path);

	if (violation)
		return violation;
	violation = json_pack("{s:o}", "path", run_name__new(path));
	json_array_append_new(j->found[c], violation);
	json_object_set_nocheck(j->places[c], path, violation);
	return violation;
}

static void judge_read(struct judge *j, const char *key, const char *path)
{
	(void)key;
	if (!globs__use(j->d->lists[DECLARED_INPUTS], path) &&
	    !globs__match(j->d->lists[IGNORED_READS], path) &&
	    !globs__match(j->d->lists[OPTIONAL_INPUTS], path))
		violate(j, UNDECLARED_READS, path);
}

static void judge_write(struct judge *j, const char *key, const char *path)
{
	(void)key;
	if (!globs__use(j->d->lists[DECLARED_OUTPUTS], path) &&
	    !globs__match(j->d->lists[IGNORED_WRITES], path))
		violate(j, UNDECLARED_WRITES, path);
}

/* A removed path may be a directory of which everything below is declared. */
static void judge_deletion(struct judge *j, const char *key, const char *path)
{
	char *below;
	bool declared;

	(void)key;
	if (asprintf(&below, "%s/", path) < 0)
		return;
	declared = globs__match(j->d->lists[DECLARED_OUTPUTS], path) ||
		   globs__match(j->d->lists[DECLARED_OUTPUTS], below) ||
		   globs__match(j->d->lists[IGNORED_WRITES], path) ||
		   globs__match(j->d->lists[IGNORED_WRITES], below);
	free(below);
	if (!declared)
		json_object_set_new(violate(j, UNDECLARED_WRITES, path), "deleted", json_true());
}

/* ---- unused inputs and missing outputs ---- */

static bool may_be_unused(const struct judge *j, const char *path)
{
	return globs__match(j->d->lists[IGNORED_READS], path) ||
	       globs__match(j->d->lists[OPTIONAL_INPUTS], path);
}

static void judge_unread(struct judge *j, const char *key, const char *path)
{
	size_t len = strlen(path);

	(void)key;
	/* An empty directory contains nothing that could be read. */
	if (len && path[len - 1] == '/')
		return;
	if (globs__use(j->d->lists[DECLARED_INPUTS], path) && !may_be_unused(j, path))
		violate(j, UNUSED_INPUTS, path);
}

static void use_input(struct judge *j, const char *key, const char *path)
{
	(void)key;
	globs__use(j->d->lists[DECLARED_INPUTS], path);
}

static void use_output(struct judge *j, const char *key, const char *path)
{
	size_t len = strlen(path);
	char *copy;

	(void)key;
	if (json_object_get(j->gone, path))
		return;
	globs__use(j->d->lists[DECLARED_OUTPUTS], path);
	if (!len || path[len - 1] != '/')
		return;
	copy = strdup(path);
	if (copy) {
		copy[len - 1] = 0;
		globs__use(j->d->lists[DECLARED_OUTPUTS], copy);
	}
	free(copy);
}

static void note_gone(struct judge *j, const char *key, const char *path)
{
	(void)key;
	json_object_set_new_nocheck(j->gone, path, json_true());
}

/* Finds the globs that match nothing. Files matched by --ignore are in no report, so globs for them
 * are skipped. */
static void violate_by_glob(struct judge *j, enum check_class c, const struct globs *g)
{
	for (size_t i = 0; i < globs__count(g); i++) {
		const char *text = globs__text(g, i), *path = globs__path(g, i);

		if (globs__is_negative(g, i) || globs__is_used(g, i))
			continue;
		if (path && (run_scope__ignores(j->scope, path) ||
			     (c == UNUSED_INPUTS && may_be_unused(j, path))))
			continue;
		json_array_append_new(j->found[c], json_pack("{s:s}", "glob", text));
	}
}

static void judge_inputs(struct judge *j)
{
	each_path(j, "unread", judge_unread);
	/* An optional file counts as used if the command looked for it. */
	each_path(j, "missing", use_input);
	each_path(j, "denied", use_input);
	each_path(j, "writes", use_input);
	each_path(j, "deleted", use_input);
	violate_by_glob(j, UNUSED_INPUTS, j->d->lists[DECLARED_INPUTS]);
}

static void judge_outputs(struct judge *j)
{
	static const char *const there[] = { "reads", "executed", "denied", "unread", NULL };

	for (const char *const *key = there; *key; key++)
		each_path(j, *key, use_output);
	violate_by_glob(j, MISSING_OUTPUTS, j->d->lists[DECLARED_OUTPUTS]);
}

/* ---- who did it ---- */

static void add_process(json_t *violation, const json_t *process)
{
	json_t *processes = json_object_get(violation, "processes"), *brief;

	if (!processes) {
		processes = json_array();
		json_object_set_new(violation, "processes", processes);
	}
	brief = json_pack("{s:O, s:O}", "pid", json_object_get(process, "pid"), "command",
			  json_object_get(process, "command"));
	json_array_append_new(processes, brief);
}

/* Adds PROCESS to those violations of class C that its list KEY contains. */
static void blame(struct judge *j, enum check_class c, const json_t *process, const char *key)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(process, key), i, name) {
		char *path = run_name__bytes(name);
		json_t *violation = path ? json_object_get(j->places[c], path) : NULL;

		if (violation)
			add_process(violation, process);
		free(path);
	}
}

static void blame_processes(struct judge *j)
{
	const json_t *process;
	size_t i;

	json_array_foreach(json_object_get(j->report, "processes"), i, process) {
		blame(j, UNDECLARED_READS, process, "reads");
		blame(j, UNDECLARED_READS, process, "executed");
		blame(j, UNDECLARED_WRITES, process, "writes");
		blame(j, UNDECLARED_WRITES, process, "deleted");
	}
}

/* ---- all of it ---- */

/* Lists the classes that this report and this declaration cannot decide. */
static void find_unreported(struct judge *j)
{
	bool failed = json_integer_value(json_object_get(j->report, "status"));
	bool gaps = json_array_size(json_object_get(j->report, "incomplete"));
	bool no_inputs = declaration__is_undetermined(j->d, DECLARED_INPUTS);
	bool no_outputs = declaration__is_undetermined(j->d, DECLARED_OUTPUTS);

	j->not_judged[UNDECLARED_READS] = no_inputs;
	j->not_judged[UNDECLARED_WRITES] = no_outputs;
	/* A command that failed may have stopped early; and files missing from an incomplete report
	 * may have been used. */
	j->not_judged[UNUSED_INPUTS] = no_inputs || failed || gaps;
	j->not_judged[MISSING_OUTPUTS] = no_outputs || failed;
}

static void judge_all(struct judge *j)
{
	if (!j->not_judged[UNDECLARED_READS]) {
		each_path(j, "reads", judge_read);
		each_path(j, "executed", judge_read);
	}
	if (!j->not_judged[UNDECLARED_WRITES]) {
		each_path(j, "writes", judge_write);
		each_path(j, "deleted", judge_deletion);
	}
	each_path(j, "deleted", note_gone);
	if (!j->not_judged[UNUSED_INPUTS])
		judge_inputs(j);
	if (!j->not_judged[MISSING_OUTPUTS])
		judge_outputs(j);
	blame_processes(j);
}

json_t *check__judge(const json_t *report, struct declaration *d, const struct run_scope *scope)
{
	struct judge j = { .report = report, .d = d, .scope = scope, .gone = json_object() };
	json_t *verdict = json_object(), *not_judged = json_array();

	for (size_t c = 0; c < CHECK_CLASSES; c++) {
		j.found[c] = json_array();
		j.places[c] = json_object();
		json_object_set_new(verdict, check_classes[c].key, j.found[c]);
	}
	find_unreported(&j);
	judge_all(&j);
	for (size_t c = 0; c < CHECK_CLASSES; c++) {
		if (j.not_judged[c])
			json_array_append_new(not_judged, json_string(check_classes[c].key));
		json_decref(j.places[c]);
	}
	json_object_set_new(verdict, "not_judged", not_judged);
	if (json_object_get(d->document, "undetermined"))
		json_object_set(verdict, "undetermined",
				json_object_get(d->document, "undetermined"));
	json_decref(j.gone);
	return verdict;
}

size_t check__violations(const json_t *verdict)
{
	size_t n = 0;

	for (size_t c = 0; c < CHECK_CLASSES; c++)
		n += json_array_size(json_object_get(verdict, check_classes[c].key));
	return n;
}
