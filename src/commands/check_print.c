// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/check_print.h"

#include <stdlib.h>
#include <string.h>

#include "base/shown.h"
#include "commands/check_judge.h"
#include "commands/run_name.h"
#include "commands/run_report.h"
#include "platform/macros.h"

static const char *const titles[CHECK_CLASSES] = {
	[UNDECLARED_READS] = "UNDECLARED READS",
	[UNDECLARED_WRITES] = "UNDECLARED WRITES",
	[UNUSED_INPUTS] = "UNUSED INPUTS",
	[MISSING_OUTPUTS] = "MISSING OUTPUTS",
};

/* ---- the first line ---- */

static size_t count(const json_t *report, const char *key)
{
	return json_array_size(json_object_get(report, key));
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_counts(const json_t *report, const json_t *verdict, FILE *out)
{
	size_t reads = count(report, "reads"), writes = count(report, "writes");
	const char *between = "";

	for (size_t c = 0; c < CHECK_CLASSES; c++) {
		const struct check_class_text *text = &check_classes[c];
		size_t n = count(verdict, text->key);

		if (!n)
			continue;
		fprintf(out, "%s%zu %s", between, n, n == 1 ? text->one : text->many);
		between = ", ";
	}
	if (!*between && !count(verdict, "undetermined"))
		fprintf(out, "as declared, %zu read%s and %zu write%s", reads, plural(reads),
			writes, plural(writes));
	else if (count(verdict, "undetermined"))
		fprintf(out, "%swhat is declared could not be determined", between);
}

/* Copies the words of a command as far as they fit. */
static void print_words(const json_t *words, FILE *out)
{
	char text[RUN_COMMAND_MAX + 1], shown[SHOWN_MAX(sizeof(text))];
	size_t len = 0;

	for (size_t i = 0; i < json_array_size(words) && len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, " %s",
				run_name__text(json_array_get(words, i)));
	shown__copy(shown, text, strnlen(text, sizeof(text) - 1));
	fprintf(out, "%s%s", shown, len < sizeof(text) ? "" : "...");
}

static void print_first_line(const json_t *report, const json_t *verdict, FILE *out)
{
	json_int_t status = json_integer_value(json_object_get(report, "status"));

	print_counts(report, verdict, out);
	if (count(report, "incomplete"))
		fprintf(out, ", incomplete");
	if (status)
		fprintf(out, ", status %" JSON_INTEGER_FORMAT, status);
	fputc(':', out);
	print_words(json_object_get(report, "command"), out);
	fputc('\n', out);
}

/* ---- groups ---- */

/* Violations of a class that share a line. */
struct violation_place {
	const char *process; /* the first line of the command, or "" */
	json_int_t pid;
	const char *path; /* for people */
	size_t order;     /* of the process, among those of the class */
	size_t merged;    /* number of processes of the program in this entry; 0: a single one */
	size_t directory; /* bytes of PATH, with its slash */
	const char *extension;
};

static const char *shown_extension(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? dot : "";
}

static struct violation_place place_of(const json_t *violation)
{
	const json_t *process = json_array_get(json_object_get(violation, "processes"), 0);
	const json_t *glob = json_object_get(violation, "glob");
	struct violation_place p = {
		.process = json_string_value(json_object_get(process, "command")) ?: "",
		.pid = json_integer_value(json_object_get(process, "pid")),
		.path = json_string_value(glob) ?:
						  run_name__text(json_object_get(violation, "path")),
	};
	const char *slash = strrchr(p.path, '/');

	p.directory = slash && !glob ? slash + 1 - p.path : 0;
	/* A glob is not grouped with others. */
	p.extension = glob ? p.path : shown_extension(p.path + p.directory);
	return p;
}

/* Returns the name of P's program, *RET_LEN bytes long. */
static const char *program_of(const struct violation_place *p, size_t *ret_len)
{
	size_t word = strcspn(p->process, " ");
	const char *name = memrchr(p->process, '/', word);

	name = name ? name + 1 : p->process;
	*ret_len = (size_t)(p->process + word - name);
	return name;
}

static bool same_group(const struct violation_place *a, const struct violation_place *b)
{
	return a->order == b->order && a->directory == b->directory &&
	       !strncmp(a->path, b->path, a->directory) && !strcmp(a->extension, b->extension);
}

static int compare_places(const void *a, const void *b)
{
	const struct violation_place *x = a, *y = b;
	size_t common = x->directory < y->directory ? x->directory : y->directory;
	int order = (x->order > y->order) - (x->order < y->order);

	if (!order)
		order = strncmp(x->path, y->path, common);
	if (!order)
		order = (x->directory > y->directory) - (x->directory < y->directory);
	if (!order)
		order = strcmp(x->extension, y->extension);
	return order ?: strcmp(x->path, y->path);
}

/* Returns the number that OBJECT has for the LEN bytes of KEY, or FIRST, which is then stored. */
static size_t number_in(json_t *object, const char *key, size_t len, size_t first)
{
	char *name = strndup(key, len);
	const json_t *number = name ? json_object_get(object, name) : NULL;
	size_t n = number ? (size_t)json_integer_value(number) : first;

	if (name && !number)
		json_object_set_new_nocheck(object, name, json_integer((json_int_t)n));
	free(name);
	return n;
}

static void count_up(json_t *object, const char *key, size_t len)
{
	json_t *number;
	char *name = strndup(key, len);

	number_in(object, key, len, 0);
	number = name ? json_object_get(object, name) : NULL;
	json_integer_set(number, json_integer_value(number) + 1);
	free(name);
}

/* Numbers processes in the order of appearance. Many processes of one program, such as a compiler,
 * get one number. */
static void number_processes(struct violation_place *places, size_t n)
{
	json_t *numbers = json_object(), *of_program = json_object(), *firsts = json_object();
	const char *program;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		size_t known = json_object_size(numbers);
		char key[32 + 4096];

		snprintf(key, sizeof(key), "%" JSON_INTEGER_FORMAT " %s", places[i].pid,
			 places[i].process);
		places[i].order = number_in(numbers, key, strlen(key), known);
		program = program_of(&places[i], &len);
		if (json_object_size(numbers) > known)
			count_up(of_program, program, len);
	}
	for (size_t i = 0; i < n; i++) {
		program = program_of(&places[i], &len);
		places[i].merged = number_in(of_program, program, len, 0);
		if (places[i].merged < CHECK_MERGED_MIN || !len)
			places[i].merged = 0;
		else
			places[i].order = number_in(firsts, program, len, places[i].order);
	}
	json_decref(numbers);
	json_decref(of_program);
	json_decref(firsts);
}

