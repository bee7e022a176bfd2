// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/declaration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/run_name.h"

static const char *const keys[DECLARED_LISTS] = {
	[DECLARED_INPUTS] = "inputs",          [DECLARED_OUTPUTS] = "outputs",
	[IGNORED_READS] = "ignore_reads",      [IGNORED_WRITES] = "ignore_writes",
	[OPTIONAL_INPUTS] = "optional_inputs",
};

/* Keys that are meant for people or other programs. */
static const char *const other_keys[] = { "$schema", "source", "undetermined", NULL };

static bool is_list(const char *key)
{
	for (size_t i = 0; i < DECLARED_LISTS; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static bool is_known(const char *key)
{
	for (const char *const *k = other_keys; *k; k++)
		if (!strcmp(key, *k))
			return true;
	return is_list(key);
}

bool declaration__is_undetermined(const struct declaration *d, enum declared list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(d->document, "undetermined"), i, one) {
		const char *key = json_string_value(json_object_get(one, "list"));

		if (key && !strcmp(key, keys[list]))
			return true;
	}
	return false;
}

/* Returns PATH below directory ROOT, or NULL. */
static const char *below(const char *path, const char *root)
{
	size_t len = strlen(root);

	return len > 1 && !strncmp(path, root, len) && path[len] == '/' ? path + len + 1 : NULL;
}

/* Returns ENTRY as a glob, to be freed by the caller; NULL if it is not one. */
static char *glob_of(const json_t *entry)
{
	char *name, *glob;

	if (json_is_string(entry))
		return strdup(json_string_value(entry));
	name = run_name__bytes(entry);
	glob = name ? globs__escape(name) : NULL;
	free(name);
	return glob;
}

/* Adds the real path of the last glob if it is reached through a symlink. */
static int add_real_name(struct globs *g, const struct declaration_root *root)
{
	const char *path = globs__path(g, globs__count(g) - 1), *inside;
	char *full, *real;
	int err = 0;

	if (!path || *path == '/')
		return 0;
	if (asprintf(&full, "%s/%s", root->real, path) < 0)
		return -ENOMEM;
	real = realpath(full, NULL);
	inside = real ? below(real, root->real) : NULL;
	if (inside && strcmp(inside, path) != 0)
		err = globs__add_alias(g, inside);
	free(real);
	free(full);
	return err;
}

static int add_entry(struct globs *g, const json_t *entry, const struct declaration_root *root,
		     char why[DECLARATION_WHY_MAX])
{
	char *glob = glob_of(entry), text[GLOB_WHY_MAX] = "out of memory";
	const char *inside = NULL;
	int err;

	if (!glob) {
		snprintf(why, DECLARATION_WHY_MAX, "not a list of globs");
		return -EINVAL;
	}
	if (*glob == '/')
		inside = below(glob, root->shown) ?: below(glob, root->real);
	err = globs__add(g, inside ?: glob, text);
	if (!err)
		err = add_real_name(g, root);
	if (err)
		snprintf(why, DECLARATION_WHY_MAX, "\"%.200s\": %s", glob, text);
	free(glob);
	return err;
}

static int add_entries(struct globs *g, const json_t *list, const struct declaration_root *root,
		       char why[DECLARATION_WHY_MAX])
{
	size_t i;
	const json_t *entry;
	int err = 0;

	json_array_foreach(list, i, entry)
		if (!err)
			err = add_entry(g, entry, root, why);
	globs__finish(g);
	return err;
}

static int check_keys(json_t *document, char why[DECLARATION_WHY_MAX])
{
	const char *key;
	json_t *value;

	json_object_foreach(document, key, value) {
		if (!is_known(key)) {
			snprintf(why, DECLARATION_WHY_MAX,
				 "\"%.100s\": no such list (inputs, outputs, ignore_reads, "
				 "ignore_writes, optional_inputs)",
				 key);
			return -EINVAL;
		}
		if (is_list(key) && !json_is_array(value)) {
			snprintf(why, DECLARATION_WHY_MAX, "\"%s\": not a list", key);
			return -EINVAL;
		}
	}
	return 0;
}

int declaration__new(struct declaration *ret, json_t *document, const struct declaration_root *root,
		     char why[DECLARATION_WHY_MAX])
{
	struct declaration d = { .document = json_incref(document) };
	int err = check_keys(document, why);

	for (size_t i = 0; !err && i < DECLARED_LISTS; i++) {
		d.lists[i] = globs__new();
		if (!d.lists[i])
			snprintf(why, DECLARATION_WHY_MAX, "out of memory");
		err = d.lists[i] ? add_entries(d.lists[i], json_object_get(document, keys[i]), root,
					       why) :
				   -ENOMEM;
	}
	if (err)
		declaration__clear(&d);
	else
		*ret = d;
	return err;
}

void declaration__clear(struct declaration *d)
{
	for (size_t i = 0; i < DECLARED_LISTS; i++)
		globs__free(d->lists[i]);
	json_decref(d->document);
	*d = (struct declaration){ 0 };
}
