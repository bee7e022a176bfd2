/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The place of a lake: a directory, or a prefix in an S3-compatible store (s3://BUCKET/PREFIX).
 * Files have names such as "v=1/stream=fs/..."; each is published as a whole and replaces a file of
 * the same name. If a function fails, store__why() returns a line that says what failed and why. */
#ifndef IOTRC_STORE_H
#define IOTRC_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_WHY_MAX 2048
#define STORE_NAME_MAX 512

struct store;

/* Whether URL is s3://...: a store, not a directory. */
bool store__is_s3(const char *url);
/* Opens the lake at URL: s3://BUCKET/PREFIX, or a directory, which need not exist yet. 0, or a
 * negative errno with a line in WHY. */
int store__open(struct store **ret, const char *url, char why[STORE_WHY_MAX]);
/* The same at the target of uploads: s3:// with the settings of TARGET, or file:///DIR. -EINVAL: no
 * lake is possible there. */
struct target_config;
int store__open_target(struct store **ret, const struct target_config *target,
		       char why[STORE_WHY_MAX]);
/* Frees it; NULL is allowed. Returns NULL. */
struct store *store__free(struct store *s);

/* The path of a directory; NULL for s3://. */
const char *store__directory(const struct store *s);

/* Why the last call failed. Not escaped. */
const char *store__why(const struct store *s);
/* Writes WHAT into WHY, cut to its size. Returns ERR. */
int store__explain(char why[STORE_WHY_MAX], int err, const char *what);

/* Calls ON_FILE for each file whose name begins with PREFIX, a directory's name with its slash or
 * ""; sorted by name. TEMPORARY: left by a process that was killed while it wrote. ON_FILE returns
 * 0, or a negative errno that ends the list and is returned. */
struct store_file {
	const char *name;
	uint64_t size;
	int64_t modified; /* seconds since 1970 */
	bool temporary;
	bool link; /* only of store__links() */
};
int store__list(struct store *s, const char *prefix,
		int (*on_file)(void *arg, const struct store_file *file), void *arg);
/* Sets *RET if there is a file whose name begins with PREFIX, other than temporary ones. Returns 0,
 * or a negative errno. */
int store__has(struct store *s, const char *prefix, bool *ret);

/* The same for symbolic links in a directory, which store__list() does not follow. Engines may. */
#define STORE_LINK "is a symbolic link, which is not followed"
int store__links(struct store *s, const char *prefix,
		 int (*on_link)(void *arg, const struct store_file *link), void *arg);

/* Creates a local file. The caller writes it and passes it to store__publish() as NAME, or to
 * store__drop(). *RET is its path, which these free. Returns 0, or a negative errno. */
int store__stage(struct store *s, const char *name, char **ret);
int store__publish(struct store *s, const char *name, char *path);
void store__drop(struct store *s, char *path);

/* Gets the local path of file NAME or of a copy of it; store__release() frees it. Returns 0, or a
 * negative errno: -ENOENT if there is no such file. */
int store__fetch(struct store *s, const char *name, char **ret);
void store__release(struct store *s, char *path);

/* Removes a file. 0 also if there is none; or a negative errno. */
int store__remove(struct store *s, const char *name);

#endif
