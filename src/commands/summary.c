// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers everyday questions: how many calls, how long, how many bytes, by what. */
#include "commands/summary.h"
#include "base/shown.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/units.h"
#include "commands/filter_options.h"
#include "commands/summary_live.h"
#include "commands/summary_print.h"
#include "dataset/row_fields.h"
#include "export/scan.h"
#include "export/session_names.h"
#include "export/where.h"
#include "platform/macros.h"
#include "summary/file_names.h"
#include "summary/filter.h"
#include "summary/measure.h"

#define TOP 20 /* default number of groups that are shown to people */

static const struct command_option summary_options[] = {
	{ "by", 'b', "LIST",
	  "group by one or two of operation (default), file,\ndirectory, extension, process, command, container,\n"
	  "user, device, fs_type, errno, size, minute, remote,\n"
	  "connection, kind or cause (of extent)" },
	{ "stream", 's', "LIST",
	  "fs (default), block, nw_conn, cache, pagefault, extent\n(of a SESSION alone), ...: a table each" },
	{ "sort", 'S', "COLUMN",
	  "total (default), calls, errors, mean, p50, p95, p99,\nmax, bytes, share, queue_p99, sent, received,\nretransmits, pages, hits, misses, hit_ratio" },
	{ "top", 'n', "N", "print N groups (default 20; 0: all, as with --json\nand --csv)" },
	{ "duration", 'd', "TIME",
	  "live: stop after TIME (default: at Ctrl+C, or when PID\nends)" },
	{ "where", 'w', "CONDITION", "only rows that match, as of iotrc cat" },
	{ "output", 'o', "FILE", "write to FILE, not stdout (with -- CMD: not stderr)" },
	{ "json", 'j', NULL, "print JSON: times in ns" },
	{ "csv", 'c', NULL, "print CSV: times in ns" },
	{ "slow", 0, "TIME", "only what took at least TIME (10ms)" },
	{ "errors", 'e', NULL, "only what failed" },
	{ "ops", 0, "LIST", "only these operations" },
	{ "path", 0, "PREFIX", "only files at or below PREFIX; may be repeated" },
	{ "pid", 'p', "LIST", "only these processes and their descendants" },
	{ "command", 0, "LIST", "only threads of these names" },
	{ "scope", 0, "files|all",
	  "live: pipes, sockets, devices and /proc, too (default\nfiles; all with -- CMD)" },
	FILTER_OPTION_ROWS,
	{ .name = NULL },
};
enum { BY, STREAM, SORT, TOP_N, DURATION, WHERE, OUTPUT, JSON, CSV };

struct summary_task {
	const struct command *command;
	/* the command line, unparsed */
	const char *by, *streams, *sort, *top, *where_text, *duration, *output;
	bool json, csv;

	const struct dimension *dimensions[SUMMARY_BY_MAX];
	int n_by;
	enum stream order[STREAM_COUNT]; /* of the tables */
	int n_streams;
	struct summary summaries[STREAM_COUNT];
	int fields[STREAM_COUNT]; /* number of fields of a row that are needed */
	struct filter_options filters;
	struct filter filter; /* for sessions; live, the kernel filters */
	struct condition *where;
	struct file_names *names;
	struct session_names *session_names; /* of the session that is read */
	uint64_t without_users;              /* sessions */
	bool learnt;                         /* a new descendant of one of --pid */
	struct scan_result result;
	bool is_live;
	struct summary_live live;
	size_t shown;
};

/* ---- reading ---- */

static int summarize_line(void *arg, const struct session_reader *session, enum stream stream,
			  char *line, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	struct export_row row = { .stream = stream, .fields = fields };
	struct summary_task *t = arg;
	struct measure m;
	int err;

	if (row_fields__first(line, len, fields, t->fields[stream]) != t->fields[stream])
		return -EBADMSG;
	row.names = session ? t->session_names : NULL;
	err = measure__row(&row, &m);
	if (err || m.superseded)
		return err;
	if (t->where && !where__meets(t->where, &row))
		return 0;
	if (filter__any(&t->filter) && !filter__passes(&t->filter, &row, &m))
		return 0;
	return summary__row(&t->summaries[stream], &row, &m);
}

