// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a command reads and writes what was declared: compares the report of a run with a
 * declaration. */
#include "commands/check.h"
#include "base/shown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json_text.h"
#include "commands/check_adapters.h"
#include "commands/check_judge.h"
#include "commands/check_nx.h"
#include "commands/check_print.h"
#include "commands/check_shorten.h"
#include "commands/check_unread.h"
#include "commands/declaration.h"
#include "commands/run_job.h"
#include "commands/run_name.h"
#include "platform/macros.h"

static const struct command_option check_options[] = {
	{ "declared", 'd', "FILE", "the declaration of what CMD reads and writes" },
	{ "nx", 'n', "PROJECT:TARGET",
	  "take the declaration of this target from the\nworkspace's own nx" },
	{ "report", 'r', "FILE",
	  "judge this report of check --json again, without\nrunning a command" },
	{ "warn", 0, NULL, "report violations, but exit with CMD's status" },
	{ "strict", 0, NULL, "exit with 4 or 3 in such cases (default)" },
	{ "summary", 's', NULL, "print only the first line" },
	{ "write-declaration", 0, "FILE", "write what CMD read and wrote as a declaration" },
	{ "reads", 0, "FILE", "write the files read, one path per line" },
	{ "bazel-unused", 0, "FILE", "write the unused inputs, one path per line" },
	{ "depfile", 0, "FILE",
	  "write a rule of make: the files written depend on\nthe files read" },
	{ "null", '0', NULL, "lines of --reads and --bazel-unused end with a\nNUL" },
	RUN_JOB_OPTIONS,
	{ .name = NULL },
};
enum {
	DECLARED,
	NX,
	REPORT,
	WARN,
	STRICT,
	SUMMARY,
	WRITE_DECLARATION,
	READS,
	BAZEL_UNUSED,
	DEPFILE,
	NUL,
	RUN_JOB
};

struct check {
	struct run_job job;
	const char *declared, *nx, *report_file;
	const char *write_declaration, *reads, *bazel_unused, *depfile;
	bool warn, summary, nul;
	json_t *document; /* the declaration, as given */
	struct declaration declaration;
	json_t *report, *verdict; /* .verdict NULL: there is no declaration */
	struct own_file own[8];   /* reports and declarations that may be in the workspace */
	size_t n_own;
	char *shown; /* the workspace of the report that was read */
};

/* ---- what to judge ---- */

static void note_own(struct check *c, FILE *f)
{
	struct stat st;

	if (f && c->n_own < ARRAY_SIZE(c->own) && !fstat(fileno(f), &st))
		c->own[c->n_own++] = (struct own_file){ st.st_dev, st.st_ino };
}

/* Reads the JSON file NAME. Returns 0, or the exit code after a message. */
static int read_json(struct check *c, const char *name, json_t **ret)
{
	FILE *f = run_job__open(name, "re");
	char why[JSON_WHY_MAX];
	int err;

	if (!f)
		return command__cannot(&check_command, "%s: %s", name, strerror(errno));
	note_own(c, f);
	err = json_text__read(fileno(f), ret, why);
	fclose(f);
	return err ? command__cannot(&check_command, "%s: %s", name, why) : 0;
}

/* Restores the workspace of a report that was read, and the globs that were ignored. */
static int take_scope(struct check *c)
{
	char *shown = run_name__bytes(json_object_get(c->report, "workspace"));
	struct run_scope *scope = &c->job.scope;
	const json_t *glob;
	size_t i;

	if (!shown || !json_is_array(json_object_get(c->report, "reads"))) {
		free(shown);
		return command__cannot(&check_command, "%s: not a report of iotrc run or check",
				       c->report_file);
	}
	scope->shown = c->job.workspace ?: shown;
	scope->root = realpath(scope->shown, NULL) ?: strdup(scope->shown);
	c->shown = shown;
	json_array_foreach(json_object_get(c->report, "ignored"), i, glob)
		if (json_is_string(glob) && c->job.n_ignores < RUN_IGNORES_MAX - 1)
			scope->ignores[c->job.n_ignores++] = json_string_value(glob);
	return scope->root ? 0 : command__cannot(&check_command, "out of memory");
}

/* Reads the report of an earlier run. Returns 0, or the exit code after a message. */
static int read_report(struct check *c)
{
	int code = read_json(c, c->report_file, &c->report);

	if (!code)
		code = take_scope(c);
	if (!code)
		code = run_job__open_reports(&c->job);
	if (!code && !c->document)
		c->document = json_incref(json_object_get(c->report, "declaration"));
	json_object_del(c->report, "check");
	json_object_del(c->report, "declaration");
	return code;
}

/* Returns 0, or the exit code after a message. */
static int run_checked(struct check *c)
{
	int code = run_job__open_reports(&c->job);

	c->job.processes = true;
	return code ?: run_job__run(&c->job, &c->report);
}

