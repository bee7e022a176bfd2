// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lake/store_kind.h"

static int open_as(const struct store_kind *kind, struct store **ret,
		   const struct target_config *target, char why[STORE_WHY_MAX])
{
	int err = kind->open(ret, target, why);

	if (!err)
		(*ret)->kind = kind;
	return err;
}

bool store__is_s3(const char *url)
{
	return !strncmp(url, "s3://", 5);
}

int store__open(struct store **ret, const char *url, char why[STORE_WHY_MAX])
{
	const struct target_config target = { .url = url };

	return open_as(store__is_s3(url) ? &store_s3 : &store_dir, ret, &target, why);
}

int store__open_target(struct store **ret, const struct target_config *target,
		       char why[STORE_WHY_MAX])
{
	static const char file[] = "file://";
	struct target_config directory = { .url = target->url + sizeof(file) - 1 };

	if (store__is_s3(target->url))
		return open_as(&store_s3, ret, target, why);
	if (!strncmp(target->url, file, sizeof(file) - 1))
		return open_as(&store_dir, ret, &directory, why);
	snprintf(why, STORE_WHY_MAX, "a lake is in s3://BUCKET/PREFIX or file:///DIR, not in %s",
		 target->url);
	return -EINVAL;
}

struct store *store__free(struct store *s)
{
	if (s)
		s->kind->free(s);
	return NULL;
}

const char *store__directory(const struct store *s)
{
	return s->kind->directory ? s->kind->directory(s) : NULL;
}

const char *store__why(const struct store *s)
{
	return s->why;
}

int store__explain(char why[STORE_WHY_MAX], int err, const char *what)
{
	snprintf(why, STORE_WHY_MAX, "%s", what);
	return err;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct store_file *)a)->name, ((const struct store_file *)b)->name);
}

static int list_sorted(struct store *s, const char *prefix, bool links,
		       int (*on_file)(void *arg, const struct store_file *file), void *arg)
{
	struct store_files files = { .n = 0 };
	int err = s->kind->list(s, prefix, &files);

	if (files.n)
		qsort(files.at, files.n, sizeof(*files.at), by_name);
	for (size_t i = 0; i < files.n; i++) {
		if (!err && files.at[i].link == links)
			err = on_file(arg, &files.at[i]);
		free((char *)files.at[i].name);
	}
	free(files.at);
	return err;
}

int store__list(struct store *s, const char *prefix,
		int (*on_file)(void *arg, const struct store_file *file), void *arg)
{
	return list_sorted(s, prefix, false, on_file, arg);
}

static int note_lasting(void *arg, const struct store_file *file)
{
	*(bool *)arg |= !file->temporary;
	return 0;
}

int store__has(struct store *s, const char *prefix, bool *ret)
{
	return store__list(s, prefix, note_lasting, ret);
}

int store__links(struct store *s, const char *prefix,
		 int (*on_link)(void *arg, const struct store_file *link), void *arg)
{
	return store__directory(s) ? list_sorted(s, prefix, true, on_link, arg) : 0;
}

int store__stage(struct store *s, const char *name, char **ret)
{
	return s->kind->stage(s, name, ret);
}

int store__publish(struct store *s, const char *name, char *path)
{
	int err = s->kind->publish(s, name, path);

	store__drop(s, path);
	return err;
}

void store__drop(struct store *s, char *path)
{
	if (path)
		unlink(path);
	free(path);
}

int store__fetch(struct store *s, const char *name, char **ret)
{
	return s->kind->fetch(s, name, ret);
}

void store__release(struct store *s, char *path)
{
	if (path && s->kind->fetches)
		unlink(path);
	free(path);
}

int store__remove(struct store *s, const char *name)
{
	return s->kind->remove(s, name);
}
