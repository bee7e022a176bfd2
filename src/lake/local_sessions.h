/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Visits the sessions in directories, also damaged ones: a session that cannot be read must not
 * keep others from being added to a lake. */
#ifndef IOTRC_LOCAL_SESSIONS_H
#define IOTRC_LOCAL_SESSIONS_H

#include <stdbool.h>

#include "dataset/session_reader.h"

/* Says that a path has no session. */
#define LOCAL_SESSIONS_NONE "no session (manifest.json) here or below"

struct local_sessions {
	/* Called for each session, with its path. Returns false to end the visit. */
	bool (*on_session)(void *arg, const struct session_reader *r, const char *path);
	/* Called for what cannot be a session or cannot be read; printable. */
	void (*on_failed)(void *arg, const char *path, const char *why);
	void *arg;
};

/* Visits PATHS, sessions or directories with sessions below, which end with NULL. A directory that
 * has the name of a session but no manifest counts as failed. */
void local_sessions__visit(const struct local_sessions *v, const char *const *paths);

#endif
