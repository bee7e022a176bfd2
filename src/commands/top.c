// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/top.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/shown.h"
#include "base/units.h"
#include "commands/filter_options.h"
#include "commands/live_names.h"
#include "commands/top_screen.h"
#include "dataset/field.h"
#include "dataset/memory.h"
#include "platform/macros.h"

#define ROWS_BATCH 20
#define STEP_MS 50

static const struct command_option top_options[] = {
	{ "by", 'b', "VIEW",
	  "process (default), file, device, container, user,\ncommand, connection" },
	{ "sort", 'S', "COLUMN", "bytes (default), calls, errors, read, written, latency, time" },
	{ "delay", 'd', "TIME", "refresh each TIME (default 1s)" },
	{ "iterations", 'n', "N", "end after N refreshes" },
	{ "batch", 'B', NULL, "print plain tables (default if stdout is not a terminal)" },
	{ "top", 't', "N", "with --batch: N rows (default 20; 0: all)" },
	{ "json", 'j', NULL, "JSON lines: the counts of each row and interval" },
	{ "match", 'm', "TEXT", "only rows with TEXT in their names" },
	{ "pid", 'p', "LIST", "only these processes and their descendants" },
	{ "command", 'c', "LIST", "only threads of these names" },
	{ "scope", 0, "files|all",
	  "also pipes, sockets, devices and pseudo filesystems\n(default files)" },
	FILTER_OPTION_ROWS,
	{ .name = NULL },
};
enum { BY, SORT, DELAY, ITERATIONS, BATCH, TOP_N, JSON, MATCH };

struct top_task {
	const char *by, *sort, *delay, *iterations, *top, *match;
	bool batch, json;
	struct filter_options filters;
	struct selection selection;
	struct top_config config;
};

static volatile sig_atomic_t stop;

static void stop_top(int signal)
{
	stop = 1;
}

/* ---- plain tables ---- */

static void print_top_row(const struct top_counts *c, enum top_view view, uint64_t span_ns,
			  const char *name)
{
	char share[TOP_SHARE_MAX];
	char read[UNITS_SIZE], written[UNITS_SIZE], latency[UNITS_SIZE] = "-",
						    shown[SHOWN_MAX(TOP_NAME_MAX + 64)];

	units__bytes(read, top_counts__rate(c->read, span_ns));
	units__bytes(written, top_counts__rate(c->written, span_ns));
	if (c->timed)
		units__time(latency, (double)c->time_ns / (double)c->timed);
	shown__copy(shown, name, strlen(name));
	printf("%10.1f %10.1f %8s %8s %8s %7s  %s\n", top_counts__rate(c->calls, span_ns),
	       top_counts__rate(c->errors, span_ns), read, written, latency,
	       top_table__share(share, view, c, span_ns), shown);
}

static void print_table(const struct top_config *config, struct top_table *t,
			const struct top_row *rows, size_t n, const struct top_counts *all)
{
	uint64_t span = top_table__span_ns(t);
	size_t shown = config->rows && config->rows < n ? config->rows : n;
	const char *const *heads = top_heads__of(config->view);

	printf("%10s %10s %8s %8s %8s %7s  %s\n", heads[0], heads[1], heads[2], heads[3], heads[4],
	       "TIME", top_view_heads[config->view]);
	for (size_t i = 0; i < shown; i++)
		print_top_row(&rows[i].counts, config->view, span, rows[i].name);
	if (shown < n)
		printf("%*s  (%zu others)\n", 58, "", n - shown);
	print_top_row(all, config->view, span, "total");
	putchar('\n');
}

static void print_top_json(const struct top_config *config, const struct top_table *t,
			   const struct top_row *row)
{
	json_t *o = json_object();
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "calls", row->counts.calls },     { "errors", row->counts.errors },
		{ "read_bytes", row->counts.read }, { "written_bytes", row->counts.written },
		{ "time_ns", row->counts.time_ns }, { "interval_ns", top_table__span_ns(t) }
	};

	json_object_set_new(o, top_view_names[config->view], json_text(row->name));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_object_set_new(o, numbers[i].name, json_integer((json_int_t)numbers[i].value));
	json_text__print(o, JSON_COMPACT);
	json_decref(o);
}

