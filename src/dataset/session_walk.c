// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/session_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir_names.h"
#include "dataset/manifest_file.h"
#include "dataset/session.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

bool session_walk__has_manifest(int dir)
{
	struct stat st;

	return fstatat(dir, MANIFEST_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool session_walk__may_recover(int dir, const char *name)
{
	return session__is_stamp(name) || session_walk__has_manifest(dir);
}

static void enter(const struct session_walk *w, int parent, const char *name, const char *path,
		  int depth);

/* NOLINTNEXTLINE(misc-no-recursion): w->depth */
static void look_at(const struct session_walk *w, int dir, const char *name, const char *path,
		    int depth)
{
	struct stat st;
	char *below;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* gone meanwhile */
	if (asprintf(&below, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", name) < 0) {
		w->on_failed(w->arg, path, -ENOMEM);
		return;
	}
	if (S_ISDIR(st.st_mode) && depth < w->depth) {
		if (*name != '.')
			enter(w, dir, name, below, depth + 1);
	} else if (w->on_other) {
		w->on_other(w->arg, name, below);
	}
	free(below);
}

/* Searches directory NAME of PARENT; its path is PATH. */
/* NOLINTNEXTLINE(misc-no-recursion): w->depth */
static void enter(const struct session_walk *w, int parent, const char *name, const char *path,
		  int depth)
{
	int dir = openat(parent, name, DIR_FLAGS | (depth ? O_NOFOLLOW : 0)), err;
	struct dir_names names = { 0 };

	if (dir < 0) {
		w->on_failed(w->arg, path, -errno);
		return;
	}
	if (w->is_session ? w->is_session(dir, name) : session_walk__has_manifest(dir)) {
		w->on_session(w->arg, parent, name, dir, path);
	} else {
		err = dir_names__read(&names, dir);
		if (err)
			w->on_failed(w->arg, path, err);
		for (size_t i = 0; i < names.n; i++)
			look_at(w, dir, names.names[i], path, depth);
		dir_names__clear(&names);
	}
	close(dir);
}

/* The last component of the real path is the session's name; that of TOP may not be ("."). */
void session_walk__run(const struct session_walk *w, const char *top)
{
	char *real = realpath(top, NULL), *path = strdup(top), *name;
	int parent = -1, err = real && path ? 0 : real ? -ENOMEM : -errno;
	size_t len = strlen(top);

	if (!err) {
		while (len > 1 && path[len - 1] == '/')
			path[--len] = 0;
		/* NOLINTNEXTLINE(*.NonNullParamChecker): errno is not 0 if it is NULL */
		name = strrchr(real, '/');
		*name++ = 0;
		parent = open(*real ? real : "/", DIR_FLAGS);
		if (parent < 0)
			err = -errno;
		else
			enter(w, parent, *name ? name : ".", path, 0);
	}
	if (err)
		w->on_failed(w->arg, top, err);
	if (parent >= 0)
		close(parent);
	free(real);
	free(path);
}