/* Adds the files that were not used. If the report lacks them, those of the workspace as it is now
 * are taken. */
static int add_unread(struct check *c)
{
	int err;

	if (json_object_get(c->report, "unread"))
		return 0;
	note_own(c, c->job.text);
	note_own(c, c->job.data);
	err = check_unread__add(c->report, &c->job.scope, c->own, c->n_own);
	return err ? command__cannot(&check_command, "%s: %s", c->job.scope.root, strerror(-err)) :
		     0;
}

/* ---- the declaration ---- */

static int ask_nx(struct check *c, bool after)
{
	char why[CHECK_NX_WHY_MAX] = "";
	const char *root = c->job.scope.root;
	int err = after ? check_nx__judge(root, c->nx, c->report, c->document, why) :
			  check_nx__resolve(root, c->nx, &c->document, why);

	return err ? command__cannot(&check_command, "%s", why) : 0;
}

/* Creates the declaration of the document, or replaces the existing one. Returns 0, or the exit
 * code after a message. */
static int read_declaration(struct check *c)
{
	const struct declaration_root root = { c->job.scope.root, c->job.scope.shown };
	char why[DECLARATION_WHY_MAX];

	if (!c->document)
		return 0;
	declaration__clear(&c->declaration);
	if (declaration__new(&c->declaration, c->document, &root, why))
		return command__cannot(&check_command, "%s: %s", c->declared ?: "the declaration",
				       why);
	return 0;
}

static int judge(struct check *c)
{
	int code = read_declaration(c);

	if (code || !c->document)
		return code;
	c->verdict = check__judge(c->report, &c->declaration, &c->job.scope);
	return c->verdict ? 0 : command__cannot(&check_command, "out of memory");
}

/* ---- output ---- */

/* Returns verdict, declaration and report in one document, which can be judged again. */
static json_t *whole_report(const struct check *c)
{
	json_t *whole = json_object();

	if (c->verdict) {
		json_object_set(whole, "check", c->verdict);
		json_object_set(whole, "declaration", c->document);
	}
	json_object_update(whole, c->report);
	return whole;
}

static int write_check_report(struct check *c)
{
	json_t *whole = whole_report(c);
	FILE *text;
	int code = run_job__write_json(&c->job, whole, &text);

	json_decref(whole);
	if (!text || !c->verdict)
		return code;
	check_print(c->report, c->verdict, c->summary, text);
	return command__flush_file(&check_command, text, code);
}

enum declaration_form { FORM_DECLARATION, FORM_READS, FORM_UNUSED, FORM_DEPFILE };

static int write_form(const struct check *c, enum declaration_form form, FILE *out)
{
	json_t *declaration;
	int err;

	switch (form) {
	case FORM_READS:
		return check__write_reads(c->report, c->nul, out);
	case FORM_UNUSED:
		return check__write_unused(c->verdict, c->nul, out);
	case FORM_DEPFILE:
		return check__write_depfile(c->report, out);
	default:
		declaration = check__declaration_of(c->report);
		err = json_text__lacks_memory() || json_dumpf(declaration, out, JSON_INDENT(1)) ||
		      fputc('\n', out) == EOF;
		json_decref(declaration);
		return err ? -EIO : 0;
	}
}

static int write_declared(const struct check *c, enum declaration_form form, const char *name)
{
	FILE *out;
	int err;

	if (!name)
		return 0;
	out = strcmp(name, "-") ? run_job__open(name, "we") : shown__stream(stdout);
	if (!out)
		return command__cannot(&check_command, "%s: %s", name, strerror(errno));
	err = write_form(c, form, out);
	if ((strcmp(name, "-") ? fclose(out) : fflush(out)) && !err)
		err = -errno;
	if (err == -EILSEQ)
		return command__cannot(&check_command,
				       "%s: this format cannot hold a character of a name%s", name,
				       form == FORM_DEPFILE ? "" : " (see --null)");
	return err ? command__cannot(&check_command, "%s: %s", name, strerror(-err)) : 0;
}

static int write_all(struct check *c)
{
	int code = write_check_report(c);

	code = write_declared(c, FORM_DECLARATION, c->write_declaration) ?: code;
	code = write_declared(c, FORM_READS, c->reads) ?: code;
	code = write_declared(c, FORM_UNUSED, c->bazel_unused) ?: code;
	return write_declared(c, FORM_DEPFILE, c->depfile) ?: code;
}

/* ---- from the beginning to the end ---- */

static int exit_code_of(const struct check *c)
{
	int status = (int)json_integer_value(json_object_get(c->report, "status"));

	if (c->warn)
		return status;
	if (c->verdict && check__violations(c->verdict))
		return EXIT_UNDECLARED;
	if (json_array_size(json_object_get(c->report, "incomplete")) ||
	    json_array_size(json_object_get(c->document, "undetermined")))
		return EXIT_LOST;
	return status;
}

