/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a requested path absolute from its text alone: symlinks are not resolved. */
#ifndef IOTRC_NORMALIZE_PATH_H
#define IOTRC_NORMALIZE_PATH_H

#include <stddef.h>

/* Writes PATH, relative to absolute BASE unless it begins with a slash, with '.', '..' and
 * superfluous slashes removed; '..' of the root is the root. OUT needs base_len + path_len + 2
 * bytes; no NUL is written. Returns the length, or 0 if PATH is relative and BASE_LEN is 0. */
size_t normalize_path__path(char *out, const char *base, size_t base_len, const char *path,
			    size_t path_len);

/* The same for a path that cannot leave BASE (RESOLVE_IN_ROOT of openat2()): a leading slash means
 * BASE, and '..' of BASE is BASE. */
size_t normalize_path__confined(char *out, const char *base, size_t base_len, const char *path,
				size_t path_len);

/* The same of PATH relative to the current directory: a string for the caller to free, or NULL if
 * there is no such directory or no memory. */
char *normalize_path__absolute(const char *path);

#endif
