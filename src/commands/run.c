// SPDX-License-Identifier: GPL-2.0-or-later
/* The files of one command: it is recorded with all that it starts, and the rows are judged. */
#include "commands/run.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "commands/run_child.h"
#include "commands/run_files.h"
#include "commands/run_processes.h"
#include "commands/run_recorder.h"
#include "commands/run_report.h"
#include "dataset/session.h"
#include "export/rows.h"
#include "platform/macros.h"

#define SAID_MAX 512 /* bytes of a line of the recorder's */

static const struct command_option run_options[] = {
	{ "output", 'o', "FILE", "the report, instead of on stderr" },
	{ "json", 'j', "FILE", "the report as JSON, with all lists; - is stdout" },
	{ "workspace", 'w', "DIR", "which files are told of (default: the working\ndirectory)" },
	{ "all", 'a', NULL, "those outside of it, too" },
	{ "ignore", 'i', "GLOB",
	  "leave out these as well (besides .git,\nnode_modules, .nx); may be repeated" },
	{ "no-ignore", 0, NULL, "leave out nothing but what --ignore says" },
	{ "stat", 0, NULL, "what was only looked at counts as read" },
	{ "strict", 0, NULL, "exit with 3 when something may be missing" },
	{ "keep", 'k', "DIR", "keep the whole recording in DIR" },
	{ .name = NULL },
};
enum { OUTPUT, JSON, WORKSPACE, ALL, IGNORE, NO_IGNORE, STAT, STRICT, KEEP };

static const char *const ignored[] = { ".git", "node_modules", ".nx" };

struct run {
	const char *output, *json, *workspace, *keep;
	bool no_ignore, strict;
	size_t n_ignores;
	struct run_scope scope;
	struct run_facts facts;
	char *temporary;  /* the recording, where it isn't kept */
	int64_t began_ns; /* of 1970, before the command could begin */
	FILE *text, *data;
	struct run_files files;
	struct run_processes processes;
};

/* ---- the recording ---- */

static void note(struct run *r, const char *text)
{
	json_array_append_new(r->facts.incomplete, json_text(text));
}

/* What the recorder said, a line each: to stderr, or as reasons why something is missing. */
static void tell_said(struct run *r, FILE *said, bool failed)
{
	char line[SAID_MAX];

	while (fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = 0;
		if (failed)
			command__cannot(&run_command, "%s",
					strncmp(line, "iotrc: ", 7) ? line : line + 7);
		else
			note(r, line);
	}
}

static void judge_recorder(struct run *r, int status, FILE *said)
{
	char text[64];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the recorder was killed by signal %d",
			 WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "the recorder ended with code %d",
			 WEXITSTATUS(status));
	if (status)
		note(r, text);
	tell_said(r, said, false);
}

/* Runs and records the command. 0, or the exit code after a message. */
static int run_and_record(struct run *r)
{
	struct run_recorder recorder = { 0 };
	const char *dir = r->keep ?: r->temporary;
	struct run_child child;
	uint64_t began;
	int err = run_child__new(&child, r->facts.argv);

	if (err)
		return command__cannot(&run_command, "cannot start a process: %s", strerror(-err));
	r->began_ns = clock__real_ns();
	err = run_recorder__start(&recorder, child.pid, dir);
	if (err) {
		run_child__cancel(&child);
		if (err == -ECHILD)
			tell_said(r, recorder.says, true);
		else
			command__cannot(&run_command, "cannot record: %s", strerror(-err));
		run_recorder__clear(&recorder);
		return EXIT_CANNOT;
	}
	began = clock__mono_ns();
	run_child__start(&child);
	r->facts.status = run_child__wait(&child);
	r->facts.duration_ns = clock__mono_ns() - began;
	judge_recorder(r, run_recorder__stop(&recorder), recorder.says);
	run_recorder__clear(&recorder);
	return 0;
}

static int on_row(void *arg, const struct export_row *row)
{
	struct run *r = arg;

	run_files__row(&r->files, row);
	run_processes__row(&r->processes, row);
	return 0;
}

