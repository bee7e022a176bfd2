// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/local_sessions.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "dataset/session.h"
#include "dataset/session_walk.h"
#include "lake/store.h"

#define DEPTH_MAX 4

struct visit {
	const struct local_sessions *v;
	uint64_t found;
	bool ended;
};

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct session_reader r = { .fd = dir };
	struct visit *visit = arg;

	visit->found++;
	if (visit->ended)
		return;
	if (!session_walk__has_manifest(dir)) {
		visit->v->on_failed(visit->v->arg, path, "has no manifest");
		return;
	}
	session_reader__read(&r);
	if (r.broken)
		visit->v->on_failed(visit->v->arg, path, r.why);
	else
		visit->ended = !visit->v->on_session(visit->v->arg, &r, path);
	session_reader__clear(&r);
}

/* Sessions may be behind a symbolic link. */
static void on_other(void *arg, const char *name, const char *path)
{
	struct visit *visit = arg;
	struct stat st;

	if (*name == '.' || lstat(path, &st) || !S_ISLNK(st.st_mode) || visit->ended)
		return;
	visit->v->on_failed(visit->v->arg, path, STORE_LINK);
	visit->found++;
}

static void on_failed(void *arg, const char *path, int err)
{
	struct visit *visit = arg;

	visit->v->on_failed(visit->v->arg, path, strerror(-err));
	visit->found++;
}

void local_sessions__visit(const struct local_sessions *v, const char *const *paths)
{
	struct visit visit = { .v = v };
	const struct session_walk walk = {
		.is_session = session_walk__may_recover,
		.on_session = on_session,
		.on_other = on_other,
		.on_failed = on_failed,
		.depth = DEPTH_MAX,
		.arg = &visit,
	};

	for (; *paths && !visit.ended; paths++) {
		visit.found = 0;
		session_walk__run(&walk, *paths);
		if (!visit.found)
			v->on_failed(v->arg, *paths, LOCAL_SESSIONS_NONE);
	}
}
