// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/check_adapters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands/run_name.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Returns the *RET_N names of NAMES and MORE, sorted, without duplicates, or NULL if out of
 * memory. */
static char **names_of(const json_t *names, const json_t *more, size_t *ret_n)
{
	size_t capacity = json_array_size(names) + json_array_size(more), n = 0, kept = 0;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	char **list = calloc(capacity + 1, sizeof(*list));

	for (size_t i = 0; list && i < capacity; i++) {
		size_t first = json_array_size(names);
		const json_t *entry =
			i < first ? json_array_get(names, i) : json_array_get(more, i - first);

		list[n] = run_name__bytes(entry);
		n += !!list[n];
	}
	if (n)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
		qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 0; i < n; i++)
		if (kept && !strcmp(list[kept - 1], list[i]))
			free(list[i]);
		else
			list[kept++] = list[i];
	*ret_n = kept;
	return list;
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}

static int write_lines(char **names, size_t n, bool nul, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!nul && strchr(names[i], '\n'))
			return -EILSEQ;
		if (fputs(names[i], out) < 0 || fputc(nul ? 0 : '\n', out) == EOF)
			return -errno;
	}
	return 0;
}

int check__write_reads(const json_t *report, bool nul, FILE *out)
{
	size_t n;
	char **names =
		names_of(json_object_get(report, "reads"), json_object_get(report, "executed"), &n);
	int err = names ? write_lines(names, n, nul, out) : -ENOMEM;

	free_names(names, n);
	return err;
}

int check__write_unused(const json_t *verdict, bool nul, FILE *out)
{
	json_t *unused = json_object_get(verdict, "unused_inputs"), *paths = json_array(), *one;
	char **names;
	size_t n = 0, i;
	int err;

	json_array_foreach(unused, i, one)
		if (json_object_get(one, "path"))
			json_array_append(paths, json_object_get(one, "path"));
	names = names_of(paths, NULL, &n);
	err = names ? write_lines(names, n, nul, out) : -ENOMEM;
	free_names(names, n);
	json_decref(paths);
	return err;
}

/* Escapes a name for a rule of GNU make, as experiments showed: a backslash escapes each of
 * SPECIAL, and backslashes of the name before it are doubled. Some other characters cannot be
 * written. */
static int write_escaped(const char *name, bool target, FILE *out)
{
	static const char special[] = " \t#:*?[";
	size_t len = strlen(name);

	if (strpbrk(name, "\n;|=()") || (len && name[len - 1] == '\\'))
		return -EILSEQ;
	for (const char *s = name; *s; s++) {
		size_t slashes = strspn(s, "\\");

		if (*s == '$')
			fputc('$', out);
		else if (strchr(special, *s) || (target && *s == '%') ||
			 (slashes && strchr(special, s[slashes])))
			fputc('\\', out);
		fputc(*s, out);
	}
	return 0;
}

static int write_names(char **names, size_t n, bool targets, FILE *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		if (i)
			fputs(targets ? " " : " \\\n ", out);
		err = write_escaped(names[i], targets, out);
	}
	return err;
}

int check__write_depfile(const json_t *report, FILE *out)
{
	size_t n_reads, n_writes;
	char **reads = names_of(json_object_get(report, "reads"),
				json_object_get(report, "executed"), &n_reads);
	char **writes = names_of(json_object_get(report, "writes"), NULL, &n_writes);
	int err = reads && writes ? write_names(writes, n_writes, true, out) : -ENOMEM;

	fputs(": ", out);
	if (!err)
		err = write_names(reads, n_reads, false, out);
	fputc('\n', out);
	free_names(reads, n_reads);
	free_names(writes, n_writes);
	return err ?: ferror(out) ? -EIO : 0;
}
