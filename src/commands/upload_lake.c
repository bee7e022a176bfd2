// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/upload_lake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "lake/add_session.h"
#include "lake/compactions.h"
#include "lake/known_sessions.h"
#include "lake/layout.h"
#include "lake/local_sessions.h"
#include "lake/session_row.h"
#include "options/command.h"

struct adding {
	struct store *store;
	struct entries known;
	uint64_t added, rows, there, running, left_out;
	bool failed; /* as every other session would */
};

static void leave_out(void *arg, const char *path, const char *why)
{
	struct adding *a = arg;

	a->left_out++;
	log__line(LOG_ERR, "upload: %s: %s; not in the lake", path, why);
}

static bool on_session(void *arg, const struct session_reader *r, const char *path)
{
	const char *machine = json_string_value(json_object_get(r->root, "machine_id"));
	struct added_session added;
	char key[2 * LAKE_PART_MAX];
	struct adding *a = arg;

	snprintf(key, sizeof(key), "%s/%s", machine ?: "", session_row__name(r));
	if (entries__find(&a->known, key)) {
		a->there++;
	} else if (r->running) {
		a->running++;
	} else if (add_session(a->store, r, &added)) {
		leave_out(a, path, added.why);
		a->failed = added.general;
	} else {
		a->added++;
		a->rows += added.rows;
	}
	return !a->failed;
}

static void conclude(const struct adding *a)
{
	log__line(LOG_INFO,
		  "%" PRIu64 " rows of %" PRIu64 " sessions added to the lake; %" PRIu64
		  " were there, %" PRIu64 " are being recorded",
		  a->rows, a->added, a->there, a->running);
}

int upload_lake__run(const struct options *o)
{
	const char **paths = calloc(o->n_dirs + 1, sizeof(*paths));
	struct adding a = { .store = NULL };
	const struct local_sessions visit = { .on_session = on_session,
					      .on_failed = leave_out,
					      .arg = &a };
	char why[STORE_WHY_MAX] = "out of memory";
	int err = paths ? store__open_target(&a.store, &o->upload.target, why) : -1;

	if (!err)
		err = known_sessions__read(a.store, &a.known, why);
	for (size_t i = 0; i < o->n_dirs && !err; i++)
		paths[i] = o->dirs[i];
	if (!err)
		local_sessions__visit(&visit, paths);
	if (!err && !a.failed && (a.added || a.there))
		err = compactions__begin(a.store, why);
	if (err)
		log__line(LOG_ERR, "cannot upload: %s", why);
	else if (!o->quiet)
		conclude(&a);
	store__free(a.store);
	entries__clear(&a.known);
	free(paths);
	return err || a.failed ? EXIT_CANNOT : a.left_out ? EXIT_LOST : EXIT_OK;
}
