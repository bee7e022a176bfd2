// SPDX-License-Identifier: GPL-2.0-or-later
/* Looks after a lake: the Parquet files of many sessions (docs/fleet.md). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/shown.h"
#include "base/units.h"
#include "export/duckdb.h"
#include "lake/check_lake.h"
#include "lake/compact_lake.h"
#include "lake/expire_lake.h"
#include "lake/layout.h"
#include "lake/local_sessions.h"
#include "lake/sync_lake.h"
#include "lake/views.h"
#include "options/command.h"
#include "platform/macros.h"

#define DAY_NS UINT64_C(86400000000000)

extern const struct command lake_command;

enum { OPT_DATE, OPT_ENGINE, OPT_GRACE, OPT_OLDER_THAN, OPT_COUNT };

static const struct command_option lake_options[] = {
	[OPT_DATE] = { "date", 0, "DATE", "compact: the day (UTC), YYYY-MM-DD" },
	[OPT_ENGINE] = { "engine", 0, "ENGINE", "views: " VIEWS_ENGINES },
	[OPT_GRACE] = { "grace", 0, "TIME",
			"compact: keep replaced files for this long (default: 1h)" },
	[OPT_OLDER_THAN] = { "older-than", 0, "AGE",
			     "expire: remove sessions that ended longer ago (90d)" },
	[OPT_COUNT] = { .name = NULL },
};

/* The command line. */
struct wish {
	const char *options[OPT_COUNT];
	char **args; /* after the action; end with NULL */
	size_t n;
};

static int open_store(struct store **ret, const char *url)
{
	char why[STORE_WHY_MAX];

	return store__open(ret, url, why) ? command__cannot(&lake_command, "%s", why) : 0;
}

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

static int verify_lake(const struct wish *w)
{
	char **paths = w->args + 1;
	struct verifying v = { .checker = NULL };
	const struct local_sessions visit = { .on_session = on_session,
					      .on_failed = on_failed,
					      .arg = &v };
	struct store *store;
	int err = open_store(&store, *w->args);

	if (err)
		return err;
	duckdb__hold(); /* a query for each session */
	err = check_lake__read(&v.checker, store, stdout, &v.result);
	if (!err && *paths)
		local_sessions__visit(&visit, (const char *const *)paths);
	check_lake__free(v.checker);
	duckdb__release();
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
	if (v.result.replaced)
		printf("%" PRIu64 " files have been replaced by a compaction and will be removed\n",
		       v.result.replaced);
	return command__flush(&lake_command, v.result.faults || v.left_out ? EXIT_CANNOT : EXIT_OK);
}

/* ---- sync ---- */

static void say(void *arg, const char *session, const char *what)
{
	shown__line(stderr, "iotrc lake: %s: %s; left out", session, what);
}

static int sync_from(const struct wish *w)
{
	struct sync_lake_config config = { .say = say };
	struct sync_lake r;
	int code = open_store(&config.from, w->args[0]), err;

	if (!code)
		code = open_store(&config.to, w->args[1]);
	if (!code) {
		err = sync_lake(&config, &r);
		if (!err && !r.found)
			shown__line(stderr, "iotrc lake: %s: " LOCAL_SESSIONS_NONE, w->args[0]);
		printf("%" PRIu64 " rows of %" PRIu64 " sessions added in %" PRIu64
		       " files; %" PRIu64 " sessions known, %" PRIu64 " not finished, %" PRIu64
		       " left out\n",
		       r.rows, r.added, r.files, r.known, r.waiting, r.left_out);
		code = err                    ? command__cannot(&lake_command, "%s", r.why) :
		       r.left_out || !r.found ? EXIT_CANNOT :
						EXIT_OK;
	}
	store__free(config.from);
	store__free(config.to);
	return command__flush(&lake_command, code);
}

/* ---- compact ---- */

static int compact(const struct wish *w)
{
	uint64_t grace_ns = COMPACT_GRACE_S * NSEC_PER_SEC;
	const char *grace = w->options[OPT_GRACE];
	char before[UNITS_SIZE], after[UNITS_SIZE];
	struct compact_lake r;
	struct store *store;
	int64_t day;
	int err;

	if (!w->options[OPT_DATE] || !lake_layout__day(w->options[OPT_DATE], &day) || day < 1)
		return command__usage(&lake_command, "compact needs --date YYYY-MM-DD");
	if (grace && !strcmp(grace, "0"))
		grace_ns = 0;
	else if (grace && units__parse_time(grace, &grace_ns))
		return command__usage(&lake_command, "--grace needs a time such as 1h, or 0");
	err = open_store(&store, *w->args);
	if (err)
		return err;
	err = compact_lake(store, day, grace_ns / NSEC_PER_SEC, &r);
	store__free(store);
	if (err)
		return command__cannot(&lake_command, "%s", r.why);
	printf("%" PRIu64 " files (%s) merged into %" PRIu64 " (%s) with %" PRIu64 " rows; %" PRIu64
	       " replaced files removed, %" PRIu64 " still there\n",
	       r.merged, units__bytes(before, (double)r.merged_bytes), r.files,
	       units__bytes(after, (double)r.bytes), r.rows, r.removed, r.waiting);
	return command__flush(&lake_command, EXIT_OK);
}

/* ---- expire ---- */

