// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/upload_lake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "export/duckdb.h"
#include "lake/add_session.h"
#include "lake/compactions.h"
#include "lake/known_sessions.h"
#include "lake/layout.h"
#include "lake/local_sessions.h"
#include "lake/session_row.h"
#include "options/command.h"
#include "platform/macros.h"

#define ROUND_NS (30 * NSEC_PER_SEC)      /* between two searches for finished sessions */
#define ROUND_MAX_NS (300 * NSEC_PER_SEC) /* while the target does not answer */

struct lake_uploader {
	const struct options *options;
	const char *const *paths;
	const volatile sig_atomic_t *interrupted; /* if set, no further session is added; or NULL */
	struct store *store;
	struct entries known;
	struct entries reported; /* paths of sessions that were left out */
	uint64_t added, rows;
	uint64_t there, running, left_out; /* of this round */
	bool failed;                       /* as any other session would */
};

static void report_left_out_once(void *arg, const char *path, const char *why)
{
	struct lake_uploader *a = arg;

	a->left_out++;
	if (entries__find(&a->reported, path))
		return;
	log__line(LOG_ERR, "upload: %s: %s; not in the lake", path, why);
	if (!entries__add(&a->reported, path, "", 1))
		entries__unite(&a->reported);
}

static bool on_session(void *arg, const struct session_reader *r, const char *path)
{
	struct added_session added;
	struct lake_uploader *a = arg;

	if (known_sessions__has(&a->known, r)) {
		a->there++;
	} else if (r->running) {
		a->running++;
	} else if (add_session(a->store, r, &added)) {
		report_left_out_once(a, path, added.why);
		a->failed = added.general;
	} else {
		a->added++;
		a->rows += added.rows;
	}
	return !a->failed && !(a->interrupted && *a->interrupted);
}

static void conclude(const struct lake_uploader *a)
{
	log__line(LOG_INFO,
		  "%" PRIu64 " rows of %" PRIu64 " sessions added to the lake; %" PRIu64
		  " were there, %" PRIu64 " are being recorded",
		  a->rows, a->added, a->there, a->running);
}

/* Adds the sessions that the lake does not have. Returns 0, or a negative errno with a line in
 * WHY. */
static int add_new(struct lake_uploader *a, char why[STORE_WHY_MAX])
{
	const struct local_sessions visit = { .on_session = on_session,
					      .on_failed = report_left_out_once,
					      .arg = a };
	int err = 0;

	a->there = a->running = a->left_out = 0;
	a->failed = false;
	if (!a->store)
		err = store__open_target(&a->store, &a->options->upload.target, why);
	if (err)
		return err;
	entries__clear(&a->known);
	err = known_sessions__read(a->store, &a->known, why);
	duckdb__hold();
	if (!err)
		local_sessions__visit(&visit, a->paths);
	if (!err && !a->failed && (a->added || a->there))
		err = compactions__begin(a->store, why);
	duckdb__release();
	return err;
}

/* Waits for NS, or until told to stop. */
static void pause_for(uint64_t ns, const volatile sig_atomic_t *stops)
{
	for (uint64_t end = clock__mono_ns() + ns; !*stops && clock__mono_ns() < end;)
		clock__sleep(NSEC_PER_SEC);
}

/* Adds sessions in rounds. A directory that does not exist yet has no sessions. What fails is tried
 * again; the reason is printed if it is a new one. Returns 0, or a negative errno with a line in
 * WHY, of the last round. */
static int add_until(struct lake_uploader *a, const volatile sig_atomic_t *stops,
		     char why[STORE_WHY_MAX])
{
	char reported[STORE_WHY_MAX] = "";
	uint64_t pause = ROUND_NS;
	bool last;
	int err;

	do {
		last = *stops;
		err = access(a->paths[0], F_OK) ? 0 : add_new(a, why);
		if (err && strcmp(reported, why))
			log__line(LOG_ERR, "cannot upload yet: %s", why);
		snprintf(reported, sizeof(reported), "%s", err ? why : "");
		pause = err || a->failed ? MIN(2 * pause, ROUND_MAX_NS) : ROUND_NS;
		if (!last)
			pause_for(pause, stops);
	} while (!last);
	return err;
}

int upload_lake__run(const struct options *o, const volatile sig_atomic_t *stops)
{
	const char **paths = calloc(o->n_dirs + 2, sizeof(*paths));
	struct lake_uploader a = { .options = o,
				   .paths = paths,
				   .interrupted = o->upload_continuous ? NULL : stops };
	char why[STORE_WHY_MAX] = "out of memory";
	int err = paths ? 0 : -ENOMEM;

	for (size_t i = 0; i < o->n_dirs && !err; i++)
		paths[i] = o->dirs[i];
	if (!err && !o->n_dirs)
		paths[0] = o->output;
	if (!err)
		err = o->upload_continuous ? add_until(&a, stops, why) : add_new(&a, why);
	if (err)
		log__line(LOG_ERR, "cannot upload: %s", why);
	else if (!o->quiet)
		conclude(&a);
	store__free(a.store);
	entries__clear(&a.known);
	entries__clear(&a.reported);
	free(paths);
	if (err || a.failed)
		return EXIT_CANNOT;
	return a.left_out || (a.interrupted && *a.interrupted) ? EXIT_LOST : EXIT_OK;
}
