/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which paths a list of globs is about. `*` and `?` stop at a slash, `**` doesn't; [a-z] and [!a-z]
 * are classes, {a,b} are alternatives, a backslash takes the next character as it is. What has none
 * of these, or ends with a slash, is a directory as well: it stands for all below. One that begins
 * with ! takes away from the list, wherever it stands; a list of nothing else is about all the
 * rest. Matching is PCRE2's. */
#ifndef IOTRC_GLOB_H
#define IOTRC_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#define GLOB_LENGTH_MAX 65536 /* bytes of a glob */
#define GLOB_BRACES_MAX 1024  /* globs that the braces of one may stand for */
#define GLOBS_MAX 1000000     /* in a list */
#define GLOB_WHY_MAX 256

struct globs;

/* An empty list, or NULL when memory is out. */
struct globs *globs__new(void);

/* Adds the glob TEXT, which is copied. 0, or a negative errno, and WHY says in words, printable,
 * what is wrong. */
int globs__add(struct globs *g, const char *text, char why[GLOB_WHY_MAX]);

/* Adds PATH, which stands for itself and all below, as another spelling of the glob that was added
 * last. 0, or -ENOMEM. */
int globs__add_alias(struct globs *g, const char *path);

/* Makes the list ready to match: after the last glob. */
void globs__finish(struct globs *g);

/* Is the list about PATH? What is only a directory of such a path isn't. */
bool globs__match(const struct globs *g, const char *path);

/* The same, and notes each glob that is about it: see globs__is_used(). */
bool globs__use(struct globs *g, const char *path);

size_t globs__count(const struct globs *g);

/* Glob I as it was added. */
const char *globs__text(const struct globs *g, size_t i);

/* Does glob I take away? */
bool globs__is_negative(const struct globs *g, size_t i);

/* Was glob I about a path that globs__use() was called with, and that the list is about? */
bool globs__is_used(const struct globs *g, size_t i);

/* The path that glob I is, when it is no pattern; else NULL. */
const char *globs__path(const struct globs *g, size_t i);

/* A glob that stands for PATH alone, and all below it; the caller frees it. NULL when memory is
 * out. */
char *globs__escape(const char *path);

/* Frees it; NULL is allowed. */
void globs__free(struct globs *g);

#endif
