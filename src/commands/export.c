// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions as files of other programs. */
#include "commands/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shown.h"
#include "export/format.h"

#define BLOCK_MAX (UINT32_C(1) << 30)

/* A file that appears under its name when it is whole. */
struct output {
	const char *name; /* NULL: stdout */
	char *temporary;
	FILE *file;
};

struct task {
	const struct format *format;
	uint32_t streams;
	struct export export;
	struct output out, map;
};

static const struct command_option export_options[] = {
	{ "to", 't', "FORMAT", "csv, jsonl, msr, fio or oracle-general" },
	{ "output", 'o', "FILE", "instead of stdout; fio's names go to FILE.map" },
	{ "streams", 's', "LIST",
	  "csv: which one (fs); jsonl: which ones (all). Of the\nothers: msr block, the rest fs" },
	{ "block", 'b', "SIZE",
	  "oracle-general: objects are blocks of SIZE bytes\n(4k, 1M), not files" },
	{ "force", 'f', NULL, "replace FILE" },
	{ .name = NULL },
};
enum { TO, OUTPUT, STREAMS, BLOCK, FORCE };

/* ---- files ---- */

static int output__open(struct output *o, const char *name)
{
	int fd;

	o->name = name;
	if (!name) {
		o->file = stdout;
		return 0;
	}
	if (asprintf(&o->temporary, "%s.part-XXXXXX", name) < 0)
		return -ENOMEM;
	fd = mkostemp(o->temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Traces are not for everybody: 0640, and less with a stricter umask. */
	fchmod(fd, 0640);
	o->file = fdopen(fd, "w+");
	return o->file ? 0 : -errno;
}

/* Gives the file its name, if nothing has gone wrong (ERR), or takes it away. Another file of that
 * name is replaced with FORCE only. */
static int output__close(struct output *o, int err, bool force)
{
	if (!o->file)
		return err;
	if ((fflush(o->file) || ferror(o->file)) && !err)
		err = errno ? -errno : -EIO;
	if (!o->name)
		return err;
	if (!err && fsync(fileno(o->file)))
		err = -errno;
	fclose(o->file);
	if (!err && (force ? rename(o->temporary, o->name) : link(o->temporary, o->name)))
		err = -errno;
	unlink(o->temporary);
	free(o->temporary);
	o->temporary = NULL;
	o->file = NULL;
	return err;
}

/* ---- the work ---- */

static int on_row(void *arg, const struct export_row *row)
{
	struct task *t = arg;
	int err = t->format->row(&t->export, row);

	return !err && ferror(t->export.out) ? -EIO : err;
}

static int run(struct task *t, char **paths, struct rows_result *result)
{
	struct rows_config config = {
		.paths = (const char *const *)paths,
		.streams = t->streams,
		.lead = t->format->lead,
		.row = on_row,
		.arg = t,
	};
	int err;

	t->export.out = t->out.file;
	t->export.map = t->map.file;
	if (t->format->begin)
		t->format->begin(&t->export, t->streams);
	err = rows__read(&config, result);
	if (!err && t->format->end)
		t->format->end(&t->export);
	table__clear(&t->export.table);
	return err;
}

/* What was exported, and what wasn't, on stderr. */
static void tell(const struct task *t, const struct rows_result *result)
{
	uint64_t rows = 0, lost = 0;

	for (int i = 0; i < STREAM_COUNT; i++)
		if (t->streams >> i & 1) {
			rows += result->rows[i];
			lost += result->lost[i];
		}
	fprintf(stderr, "%" PRIu64 " of %" PRIu64 " rows of %" PRIu64 " session%s%s\n",
		t->export.rows, rows, result->sessions, result->sessions == 1 ? "" : "s",
		result->unfinished ? "; not all of them are finished: what is was taken" : "");
	if (lost)
		fprintf(stderr, "%" PRIu64 " rows were lost when it was recorded\n", lost);
}

static int export_to(struct task *t, const char *name, bool force, char **paths)
{
	const struct command *c = &export_command;
	struct rows_result result = { .why = "" };
	char *map = NULL;
	int err;

	if (name && !force && !access(name, F_OK))
		return command__cannot(c, "%s is there: --force replaces it", name);
	if (t->format->has_map && asprintf(&map, "%s.map", name) < 0)
		return command__cannot(c, "out of memory");
	err = output__open(&t->out, name);
	if (!err && map)
		err = output__open(&t->map, map);
	if (!err)
		err = run(t, paths, &result);
	err = output__close(&t->out, err, force);
	if (map)
		err = output__close(&t->map, err, force);
	free(map);
	if (err)
		return command__cannot(c, "%s", *result.why ? result.why : strerror(-err));
	tell(t, &result);
	return EXIT_OK;
}

/* ---- the command line ---- */

static bool parse_streams(const char *list, uint32_t *ret)
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

/* What goes together; NULL, or what is wrong. */
static const char *wrong(struct task *t, const char *name)
{
	if (!t->format)
		return "--to csv, jsonl, msr, fio or oracle-general is needed";
	if (!t->streams)
		t->streams = t->format->one_stream ? 1 << STREAM_FS : t->format->streams;
	if (t->streams & ~t->format->streams)
		return "--streams: the format has no rows of that stream";
	if (t->format->one_stream && t->streams & (t->streams - 1))
		return "csv has the columns of one stream: --streams has several";
	if (!name && (t->format->has_map || t->format->patches))
		return "this format needs -o FILE";
	if (t->export.block && t->format != &format_oracle)
		return "--block goes with --to oracle-general";
	return NULL;
}

static int export_main(int argc, char **argv)
{
	const struct command *c = &export_command;
	struct task task = { .format = NULL };
	const char *name = NULL, *what;
	struct command_line l;
	bool force = false;
	int option;

	command__begin(&l, c, argc, argv, false);
	while ((option = command__next(&l)) >= 0) {
		if (option == TO && !(task.format = format__find(l.value)))
			return command__usage(c, "--to: no format '%s'", l.value);
		if (option == STREAMS && !parse_streams(l.value, &task.streams))
			return command__usage(c, "--streams: '%s' has a stream that isn't there",
					      l.value);
		if (option == BLOCK && !parse_block(l.value, &task.export.block))
			return command__usage(c, "--block: '%s' is no size", l.value);
		if (option == OUTPUT)
			name = l.value;
		force |= option == FORCE;
	}
	if (option != COMMAND_END)
		return option == COMMAND_DONE ? EXIT_OK : EXIT_USAGE;
	if (l.at == argc)
		return command__usage(c, "a SESSION is needed");
	what = wrong(&task, name);
	if (what)
		return command__usage(c, "%s", what);
	return export_to(&task, name, force, argv + l.at);
}

const struct command export_command = {
	.name = "export",
	.usage = "SESSION... --to FORMAT",
	.summary = "write sessions as other programs read them",
	.synopsis = "SESSION... --to FORMAT [-o FILE]",
	.description =
		"Writes the rows of one or more sessions, or of all sessions below a directory, in the\n"
		"order of time:\n"
		"\n"
		"csv             the rows of one stream, merged from all files\n"
		"jsonl           rows of any streams, a JSON object in each line, empty fields left out\n"
		"msr             block: the format of MSR Cambridge's traces (reads and writes; a disk's\n"
		"                number is major << 20 | minor)\n"
		"fio             fs: version 3 of what fio's --read_iolog replays (read, write, fsync,\n"
		"                fdatasync); files are named f1, f2, ..., FILE.map has their paths\n"
		"oracle-general  fs: the requests of reads and writes for libCacheSim; name FILE so that\n"
		"                it contains oracleGeneral\n"
		"\n"
		"Times are those at which operations began, but in csv and jsonl. What doesn't fit in\n"
		"64 MiB of memory is sorted in $TMPDIR. FILE appears when it is whole. On stderr it says\n"
		"how many rows it took, and how many were lost when they were recorded.",
	.options = export_options,
	.exit_codes = "0 exported, 1 cannot, 2 usage.",
	.examples =
		"iotrc export iotrc-traces --to jsonl -o rows.jsonl\n"
		"iotrc export iotrc-traces --to csv --streams block\n"
		"iotrc export iotrc-traces --to fio -o trace.iolog\n"
		"iotrc export iotrc-traces --to oracle-general --block 4k -o trace.oracleGeneral",
	.main = export_main,
};
