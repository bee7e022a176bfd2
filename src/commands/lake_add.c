// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/lake_add.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "export/duckdb.h"
#include "lake/add_session.h"
#include "lake/compactions.h"
#include "lake/local_sessions.h"
#include "lake/sync_lake.h"

struct adding {
	const struct command *command;
	struct store *store;
	uint64_t sessions, left_out, rows, lost, files;
	bool unfinished;
	int code; /* of a failure that ended it */
};

static void report_left_out(void *arg, const char *path, const char *why)
{
	struct adding *a = arg;

	a->left_out++;
	shown__line(stderr, "iotrc %s: %s: %s; left out", a->command->name, path, why);
}

static bool on_session(void *arg, const struct session_reader *r, const char *path)
{
	struct added_session added;
	struct adding *a = arg;

	if (add_session(a->store, r, &added)) {
		if (added.general)
			a->code = command__cannot(a->command, "%s", added.why);
		else
			report_left_out(a, path, added.why);
		return !added.general;
	}
	a->sessions++;
	a->rows += added.rows;
	a->files += added.files;
	a->lost += added.lost;
	a->unfinished |= r->running;
	return true;
}

static void add_local(struct adding *a, const char *path)
{
	const struct local_sessions visit = { .on_session = on_session,
					      .on_failed = report_left_out,
					      .arg = a };
	const char *const paths[] = { path, NULL };

	local_sessions__visit(&visit, paths);
}

/* Sessions that were uploaded. One that is not finished has no manifest there yet. */
static void add_uploaded(struct adding *a, const char *url)
{
	struct sync_lake_config config = {
		.to = a->store, .again = true, .say = report_left_out, .arg = a
	};
	char why[STORE_WHY_MAX];
	struct sync_lake r;

	if (store__open(&config.from, url, why)) {
		a->code = command__cannot(a->command, "%s", why);
		return;
	}
	if (sync_lake(&config, &r))
		a->code = command__cannot(a->command, "%s", r.why);
	else if (!r.found)
		report_left_out(a, url, LOCAL_SESSIONS_NONE);
	store__free(config.from);
	a->sessions += r.added;
	a->rows += r.rows;
	a->files += r.files;
	a->lost += r.lost;
}

int lake_add(const struct command *c, const char *url, char **paths)
{
	struct adding a = { .command = c };
	char why[STORE_WHY_MAX];

	if (store__open(&a.store, url, why))
		return command__cannot(c, "%s", why);
	duckdb__hold();
	for (; *paths && !a.code; paths++)
		(store__is_s3(*paths) ? add_uploaded : add_local)(&a, *paths);
	if (!a.code && a.sessions && compactions__begin(a.store, why))
		a.code = command__cannot(c, "%s", why);
	duckdb__release();
	store__free(a.store);
	if (a.code)
		return a.code;
	fprintf(stderr, "%" PRIu64 " rows of %" PRIu64 " session%s in %" PRIu64 " file%s%s\n",
		a.rows, a.sessions, a.sessions == 1 ? "" : "s", a.files, a.files == 1 ? "" : "s",
		a.unfinished ? "; of sessions still being recorded, only finished files" : "");
	if (a.lost)
		fprintf(stderr, "%" PRIu64 " rows were lost when it was recorded\n", a.lost);
	return a.left_out ? EXIT_CANNOT : EXIT_OK;
}