static void print_process(const struct violation_place *p, FILE *out)
{
	char command[RUN_COMMAND_MAX + 6];
	size_t program_len;
	const char *program = program_of(p, &program_len);

	if (p->merged)
		shown__line(out, "  %.*s (%zu processes)", (int)program_len, program, p->merged);
	else
		shown__line(out, "  %s (%" JSON_INTEGER_FORMAT ")",
			    run_name__command(command, p->process), p->pid);
}

static void print_violations(const struct violation_place *group, size_t n, int indent, FILE *out)
{
	const struct violation_place *p = group;
	size_t shown = n < CHECK_NAMES_MAX ? n : CHECK_NAMES_MAX;
	char *names = NULL;
	size_t size;
	FILE *line;

	if (n == 1) {
		shown__line(out, "%*s%s", indent, "", p->path);
		return;
	}
	line = open_memstream(&names, &size);
	if (!line)
		return;
	for (size_t i = 0; i < shown; i++)
		fprintf(line, "%s%s", i ? ", " : "", p[i].path + p[i].directory);
	if (n > shown)
		fprintf(line, ", ... and %zu more", n - shown);
	if (!fclose(line))
		shown__line(out, "%*s%.*s*%s (%zu): %s", indent, "", (int)p->directory, p->path,
			    p->extension, n, names);
	free(names);
}

static void print_places(const struct violation_place *places, size_t n, FILE *out)
{
	size_t lines = 0, end;

	for (size_t i = 0; i < n; i = end) {
		const struct violation_place *p = &places[i];
		bool new_process = !i || p->order != p[-1].order;
		int indent = *p->process ? 4 : 2;

		for (end = i + 1; end < n && same_group(p, &places[end]);)
			end++;
		if (lines >= CHECK_LINES_MAX) {
			run_report__more(n - i, out);
			return;
		}
		if (new_process && *p->process) {
			print_process(p, out);
			lines++;
		}
		print_violations(p, end - i, indent, out);
		lines++;
	}
}

static void print_class(const json_t *violations, const char *title, FILE *out)
{
	size_t n = json_array_size(violations);
	struct violation_place *places = n ? malloc(n * sizeof(*places)) : NULL;

	if (!places)
		return;
	fprintf(out, "\n%s (%zu)\n", title, n);
	for (size_t i = 0; i < n; i++)
		places[i] = place_of(json_array_get(violations, i));
	number_processes(places, n);
	qsort(places, n, sizeof(*places), compare_places);
	print_places(places, n, out);
	free(places);
}

static void print_texts(const json_t *texts, const char *title, FILE *out)
{
	size_t n = json_array_size(texts);

	if (n)
		fprintf(out, "\n%s\n", title);
	for (size_t i = 0; i < n; i++)
		shown__line(out, "  %s", run_name__text(json_array_get(texts, i)));
}

/* Prints what is not judged, and why. */
static void print_unreported(const json_t *verdict, FILE *out)
{
	const json_t *unknown;
	size_t i;

	if (count(verdict, "not_judged"))
		fputc('\n', out);
	json_array_foreach(json_object_get(verdict, "undetermined"), i, unknown)
		shown__line(out, "Not determined: %s: %s",
			    json_string_value(json_object_get(unknown, "list")) ?: "?",
			    json_string_value(json_object_get(unknown, "why")) ?: "?");
	json_array_foreach(json_object_get(verdict, "not_judged"), i, unknown)
		for (size_t c = 0; c < CHECK_CLASSES; c++)
			if (!strcmp(json_string_value(unknown), check_classes[c].key))
				fprintf(out, "Not judged: %s\n", check_classes[c].many);
}

void check_print(const json_t *report, const json_t *verdict, bool summary, FILE *out)
{
	print_first_line(report, verdict, out);
	if (summary)
		return;
	for (size_t c = 0; c < CHECK_CLASSES; c++)
		print_class(json_object_get(verdict, check_classes[c].key), titles[c], out);
	print_texts(json_object_get(report, "changed_during_run"),
		    "CHANGED DURING THE RUN, NOT BY IT", out);
	print_texts(json_object_get(report, "incomplete"), "INCOMPLETE", out);
	print_unreported(verdict, out);
}
