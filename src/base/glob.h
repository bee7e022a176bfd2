/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matches paths against a list of globs. `*` and `?` do not match a slash, `**` does; [a-z] and
 * [!a-z] are classes, {a,b} are alternatives, a backslash escapes the next character. A glob
 * without any of these, or with a trailing slash, also matches everything below the directory. A
 * glob that starts with ! excludes what it matches, wherever it is in the list; a list of such
 * globs only matches everything else. PCRE2 does the matching. */
#ifndef IOTRC_GLOB_H
#define IOTRC_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#define GLOB_LENGTH_MAX 65536 /* bytes of a glob */
#define GLOB_BRACES_MAX 1024  /* globs that the braces of one may expand to */
#define GLOBS_MAX 1000000     /* in a list */
#define GLOB_WHY_MAX 256

struct globs;

/* Returns an empty list, or NULL if out of memory. */
struct globs *globs__new(void);

/* Adds a copy of the glob TEXT. Returns 0, or a negative errno; WHY then contains the reason as
 * printable text. */
int globs__add(struct globs *g, const char *text, char why[GLOB_WHY_MAX]);

/* Adds PATH, which matches itself and everything below it, as another spelling of the glob that was
 * added last. Returns 0, or -ENOMEM. */
int globs__add_alias(struct globs *g, const char *path);

/* Prepares the list for matching; to be called after the last glob was added. */
void globs__finish(struct globs *g);

/* Whether the list matches PATH. A parent directory of a matching path does not match. */
bool globs__match(const struct globs *g, const char *path);

/* The same, and marks each glob that matches PATH; see globs__is_used(). */
bool globs__use(struct globs *g, const char *path);

/* How many globs were added. */
size_t globs__count(const struct globs *g);

/* Glob I as it was added. */
const char *globs__text(const struct globs *g, size_t i);

/* Whether glob I starts with !. */
bool globs__is_negative(const struct globs *g, size_t i);

/* Whether glob I matched a path for which globs__use() returned true. */
bool globs__is_used(const struct globs *g, size_t i);

/* The path of glob I if it is a literal, else NULL. */
const char *globs__path(const struct globs *g, size_t i);

/* Returns a glob that matches only PATH and everything below it, to be freed by the caller, or NULL
 * if out of memory. */
char *globs__escape(const char *path);

/* Frees it; NULL is allowed. */
void globs__free(struct globs *g);

#endif
