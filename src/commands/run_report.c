// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/shown.h"
#include "base/units.h"
#include "commands/run_name.h"
#include "platform/macros.h"

#define KNOWN \
	(RUN_STATED | RUN_LISTED | RUN_DENIED | RUN_EXECUTED | RUN_READ | RUN_READABLE | \
	 RUN_WRITTEN | RUN_MADE | RUN_MAYBE | RUN_EXISTED | RUN_GONE | RUN_DELETED | \
	 RUN_TRANSIENT)

/* The lists, in the order of the report: a file is in a list if it has ONE of these flags and NONE
 * of those. */
static const struct {
	const char *key;
	unsigned int one, none;
	const char *title; /* title for people; NULL: not shown to them */
} lists[] = {
	{ "reads", RUN_READ, RUN_DIRECTORY, "FILES READ" },
	{ "writes", RUN_WRITTEN | RUN_MADE, RUN_DIRECTORY | RUN_GONE, "FILES WRITTEN" },
	{ "modified", RUN_WRITTEN, RUN_DIRECTORY | RUN_GONE, NULL },
	{ "missing", RUN_MISSING, KNOWN, NULL },
	{ "listed", RUN_LISTED, 0, NULL },
	{ "stated", RUN_STATED, KNOWN & ~RUN_STATED, NULL },
	{ "denied", RUN_DENIED, 0, "DENIED" },
	{ "executed", RUN_EXECUTED, 0, NULL },
	{ "deleted", RUN_DELETED, 0, "FILES DELETED" },
	{ "transient", RUN_TRANSIENT, RUN_DIRECTORY, NULL },
	{ "changed_during_run", RUN_CHANGED, RUN_DIRECTORY, "CHANGED DURING THE RUN, NOT BY IT" },
};
enum { READS, WRITES, MODIFIED, EXECUTED = 7, DELETED };

static bool is_in(const struct run_file *f, const struct run_scope *s, size_t list)
{
	if (list == MODIFIED && !(f->is & (RUN_READ | RUN_EXECUTED)))
		return false;
	if (list == READS && s->stated && f->is & RUN_STATED && !(f->is & (KNOWN & ~RUN_STATED)))
		return true;
	return f->is & lists[list].one && !(f->is & lists[list].none);
}

/* ---- JSON ---- */

static json_t *list_of(const struct run_files *files, const struct run_scope *s, size_t list)
{
	json_t *names = json_array();

	for (size_t i = 0; i < files->n; i++) {
		const struct run_file *f = files->files[i];
		const char *path = is_in(f, s, list) ? run_scope__name(s, f->path) : NULL;

		if (path && !run_scope__ignores(s, path))
			json_array_append_new(names, run_name__new(path));
	}
	return names;
}

static json_t *renames_of(const struct run_files *files, const struct run_scope *s)
{
	json_t *renames = json_array();

	for (size_t i = 0; i < files->n_renames; i++) {
		const struct run_rename *r = &files->renames[i];
		const char *from = run_scope__name(s, r->from), *to = run_scope__name(s, r->to);

		if ((from && !run_scope__ignores(s, from)) || (to && !run_scope__ignores(s, to)))
			json_array_append_new(renames, json_pack("{s:o, s:o}", "from",
								 run_name__new(from ?: r->from),
								 "to", run_name__new(to ?: r->to)));
	}
	return renames;
}

/* ---- processes ---- */

/* How a program must have used a file of a list for the file to be in the program's own list. If no
 * program used it for SURE, MAYBE suffices: a shell opens files that other programs then read. */
static const struct {
	size_t list;
	unsigned int sure, maybe;
} own_lists[] = {
	{ READS, RUN_USE_READ, RUN_USE_OPENED },
	{ WRITES, RUN_USE_WROTE, RUN_USE_MADE },
	{ EXECUTED, RUN_USE_EXECUTED, 0 },
	{ DELETED, RUN_USE_REMOVED, 0 },
};

/* Returns an object for each program of the tree; NULL if out of memory. */
static json_t *programs_of(const struct run_tree *t)
{
	json_t *programs = json_array();

	for (size_t i = 0; i < t->n; i++) {
		const struct run_program *p = &t->programs[i];

		json_array_append_new(programs,
				      json_pack("{s:I, s:I, s:o}", "pid", (json_int_t)p->pid,
						"parent", (json_int_t)p->parent, "command",
						json_text(p->arguments)));
	}
	return programs;
}

