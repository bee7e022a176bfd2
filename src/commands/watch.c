// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/units.h"
#include "commands/filter_options.h"
#include "commands/watch_live.h"
#include "commands/watch_output.h"
#include "commands/watch_stuck.h"
#include "export/rows.h"
#include "export/where.h"
#include "platform/macros.h"
#include "summary/filter.h"
#include "summary/measure.h"
#include "watch/expression.h"

static const struct command_option watch_options[] = {
	{ "expression", 'e', "LIST",
	  "what to show: operations (read), streams (block), or\nfile, desc, process, memory, network, disk, all;\n"
	  "'!LIST': all but these (default fs,nw_conn)" },
	{ "where", 'w', "CONDITION", "only rows that match, as of iotrc cat" },
	{ "json", 'j', NULL, "JSON lines, with the columns of the schema" },
	{ "format", 'f', "LIST", "only these columns, separated by tabs" },
	{ "duration", 'd', "TIME", "live: stop after TIME (default: at Ctrl+C)" },
	{ "from", 0, "TIME",
	  "of a session: rows from TIME on, HH:MM[:SS],\n'YYYY-MM-DD HH:MM:SS' or +TIME after its start" },
	{ "to", 0, "TIME", "of a session: rows up to TIME" },
	{ "stuck", 0, NULL,
	  "with -p: what each thread is in now, since when, on\nwhich file; refreshed every second" },
	{ "path", 'P', "PREFIX", "only files at or below PREFIX; may be repeated" },
	{ "pid", 'p', "LIST", "only these processes and their descendants" },
	{ "command", 'c', "LIST", "only threads of these names" },
	{ "slow", 's', "TIME", "only what took at least TIME (1ms)" },
	{ "errors", 'x', NULL, "only what failed" },
	{ "scope", 0, "files|all",
	  "live: also pipes, sockets, devices and pseudo\nfilesystems (default files)" },
	FILTER_OPTION_ROWS,
	{ .name = NULL },
};
enum { EXPRESSION, WHERE, JSON, FORMAT, DURATION, FROM, TO, STUCK };

#define TIME_BYTES 19 /* "YYYY-MM-DD HH:MM:SS" */
#define DAY_BYTES 11  /* "YYYY-MM-DD " */

/* A bound of --from or --to: a wall time as in rows, possibly shortened, or a time since the first
 * row. */
struct bound {
	char wall[32];
	size_t len;       /* of WALL; 0: see after_ns */
	bool without_day; /* WALL has no day yet: it gets that of the first row */
	uint64_t after_ns;
	bool given;
};

struct watch_task {
	const struct command *command;
	const char *expression, *where_text, *format, *duration, *from_text, *to_text;
	bool json, stuck;

	struct expression what;
	struct filter_options filters;
	struct filter filter; /* for sessions; live, the engine filters */
	struct condition *where;
	struct bound from, to;
	uint64_t first_ns; /* mono_ns of the first row; 0: none yet */
	struct watch_output output;
};

/* ---- which rows ---- */

/* Whether -e asks for ROW. */
static bool is_listed(const struct watch_task *t, const struct export_row *row)
{
	const struct row_field *name = &row->fields[row__column(STREAM_FS, "operation")];

	return t->what.streams >> row->stream & 1 &&
	       (row->stream != STREAM_FS || expression__has(&t->what, name->s, name->len));
}

static bool is_wanted_row(void *arg, const struct export_row *row)
{
	struct watch_task *t = arg;

	return is_listed(t, row) && (!t->where || where__meets(t->where, row)) &&
	       filter__keeps(&t->filter, row);
}

/* ---- a session ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Returns false if TEXT is not a time. */
static bool parse_bound(const char *text, struct bound *ret)
{
	static const char pattern[] = "0000-00-00 00:00:00.000000";
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return true;
	ret->given = true;
	if (*text == '+')
		return !units__parse_time(text + 1, &ret->after_ns);
	ret->without_day = len > 2 && text[2] == ':';
	if (len < 2 || len > sizeof(pattern) - 1 - (ret->without_day ? DAY_BYTES : 0))
		return false;
	for (size_t i = 0; i < len; i++) {
		char p = pattern[i + (ret->without_day ? DAY_BYTES : 0)];

		if (p == '0' ? !is_digit(text[i]) : p != (text[i] == 'T' ? ' ' : text[i]))
			return false;
		ret->wall[i] = (char)(p == ' ' ? ' ' : text[i]);
	}
	ret->len = len;
	return true;
}

static void add_day(struct bound *b, const struct row_field *timestamp)
{
	if (!b->without_day || timestamp->len < DAY_BYTES)
		return;
	memmove(b->wall + DAY_BYTES, b->wall, b->len);
	memcpy(b->wall, timestamp->s, DAY_BYTES);
	b->len += DAY_BYTES;
	b->without_day = false;
}