static void wait_for(struct top_table *t, uint64_t until_ns)
{
	long step_ms = STEP_MS;

	while (!stop && clock__mono_ns() < until_ns) {
		nanosleep(&(struct timespec){ .tv_nsec = step_ms * NSEC_PER_MSEC }, NULL);
		step_ms = top_table__drain(t) ? TOP_TABLE_SOON_MS : STEP_MS;
	}
}

static int run_batch(const struct top_config *config, struct top_table *t)
{
	const struct top_level level = { .view = config->view };
	uint64_t next = clock__mono_ns();
	int err = 0;

	fputs("watching\n", stderr);
	for (uint64_t i = 0; !err && !stop && (!config->looks || i < config->looks); i++) {
		const struct top_row *rows;
		struct top_counts all;
		size_t n;

		next += config->period_ns;
		wait_for(t, next);
		err = top_table__look(t);
		n = top_table__rows(t, &level, config->sort, config->filter, &rows, &all);
		for (size_t k = 0; k < n && config->json; k++)
			print_top_json(config, t, &rows[k]);
		if (!config->json)
			print_table(config, t, rows, n, &all);
		if (fflush(stdout))
			break;
	}
	if (err)
		return command__cannot(config->command, "cannot read the sums: %s", strerror(-err));
	if (top_table__missing(t))
		fprintf(stderr, "%" PRIu64 " events are missing\n", top_table__missing(t));
	return command__flush(config->command, EXIT_OK);
}

/* ---- the command line ---- */

