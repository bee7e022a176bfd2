// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/check_unread.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "commands/run_name.h"

struct unread {
	const struct run_scope *scope;
	const struct own_file *own;
	size_t n_own;
	json_t *used; /* path: true */
	char **paths;
	size_t n, capacity;
};

static json_t *used_of(const json_t *report)
{
	static const char *const keys[] = { "reads", "writes", "executed", "denied", NULL };
	json_t *used = json_object();

	for (const char *const *key = keys; *key; key++) {
		const json_t *name;
		size_t i;

		json_array_foreach(json_object_get(report, *key), i, name) {
			char *path = run_name__bytes(name);

			if (path)
				json_object_set_new_nocheck(used, path, json_true());
			free(path);
		}
	}
	return used;
}

/* Takes PATH. */
static int add_unread_path(struct unread *u, char *path)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	void *grown = array__grow(u->paths, u->n, &u->capacity, sizeof(*u->paths));

	if (!grown) {
		free(path);
		return -ENOMEM;
	}
	u->paths = grown;
	u->paths[u->n++] = path;
	return 0;
}

static bool is_own(const struct unread *u, const struct stat *st)
{
	for (size_t i = 0; i < u->n_own; i++)
		if (st->st_dev == u->own[i].device && st->st_ino == u->own[i].inode)
			return true;
	return false;
}

static int take(struct unread *u, FTS *tree, FTSENT *entry)
{
	const char *path = run_scope__name(u->scope, entry->fts_path);
	char *text = NULL;

	if (!path || !strcmp(path, "."))
		return 0;
	if (entry->fts_info == FTS_D && run_scope__ignores(u->scope, path))
		fts_set(tree, entry, FTS_SKIP);
	if (run_scope__ignores(u->scope, path))
		return 0;
	if (entry->fts_info == FTS_DP) {
		if (entry->fts_pointer)
			return 0;
		if (asprintf(&text, "%s/", path) < 0)
			return -ENOMEM;
	} else if (entry->fts_info == FTS_F && !is_own(u, entry->fts_statp) &&
		   !json_object_get(u->used, path)) {
		text = strdup(path);
		if (!text)
			return -ENOMEM;
	}
	return text ? add_unread_path(u, text) : 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int walk(struct unread *u)
{
	char *tops[] = { u->scope->root, NULL };
	FTS *tree = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int err = 0;

	if (!tree)
		return -errno;
	while (!err && (entry = fts_read(tree))) {
		/* A directory with an entry is not empty. */
		if (entry->fts_info != FTS_DP && entry->fts_parent)
			entry->fts_parent->fts_pointer = entry->fts_parent;
		err = take(u, tree, entry);
	}
	fts_close(tree);
	return err;
}

int check_unread__add(json_t *report, const struct run_scope *scope, const struct own_file *own,
		      size_t n)
{
	struct unread u = { .scope = scope, .own = own, .n_own = n, .used = used_of(report) };
	json_t *names = json_array();
	int err = walk(&u);

	if (u.n)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
		qsort(u.paths, u.n, sizeof(*u.paths), compare_strings);
	for (size_t i = 0; i < u.n; i++) {
		json_array_append_new(names, run_name__new(u.paths[i]));
		free(u.paths[i]);
	}
	free(u.paths);
	json_decref(u.used);
	json_object_set_new(report, "unread", names);
	return err;
}
