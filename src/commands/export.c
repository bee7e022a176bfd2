// SPDX-License-Identifier: GPL-2.0-or-later
/* Converts sessions to the formats of other programs. */
#include "commands/export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "commands/filter_options.h"
#include "commands/lake_add.h"
#include "commands/out_file.h"
#include "export/format.h"
#include "export/parquet.h"
#include "export/rows.h"
#include "export/where.h"
#include "summary/filter.h"

#define BLOCK_MAX (UINT32_C(1) << 30)
#define FORMATS \
	"csv, jsonl, parquet, arrow, perfetto, strace, msr, blkparse, fio, oracle-general or lcs"

struct export_task {
	const struct command *command;
	const struct format *format;
	uint32_t streams;
	struct condition *where;
	struct filter_options filters;
	struct filter filter;
	struct export export;
	struct out_file out, map;
	bool progress; /* was shown */
};

/* Options of both commands. */
static const struct command_option export_options[] = {
	{ "to", 't', "FORMAT",
	  "csv, jsonl, parquet, arrow, perfetto, strace, msr,\nblkparse, fio, oracle-general or lcs" },
	{ "output", 'o', "FILE", "write to FILE, not stdout; fio: names to FILE.map" },
	{ "streams", 's', "LIST",
	  "csv, parquet, arrow: one stream (default fs); jsonl: any\n(default all); perfetto: fs, block (default both);\nmsr, blkparse: block; oracle-general, lcs: fs,\npagefault (default both) or cache; strace, fio: fs" },
	{ "where", 'w', "CONDITION",
	  "only rows that match: comparisons of columns (==\n!= < <= > >=, in, like with % and _), and, or, not,\n( )" },
	{ "columns", 'c', "LIST",
	  "csv, jsonl, arrow, perfetto: the columns to write, in this\norder" },
	{ "block", 'b', "SIZE",
	  "oracle-general, lcs: objects are blocks of SIZE\nbytes (4k, 1M) instead of files" },
	{ "lake", 0, "LAKE",
	  "parquet: add all streams to LAKE, a directory or\ns3://BUCKET/PREFIX (iotrc help lake)" },
	{ "force", 'f', NULL, "replace FILE if it exists" },
	FILTER_ROWS,
	{ .name = NULL },
};
enum { TO, OUTPUT, STREAMS, WHERE, COLUMNS, BLOCK, LAKE, FORCE };

/* ---- the work ---- */

static int write_row(void *arg, const struct export_row *row)
{
	struct export_task *t = arg;
	int err;

	if (!filter__keeps(&t->filter, row))
		return 0;
	err = t->format->row(&t->export, row);
	return !err && ferror(t->export.out) ? -errno : err;
}

/* Shows progress only on a terminal, and if the output goes to a file. */
static void show_progress(void *arg, uint64_t read, uint64_t given)
{
	struct export_task *t = arg;

	t->progress = true;
	fprintf(stderr, "\r%" PRIu64 " rows read, %" PRIu64 " sorted", read, given);
}

static int export_rows(struct export_task *t, char **paths, struct scan_result *result)
{
	struct rows_config config = {
		.paths = (const char *const *)paths,
		.streams = t->streams,
		.where = t->where,
		.lead = t->format->lead,
		.row = write_row,
		.progress = t->out.name && isatty(STDERR_FILENO) ? show_progress : NULL,
		.arg = t,
	};
	int err = 0;

	t->export.out = t->out.file;
	t->export.map = t->map.file;
	if (t->format->begin)
		err = t->format->begin(&t->export, t->streams);
	if (!err)
		err = rows__read(&config, result);
	if (!err && t->format->end)
		err = t->format->end(&t->export);
	if (err && t->export.why)
		snprintf(result->why, sizeof(result->why), "%s", t->export.why);
	if (t->progress)
		fputs("\r\033[K", stderr);
	table__clear(&t->export.table);
	if (t->format->free)
		t->format->free(&t->export);
	free(t->export.own);
	return err;
}

/* Prints on stderr what was exported, and what was not. */
static void tell_exported(const struct export_task *t, const struct scan_result *result)
{
	uint64_t rows = 0, lost = 0;

	for (int i = 0; i < STREAM_COUNT; i++)
		if (t->streams >> i & 1) {
			rows += result->rows[i];
			lost += result->lost[i];
		}
	fprintf(stderr, "%" PRIu64 " of %" PRIu64 " rows of %" PRIu64 " session%s%s\n",
		t->export.rows, rows, result->sessions, result->sessions == 1 ? "" : "s",
		result->unfinished ? "; of sessions still being recorded, only finished files" :
				     "");
	if (lost)
		fprintf(stderr, "%" PRIu64 " rows were lost when it was recorded\n", lost);
}

