/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions in a directory: <out>/<bucket>/<MACHINE_ID>/<stamp>, from whichever of these on
 * down. What lies there may be anybody's. Directories are reached by descriptors and through no
 * symlinks but the first, so that names and paths may have any length. Hidden directories hold no
 * sessions. */
#ifndef IOTRC_SESSION_WALK_H
#define IOTRC_SESSION_WALK_H

#include <stdbool.h>

struct session_walk {
	/* Whether directory DIR, which is called NAME, is a session. */
	bool (*is_session)(int dir, const char *name);
	/* A session: directory NAME of PARENT; DIR is itself, open until this returns. */
	void (*on_session)(void *arg, int parent, const char *name, int dir, const char *path);
	/* What is no directory, or lies too deep to be looked into. May be NULL. */
	void (*on_other)(void *arg, const char *name, const char *path);
	/* A directory that can't be read: a negative errno. */
	void (*on_failed)(void *arg, const char *path, int err);
	int depth; /* directories are looked into so many levels below the first */
	void *arg;
};

/* Walks TOP, in the order of names. Paths are told as TOP and what lies below. */
void session_walk__run(const struct session_walk *w, const char *top);

/* Whether directory DIR has a manifest, of whatever type of file. */
bool session_walk__has_manifest(int dir);

#endif