/* Returns -1, 0 or 1: ROW is before, within, or after the second (or minute, ...) that B names. */
static int compare_to_bound(const struct watch_task *t, const struct bound *b,
			    const struct export_row *row)
{
	const struct row_field *timestamp = &row->fields[0];
	uint64_t at = row->mono_ns - t->first_ns;
	int c;

	if (!b->len)
		return at < b->after_ns ? -1 : at > b->after_ns;
	c = memcmp(timestamp->s, b->wall, MIN(timestamp->len, b->len));
	return c < 0 ? -1 : c > 0;
}

static int show_row(void *arg, const struct export_row *row)
{
	struct watch_task *t = arg;

	if (!t->first_ns) {
		t->first_ns = row->mono_ns;
		add_day(&t->from, &row->fields[0]);
		add_day(&t->to, &row->fields[0]);
	}
	if (t->from.given && compare_to_bound(t, &t->from, row) < 0)
		return 0;
	if (t->to.given && compare_to_bound(t, &t->to, row) > 0)
		return 0;
	if (is_wanted_row(t, row)) {
		watch_output__row(&t->output, row);
		if (t->output.n_lines == WATCH_BATCH_LINES)
			watch_output__flush(&t->output, true);
	}
	return t->output.closed ? -EPIPE : 0;
}

static int play(struct watch_task *t, char **paths)
{
	struct rows_config config = { .paths = (const char *const *)paths,
				      .streams = t->what.streams,
				      .row = show_row,
				      .arg = t };
	struct scan_result result = { .why = "" };
	int err;

	t->output.terminal = false; /* not live: all lines are written */
	signal(SIGPIPE, SIG_IGN);
	err = rows__read(&config, &result);
	watch_output__flush(&t->output, true);
	if (err && err != -EPIPE)
		return command__cannot(t->command, "%s", *result.why ? result.why : strerror(-err));
	if (result.unfinished)
		fputs("of sessions still being recorded, only finished files were read\n", stderr);
	return EXIT_OK;
}

/* ---- live ---- */

/* Shows the calls that the processes of --pid are in. */
static int show_stuck(struct watch_task *t, const struct watch_live *live)
{
	const struct watch_stuck stuck = { .command = t->command,
					   .selection = live->selection,
					   .duration_ns = live->duration_ns,
					   .slow_ns = live->selection->slow_ns,
					   .json = t->json };

	return watch_stuck__run(&stuck);
}

static int run_watch_live(struct watch_task *t, char **argv)
{
	struct watch_live live = { .command = t->command,
				   .argv = argv,
				   .wanted = is_wanted_row,
				   .arg = t,
				   .output = &t->output };
	struct options options = { .argc = 0 };
	int code;

	if (t->from_text || t->to_text)
		return command__usage(t->command, "--from and --to need a SESSION");
	if (t->duration && units__parse_time(t->duration, &live.duration_ns))
		return command__usage(t->command, "--duration: '%s' is not a time (10s, 5m)",
				      t->duration);
	if (t->stuck && !filter_options__has(&t->filters, "pid"))
		return command__usage(t->command, "--stuck needs --pid");
	if (argv && (filter_options__has(&t->filters, "pid") || t->duration))
		return command__usage(t->command, "--pid and --duration do not go with -- CMD");
	code = filter_options__live(&t->filters, t->command, &options);
	if (code)
		return code;
	options.selection.streams = t->what.streams;
	options.selection.ops = t->what.ops ?: ALL_OPS;
	live.selection = &options.selection;
	live.pid = options.selection.n_pids == 1 ? options.selection.pids[0] : 0;
	if (live.pid && kill(live.pid, 0) && errno == ESRCH)
		code = command__cannot(t->command, "there is no process %d", live.pid);
	if (!code && t->stuck)
		code = show_stuck(t, &live);
	else if (!code)
		code = watch_live__run(&live);
	options__done(&options);
	return code;
}

/* ---- the command line ---- */

/* Returns 0, or the exit code after a message. */
static int prepare_watch(struct watch_task *t)
{
	const struct command *c = t->command;
	char why[WHERE_WHY_MAX];
	const char *bad;

	t->what = expression__default();
	if (t->expression && expression__parse(&t->what, t->expression, why))
		return command__usage(c, "-e: %s", why);
	if (t->where_text && where__new(&t->where, t->where_text, t->what.streams, why))
		return command__usage(c, "--where: %s", *why ? why : "out of memory");
	if (t->json && t->format)
		return command__usage(c, "--json or --format, not both");
	if (!parse_bound(t->from_text, &t->from) || !parse_bound(t->to_text, &t->to))
		return command__usage(c,
				      "--from, --to: a time is HH:MM[:SS], 'YYYY-MM-DD HH:MM:SS' "
				      "or +TIME");
	if (t->format && !line__choose(&t->output.style, t->format, t->what.streams, &bad))
		return command__usage(c, "--format: no stream shown has '%.*s'",
				      (int)strcspn(bad, ","), bad);
	return 0;
}