static int check(struct check *c)
{
	int code = 0;

	if (c->declared)
		code = read_json(c, c->declared, &c->document);
	if (!code && !c->report_file)
		code = run_job__prepare(&c->job);
	if (!code && c->report_file)
		code = read_report(c);
	if (!code && c->nx)
		code = ask_nx(c, false);
	/* An invalid declaration is reported before the command runs. */
	if (!code)
		code = read_declaration(c);
	if (!code && !c->report_file)
		code = run_checked(c);
	if (!code)
		code = add_unread(c);
	if (!code && c->nx)
		code = ask_nx(c, true);
	if (!code)
		code = judge(c);
	if (!code)
		code = write_all(c);
	return code ?: exit_code_of(c);
}

static void clear_check(struct check *c)
{
	declaration__clear(&c->declaration);
	json_decref(c->document);
	json_decref(c->verdict);
	run_job__clear(&c->job);
	json_decref(c->report);
	free(c->shown);
}

static int parse_check_options(struct check *c, struct command_line *l)
{
	const char **const values[] = {
		[DECLARED] = &c->declared,  [NX] = &c->nx,
		[REPORT] = &c->report_file, [WRITE_DECLARATION] = &c->write_declaration,
		[READS] = &c->reads,        [BAZEL_UNUSED] = &c->bazel_unused,
		[DEPFILE] = &c->depfile,
	};
	int option;

	while ((option = command__next(l)) >= 0)
		if (option >= RUN_JOB) {
			if (!run_job__option(&c->job, option - RUN_JOB, l->value))
				return COMMAND_ERROR;
		} else if (l->value) {
			*values[option] = l->value;
		} else if (option == WARN || option == STRICT) {
			c->warn = option == WARN;
		} else {
			*(option == SUMMARY ? &c->summary : &c->nul) = true;
		}
	return option;
}

/* Returns 0, or the exit code after a message. */
static int check_line(const struct check *c, bool command)
{
	if (c->declared && c->nx)
		return command__usage(&check_command, "--declared or --nx, not both");
	if (command == !!c->report_file)
		return command__usage(&check_command, command ? "a command or --report, not both" :
								"a command or --report is needed");
	if (c->bazel_unused && !c->declared && !c->nx && !c->report_file)
		return command__usage(&check_command, "--bazel-unused needs --declared or --nx");
	if (!c->declared && !c->nx && !c->report_file && !c->write_declaration && !c->reads &&
	    !c->depfile)
		return command__usage(
			&check_command,
			"a declaration is needed: --declared FILE or --nx PROJECT:TARGET; "
			"--write-declaration FILE writes a first one");
	return 0;
}

static int check_main(int argc, char **argv)
{
	struct check c = { .job = { .command = &check_command } };
	struct command_line l;
	int option, code;

	command__begin(&l, &check_command, argc, argv, true);
	option = parse_check_options(&c, &l);
	if (option != COMMAND_END)
		return command__ended(&l, option);
	code = check_line(&c, l.at < argc);
	if (code)
		return code;
	c.job.facts.argv = argv + l.at;
	code = check(&c);
	clear_check(&c);
	return code;
}

const struct command check_command = {
	.name = "check",
	.usage = "[OPTION...] -- CMD...",
	.summary = "compare a command's files with a declaration",
	.synopsis = "[OPTION...] -- CMD [ARG...]\n[OPTION...] --report FILE",
	.description =
		"Runs CMD as iotrc run does, and compares what it read and wrote with a declaration:\n"
		"undeclared reads, undeclared writes, unused inputs (declared files that exist and were\n"
		"not read) and missing outputs, each with the process responsible. Prints a summary line\n"
		"on stderr, then each class by process, directory and extension.\n"
		"\n"
		"A declaration is JSON: inputs, outputs, ignore_reads, ignore_writes and optional_inputs\n"
		"are lists of globs, relative to the workspace. * and ? stop at a slash, ** doesn't;\n"
		"[a-z], [!a-z] and {a,b} are as in a shell; a glob that begins with ! excludes. A name\n"
		"without wildcards, or a glob that ends with a slash, also matches everything below.\n"
		"\n"
		"With --nx, the workspace's own nx says what a target reads and writes. The report of\n"
		"--json contains the declaration; --report judges it again, by the declaration of\n"
		"--declared if that is given. If CMD fails, missing outputs and unused inputs are not judged.",
	.options = check_options,
	.exit_codes =
		"4 something is undeclared, unused or missing, 3 something may be missing in the\nreport, else CMD's status (with --warn, in any case); 1 cannot, 2 usage.",
	.examples = "sudo iotrc check --write-declaration io.json -- make\n"
		    "sudo iotrc check --declared io.json --json report.json -- make\n"
		    "sudo iotrc check --nx app:build -- npx tsc -p packages/app\n"
		    "iotrc check --report report.json --declared io.json --summary",
	.main = check_main,
};
