// SPDX-License-Identifier: GPL-2.0-or-later
/* Looks after a lake: the Parquet files of many sessions (docs/fleet.md). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "lake/check_lake.h"
#include "lake/local_sessions.h"
#include "options/command.h"
#include "platform/macros.h"

extern const struct command lake_command;

static const struct command_option lake_options[] = { { .name = NULL } };

/* ---- verify ---- */

struct verifying {
	struct lake_checker *checker;
	struct check_lake result;
	uint64_t left_out;
};

static void on_failed(void *arg, const char *path, const char *why)
{
	struct verifying *v = arg;

	shown__line(stdout, "%s: %s; not in the lake", path, why);
	v->left_out++;
}

static bool on_session(void *arg, const struct session_reader *r, const char *path)
{
	struct verifying *v = arg;

	if (check_lake__session(v->checker, r, &v->result))
		on_failed(v, path, v->result.why);
	return true;
}

static int verify(const char *lake, char **paths)
{
	struct verifying v = { .checker = NULL };
	const struct local_sessions visit = { .on_session = on_session,
					      .on_failed = on_failed,
					      .arg = &v };
	char why[STORE_WHY_MAX];
	struct store *store;
	int err;

	if (store__open(&store, lake, why))
		return command__cannot(&lake_command, "%s", why);
	err = check_lake__read(&v.checker, store, stdout, &v.result);
	if (!err && *paths)
		local_sessions__visit(&visit, (const char *const *)paths);
	check_lake__free(v.checker);
	store__free(store);
	if (err)
		return command__cannot(&lake_command, "%s", v.result.why);
	printf("%" PRIu64 " rows of %" PRIu64 " sessions in %" PRIu64 " files, %" PRIu64
	       " sessions incomplete: %" PRIu64 " faults\n",
	       v.result.rows, v.result.sessions, v.result.files, v.result.incomplete,
	       v.result.faults + v.left_out);
	if (v.result.leftovers)
		printf("%" PRIu64 " files were left by exports that were killed (no reader sees "
		       "them)\n",
		       v.result.leftovers);
	return command__flush(&lake_command, v.result.faults || v.left_out ? EXIT_CANNOT : EXIT_OK);
}

/* ---- the command line ---- */

static int lake_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const char *lake, char **more);
	} verbs[] = {
		{ "verify", verify },
	};
	struct command_line l;
	int option;

	command__begin(&l, &lake_command, argc, argv, false);
	while ((option = command__next(&l)) >= 0)
		;
	if (option != COMMAND_END)
		return option == COMMAND_DONE ? EXIT_OK : EXIT_USAGE;
	if (argc - l.at < 2)
		return command__usage(&lake_command, "verify and a LAKE are needed");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[l.at], verbs[i].name))
			return verbs[i].run(argv[l.at + 1], argv + l.at + 2);
	return command__usage(&lake_command, "'%s' is none of its actions", argv[l.at]);
}

const struct command lake_command = {
	.name = "lake",
	.usage = "verify LAKE",
	.summary = "look after the Parquet files of many sessions",
	.synopsis = "verify LAKE [SESSION...]",
	.description =
		"A lake has the rows of many machines' sessions as Parquet files that Dask, DuckDB,\n"
		"ClickHouse, Spark and Trino read as they are; iotrc export --to parquet --lake LAKE adds\n"
		"sessions to it. docs/fleet.md describes its files.\n"
		"\n"
		"verify LAKE [SESSION...]\n"
		"                reads all of the lake and prints a line for each fault: rows that are\n"
		"                missing, of sessions that are not known, in files where they do not\n"
		"                belong; and whether each SESSION, or all sessions below a directory, is\n"
		"                in it with the counts that its manifest states",
	.options = lake_options,
	.exit_codes = "0 no fault, 1 there is one, or it cannot be read, 2 usage.",
	.examples = "iotrc export iotrc-traces --to parquet --lake /data/lake\n"
		    "iotrc lake verify /data/lake iotrc-traces",
	.main = lake_main,
};