/* Adds NAME to list KEY of each program that used FILE in one of the ways HOW. */
static void add_to_programs(json_t *programs, const struct run_file *file, unsigned int how,
			    const char *key, json_t *name)
{
	for (uint32_t i = 0; i < file->uses.n; i++) {
		json_t *program = json_array_get(programs, file->uses.items[i].program), *list;

		if (!(file->uses.items[i].how & how))
			continue;
		list = json_object_get(program, key);
		if (!list) {
			list = json_array();
			json_object_set_new(program, key, list);
		}
		json_array_append(list, name);
	}
}

static void add_program_file(json_t *programs, const struct run_file *file,
			     const struct run_scope *s)
{
	const char *path = run_scope__name(s, file->path);
	unsigned int hows = 0;
	json_t *name;

	if (!path || run_scope__ignores(s, path))
		return;
	name = run_name__new(path);
	for (uint32_t i = 0; i < file->uses.n; i++)
		hows |= file->uses.items[i].how;
	for (size_t i = 0; i < ARRAY_SIZE(own_lists); i++) {
		size_t list = own_lists[i].list;
		bool sure = hows & own_lists[i].sure;

		if (is_in(file, s, list))
			add_to_programs(programs, file,
					sure ? own_lists[i].sure : own_lists[i].maybe,
					lists[list].key, name);
	}
	json_decref(name);
}

/* Adds every program with its lists. A process that forked and executed another program without
 * doing anything in between is left out. */
static json_t *processes_of(const struct run_observed *o, const struct run_scope *s)
{
	json_t *programs = programs_of(o->tree), *reported = json_array();

	for (size_t i = 0; i < o->files->n; i++)
		add_program_file(programs, o->files->files[i], s);
	for (size_t i = 0; i < o->tree->n; i++) {
		const struct run_program *p = &o->tree->programs[i];
		json_t *program = json_array_get(programs, i);

		if (p->executed || !p->replaced || json_object_size(program) > 3)
			json_array_append(reported, program);
	}
	json_decref(programs);
	return reported;
}

json_t *run_report__new(const struct run_observed *o, const struct run_scope *scope,
			const struct run_facts *facts)
{
	const struct run_files *files = o->files;
	json_t *report = json_object(), *command = json_array(), *ignored = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		json_object_set_new(report, lists[i].key, list_of(files, scope, i));
		if (!strcmp(lists[i].key, "deleted"))
			json_object_set_new(report, "renamed", renames_of(files, scope));
	}
	for (char **arg = facts->argv; *arg; arg++)
		json_array_append_new(command, run_name__new(*arg));
	for (const char *const *glob = scope->ignores; *glob; glob++)
		json_array_append_new(ignored, run_name__new(*glob));
	json_object_set(report, "incomplete", facts->incomplete);
	json_object_set_new(report, "engine", json_string(facts->engine));
	if (facts->engine_why)
		json_object_set_new(report, "engine_because", json_string(facts->engine_why));
	json_object_set_new(report, "workspace", run_name__new(scope->shown));
	json_object_set_new(report, "ignored", ignored);
	json_object_set_new(report, "command", command);
	json_object_set_new(report, "status", json_integer(facts->status));
	json_object_set_new(report, "duration_seconds",
			    json_real((double)facts->duration_ns / NSEC_PER_SEC));
	if (o->processes)
		json_object_set_new(report, "processes", processes_of(o, scope));
	return report;
}

/* ---- for people ---- */

void run_report__more(size_t n, FILE *out)
{
	char number[UNITS_WHOLE_SIZE];

	fprintf(out, "  ... and %s more: --json FILE has all\n", units__whole(number, n));
}

static void print_list(const char *title, const json_t *names, FILE *out)
{
	size_t n = json_array_size(names);

	fprintf(out, "\n%s (%zu)\n", title, n);
	for (size_t i = 0; i < n && i < RUN_SHOWN_MAX; i++)
		shown__line(out, "  %s", run_name__text(json_array_get(names, i)));
	if (n > RUN_SHOWN_MAX)
		run_report__more(n - RUN_SHOWN_MAX, out);
}

