// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/sync_lake.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary_dir.h"
#include "dataset/manifest_file.h"
#include "dataset/session.h"
#include "export/duckdb.h"
#include "lake/compactions.h"
#include "lake/entries.h"
#include "lake/known_sessions.h"
#include "lake/layout.h"
#include "schema/schema.h"

struct sync {
	const struct sync_lake_config *config;
	struct store *from, *to;
	struct sync_lake *ret;
	struct entries known; /* MACHINE/SESSION in the lake */
	struct entries found; /* directories of sessions below FROM, "" for FROM itself; n: whether
			       * it has a manifest */
};

static void say(struct sync *s, const char *session, const char *what)
{
	s->config->say(s->config->arg, *session ? session : ".", what);
}

/* ---- finding sessions ---- */

/* Cuts off the last part of a path. */
static void cut(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ?: path) = 0;
}

static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* .../SESSION/manifest.json or .../SESSION/STREAM/FILE; without .../SESSION/ if FROM is one. */
static int on_found(void *arg, const struct store_file *file)
{
	bool manifest = !strcmp(last_of(file->name), MANIFEST_NAME);
	char *name = strdup(file->name);
	struct sync *s = arg;
	int err = name ? 0 : -ENOMEM;

	if (name)
		cut(name);
	if (name && !manifest)
		cut(name);
	if (name && (session__is_stamp(last_of(name)) || (manifest && !*name)))
		err = entries__add(&s->found, name, "", manifest);
	free(name);
	return err ? store__explain(s->ret->why, err, "out of memory") : 0;
}

/* Sessions may be behind it. */
static int leave_out_link(void *arg, const struct store_file *link)
{
	struct sync *s = arg;

	s->ret->found++;
	s->ret->left_out++;
	say(s, link->name, STORE_LINK);
	return 0;
}

/* The last two parts, by convention MACHINE/SESSION. A session elsewhere is known by its
 * manifest. */
static const char *session_of(const char *directory)
{
	const char *at = strrchr(directory, '/');

	while (at && at > directory && at[-1] != '/')
		at--;
	return at ?: directory;
}

/* ---- a copy of a session ---- */

/* Downloads PATH of SESSION to directory TO. */
static int copy_file(struct sync *s, const char *session, const char *path, const char *to)
{
	char *name = NULL, *target = NULL, *local, *slash;
	int err;

	if (asprintf(&name, "%s%s%s", session, *session ? "/" : "", path) < 0 ||
	    asprintf(&target, "%s/%s", to, path) < 0)
		return store__explain(s->ret->why, -ENOMEM, "out of memory");
	err = store__fetch(s->from, name, &local);
	if (err) {
		store__explain(s->ret->why, err, store__why(s->from));
	} else {
		slash = strrchr(target, '/');
		*slash = 0;
		mkdir(target, 0700);
		*slash = '/';
		if (rename(local, target))
			err = store__explain(s->ret->why, -errno, strerror(errno));
		store__release(s->from, local);
	}
	free(name);
	free(target);
	return err;
}

static void remove_copy(const struct session_reader *r, const char *directory)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < r->n_files; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, r->files[i].path);
		unlink(path);
	}
	for (int i = 0; i < STREAM_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, schema_streams[i].subdir);
		rmdir(path);
	}
	snprintf(path, sizeof(path), "%s/" MANIFEST_NAME, directory);
	unlink(path);
	rmdir(directory);
}

/* Handles the result for a session. */
static int took(struct sync *s, const char *session, int err, const struct added_session *added)
{
	if (!err) {
		s->ret->added++;
		s->ret->rows += added->rows;
		s->ret->files += added->files;
		s->ret->lost += added->lost;
	} else if (added->general) {
		return store__explain(s->ret->why, err, added->why);
	} else {
		s->ret->left_out++;
		say(s, session, added->why);
	}
	return 0;
}

/* Downloads the files of R. A missing file is reported when the session is added. */
static int copy_files(struct sync *s, const char *session, const struct session_reader *r,
		      const char *directory)
{
	int err = 0;

	for (size_t i = 0; i < r->n_files && !err; i++) {
		err = copy_file(s, session, r->files[i].path, directory);
		if (err == -ENOENT)
			err = 0;
	}
	return err;
}

/* Adds the session whose manifest has been copied to DIRECTORY. */
static int add_from(struct sync *s, const char *session, struct session_reader *r,
		    const char *directory, bool copy)
{
	struct added_session added;
	int err = 0;

	if (session_reader__read(r)) {
		s->ret->left_out++;
		say(s, session, r->why);
		return 0;
	}
	if (known_sessions__has(&s->known, r)) {
		s->ret->known++;
		return 0;
	}
	if (r->running) {
		s->ret->waiting++;
		say(s, session, "is being recorded");
		return 0;
	}
	if (copy)
		err = copy_files(s, session, r, directory);
	return err ?: took(s, session, add_session(s->to, r, &added), &added);
}

static int add_in(struct sync *s, const char *session, const char *directory, bool copy)
{
	struct session_reader r = { .fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	int err = r.fd < 0 ? store__explain(s->ret->why, -errno, strerror(errno)) :
			     add_from(s, session, &r, directory, copy);

	if (copy)
		remove_copy(&r, directory);
	session_reader__clear(&r);
	if (r.fd >= 0)
		close(r.fd);
	return err;
}

static int sync_session(struct sync *s, const char *session)
{
	const char *local = store__directory(s->from);
	char directory[PATH_MAX];
	int err;

	if (local) {
		snprintf(directory, sizeof(directory), "%s/%s", local, session);
		return add_in(s, session, directory, false);
	}
	snprintf(directory, sizeof(directory), "%s/iotrc-sync-XXXXXX", temporary_dir());
	if (!mkdtemp(directory))
		return store__explain(s->ret->why, -errno, strerror(errno));
	err = copy_file(s, session, MANIFEST_NAME, directory);
	if (!err)
		return add_in(s, session, directory, true);
	rmdir(directory);
	return err;
}

/* ---- all ---- */

static int list_sources(struct sync *s)
{
	int err = s->config->again ? 0 : known_sessions__read(s->to, &s->known, s->ret->why);

	if (!err) {
		err = store__list(s->from, "", on_found, s) ?:
			      store__links(s->from, "", leave_out_link, s);
		if (err && !*s->ret->why)
			store__explain(s->ret->why, err, store__why(s->from));
	}
	entries__unite(&s->found);
	s->ret->found += s->found.n;
	return err;
}

int sync_lake(const struct sync_lake_config *config, struct sync_lake *ret)
{
	struct sync s = { config, config->from, config->to, .ret = ret };
	int err;

	memset(ret, 0, sizeof(*ret));
	duckdb__hold();
	err = list_sources(&s);
	for (size_t i = 0; i < s.found.n && !err; i++) {
		const char *session = s.found.at[i].key;

		if (entries__find(&s.known, session_of(session))) {
			ret->known++;
		} else if (!s.found.at[i].n) {
			ret->waiting++;
			say(&s, session, "has no manifest (yet)");
		} else {
			err = sync_session(&s, session);
		}
	}
	if (!err && (ret->added || ret->known))
		err = compactions__begin(s.to, ret->why);
	duckdb__release();
	entries__clear(&s.known);
	entries__clear(&s.found);
	return err;
}