static int export_to(struct export_task *t, const char *name, bool force, char **paths)
{
	const struct command *c = t->command;
	struct scan_result result = { .why = "" };
	char *map = NULL;
	int err;

	if (name && !force && out_file__exists(name))
		return command__cannot(c, "%s exists: --force replaces it", name);
	if (t->format->has_map && asprintf(&map, "%s.map", name) < 0)
		return command__cannot(c, "out of memory");
	err = out_file__open(&t->out, name);
	if (!err && map)
		err = out_file__open(&t->map, map);
	if (!err)
		err = export_rows(t, paths, &result);
	err = out_file__close(&t->out, err, force);
	if (map)
		err = out_file__close(&t->map, err, force);
	free(map);
	if (err)
		return command__cannot(c, "%s", *result.why ? result.why : strerror(-err));
	tell_exported(t, &result);
	return EXIT_OK;
}

/* DuckDB reads the files and writes the output; iotrc does not read the rows. */
static int export_parquet(struct export_task *t, const char *name, bool force, char **paths)
{
	struct scan_result result = { .why = "" };
	struct parquet_config config = { .paths = (const char *const *)paths,
					 .stream = __builtin_ctz(t->streams) };
	int err;

	if (!force && out_file__exists(name))
		return command__cannot(t->command, "%s exists: --force replaces it", name);
	err = out_file__open(&t->out, name);
	config.file = t->out.temporary;
	if (!err && !config.file) {
		snprintf(result.why, sizeof(result.why), "%s: DuckDB writes only to files", name);
		err = -ESPIPE;
	}
	if (!err)
		err = parquet__write(&config, &t->export.rows, &result);
	err = out_file__close(&t->out, err, force);
	if (err)
		return command__cannot(t->command, "%s", *result.why ? result.why : strerror(-err));
	result.rows[config.stream] = t->export.rows;
	tell_exported(t, &result);
	return EXIT_OK;
}

/* ---- the command line ---- */

static bool parse_stream_mask(const char *list, uint32_t *ret)
{
	*ret = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		char key[32] = "";
		int stream;

		if (len < sizeof(key))
			memcpy(key, list, len);
		stream = schema__find(key);
		if (stream < 0)
			return false;
		*ret |= UINT32_C(1) << stream;
		list += len + (list[len] == ',');
	}
	return *ret;
}

static bool parse_block(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end == 'k' || *end == 'K')
		n *= 1024, end++;
	else if (*end == 'M')
		n *= 1024 * 1024, end++;
	*ret = n;
	return *text >= '1' && *text <= '9' && !*end && n <= BLOCK_MAX;
}

/* Checks the combination of options. Returns NULL, or what is wrong. */
static const char *wrong(struct export_task *t, const char *name)
{
	if (!t->format)
		return "--to " FORMATS " is needed";
	if (!t->streams)
		t->streams = t->format->one_stream ? 1 << STREAM_FS :
			     t->format->usual      ? t->format->usual :
						     t->format->streams;
	if (t->streams & ~t->format->streams)
		return "--streams: the format has no rows of that stream";
	if (t->format->one_stream && t->streams & (t->streams - 1))
		return "the format has the columns of one stream: --streams has several";
	if (t->format->has_blocks && t->streams & 1 << STREAM_CACHE &&
	    t->streams != 1 << STREAM_CACHE)
		return "cache has the reads of the other streams again: select it alone";
	if (!name && t->format->has_map)
		return "this format needs -o FILE";
	if (t->export.block && !t->format->has_blocks)
		return "--block goes with --to oracle-general or lcs";
	return NULL;
}

/* The command line. */
struct wishes {
	const char *format, *output, *streams, *where, *columns, *block, *lake;
	bool force;
};

static int parse_export_options(struct command_line *l, struct wishes *w,
				struct filter_options *filters)
{
	const char **const values[] = { &w->format,  &w->output, &w->streams, &w->where,
					&w->columns, &w->block,  &w->lake };
	int option;