static int begin_session(void *arg, struct session_reader *session)
{
	struct summary_task *t = arg;
	int err;

	t->session_names = session_names__free(t->session_names);
	err = session_names__new(&t->session_names, session->root);
	if (!err)
		t->without_users += !session_names__has_users(t->session_names);
	return err;
}

static int on_name(void *arg, const struct session_reader *session, enum stream stream, char *line,
		   size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	struct export_row row = { .stream = stream, .fields = fields };
	struct summary_task *t = arg;

	if (row_fields__first(line, len, fields, file_names__fields()) != file_names__fields())
		return -EBADMSG;
	return file_names__row(t->names, &row);
}

static bool is_by(const struct summary_task *t, const char *name)
{
	for (int i = 0; i < t->n_by; i++)
		if (!strcmp(t->dimensions[i]->name, name))
			return true;
	return false;
}

/* Names of their files are in rows of fs. */
#define STREAMS_BY_INODE (UINT32_C(1) << STREAM_CACHE | UINT32_C(1) << STREAM_PAGEFAULT)

static int read_names(struct summary_task *t, char **paths)
{
	struct scan_config config = { .paths = (const char *const *)paths,
				      .streams = 1 << STREAM_FS,
				      .files = true,
				      .line = on_name,
				      .arg = t };
	for (int i = 0; i < t->n_streams && is_by(t, "file") && !t->names; i++)
		if ((STREAMS_BY_INODE >> t->order[i] & 1) && file_names__new(&t->names))
			return -ENOMEM;
	return t->names ? scan__run(&config, &t->result) : 0;
}

static int on_process(void *arg, const struct session_reader *session, enum stream stream,
		      char *line, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	struct export_row row = { .stream = stream, .fields = fields };
	struct summary_task *t = arg;

	if (row_fields__first(line, len, fields, filter__learn_fields()) != filter__learn_fields())
		return -EBADMSG;
	t->learnt |= filter__learn(&t->filter, &row);
	return 0;
}

/* Finds the processes that descend from those of --pid. Each scan finds the children of known
 * processes and nearly all descendants of these: rows are in the order of time except within
 * milliseconds. */
static int read_descendants(struct summary_task *t, char **paths)
{
	struct scan_config config = { .paths = (const char *const *)paths,
				      .streams = 1 << STREAM_FS,
				      .files = true,
				      .line = on_process,
				      .arg = t };
	int err = 0;

	t->learnt = t->filter.pids.n;
	while (t->learnt && !err) {
		struct scan_result result = { 0 };

		t->learnt = false;
		err = scan__run(&config, &result);
		if (err)
			t->result = result;
	}
	return err;
}

static int read_sessions(struct summary_task *t, char **paths)
{
	struct scan_config config = { .paths = (const char *const *)paths,
				      .files = true,
				      .session = begin_session,
				      .line = summarize_line,
				      .arg = t };
	int err = read_names(t, paths);

	if (!err)
		err = read_descendants(t, paths);
	for (int i = 0; i < t->n_streams; i++)
		config.streams |= UINT32_C(1) << t->order[i];
	return err ? err : scan__run(&config, &t->result);
}

/* ---- printing ---- */

static const char *file_name_of_key(void *arg, const struct dimension *d, const char *key,
				    size_t len)
{
	struct summary_task *t = arg;

	return t->names && !strcmp(d->name, "file") ? file_names__find(t->names, key, len) : NULL;
}

