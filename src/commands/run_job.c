// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_job.h"

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
#include "base/shown.h"
#include "base/temporary_dir.h"
#include "commands/run_after.h"
#include "commands/run_child.h"
#include "commands/run_loader.h"
#include "commands/run_recorder.h"
#include "dataset/recover.h"
#include "dataset/session.h"
#include "dataset/session_walk.h"
#include "export/rows.h"
#include "platform/macros.h"
#include "schema/fs_ops.h"
#include "schema/selection.h"

/* The operations of run_tree and run_processes. */
#define PROCESS_OPS \
	(UINT64_C(1) << FS_PROCESS_FORK | UINT64_C(1) << FS_PROCESS_EXEC | \
	 UINT64_C(1) << FS_PROCESS_EXIT)
#define SAID_MAX 512 /* bytes of a line of the recorder's messages */

static const char *const ignored[] = { ".git", "node_modules", ".nx" };

/* ---- the recording ---- */

void run_job__incomplete(struct run_job *j, const char *text)
{
	json_array_append_new(j->facts.incomplete, json_text(text));
}

/* Passes on the recorder's messages, a line each: to stderr, or as reasons why something may be
 * missing. */
static void tell_said(struct run_job *j, FILE *said, bool failed)
{
	char line[SAID_MAX];
	const char *text;

	while (fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = 0;
		text = strncmp(line, "iotrc: ", 7) ? line : line + 7;
		if (failed)
			command__cannot(j->command, "%s", text);
		else
			run_job__incomplete(j, text);
	}
}

static void judge_recorder(struct run_job *j, int status, FILE *said)
{
	char text[64];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the recorder was killed by signal %d",
			 WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "the recorder ended with code %d",
			 WEXITSTATUS(status));
	if (status)
		run_job__incomplete(j, text);
	tell_said(j, said, false);
}

static void recover_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct recovered done;
	int outcome = recover__session(parent, name, NULL, &done);
	char text[RECOVER_DESCRIBE_MAX];

	if (outcome < 0 && recover__describe(text, outcome, &done))
		run_job__incomplete(arg, text);
}

/* Finishes the files of a recorder that was killed, so that their rows can be used. */
static void recover_recording(struct run_job *j)
{
	const struct session_walk walk = { .is_session = session_walk__may_recover,
					   .on_session = recover_session,
					   .depth = 3,
					   .arg = j };

	session_walk__run(&walk, j->keep ?: j->temporary);
}

/* Returns the time stamp that a file changed now would get; it advances in steps of some
 * milliseconds. */
static int64_t file_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static void on_strace_error(void *arg, const char *line)
{
	run_job__incomplete(arg, line);
}

/* Returns 0, or a negative errno; -ECHILD: the recorder's messages say why. */
static int start_recorder(struct run_job *j, struct run_recorder *recorder, pid_t pid)
{
	const char *dir = j->keep ?: j->temporary;
	const struct run_rows all = { .ops = ALL_OPS },
			      enough = { run_files__operations() | PROCESS_OPS, true };
	int err;

	for (;;) {
		err = run_recorder__start(recorder, pid, dir, j->keep ? &all : &enough, &j->tracer);
		if (err != -ECHILD || !run_engine__take_other(&j->tracer))
			return err;
		run_recorder__clear(recorder);
		*recorder = (struct run_recorder){ 0 };
	}
}

