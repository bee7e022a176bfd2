/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface between store.c and the two kinds of places for a lake. */
#ifndef IOTRC_STORE_KIND_H
#define IOTRC_STORE_KIND_H

#include <stddef.h>

#include "lake/store.h"
#include "uploader/target.h"

/* Files that a list has found. */
#define STORE_FILES_MAX (1 << 24)
struct store_files {
	struct store_file *at;
	size_t n, capacity;
};

/* The first member of each kind's own struct. */
struct store {
	const struct store_kind *kind;
	char why[STORE_WHY_MAX];
};

/* As in store.h; open takes a directory's path in TARGET's url. list adds the files in any order;
 * its names are allocated. */
struct store_kind {
	int (*open)(struct store **ret, const struct target_config *target,
		    char why[STORE_WHY_MAX]);
	void (*free)(struct store *s);
	const char *(*directory)(const struct store *s); /* NULL: not a directory */
	int (*list)(struct store *s, const char *prefix, struct store_files *files);
	int (*stage)(struct store *s, const char *name, char **ret);
	int (*publish)(struct store *s, const char *name, const char *path);
	int (*fetch)(struct store *s, const char *name, char **ret);
	bool fetches; /* fetch makes a copy */
	int (*remove)(struct store *s, const char *name);
};

extern const struct store_kind store_dir, store_s3;

/* Sets S->why to "WHAT NAME: why" and returns ERR, a negative errno; -EOVERFLOW: more than
 * STORE_FILES_MAX files. */
int store__fail(struct store *s, int err, const char *what, const char *name);

/* Adds FILE; its name is copied. 0, -ENOMEM, or -EOVERFLOW. */
int store_files__add(struct store_files *files, const struct store_file *file);

#endif