static int print_summary_json(struct summary_task *t, const struct summary_print *p)
{
	json_t *list = json_array(), *o = json_object(), *lost = json_object();

	for (int i = 0; i < t->n_streams; i++) {
		enum stream s = t->order[i];

		json_array_append_new(list, summary_print__json(p, &t->summaries[s]));
		json_object_set_new(lost, schema_streams[s].key,
				    json_integer((json_int_t)t->result.lost[s]));
	}
	json_object_set_new(o, "summaries", list);
	json_object_set_new(o, "lost", lost);
	json_object_set_new(o, "unfinished", json_boolean(t->result.unfinished));
	if (!json_text__lacks_memory()) {
		json_dumpf(o, p->out, JSON_INDENT(1));
		fputc('\n', p->out);
	}
	json_decref(o);
	return json_text__lacks_memory() ? -ENOMEM : 0;
}

static int print_tables(struct summary_task *t, const struct summary_print *p)
{
	int err = 0;

	for (int i = 0; i < t->n_streams && !err; i++) {
		const struct summary *s = &t->summaries[t->order[i]];

		if (i)
			fputc('\n', p->out);
		if (!t->csv && t->n_streams > 1)
			fprintf(p->out, "%s\n", schema_streams[s->stream].key);
		err = (t->csv ? summary_print__csv : summary_print__table)(p, s);
	}
	return err;
}

/* Prints on stderr what limits the numbers. */
static void tell_limits(const struct summary_task *t)
{
	for (int i = 0; i < t->n_streams; i++) {
		enum stream stream = t->order[i];
		const struct groups *g = t->summaries[stream].groups;

		if (t->result.lost[stream])
			fprintf(stderr, "%s: %" PRIu64 " %s\n", schema_streams[stream].key,
				t->result.lost[stream],
				t->is_live ? "events are missing" :
					     "rows were lost when it was recorded");
		if (groups__dropped(g))
			fprintf(stderr,
				"%s: too many groups to keep: a group may lack up to %" PRIu64
				" of what it is sorted by, and others are in the rest\n",
				schema_streams[stream].key, groups__floor(g));
	}
	if (t->live.untimed)
		fprintf(stderr, "%" PRIu64 " calls are in no quantile: too many groups\n",
			t->live.untimed);
	if (is_by(t, "user") && t->without_users)
		fprintf(stderr,
			"%" PRIu64 " sessions do not say to which users their processes belonged\n",
			t->without_users);
	if (t->result.unfinished)
		fputs("of sessions still being recorded, only finished files were read\n", stderr);
}

static int print_summary(struct summary_task *t)
{
	struct summary_print p = { .top = t->shown, .name = file_name_of_key, .arg = t };
	int err;

	p.out = t->output ? fopen(t->output, "we") : shown__stream(t->live.argv ? stderr : stdout);
	if (!p.out)
		return command__cannot(t->command, "%s: %s", t->output ?: "cannot write",
				       strerror(errno));
	err = (t->json ? print_summary_json : print_tables)(t, &p);
	fflush(p.out);
	if (!err)
		tell_limits(t);
	if (t->output && (fflush(p.out) || ferror(p.out) || fclose(p.out)) && !err)
		return command__cannot(t->command, "%s: %s", t->output, strerror(errno));
	if (err)
		return command__cannot(t->command, "%s", strerror(-err));
	return command__flush(t->command, EXIT_OK);
}

/* ---- the command line ---- */

static bool parse_by(struct summary_task *t, const char *list)
{
	for (size_t len; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (t->n_by == SUMMARY_BY_MAX)
			return false;
		t->dimensions[t->n_by] = dimension__find(list, len);
		if (!t->dimensions[t->n_by++])
			return false;
	}
	return t->n_by;
}

/* Finds a stream by its key or another common word. */
static int find_stream(const char *key)
{
	static const struct {
		const char *word;
		enum stream stream;
	} words[] = { { "network", STREAM_NW_CONN },
		      { "files", STREAM_FS },
		      { "disk", STREAM_BLOCK },
		      { "page_faults", STREAM_PAGEFAULT } };
	int stream = schema__find(key);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(key, words[i].word))
			stream = words[i].stream;
	return stream >= 0 && measures__of(stream) ? stream : -1;
}