/* Runs and records the command. Returns 0, or the exit code after a message. */
static int run_and_record(struct run_job *j)
{
	struct run_recorder recorder = { 0 };
	const struct run_plan plan = { j->command, j->facts.argv,
				       j->tracer.fifo ? &j->tracer : NULL };
	struct run_child child;
	uint64_t began;
	int status, err = j->wait ? run_child__adopt() : 0;

	if (err)
		return command__cannot(j->command, "cannot wait for the whole process tree: %s",
				       strerror(-err));
	err = run_child__new(&child, &plan);
	if (err)
		return command__cannot(j->command, "cannot start a process: %s", strerror(-err));
	j->ran.began_ns = file_time();
	err = start_recorder(j, &recorder, child.pid);
	if (err) {
		run_child__cancel(&child);
		if (err == -ECHILD)
			tell_said(j, recorder.says, true);
		else
			command__cannot(j->command, "cannot record: %s", strerror(-err));
		run_recorder__clear(&recorder);
		return EXIT_CANNOT;
	}
	err = run_engine__watch(&j->tracer, recorder.pid);
	if (err)
		run_job__incomplete(j, "cannot watch the recorder: out of memory");
	began = clock__mono_ns();
	run_child__start(&child);
	j->facts.status = run_child__wait(&child);
	j->facts.duration_ns = clock__mono_ns() - began;
	if (j->wait)
		run_child__wait_for_rest(recorder.pid);
	j->ran.ended_ns = clock__real_ns();
	status = run_recorder__stop(&recorder);
	judge_recorder(j, status, recorder.says);
	j->broke_off = WIFSIGNALED(status);
	if (j->broke_off)
		recover_recording(j);
	run_engine__errors(&j->tracer, on_strace_error, j);
	run_recorder__clear(&recorder);
	return 0;
}

void run_job__row(struct run_job *j, const struct export_row *row)
{
	run_files__row(&j->files, row, run_tree__row(&j->tree, row));
	run_processes__row(&j->unended, row);
}

static int take_row(void *arg, const struct export_row *row)
{
	run_job__row(arg, row);
	return 0;
}

static void read_trace(struct run_job *j)
{
	const char *paths[] = { j->keep ?: j->temporary, NULL };
	struct rows_config config = {
		.paths = paths, .streams = 1 << STREAM_FS, .row = take_row, .arg = j
	};
	struct scan_result result = { .why = "" };
	char text[80];
	int err = rows__read(&config, &result);

	if (err)
		run_job__incomplete(j, *result.why ? result.why : strerror(-err));
	if (result.lost[STREAM_FS]) {
		snprintf(text, sizeof(text), "%" PRIu64 " rows were lost", result.lost[STREAM_FS]);
		run_job__incomplete(j, text);
	}
	if (result.unfinished)
		run_job__incomplete(j, "the recording isn't finished: its last rows are missing");
	run_loader__add(&j->files);
	run_after__look(&j->files, j->ran);
	if (j->files.moved) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " directories that existed before were renamed",
			 j->files.moved);
		run_job__incomplete(j, text);
	}
	/* The messages of strace name the process. */
	if (j->files.roots && !j->tracer.fifo)
		run_job__incomplete(j, "another root: paths there may be wrong");
	if (j->files.mounts)
		run_job__incomplete(j, "something was mounted: paths there may be wrong");
	if (j->files.cut) {
		snprintf(text, sizeof(text), "%" PRIu64 " calls on paths that are too long",
			 j->files.cut);
		run_job__incomplete(j, text);
	}
	if (j->files.full)
		run_job__incomplete(j, "out of memory for files");
	if (j->tree.full)
		run_job__incomplete(j, "out of memory for processes");
	/* If the recording broke off, ends of processes are missing as well. */
	if (!j->broke_off)
		run_processes__tell(&j->unended, j->facts.incomplete);
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