static int expire(const struct wish *w)
{
	const char *older_than = w->options[OPT_OLDER_THAN];
	char bytes[UNITS_SIZE];
	struct expire_lake r;
	struct store *store;
	uint64_t age_ns;
	int err;

	if (!older_than || units__parse_time(older_than, &age_ns) || age_ns < DAY_NS ||
	    age_ns > INT64_MAX)
		return command__usage(&lake_command,
				      "expire needs --older-than AGE, a day (1d) at least");
	err = open_store(&store, *w->args);
	if (err)
		return err;
	err = expire_lake(store, ((int64_t)clock__real_ns() - (int64_t)age_ns) / (int64_t)DAY_NS,
			  &r);
	store__free(store);
	printf("%" PRIu64 " sessions removed: %" PRIu64 " files, %s\n", r.sessions, r.files,
	       units__bytes(bytes, (double)r.bytes));
	if (err)
		return command__cannot(&lake_command, "%s", r.why);
	return command__flush(&lake_command, EXIT_OK);
}

/* ---- views ---- */

static int views(const struct wish *w)
{
	const char *engine = w->options[OPT_ENGINE];
	char why[STORE_WHY_MAX];
	struct store *store;
	int err;

	if (!engine)
		return command__usage(&lake_command, "views needs --engine: " VIEWS_ENGINES);
	err = open_store(&store, *w->args);
	if (err)
		return err;
	err = views__write(store, *w->args, engine, stdout, why);
	store__free(store);
	if (err == -ENOENT)
		return command__usage(&lake_command, "%s", why);
	return err ? command__cannot(&lake_command, "%s", why) :
		     command__flush(&lake_command, EXIT_OK);
}

/* ---- the command line ---- */

static int lake_main(int argc, char **argv)
{
	static const struct {
		const char *name, *needs;
		size_t least, most;
		int (*run)(const struct wish *w);
	} actions[] = {
		{ "verify", "verify needs a LAKE", 1, SIZE_MAX, verify_lake },
		{ "sync", "sync needs FROM and a LAKE", 2, 2, sync_from },
		{ "compact", "compact needs a LAKE", 1, 1, compact },
		{ "expire", "expire needs a LAKE", 1, 1, expire },
		{ "views", "views needs a LAKE", 1, 1, views },
	};
	struct wish w = { .n = 0 };
	struct command_line l;

	command__begin(&l, &lake_command, argc, argv, false);
	for (int option; (option = command__next(&l)) != COMMAND_END; w.options[option] = l.value)
		if (option < 0)
			return command__ended(&l, option);
	if (l.at == argc)
		return command__usage(&lake_command,
				      "verify, sync, compact, expire or views is needed");
	w.args = argv + l.at + 1;
	w.n = argc - l.at - 1;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(argv[l.at], actions[i].name))
			continue;
		if (w.n < actions[i].least || w.n > actions[i].most)
			return command__usage(&lake_command, "%s", actions[i].needs);
		return actions[i].run(&w);
	}
	return command__usage(&lake_command, "'%s' is not one of its actions", argv[l.at]);
}

const struct command lake_command = {
	.name = "lake",
	.usage = "ACTION LAKE",
	.summary = "manage the Parquet files of many sessions",
	.synopsis = "verify LAKE [SESSION...]\nsync FROM LAKE\n"
		    "compact LAKE --date DATE [--grace TIME]\nexpire LAKE --older-than AGE\n"
		    "views LAKE --engine ENGINE",
	.description =
		"A lake contains the rows of many machines' sessions as Parquet files, which Dask, DuckDB\n"
		"and other engines read; iotrc export --to parquet --lake LAKE adds sessions to it.\n"
		"docs/fleet.md describes its files. LAKE is a directory, or\n"
		"s3://BUCKET/PREFIX in an S3-compatible store, with its endpoint in AWS_ENDPOINT_URL_S3\n"
		"or AWS_ENDPOINT_URL, region and keys as for iotrc upload.\n"
		"\n"
		"verify LAKE [SESSION...]\n"
		"                reads the whole lake and prints a line for each fault: rows that are\n"
		"                missing, that belong to unknown sessions, or that are in the wrong\n"
		"                file. Also checks that each SESSION, or each session below a directory,\n"
		"                is in the lake with the counts in its manifest\n"
		"\n"
		"sync FROM LAKE  adds all finished sessions in or below FROM, a directory or\n"
		"                s3://BUCKET/PREFIX to which machines upload, that the lake does not\n"
		"                have yet. It can be stopped and run again at any time; two at the same\n"
		"                time do no harm\n"
		"\n"
		"compact LAKE --date DATE [--grace TIME]\n"
		"                merges the files of a day (UTC) into files of about 256 MiB. Readers see\n"
		"                either the old files or the new ones. TIME (1h) after that, the next\n"
		"                compact of the day, or expire, removes the old files; with 0 they are\n"
		"                removed at once. It can be stopped and run again\n"
		"\n"
		"expire LAKE --older-than AGE\n"
		"                removes all sessions whose last day (UTC) is longer ago, and compacted\n"
		"                days of that age\n"
		"\n"
		"views LAKE --engine ENGINE\n"
		"                prints the SQL that makes the lake's streams available in an engine",
	.options = lake_options,
	.exit_codes =
		"0 done, no faults; 1 faults were found, a session was left out, or it failed; 2 usage.",
	.examples = "iotrc export iotrc-traces --to parquet --lake /data/lake\n"
		    "iotrc lake views /data/lake --engine duckdb\n"
		    "iotrc lake verify /data/lake iotrc-traces\n"
		    "iotrc lake sync s3://traces/raw s3://traces/lake\n"
		    "iotrc lake compact s3://traces/lake --date 2026-11-29\n"
		    "iotrc lake expire s3://traces/lake --older-than 90d",
	.main = lake_main,
};