static bool parse_stream_order(struct summary_task *t, const char *list)
{
	for (size_t len; *list; list += len + (list[len] == ',')) {
		char key[32] = "";
		int stream;

		len = strcspn(list, ",");
		if (len < sizeof(key))
			memcpy(key, list, len);
		stream = find_stream(key);
		if (stream < 0 || t->n_streams == STREAM_COUNT)
			return false;
		t->order[t->n_streams++] = stream;
	}
	return t->n_streams;
}

static bool parse_top(struct summary_task *t)
{
	char *end;

	t->shown = t->json || t->csv ? 0 : TOP;
	if (t->top)
		t->shown = strtoul(t->top, &end, 10);
	return !t->top || (*t->top >= '0' && *t->top <= '9' && !*end);
}

/* Returns 0, or the exit code after a message. */
static int begin_summary(struct summary_task *t, enum stream stream)
{
	struct summary *s = &t->summaries[stream];
	const char *key = schema_streams[stream].key, *lacks = filter__lacks(&t->filter, stream);
	int err, needed;

	if (s->groups)
		return command__usage(t->command, "--stream: %s is given twice", key);
	if (lacks)
		return command__usage(t->command, "rows of %s have no %s to filter by", key, lacks);
	*s = (struct summary){ .stream = stream, .n_by = t->n_by, .live = t->is_live };
	memcpy(s->by, t->dimensions, sizeof(s->by));
	s->sort = t->sort ? summary_column__find(t->sort, stream) : summary_column__usual(stream);
	if (!s->sort)
		return command__usage(t->command, "--sort: %s has no '%s'", key, t->sort);
	err = summary__begin(s);
	if (err == -EINVAL)
		return command__usage(t->command, "--by: rows of %s have no %s", key, t->by);
	if (err)
		return command__cannot(t->command, "out of memory");
	t->fields[stream] = summary__fields(s);
	needed = filter__any(&t->filter) ? filter__fields(&t->filter, stream) : 0;
	if (t->where)
		needed = (int)schema_streams[stream].n_columns;
	if (needed > t->fields[stream])
		t->fields[stream] = needed;
	return 0;
}

/* Returns 0, or the exit code after a message. */
static int prepare_summary(struct summary_task *t)
{
	const struct command *c = t->command;
	char why[WHERE_WHY_MAX];
	uint32_t streams = 0;
	int code = 0;

	if (!parse_by(t, t->by ?: "operation"))
		return command__usage(c, "--by: '%s' is not one or two of operation, file, ...",
				      t->by);
	if (!parse_stream_order(t, t->streams ?: "fs"))
		return command__usage(c, "--stream: '%s' names a stream that can't be summed up",
				      t->streams);
	if (!parse_top(t))
		return command__usage(c, "--top: '%s' is not a number", t->top);
	if (t->json && t->csv)
		return command__usage(c, "--json or --csv, not both");
	for (int i = 0; i < t->n_streams; i++)
		streams |= UINT32_C(1) << t->order[i];
	if (!t->is_live)
		code = filter_options__session(&t->filters, c, streams, &t->filter);
	if (code)
		return code;
	if (t->where_text && where__new(&t->where, t->where_text, streams, why))
		return command__usage(c, "--where: %s", *why ? why : "out of memory");
	for (int i = 0; i < t->n_streams && !code; i++)
		code = begin_summary(t, t->order[i]);
	return code;
}

/* ---- live ---- */

/* Takes the filters that the kernel supports; the others need rows. Returns 0, or the exit code
 * after a message. */
