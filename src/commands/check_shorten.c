// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/check_shorten.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/glob.h"
#include "commands/run_name.h"

/* A file of the workspace. The declaration must contain the wanted ones and no others. */
struct known {
	char *path;
	bool wanted;
};

struct shorten {
	struct known *files; /* by path, each once */
	size_t n;
	json_t *globs;
};

/* ---- the files of the workspace ---- */

static int by_path_then_wanted(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	/* A wanted file precedes the same file from another list. */
	return order ?: y->wanted - x->wanted;
}

static void add_known(struct shorten *s, size_t *capacity, const json_t *names, bool wanted)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		void *grown = array__grow(s->files, s->n, capacity, sizeof(*s->files));
		char *path = grown ? run_name__bytes(name) : NULL;

		s->files = grown ?: s->files;
		if (path)
			s->files[s->n++] = (struct known){ path, wanted };
	}
}

static bool is_wanted_list(const char *key, const char *const *wanted)
{
	while (*wanted && strcmp(key, *wanted) != 0)
		wanted++;
	return *wanted;
}

static void know_files(struct shorten *s, const json_t *report, const char *const *wanted)
{
	static const char *const keys[] = { "reads",  "writes",  "executed", "denied",
					    "unread", "missing", NULL };
	size_t capacity = 0, n = 0;

	for (const char *const *key = keys; *key; key++)
		add_known(s, &capacity, json_object_get(report, *key),
			  is_wanted_list(*key, wanted));
	if (s->n)
		qsort(s->files, s->n, sizeof(*s->files), by_path_then_wanted);
	for (size_t i = 0; i < s->n; i++)
		if (n && !strcmp(s->files[n - 1].path, s->files[i].path))
			free(s->files[i].path);
		else
			s->files[n++] = s->files[i];
	s->n = n;
}

/* ---- globs ---- */

static void add_glob(struct shorten *s, const char *directory, size_t len, const char *rest)
{
	char *head = strndup(directory, len), *escaped = head ? globs__escape(head) : NULL;
	char *glob = NULL;

	if (escaped && asprintf(&glob, "%s%s", escaped, rest) >= 0) {
		json_array_append_new(s->globs, json_string(glob));
		free(glob);
	}
	free(escaped);
	free(head);
}

static void add_name(struct shorten *s, const char *path)
{
	json_t *name = run_name__new(path);

	if (json_is_string(name))
		add_glob(s, path, strlen(path), "");
	else
		json_array_append(s->globs, name);
	json_decref(name);
}

/* Returns the end of the files in FROM's directory and below; LEN bytes of their paths are
 * common. */
static size_t end_of(const struct shorten *s, size_t from, size_t end, size_t len)
{
	size_t i = from;

	while (i < end && !strncmp(s->files[i].path, s->files[from].path, len))
		i++;
	return i;
}

static const char *declared_extension(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && dot[1] ? dot : NULL;
}

/* Whether the file is directly in the directory whose path has LEN bytes, and has extension
 * EXTENSION. */
static bool is_beside(const char *path, size_t len, const char *extension)
{
	const char *own = strchr(path + len, '/') ? NULL : declared_extension(path + len);

	return own && !strcmp(own, extension);
}

/* JSON holds only UTF-8. */
static bool is_text(const char *s, size_t len)
{
	json_t *text = json_stringn(s, len);

	json_decref(text);
	return text;
}

/* Whether several files of EXTENSION are in the directory, all of them wanted. */
static bool covers(const struct shorten *s, size_t from, size_t end, size_t len,
		   const char *extension)
{
	size_t n = 0;

	for (size_t i = from; i < end; i++)
		if (is_beside(s->files[i].path, len, extension)) {
			if (!s->files[i].wanted)
				return false;
			n++;
		}
	return n > 1 && is_text(extension, strlen(extension));
}

/* Files FROM to END, which share a directory whose path has LEN bytes, and results about its
 * extensions. */
struct directory {
	size_t from, end, len;
	json_t *extensions; /* .c: whether one glob matches all */
};

/* Declares file I unless an earlier file's glob matches it. */
static void declare_file(struct shorten *s, const struct directory *d, size_t i)
{
	const char *path = s->files[i].path, *extension = declared_extension(path + d->len);
	const json_t *known = extension ? json_object_get(d->extensions, extension) : json_false();
	char *escaped, *rest;

	if (known) {
		if (json_is_false(known))
			add_name(s, path);
		return;
	}
	if (!is_text(path, d->len) || !covers(s, d->from, d->end, d->len, extension)) {
		json_object_set_new_nocheck(d->extensions, extension, json_false());
		add_name(s, path);
		return;
	}
	json_object_set_new_nocheck(d->extensions, extension, json_true());
	escaped = globs__escape(extension);
	if (escaped && asprintf(&rest, "*%s", escaped) >= 0) {
		add_glob(s, path, d->len, rest);
		free(rest);
	}
	free(escaped);
}

/* Declares the files of a directory and below.
 * NOLINTNEXTLINE(misc-no-recursion): PATH_MAX bounds the number of directories in a path */
static void shorten(struct shorten *s, struct directory d)
{
	size_t wanted = 0, below;

	for (size_t i = d.from; i < d.end; i++)
		wanted += s->files[i].wanted;
	if (!wanted)
		return;
	/* Never a glob for the whole workspace: it would match files that are added later. */
	if (d.len && wanted == d.end - d.from && wanted > 1 &&
	    is_text(s->files[d.from].path, d.len)) {
		add_glob(s, s->files[d.from].path, d.len, "**");
		return;
	}
	d.extensions = json_object();
	for (size_t i = d.from; i < d.end; i = below) {
		const char *path = s->files[i].path, *slash = strchr(path + d.len, '/');

		below = slash ? end_of(s, i, d.end, slash + 1 - path) : i + 1;
		if (slash)
			shorten(s, (struct directory){ i, below, slash + 1 - path, NULL });
		else if (s->files[i].wanted)
			declare_file(s, &d, i);
	}
	json_decref(d.extensions);
}

static json_t *globs_of(const json_t *report, const char *const *wanted)
{
	struct shorten s = { .globs = json_array() };

	know_files(&s, report, wanted);
	shorten(&s, (struct directory){ 0, s.n, 0, NULL });
	for (size_t i = 0; i < s.n; i++)
		free(s.files[i].path);
	free(s.files);
	return s.globs;
}

json_t *check__declaration_of(const json_t *report)
{
	static const char *const inputs[] = { "reads", "executed", NULL };
	static const char *const outputs[] = { "writes", NULL };

	return json_pack("{s:o, s:o}", "inputs", globs_of(report, inputs), "outputs",
			 globs_of(report, outputs));
}
