// SPDX-License-Identifier: GPL-2.0-or-later
/* What both kinds of places need. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "lake/store_kind.h"

int store__fail(struct store *s, int err, const char *what, const char *name)
{
	char many[64];

	snprintf(many, sizeof(many), "more than %d files", STORE_FILES_MAX);
	snprintf(s->why, sizeof(s->why), "%s %.*s: %s", what, STORE_NAME_MAX, name,
		 err == -EOVERFLOW ? many : strerror(-err));
	return err;
}

int store_files__add(struct store_files *files, const struct store_file *file)
{
	struct store_file *more;
	char *copy;

	if (files->n >= STORE_FILES_MAX)
		return -EOVERFLOW;
	more = array__grow(files->at, files->n, &files->capacity, sizeof(*more));
	if (!more)
		return -ENOMEM;
	files->at = more;
	copy = strdup(file->name);
	if (!copy)
		return -ENOMEM;
	files->at[files->n] = *file;
	files->at[files->n++].name = copy;
	return 0;
}