static int select_live(struct summary_task *t)
{
	struct selection *s = &t->live.selection;
	struct options options;
	int code;

	if (t->where_text || filter_options__has(&t->filters, "path") ||
	    filter_options__has(&t->filters, "exclude-path"))
		return command__usage(t->command,
				      "--path, --exclude-path and --where need a SESSION: record "
				      "one, and sum it up");
	for (int i = 0; i < t->n_streams; i++)
		if (t->order[i] == STREAM_EXTENT)
			return command__usage(t->command,
					      "--stream: extent needs a SESSION: record one with "
					      "--lineage, and sum it up");
	code = filter_options__live(&t->filters, t->command, &options);
	if (code)
		return code;
	*s = options.selection;
	options__done(&options);
	s->streams = 0;
	for (int i = 0; i < t->n_streams; i++)
		s->streams |= UINT32_C(1) << t->order[i];
	if (!filter_options__has(&t->filters, "scope"))
		s->scope_all = t->live.argv;
	return 0;
}

/* Whether the kernel can sum up STREAM by what is asked for. Returns 0, or the exit code after a
 * message. */
static int check_groups(const struct summary_task *t, enum stream stream)
{
	const char *key = schema_streams[stream].key;

	for (int i = 0; i < t->n_by; i++) {
		const struct dimension *d = t->dimensions[i];

		if (summary_live__knows(d, stream))
			continue;
		if (!d->columns[stream])
			return command__usage(t->command, "--by: rows of %s have no %s", key,
					      d->name);
		return command__usage(
			t->command,
			"--by: sums in the kernel have no %s of %s: record a session, "
			"then iotrc summary SESSION --stream %s --by %s",
			d->name, key, key, d->name);
	}
	return 0;
}

/* Returns 0, or the exit code after a message. */
static int prepare_live(struct summary_task *t)
{
	const struct command *c = t->command;
	int code = select_live(t);

	if (code)
		return code;
	for (int i = 0; i < t->n_streams && !code; i++)
		code = check_groups(t, t->order[i]);
	if (code)
		return code;
	if (t->duration && units__parse_time(t->duration, &t->live.duration_ns))
		return command__usage(c, "--duration: '%s' is not a time (10s, 5m)", t->duration);
	if (t->live.argv && (t->live.selection.n_pids || t->duration))
		return command__usage(c, "--pid and --duration don't go with -- CMD");
	t->live.command = c;
	t->live.summaries = t->summaries;
	t->live.pid = t->live.selection.n_pids == 1 ? t->live.selection.pids[0] : 0;
	return 0;
}

static int summarize_live(struct summary_task *t)
{
	int code = prepare_summary(t);

	if (!code)
		code = prepare_live(t);
	if (!code)
		code = summary_live__run(&t->live);
	if (code)
		return code;
	for (int s = 0; s < STREAM_CAPTURED; s++)
		t->result.lost[s] = t->live.lost[s] + t->live.missed[s];
	code = print_summary(t);
	return t->live.status ?: code;
}

static int summarize(struct summary_task *t, char **paths)
{
	int code = prepare_summary(t), err;

	if (code)
		return code;
	err = read_sessions(t, paths);
	if (err)
		return command__cannot(t->command, "%s",
				       *t->result.why ? t->result.why : strerror(-err));
	return print_summary(t);
}

static void clear_summary(struct summary_task *t)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		summary__end(&t->summaries[i]);
	filter__end(&t->filter);
	filter_options__done(&t->filters);
	where__free(t->where);
	file_names__free(t->names);
	session_names__free(t->session_names);
}

static int parse_summary_options(struct summary_task *t, struct command_line *l)
{
	const char **const values[] = {
		[BY] = &t->by,         [STREAM] = &t->streams,   [SORT] = &t->sort,
		[TOP_N] = &t->top,     [WHERE] = &t->where_text, [DURATION] = &t->duration,
		[OUTPUT] = &t->output,
	};
	bool *const flags[] = { [JSON] = &t->json, [CSV] = &t->csv };
	int option;

	while ((option = command__next(l)) >= 0)
		if (filter_options__take(&t->filters, &summary_options[option], l->value))
			continue;
		else if (l->value)
			*values[option] = l->value;
		else
			*flags[option] = true;
	return option;
}