	while ((option = command__next(l)) >= 0)
		if (option == FORCE)
			w->force = true;
		else if (!filter_options__take(filters, &export_options[option], l->value))
			*values[option] = l->value;
	return option;
}

/* Returns 0, or the exit code after a message. */
static int prepare_parquet(struct export_task *t, const struct wishes *w)
{
	const struct command *c = t->command;

	t->streams = 1 << STREAM_FS;
	if (w->streams && !parse_stream_mask(w->streams, &t->streams))
		return command__usage(c, "--streams: '%s' names an unknown stream", w->streams);
	if (t->streams & (t->streams - 1))
		return command__usage(
			c, "parquet has the columns of one stream: --streams has several");
	if (w->where || w->columns || w->block || t->filters.n)
		return command__usage(
			c, "--where, --columns, --block and filters do not go with parquet");
	return w->output ? 0 : command__usage(c, "this format needs -o FILE");
}

/* Returns 0, or the exit code after a message. */
static int prepare_export(struct export_task *t, const struct wishes *w)
{
	const struct command *c = t->command;
	char why[WHERE_WHY_MAX];
	const char *bad;

	if (w->format && !(t->format = format__find(w->format)))
		return command__usage(c, "--to: no format '%s'", w->format);
	if (w->streams && !parse_stream_mask(w->streams, &t->streams))
		return command__usage(c, "--streams: '%s' names an unknown stream", w->streams);
	if (w->block && !parse_block(w->block, &t->export.block))
		return command__usage(c, "--block: '%s' is not a size", w->block);
	bad = wrong(t, w->output);
	if (bad)
		return command__usage(c, "%s", bad);
	if (!format__choose(&t->export, t->streams, w->columns, &bad))
		return command__usage(c, "--columns: no column '%.*s'", (int)strcspn(bad, ","),
				      bad);
	if (w->where && where__new(&t->where, w->where, t->streams, why))
		return command__usage(c, "--where: %s", *why ? why : "out of memory");
	return filter_options__session(&t->filters, t->command, t->streams, &t->filter);
}

static int export_to_lake(struct export_task *t, const struct wishes *w, char **paths)
{
	if (w->output || w->streams || w->where || w->columns || w->block || w->force ||
	    t->filters.n)
		return command__usage(t->command, "only --to parquet goes with --lake");
	return lake_add(t->command, w->lake, paths);
}

static int run_export(struct export_task *t, const struct wishes *w, char **paths)
{
	bool parquet = w->format && !strcmp(w->format, "parquet");
	int code;

	if (w->lake)
		return parquet ? export_to_lake(t, w, paths) :
				 command__usage(t->command, "--lake needs --to parquet");
	code = parquet ? prepare_parquet(t, w) : prepare_export(t, w);
	if (!code)
		code = (parquet ? export_parquet : export_to)(t, w->output, w->force, paths);
	where__free(t->where);
	filter__end(&t->filter);
	filter_options__done(&t->filters);
	return code;
}

static int export_main(int argc, char **argv)
{
	struct export_task task = { .command = &export_command };
	struct wishes w = { .format = NULL };
	struct command_line l;
	int option;

	command__begin(&l, task.command, argc, argv, false);
	option = parse_export_options(&l, &w, &task.filters);
	if (option != COMMAND_END)
		return command__ended(&l, option);
	if (l.at == argc)
		return command__usage(task.command, "a SESSION is needed");
	return run_export(&task, &w, argv + l.at);
}

/* Streams precede sessions. By default one stream is written as CSV, several as JSON lines. */
static int cat_main(int argc, char **argv)
{
	struct export_task task = { .command = &cat_command };
	struct wishes w = { .format = NULL };
	struct command_line l;
	uint32_t streams = 0;
	int option, stream;

	command__begin(&l, task.command, argc, argv, false);
	option = parse_export_options(&l, &w, &task.filters);
	if (option != COMMAND_END)
		return command__ended(&l, option);
	for (; l.at < argc && (stream = schema__find(argv[l.at])) >= 0; l.at++)
		streams |= UINT32_C(1) << stream;
	if (l.at == argc)
		return command__usage(task.command, "a SESSION is needed");
	task.streams = streams;
	if (!w.format)
		w.format = streams && !(streams & (streams - 1)) ? "csv" : "jsonl";
	return run_export(&task, &w, argv + l.at);
}