static int find_word(const char *word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

static bool parse_number(const char *text, uint64_t *ret)
{
	return !text || field__uint(text, strlen(text), ret);
}

/* Returns 0, or the exit code after a message. */
static int select_what(struct top_task *t)
{
	struct options options;
	int code;

	if (filter_options__has(&t->filters, "exclude-path"))
		return command__usage(t->config.command, "there is no --exclude-path: see --match");
	code = filter_options__live(&t->filters, t->config.command, &options);
	if (code)
		return code;
	t->selection = options.selection;
	options__done(&options);
	t->selection.streams = 1u << STREAM_FS | 1u << STREAM_BLOCK | 1u << STREAM_NW_FLOW;
	return 0;
}

/* Returns 0, or the exit code after a message. */
static int prepare_top(struct top_task *t)
{
	int view = find_word(t->by ?: "process", top_view_names, TOP_VIEWS);
	int sort = find_word(t->sort ?: "bytes", top_sort_names, TOP_SORTS);
	const struct command *c = t->config.command;
	uint64_t rows = ROWS_BATCH;

	if (view < 0)
		return command__usage(c, "--by: there is no view '%s'", t->by);
	if (sort < 0)
		return command__usage(c, "--sort: there is no column '%s'", t->sort);
	t->config.period_ns = NSEC_PER_SEC;
	if (t->delay && units__parse_time(t->delay, &t->config.period_ns))
		return command__usage(c, "--delay: '%s' is not a time (1s, 500ms)", t->delay);
	if (!parse_number(t->iterations, &t->config.looks) || !parse_number(t->top, &rows))
		return command__usage(c, "--iterations, --top: not a number");
	t->config.view = view;
	t->config.sort = sort;
	t->config.rows = rows;
	t->config.json = t->json;
	t->config.filter = t->match ?: "";
	t->config.stop = &stop;
	return select_what(t);
}

static int run_top(struct top_task *t)
{
	struct sigaction action = { .sa_handler = stop_top };
	bool batch = t->batch || t->json || !isatty(STDOUT_FILENO);
	char problem[ENGINE_PROBLEM_MAX];
	struct top_table *table = NULL;
	struct memory_plan plan;
	int code;

	if (!batch && !top_screen__run)
		return command__cannot(t->config.command,
				       "this program was built without ncurses: use --batch");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	live_names__plan(&plan);
	if (top_table__new(&table, &t->selection, &plan, problem))
		return command__cannot(t->config.command, "cannot record: %s", problem);
	code = batch ? run_batch(&t->config, table) : top_screen__run(&t->config, table);
	top_table__free(table);
	return code;
}

static int parse_top_options(struct top_task *t, struct command_line *l)
{
	const char **const values[] = { [BY] = &t->by,       [SORT] = &t->sort,
					[DELAY] = &t->delay, [ITERATIONS] = &t->iterations,
					[TOP_N] = &t->top,   [MATCH] = &t->match };
	int option;

	while ((option = command__next(l)) >= 0)
		if (option == BATCH)
			t->batch = true;
		else if (option == JSON)
			t->json = true;
		else if (!filter_options__take(&t->filters, &top_options[option], l->value))
			*values[option] = l->value;
	return option;
}

static int top_main(int argc, char **argv)
{
	struct top_task *t = calloc(1, sizeof(*t));
	struct command_line l;
	int option, code;

	if (!t)
		return command__cannot(&top_command, "out of memory");
	t->config.command = &top_command;
	command__begin(&l, &top_command, argc, argv, false);
	option = parse_top_options(t, &l);
	if (option != COMMAND_END)
		code = command__ended(&l, option);
	else if (l.at < argc)
		code = command__usage(&top_command, "'%s': top takes no arguments", argv[l.at]);
	else
		code = prepare_top(t) ?: run_top(t);
	filter_options__done(&t->filters);
	free(t);
	return code;
}

const struct command top_command = {
	.name = "top",
	.usage = "",
	.summary = "show live I/O by process, file..., as a screen",
	.synopsis = "[OPTION...]",
	.description =
		"Shows what causes I/O now, as root: processes, files, devices, containers, users, commands or\n"
		"connections, with their rates of calls, errors and bytes, the mean latency of a call, and the\n"
		"share of time that their calls took (above 100 % if several calls wait at once). It is\n"
		"refreshed each second. Everything is summed up in the kernel, as for iotrc summary, so neither\n"
		"load nor a slow terminal can falsify it.\n"
		"\n"
		"Keys: p f d c u m k choose the view, Tab the next one; b n e r w l t sort by bytes, number of\n"
		"calls, errors, read, written, latency, time, s by the next column; / and a text shows only\n"
		"rows that contain it; Enter opens a row (a process's files, a file's processes), Esc goes back;\n"
		"space pauses and resumes; h or ? shows the keys, q quits.\n"
		"\n"
		"Devices show block requests. Connections show the segments of open TCP connections: all,\n"
		"retransmitted ones, and the smoothed round-trip time; and the datagrams and bytes of UDP and\n"
		"unix sockets (with the number of the inode, as ss). The other views show calls on files.\n"
		"READ has the bytes of all calls that are not writes. - stands for calls that reached no file,\n"
		"or one whose name came when 1 MiB of new names were waiting (some 8,000): it is sent again with\n"
		"the file's next call. Up to 16,384 pairs of a process and a file are kept; the calls of further\n"
		"pairs count without their file. Without a terminal, or with --batch, plain tables are printed.\n"
		"Colours are used unless NO_COLOR is set. Like top(1) it goes on when the processes of --pid have\n"
		"ended.",
	.options = top_options,
	.exit_codes = "0 shown, 1 cannot, 2 usage.",
	.examples = "sudo iotrc top\n"
		    "sudo iotrc top --by file --sort written\n"
		    "sudo iotrc top --batch -n 1 -d 2s\n"
		    "sudo iotrc top --by device --batch -n 2\n"
		    "sudo iotrc top --json -n 3 -m /var",
	.main = top_main,
};