static int summary_main(int argc, char **argv)
{
	struct summary_task *t = calloc(1, sizeof(*t));
	struct command_line l;
	int option, code, words = 1;

	while (words < argc && strcmp(argv[words], "--"))
		words++;
	if (!t)
		return command__cannot(&summary_command, "out of memory");
	t->command = &summary_command;
	/* After -- there is a command with options of its own. */
	if (words + 1 < argc)
		t->live.argv = argv + words + 1;
	argc = words;
	command__begin(&l, t->command, argc, argv, false);
	option = parse_summary_options(t, &l);
	if (option != COMMAND_END)
		code = command__ended(&l, option);
	else if (l.at == argc) {
		t->is_live = true;
		code = summarize_live(t);
	} else if (t->duration || t->live.argv) {
		code = command__usage(t->command, "--duration and -- CMD go without a SESSION");
	} else {
		code = summarize(t, argv + l.at);
	}
	clear_summary(t);
	free(t);
	return code;
}

const struct command summary_command = {
	.name = "summary",
	.usage = "[SESSION...] [-- CMD...]",
	.summary = "count calls, errors, time and bytes by file, process...",
	.synopsis =
		"[OPTION...] SESSION|FILE...\n[OPTION...] [-d TIME] [-p PID]\n[OPTION...] -- CMD [ARG...]",
	.description =
		"Sums up the rows of sessions, of all sessions below a directory, or of single files\n"
		"(.csv.zst, finished or not): calls, errors, times and bytes of each group. The times of\n"
		"concurrent calls are added up. The share is that of the total time, or of the calls if the\n"
		"stream has no times. Columns that begin with q. are about a block request's time in the\n"
		"queue. size groups by powers of two, rounded down. Rows with two paths (rename) count for\n"
		"the first. - is the group of rows without a value. Users and names of containers come from\n"
		"the manifest: for a single file, or a session recorded with --anonymize, they are unknown.\n"
		"\n"
		"Without a session it sums up what happens from now on, as root; with -- CMD, what CMD and its\n"
		"descendants do, like strace -c -f. It does so in the kernel, without making rows, so that no\n"
		"load can falsify it. Live groups may be by all of these but remote and connection. Those by\n"
		"file, directory, extension and fs_type, and by device of fs, come from files: up to 16,384 of\n"
		"them, or pairs of a file and another key, are kept, and calls on further files count without\n"
		"their file, like calls that reached none. A file whose name has not been seen is shown as\n"
		"DEVICE/INODE. Minutes are those of the clock as it was when the summary began.\n"
		"\n"
		"The error of p50, p95 and p99 is at most 0.8 %. Counts and sums are exact. Memory is bounded:\n"
		"beyond 100,000 groups the smallest are added up as others, and the CSV and JSON say how much\n"
		"may be missing from the remaining groups (lacks). The groups that --top leaves out are added\n"
		"up as well: as others of the JSON, and as the last row, such as (9 others), of the table and\n"
		"the CSV.",
	.options = summary_options,
	.exit_codes = "0 summed up, 1 cannot, 2 usage; with -- CMD, CMD's status.",
	.examples = "iotrc summary iotrc-traces\n"
		    "iotrc summary iotrc-traces --by process --ops write --sort bytes\n"
		    "iotrc summary iotrc-traces --by file --slow 10ms\n"
		    "iotrc summary iotrc-traces --by operation,errno --errors\n"
		    "iotrc summary iotrc-traces --stream block --by device,command\n"
		    "sudo iotrc summary -- ls -R /usr/share\n"
		    "sudo iotrc summary -d 10s --by process",
	.main = summary_main,
};