static void print_command(const json_t *command, FILE *out)
{
	size_t n = json_array_size(command);

	fprintf(out, "Command:  ");
	for (size_t i = 0; i < n; i++) {
		const char *text = run_name__text(json_array_get(command, i));
		size_t len = strlen(text);
		char *shown = malloc(SHOWN_MAX(len));

		if (shown) {
			shown__copy(shown, text, len);
			fprintf(out, " %s", shown);
		}
		free(shown);
	}
	fputc('\n', out);
}

/* A list of lines for people, cut to the maximum length. */
struct lines {
	FILE *out;
	size_t n;
};

static void print_names(struct lines *l, int indent, const char *sign, const json_t *names)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		if (l->n++ < RUN_SHOWN_MAX)
			shown__line(l->out, "%*s%s %s", indent, "", sign,
				    run_name__text(json_array_get(names, i)));
}

/* Prints program I of PROCESSES, what it did, and its children. An entry with the same pid as an
 * earlier one is a program that the earlier one executed.
 * NOLINTNEXTLINE(misc-no-recursion): each prints a line, of RUN_SHOWN_MAX */
static void print_program(struct lines *l, const json_t *processes, size_t i, int depth)
{
	const json_t *p = json_array_get(processes, i), *other;
	json_int_t pid = json_integer_value(json_object_get(p, "pid"));
	char command[RUN_COMMAND_MAX + 6];
	int indent = 2 + 2 * (depth < RUN_DEPTH_MAX ? depth : RUN_DEPTH_MAX);

	if (l->n++ < RUN_SHOWN_MAX)
		shown__line(l->out, "%*s%" JSON_INTEGER_FORMAT " %s", indent, "", pid,
			    run_name__command(command,
					      json_string_value(json_object_get(p, "command"))));
	print_names(l, indent + 2, "<", json_object_get(p, lists[READS].key));
	print_names(l, indent + 2, ">", json_object_get(p, lists[WRITES].key));
	for (size_t k = i + 1; l->n <= RUN_SHOWN_MAX && (other = json_array_get(processes, k));
	     k++) {
		if (json_integer_value(json_object_get(other, "pid")) == pid)
			break; /* children from here on belong to that entry */
		if (json_integer_value(json_object_get(other, "parent")) == pid)
			print_program(l, processes, k, depth + 1);
	}
}

/* Whether there is an earlier entry of the parent of entry I. */
static bool has_parent(const json_t *processes, size_t i)
{
	const json_t *entry = json_array_get(processes, i);
	json_int_t parent = json_integer_value(json_object_get(entry, "parent"));

	while (i-- > 0)
		if (json_integer_value(json_object_get(json_array_get(processes, i), "pid")) ==
		    parent)
			return true;
	return false;
}

static void print_tree(const json_t *processes, FILE *out)
{
	size_t n = json_array_size(processes);
	struct lines l = { .out = out };

	fprintf(out, "\nPROCESSES (%zu; < read, > written)\n", n);
	for (size_t i = 0; i < n && l.n <= RUN_SHOWN_MAX; i++)
		if (!has_parent(processes, i))
			print_program(&l, processes, i, 0);
	if (l.n > RUN_SHOWN_MAX)
		fprintf(out, "  ... and more: --json FILE has all\n");
}

static void print_engine(const json_t *report, FILE *out)
{
	const char *why = json_string_value(json_object_get(report, "engine_because"));

	fprintf(out, "Engine:    %s%s%s\n", json_string_value(json_object_get(report, "engine")),
		why ? ": " : "", why ?: "");
}

void run_report__print(const json_t *report, FILE *out)
{
	const json_t *incomplete = json_object_get(report, "incomplete");

	shown__line(out, "Workspace: %s", run_name__text(json_object_get(report, "workspace")));
	print_command(json_object_get(report, "command"), out);
	fprintf(out, "Status:    %" JSON_INTEGER_FORMAT " after %.2f s\n",
		json_integer_value(json_object_get(report, "status")),
		json_real_value(json_object_get(report, "duration_seconds")));
	print_engine(report, out);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const json_t *names = json_object_get(report, lists[i].key);

		if (lists[i].title && (i <= WRITES || json_array_size(names)))
			print_list(lists[i].title, names, out);
	}
	if (json_object_get(report, "processes"))
		print_tree(json_object_get(report, "processes"), out);
	if (json_array_size(incomplete))
		print_list("INCOMPLETE", incomplete, out);
}
