/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the sessions in a directory, which may be any of <out>/<bucket>/<MACHINE_ID>/<stamp>. The
 * content is untrusted. Directories are opened relative to descriptors, so that names and paths can
 * have any length, and no symlink is followed except the first path. Hidden directories are
 * skipped. */
#ifndef IOTRC_SESSION_WALK_H
#define IOTRC_SESSION_WALK_H

#include <stdbool.h>

struct session_walk {
	/* Whether directory DIR, named NAME, is a session. NULL: if it has a manifest. */
	bool (*is_session)(int dir, const char *name);
	/* Called for each session: directory NAME in PARENT, open as DIR until this returns. */
	void (*on_session)(void *arg, int parent, const char *name, int dir, const char *path);
	/* Called for what is not a directory, or is too deep to be opened. May be NULL. */
	void (*on_other)(void *arg, const char *name, const char *path);
	/* Called for a directory that cannot be read, with a negative errno. */
	void (*on_failed)(void *arg, const char *path, int err);
	int depth; /* maximum depth below the first directory */
	void *arg;
};

/* Walks TOP in the order of names. The paths passed to the callbacks begin with TOP. */
void session_walk__run(const struct session_walk *w, const char *top);

/* Whether directory DIR contains a manifest, of any file type. */
bool session_walk__has_manifest(int dir);
/* For .is_session: also directories without a manifest that are named like a session. */
bool session_walk__may_recover(int dir, const char *name);

#endif