const struct command export_command = {
	.name = "export",
	.usage = "SESSION... --to FORMAT",
	.summary = "convert sessions to the formats of other programs",
	.synopsis = "SESSION... --to FORMAT [-o FILE]\nSESSION... --to parquet --lake LAKE",
	.description =
		"Writes the rows of one or more sessions, or of all sessions below a directory, sorted\n"
		"by time, in one of these formats:\n"
		"\n"
		"csv             one stream, merged from all files\n"
		"jsonl           any streams, one JSON object per line, without empty fields\n"
		"parquet         one stream, typed, sorted by machine, session and mono_ns; written by\n"
		"                DuckDB, whose library or program must be installed\n"
		"arrow           one stream, typed, sorted by time: Apache Arrow's IPC file (Feather 2),\n"
		"                compressed with zstd\n"
		"perfetto        fs, block: a trace for ui.perfetto.dev or trace_processor: operations on\n"
		"                the tracks of their threads, requests on those of devices, overlapping\n"
		"                ones on further tracks; bytes as counters. Times are UTC. One machine\n"
		"strace          fs: lines as strace -f -ttt -T -y writes them; calls have the name of the\n"
		"                operation; ... and ? replace arguments that a row does not have\n"
		"msr             block: the format of the MSR Cambridge traces (reads and writes; the\n"
		"                disk number is major << 20 | minor)\n"
		"blkparse        block: the text of blkparse(1): lines for issues (D) and completions (C)\n"
		"fio             fs: an iolog of version 3, for fio's --read_iolog (read, write, fsync,\n"
		"                fdatasync); files are named f1, f2, ..., FILE.map lists their paths\n"
		"oracle-general  fs: reads and writes, and pagefault: accesses through mappings, as\n"
		"                requests for libCacheSim, which expects a file name that contains\n"
		"                oracleGeneral; or cache: pages that were needed (HIT, MISS, MISS_WRITE)\n"
		"lcs             the same in libCacheSim's own format, version 1, whose header has the\n"
		"                totals\n"
		"\n"
		"csv, jsonl, parquet and arrow have the columns as recorded; in the other formats, times are\n"
		"those of the operations' starts. Sorting uses up to 64 MiB of memory (oracle-general, lcs:\n"
		"96), tables of files up to 32 MiB; the rest is stored in $TMPDIR, or /tmp. No comparison\n"
		"matches an empty or absent column. FILE appears when it is complete, unless it is a\n"
		"device or a pipe, such as /dev/stdout; until then a terminal shows the progress. stderr\n"
		"reports how many rows were exported, and how many had been lost during recording.\n"
		"\n"
		"With --lake, all streams of each session become files of a lake (iotrc help lake), one\n"
		"for each stream and day, which replace those that the lake already has of the session.\n"
		"A session that differs from its manifest is left out and named. SESSION may then also be\n"
		"s3://BUCKET/PREFIX: the sessions that were uploaded there.",
	.options = export_options,
	.exit_codes = "0 exported, 1 cannot, 2 usage.",
	.examples =
		"iotrc export iotrc-traces --to jsonl -o rows.jsonl\n"
		"iotrc export iotrc-traces --to csv --streams block\n"
		"iotrc export iotrc-traces --to parquet -o fs.parquet\n"
		"iotrc export iotrc-traces --to parquet --lake /data/lake\n"
		"iotrc export iotrc-traces --to perfetto -o trace.pftrace\n"
		"iotrc export iotrc-traces --to fio -o trace.iolog\n"
		"iotrc export iotrc-traces --to oracle-general --block 4k -o trace.oracleGeneral",
	.main = export_main,
};

const struct command cat_command = {
	.name = "cat",
	.usage = "[STREAM...] SESSION...",
	.summary = "print rows of sessions, merged and filtered",
	.synopsis = "[STREAM...] SESSION...",
	.description =
		"Prints the rows of one or more sessions, or of all sessions below a directory, sorted by\n"
		"time: one STREAM as CSV, several or all streams as JSON lines. The options are those of\n"
		"iotrc export.",
	.options = export_options,
	.exit_codes = "0 printed, 1 cannot, 2 usage.",
	.examples =
		"iotrc cat fs iotrc-traces --where \"operation == 'read' and size > 4096\"\n"
		"iotrc cat fs iotrc-traces -c timestamp,command,filename -w \"errno == 'ENOENT'\"\n"
		"iotrc cat lost iotrc-traces",
	.main = cat_main,
};
