// SPDX-License-Identifier: GPL-2.0-or-later
/* A session as a page. */
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "base/units.h"
#include "commands/confine.h"
#include "commands/out_file.h"
#include "commands/read_bar.h"
#include "dataset/session_walk.h"
#include "options/command.h"
#include "platform/privileges.h"
#include "report/feed.h"
#include "report/page.h"
#include "report/serve.h"

#define DEPTH_MAX 4

extern const struct command report_command;

static const struct command_option report_options[] = {
	{ "output", 'o', "FILE", "the page (default report.html); - is stdout" },
	{ "force", 'f', NULL, "replace FILE if it exists" },
	{ "anonymize", 'a', NULL, "replace names by tokens that only this page has" },
	{ "jobs", 'j', "N", "number of threads (default: one for each CPU)" },
	{ "serve", 's', NULL, "serve the page on 127.0.0.1 and keep it up to date,\nuntil Ctrl+C" },
	{ "port", 'p', "PORT", "where --serve listens (default: any free port)" },
	{ .name = NULL },
};
enum { OUTPUT, FORCE, ANONYMIZE, JOBS, SERVE, PORT };

struct report_task {
	const char *output;
	bool force, serve;
	uint16_t port;
	struct report_config report;
	struct read_bar bar;
};

/* ---- the session ---- */

/* Returns the newest of the sessions found. */
struct newest_session {
	int dir; /* -1: none */
	char *path, *name;
	unsigned int n;
};

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct newest_session *f = arg;
	char *base = strrchr(path, '/');

	base = base ? base + 1 : (char *)path;
	f->n++;
	if (f->dir >= 0 && strcmp(base, f->name) <= 0)
		return;
	if (f->dir >= 0)
		close(f->dir);
	free(f->path);
	free(f->name);
	f->dir = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	f->path = strdup(path);
	f->name = strdup(base);
}

static void on_failed(void *arg, const char *path, int err)
{
	shown__line(stderr, "iotrc report: %s: %s", path, strerror(-err));
}

static struct newest_session find_newest(const char *top)
{
	struct newest_session f = { .dir = -1 };
	const struct session_walk walk = {
		.on_session = on_session,
		.on_failed = on_failed,
		.depth = DEPTH_MAX,
		.arg = &f,
	};

	session_walk__run(&walk, top);
	if (f.n > 1 && f.path)
		shown__line(stderr, "the newest of %u sessions: %s", f.n, f.path);
	return f;
}

/* ---- the page ---- */

static void on_progress(void *arg, uint64_t read, uint64_t total)
{
	read_bar__show(&((struct report_task *)arg)->bar, read, total);
}

/* Prints what a reader of the page should know first. */
static void tell_reader(const struct report_task *t, const struct report_result *r, size_t len)
{
	char size[16];

	shown__line(stderr, "%s: %" PRIu64 " rows%s, %sB",
		    strcmp(t->output, "-") ? t->output : "stdout", r->rows,
		    r->running ? " of a session that is still being recorded" : "",
		    units__bytes(size, len));
	if (r->faults)
		shown__line(stderr,
			    "%" PRIu64 " files could not be read whole: the page says which",
			    r->faults);
	if (!page__draws())
		shown__line(stderr,
			    "the page has no charts: this iotrc was built without uPlot, as npm "
			    "was not there; install npm and build again");
}

static int write_page(struct report_task *t)
{
	struct report_result result = { .why = "" };
	bool to_stdout = !strcmp(t->output, "-");
	struct out_file out = { .name = NULL };
	char *page = NULL;
	size_t len = 0;
	int err;

	if (!to_stdout && !t->force && out_file__exists(t->output))
		return command__cannot(&report_command, "%s exists: --force replaces it",
				       t->output);
	err = report__page(&t->report, &page, &len, &result);
	read_bar__clear(&t->bar);
	if (err)
		return command__cannot(&report_command, "%s", result.why);
	err = out_file__open(&out, to_stdout ? NULL : t->output);
	if (!err && fwrite(page, len, 1, out.file) != 1)
		err = errno ? -errno : -EIO;
	err = out_file__close(&out, err, t->force);
	free(page);
	if (err)
		return command__cannot(&report_command, "%s: %s", t->output, strerror(-err));
	tell_reader(t, &result, len);
	return EXIT_OK;
}

static void say_where(uint16_t port)
{
	printf("http://127.0.0.1:%u/\n", port);
	fflush(stdout);
}