static int parse_watch_options(struct watch_task *t, struct command_line *l)
{
	const char **const values[] = {
		[EXPRESSION] = &t->expression, [WHERE] = &t->where_text, [FORMAT] = &t->format,
		[DURATION] = &t->duration,     [FROM] = &t->from_text,   [TO] = &t->to_text,
	};
	int option;

	while ((option = command__next(l)) >= 0)
		if (option == JSON)
			t->json = true;
		else if (option == STUCK)
			t->stuck = true;
		else if (!filter_options__take(&t->filters, &watch_options[option], l->value))
			*values[option] = l->value;
	return option;
}

/* PATHS are sessions. Without any, shows live activity, of the command ARGV if there is one. */
static int run_watch(struct watch_task *t, char **paths, char **argv)
{
	int code = prepare_watch(t), fd = argv ? STDERR_FILENO : STDOUT_FILENO, err;
	const char *bad;

	if (!code && *paths && (argv || t->duration || t->stuck))
		code = command__usage(t->command,
				      "--duration, --stuck and -- CMD go without a SESSION");
	if (!code && *paths)
		code = filter_options__session(&t->filters, t->command, t->what.streams,
					       &t->filter);
	if (code)
		return code;
	if (watch_output__begin(&t->output, fd))
		return command__cannot(t->command, "out of memory");
	t->output.json = t->json;
	format__choose(&t->output.export, t->what.streams, NULL, &bad);
	code = *paths ? play(t, paths) : run_watch_live(t, argv);
	err = watch_output__end(&t->output);
	if (err && !argv) /* otherwise the code is the command's, and the output is stderr */
		code = command__cannot(t->command, "cannot write: %s", strerror(-err));
	return code;
}

static int watch_main(int argc, char **argv)
{
	struct watch_task *t = calloc(1, sizeof(*t));
	char **command = NULL;
	struct command_line l;
	int option, code, words = 1;

	if (!t)
		return command__cannot(&watch_command, "out of memory");
	t->command = &watch_command;
	while (words < argc && strcmp(argv[words], "--"))
		words++;
	/* After -- there is a command with options of its own. */
	if (words + 1 < argc) {
		command = argv + words + 1;
		argv[words] = NULL;
	}
	command__begin(&l, t->command, words, argv, false);
	option = parse_watch_options(t, &l);
	if (option != COMMAND_END)
		code = command__ended(&l, option);
	else
		code = run_watch(t, argv + l.at, command);
	filter__end(&t->filter);
	filter_options__done(&t->filters);
	where__free(t->where);
	free(t);
	return code;
}

const struct command watch_command = {
	.name = "watch",
	.usage = "[SESSION...] [-- CMD...]",
	.summary = "show operations as lines, live or of a session",
	.synopsis = "[OPTION...]\n[OPTION...] -- CMD [ARG...]\n[OPTION...] SESSION...",
	.description =
		"Prints a line for each operation when it ends: time, process, command, operation, file, offset\n"
		"and size, result, duration. Without a session it shows what happens now, as root: on the whole\n"
		"machine, of some processes, or of CMD and its descendants (then on stderr). Nothing is written\n"
		"to a file.\n"
		"\n"
		"Watching never holds up the programs that are watched. If a terminal is slower than the\n"
		"machine, lines are left out, and a line says how many. A pipe or a file gets all lines that\n"
		"the kernel's buffers could keep; a message at the end says how many were lost.\n"
		"\n"
		"The lines of a session are sorted by time across all streams. Colours are used on a\n"
		"terminal unless NO_COLOR is set. If it has less than 100 columns, flags and the texts\n"
		"of errors are left out. --json prints the columns of iotrc-format(5).",
	.options = watch_options,
	.exit_codes = "0 shown, 1 cannot, 2 usage, 3 events were lost; with -- CMD, CMD's status.",
	.examples =
		"sudo iotrc watch\n"
		"sudo iotrc watch -e file -x              # files not found, permission denied\n"
		"sudo iotrc watch -e unlink,rename -P /etc\n"
		"sudo iotrc watch -p $$ --slow 10ms       # this shell and what it starts\n"
		"sudo iotrc watch -e disk,process\n"
		"sudo iotrc watch -- make\n"
		"sudo iotrc watch --json >rows.jsonl\n"
		"iotrc watch iotrc-traces --from +10s --to +20s -e write",
	.main = watch_main,
};