static void read_rows(struct run *r)
{
	const char *paths[] = { r->keep ?: r->temporary, NULL };
	struct rows_config config = {
		.paths = paths, .streams = 1 << STREAM_FS, .row = on_row, .arg = r
	};
	struct rows_result result = { .why = "" };
	char text[80];
	int err = rows__read(&config, &result);

	if (err)
		note(r, *result.why ? result.why : strerror(-err));
	if (result.lost[STREAM_FS]) {
		snprintf(text, sizeof(text), "%" PRIu64 " rows were lost", result.lost[STREAM_FS]);
		note(r, text);
	}
	if (result.unfinished)
		note(r, "the recording isn't finished: its last rows are missing");
	run_files__finish(&r->files, r->began_ns);
	if (r->files.moved) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " directories renamed that were there before", r->files.moved);
		note(r, text);
	}
	if (r->files.cut) {
		snprintf(text, sizeof(text), "%" PRIu64 " calls on paths that are too long",
			 r->files.cut);
		note(r, text);
	}
	if (r->files.full)
		note(r, "out of memory for files");
	run_processes__tell(&r->processes, r->facts.incomplete);
}

/* ---- the report ---- */

static int write_report(struct run *r)
{
	json_t *report = run_report__new(&r->files, &r->scope, &r->facts);
	int err = 0;

	if (r->data)
		err = json_dumpf(report, r->data, JSON_INDENT(1)) || fputc('\n', r->data) == EOF ||
		      fflush(r->data);
	if (r->text || !r->data) {
		FILE *out = r->text ?: stderr;

		run_report__print(report, out);
		err |= fflush(out);
	}
	json_decref(report);
	return err ? command__cannot(&run_command, "cannot write the report") : 0;
}

/* ---- before and after ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

static void clean_up(struct run *r)
{
	if (r->temporary)
		nftw(r->temporary, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (r->text)
		fclose(r->text);
	if (r->data && r->data != stdout)
		fclose(r->data);
	run_files__clear(&r->files);
	run_processes__clear(&r->processes);
	json_decref(r->facts.incomplete);
	free(r->temporary);
	free(r->scope.root);
}

/* Opens NAME to write, with the rights and for the user that the command has. */
static FILE *open_report(const char *name)
{
	uid_t uid;
	gid_t gid;
	FILE *f;

	session__owner(&uid, &gid);
	if (uid != (uid_t)-1 && (setegid(gid) || seteuid(uid)))
		return NULL;
	f = fopen(name, "we");
	if (uid != (uid_t)-1 && (seteuid(0) || setegid(0))) {
		if (f)
			fclose(f);
		return NULL;
	}
	return f;
}