void run_job__clear(struct run_job *j)
{
	if (j->temporary)
		nftw(j->temporary, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (j->text)
		fclose(j->text);
	if (j->data && strcmp(j->json, "-"))
		fclose(j->data);
	run_files__clear(&j->files);
	run_processes__clear(&j->unended);
	run_tree__clear(&j->tree);
	json_decref(j->facts.incomplete);
	free(j->temporary);
	free(j->scope.root);
}

FILE *run_job__open(const char *name, const char *mode)
{
	uid_t uid;
	gid_t gid;
	FILE *f;

	session__owner(&uid, &gid);
	if (uid != (uid_t)-1 && (setegid(gid) || seteuid(uid)))
		return NULL;
	f = fopen(name, mode);
	if (uid != (uid_t)-1 && (seteuid(0) || setegid(0))) {
		if (f)
			fclose(f);
		return NULL;
	}
	return f;
}

/* Returns $PWD, the shell's spelling of the working directory, if it is correct. */
static const char *working_directory(void)
{
	const char *pwd = getenv("PWD");
	struct stat here, there;

	if (pwd && *pwd == '/' && !stat(pwd, &there) && !stat(".", &here) &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return pwd;
	return ".";
}

/* Creates a temporary directory for the recording unless it is kept. Returns 0, or the exit code
 * after a message. */
static int make_temporary(struct run_job *j)
{
	if (asprintf(&j->temporary, "%s/iotrc-run-XXXXXX", temporary_dir()) < 0) {
		j->temporary = NULL;
		return command__cannot(j->command, "out of memory");
	}
	if (mkdtemp(j->temporary))
		return 0;
	command__cannot(j->command, "%s: %s", j->temporary, strerror(errno));
	free(j->temporary);
	j->temporary = NULL;
	return EXIT_CANNOT;
}

int run_job__open_reports(struct run_job *j)
{
	if (j->output && !(j->text = run_job__open(j->output, "we")))
		return command__cannot(j->command, "%s: %s", j->output, strerror(errno));
	if (j->json && !(j->data = strcmp(j->json, "-") ? run_job__open(j->json, "we") :
							  shown__stream(stdout)))
		return command__cannot(j->command, "%s: %s", j->json, strerror(errno));
	return 0;
}

int run_job__prepare(struct run_job *j)
{
	j->scope.shown = j->workspace ?: working_directory();
	j->scope.root = realpath(j->scope.shown, NULL);
	if (!j->scope.root)
		return command__cannot(j->command, "%s: %s", j->scope.shown, strerror(errno));
	if (!strcmp(j->scope.shown, "."))
		j->scope.shown = j->scope.root;
	run_files__alias(&j->files, j->scope.shown, j->scope.root);
	if (!j->no_ignore)
		for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
			j->scope.ignores[j->n_ignores++] = ignored[i];
	j->facts.incomplete = json_array();
	return 0;
}

int run_job__run(struct run_job *j, json_t **ret)
{
	const struct run_observed observed = { &j->files, &j->tree, j->processes };
	int code = run_engine__choose(&j->tracer, j->command, j->engine);

	if (!code)
		code = run_engine__begin(&j->tracer, j->command);
	if (!code && !j->keep)
		code = make_temporary(j);
	if (!code)
		code = run_and_record(j);
	run_engine__end(&j->tracer);
	j->facts.engine = j->tracer.name;
	j->facts.engine_why = j->tracer.why;
	if (code)
		return code;
	read_trace(j);
	*ret = run_report__new(&observed, &j->scope, &j->facts);
	return *ret ? 0 : command__cannot(j->command, "out of memory");
}

int run_job__write_json(struct run_job *j, const json_t *report, FILE **ret_text)
{
	*ret_text = j->text ?: j->data ? NULL : stderr;
	if (!j->data)
		return 0;
	if (json_text__lacks_memory() ||
	    (json_dumpf(report, j->data, JSON_INDENT(1)) && !ferror(j->data)))
		return command__cannot(j->command, "out of memory");
	fputc('\n', j->data);
	return command__flush_file(j->command, j->data, 0);
}

/* ---- options ---- */

enum { OUTPUT, JSON, WORKSPACE, ALL, IGNORE, NO_IGNORE, STAT, KEEP, ENGINE, WAIT };

static bool add_ignore(struct run_job *j, const char *glob)
{
	if (j->n_ignores == RUN_IGNORES_MAX - ARRAY_SIZE(ignored) - 1) {
		command__usage(j->command, "--ignore: too many");
		return false;
	}
	j->scope.ignores[j->n_ignores++] = glob;
	return true;
}

bool run_job__option(struct run_job *j, int option, const char *value)
{
	const char **const values[] = {
		[OUTPUT] = &j->output,
		[WORKSPACE] = &j->workspace,
		[KEEP] = &j->keep,
		[ENGINE] = &j->engine,
	};
	bool *const flags[] = {
		[ALL] = &j->scope.all,
		[NO_IGNORE] = &j->no_ignore,
		[STAT] = &j->scope.stated,
		[WAIT] = &j->wait,
	};

	if (option == IGNORE)
		return add_ignore(j, value);
	if (option == JSON)
		j->json = value ?: "-";
	else if (value)
		*values[option] = value;
	else
		*flags[option] = true;
	return true;
}
