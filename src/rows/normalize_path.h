/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making an asked path absolute, by its text alone: symlinks aren't followed. */
#ifndef IOTRC_FOLD_H
#define IOTRC_FOLD_H

#include <stddef.h>

/* Writes PATH, relative to absolute BASE unless it begins with a slash, with '.', '..' and
 * superfluous slashes folded away; '..' of the root is the root. OUT has room for base_len +
 * path_len + 2 bytes; no NUL. Returns the length, 0 when PATH is relative and BASE_LEN is 0. */
size_t normalize_path__path(char *out, const char *base, size_t base_len, const char *path,
			    size_t path_len);

/* The same for a path that can't leave BASE (RESOLVE_IN_ROOT of openat2()): a leading slash
 * means BASE, and '..' of BASE is BASE. */
size_t normalize_path__confined(char *out, const char *base, size_t base_len, const char *path,
				size_t path_len);

#endif