/* The working directory as the shell spells it, if that is where we are. */
static const char *working_directory(void)
{
	const char *pwd = getenv("PWD");
	struct stat here, there;

	if (pwd && *pwd == '/' && !stat(pwd, &there) && !stat(".", &here) &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return pwd;
	return ".";
}

/* 0, or the exit code after a message. */
static int prepare(struct run *r)
{
	const struct command *c = &run_command;
	const char *temporary = getenv("TMPDIR");

	r->scope.shown = r->workspace ?: working_directory();
	r->scope.root = realpath(r->scope.shown, NULL);
	if (!r->scope.root)
		return command__cannot(c, "%s: %s", r->scope.shown, strerror(errno));
	if (!strcmp(r->scope.shown, "."))
		r->scope.shown = r->scope.root;
	run_files__alias(&r->files, r->scope.shown, r->scope.root);
	if (!r->no_ignore)
		for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
			r->scope.ignores[r->n_ignores++] = ignored[i];
	if (r->output && !(r->text = open_report(r->output)))
		return command__cannot(c, "%s: %s", r->output, strerror(errno));
	if (r->json && !(r->data = strcmp(r->json, "-") ? open_report(r->json) : stdout))
		return command__cannot(c, "%s: %s", r->json, strerror(errno));
	r->facts.incomplete = json_array();
	if (r->keep)
		return 0;
	if (asprintf(&r->temporary, "%s/iotrc-run-XXXXXX",
		     temporary && *temporary == '/' ? temporary : "/tmp") < 0)
		return command__cannot(c, "out of memory");
	if (!mkdtemp(r->temporary)) {
		command__cannot(c, "%s: %s", r->temporary, strerror(errno));
		free(r->temporary);
		r->temporary = NULL;
		return EXIT_CANNOT;
	}
	return 0;
}

static int run(struct run *r)
{
	int code = prepare(r);

	if (!code)
		code = run_and_record(r);
	if (code)
		return code;
	read_rows(r);
	code = write_report(r);
	if (r->strict && json_array_size(r->facts.incomplete))
		return EXIT_LOST;
	return r->facts.status ?: code;
}

static int parse_options(struct run *r, struct command_line *l)
{
	const char **const values[] = {
		[OUTPUT] = &r->output,
		[JSON] = &r->json,
		[WORKSPACE] = &r->workspace,
		[KEEP] = &r->keep,
	};
	bool *const flags[] = {
		[ALL] = &r->scope.all,
		[NO_IGNORE] = &r->no_ignore,
		[STAT] = &r->scope.stated,
		[STRICT] = &r->strict,
	};
	int option;

	while ((option = command__next(l)) >= 0)
		if (option == IGNORE && r->n_ignores == RUN_IGNORES_MAX - ARRAY_SIZE(ignored) - 1) {
			command__usage(&run_command, "--ignore: too many");
			return COMMAND_ERROR;
		} else if (option == IGNORE) {
			r->scope.ignores[r->n_ignores++] = l->value;
		} else if (l->value) {
			*values[option] = l->value;
		} else {
			*flags[option] = true;
		}
	return option;
}

static int run_main(int argc, char **argv)
{
	struct run r = { .output = NULL };
	struct command_line l;
	int option, code;

	command__begin(&l, &run_command, argc, argv, true);
	option = parse_options(&r, &l);
	if (option != COMMAND_END)
		return option == COMMAND_DONE ? EXIT_OK : EXIT_USAGE;
	if (l.at == argc)
		return command__usage(&run_command, "a command is needed");
	r.facts.argv = argv + l.at;
	code = run(&r);
	clean_up(&r);
	return code;
}

const struct command run_command = {
	.name = "run",
	.usage = "[OPTION...] -- CMD...",
	.summary = "run a command and tell which files it read and wrote",
	.synopsis = "[OPTION...] -- CMD [ARG...]",
	.description =
		"Runs CMD as the invoking user, under sudo too, and records it and all that it starts,\n"
		"from its first instruction until it has ended. Then it lists on stderr the files that\n"
		"CMD read and wrote, relative to the workspace, at most 50 of each.\n"
		"\n"
		"A file is read when what it held before CMD wrote to it was read or mapped; what CMD\n"
		"wrote itself and read back is only written. Files made and removed again are in neither\n"
		"list. The JSON has reads, writes, modified (both), missing, listed, stated, denied,\n"
		"executed, deleted, renamed, transient and incomplete. A name that is no UTF-8 is an\n"
		"object there, whose base64 are its bytes.\n"
		"\n"
		"When something may be missing, incomplete says what: rows were lost, the recorder was\n"
		"killed, or a process was still running when CMD ended. With --json the text is written\n"
		"only where -o says so.",
	.options = run_options,
	.exit_codes =
		"CMD's status, 128+n when signal n killed it, 126 or 127 when it could not be\nexecuted; 1 cannot record, 2 usage, 3 with --strict: something may be missing.",
	.examples = "sudo iotrc run -- make\n"
		    "sudo iotrc run --json files.json --ignore '*.o' -- cc -c main.c\n"
		    "sudo iotrc run --strict --json - -- make | jq .reads",
	.main = run_main,
};