static int serve_report(struct report_task *t)
{
	struct report_server_config config = { .report = t->report, .port = t->port };
	sigset_t end;
	int err;

	if (!&report_server)
		return command__cannot(&report_command,
				       "--serve: this iotrc was built without libmicrohttpd");
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &end, NULL);
	config.report.live = true;
	config.report.progress = NULL;
	err = report_server.run(&config, say_where);
	return err ? command__cannot(&report_command, "--serve: %s", strerror(-err)) : EXIT_OK;
}

/* Sessions may be untrusted: from now on only the page's directory is writable. A server needs
 * system calls that a recording does not. */
static void confine_report(const struct report_task *t)
{
	bool to_stdout = !strcmp(t->output, "-");
	char *copy = to_stdout ? NULL : realpath(t->output, NULL) ?: strdup(t->output);
	const char *dir = copy ? dirname(copy) : NULL;

	if (!t->serve)
		confine(&(struct confinement){ .dirs = &dir,
					       .n_dirs = !!dir,
					       .state = -1,
					       .keep = privileges__needed(&(struct privileges_use){
						       .reads_all_files = true }) });
	free(copy);
}

static int report_newest(struct report_task *t, const char *top)
{
	struct newest_session f = { .dir = -1 };
	int code;

	confine_report(t);
	f = find_newest(top);

	if (f.dir < 0)
		return command__cannot(&report_command,
				       "%s: no session (manifest.json) here or below", top);
	t->report.dir = f.dir;
	t->report.path = f.path;
	code = t->serve ? serve_report(t) : write_page(t);
	close(f.dir);
	free(f.path);
	free(f.name);
	return code;
}

/* ---- the command line ---- */

static int parse_report_options(struct command_line *l, struct report_task *t)
{
	unsigned long n;
	int option;

	while ((option = command__next(l)) >= 0) {
		if (option == OUTPUT)
			t->output = l->value;
		else if (option == JOBS &&
			 (units__parse_number(l->value, FEED_WORKERS_MAX, &n) || !n))
			return command__usage(l->command, "--jobs: '%s' is not 1 to %d", l->value,
					      FEED_WORKERS_MAX);
		else if (option == PORT && units__parse_number(l->value, UINT16_MAX, &n))
			return command__usage(l->command, "--port: '%s' is no port", l->value);
		else if (option == JOBS)
			t->report.workers = n;
		else if (option == PORT)
			t->port = n;
		t->force |= option == FORCE;
		t->serve |= option == SERVE;
		t->report.anonymous |= option == ANONYMIZE;
	}
	return option == COMMAND_END ? -1 : command__ended(l, option);
}

static int report_main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct report_task task = { .output = "report.html" };
	struct command_line l;
	int code;

	task.report.workers = cpus < 1 ? 1 : cpus > FEED_WORKERS_MAX ? FEED_WORKERS_MAX : cpus;
	task.report.sample_divisor = 1;
	task.report.arg = &task;
	task.report.progress = on_progress;
	read_bar__begin(&task.bar);
	command__begin(&l, &report_command, argc, argv, false);
	code = parse_report_options(&l, &task);
	if (code >= 0)
		return code;
	if (l.at + 1 != argc)
		return command__usage(&report_command, "one SESSION is needed");
	return report_newest(&task, argv[l.at]);
}

const struct command report_command = {
	.name = "report",
	.usage = "SESSION",
	.summary = "make a page with charts and tables of a session",
	.synopsis = "SESSION [-o FILE]",
	.description =
		"Writes one HTML file that shows what a session recorded: I/O over time, latencies,\n"
		"sizes, the files, directories, processes, devices, containers and peers with the most\n"
		"I/O, where in files and on disks, errors, the page cache, and what was lost. It needs\n"
		"no network and no other file, and has at most 5 MB. If a directory has several\n"
		"sessions, the newest one is used; if a session is still being recorded, the page shows\n"
		"what has been written so far.\n"
		"\n"
		"The page contains file names, command lines and addresses, and says so at the top; -a\n"
		"replaces them by tokens. Rows are read once, with at most 120 MB of memory for\n"
		"each thread. docs/report.md says what is exact and what is estimated.",
	.options = report_options,
	.exit_codes = "0 written, 1 cannot, 2 usage.",
	.examples = "iotrc report iotrc-traces\n"
		    "iotrc report iotrc-traces -a -o to-share.html\n"
		    "iotrc report iotrc-traces --serve",
	.main = report_main,
};
