// SPDX-License-Identifier: GPL-2.0-or-later
/* The oracle is realpath -ms, which normalizes the text only. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows/normalize_path.h"

static void folds(const char *base, const char *path, const char *expected)
{
	char out[9000];
	size_t n = normalize_path__path(out, base, base ? strlen(base) : 0, path, strlen(path));

	out[n] = 0;
	cr_assert_str_eq(out, expected, "'%s' + '%s' gives '%s', not '%s'", base ? base : "", path,
			 out, expected);
}

Test(normalize_path, by_hand)
{
	folds("/a/b", "c", "/a/b/c");
	folds("/a/b", "../c", "/a/c");
	folds("/a/b", "../../../..", "/");
	folds("/", "x", "/x");
	folds("/a", "/x//y/./z/", "/x/y/z");
	folds("/a", ".", "/a");
	folds("/a", "...", "/a/...");
	folds("/a/b", "..c/.d", "/a/b/..c/.d");
	folds(NULL, "relative", "");
	folds(NULL, "/..", "/");
}

static void confines(const char *base, const char *path, const char *expected)
{
	char out[9000];
	size_t n = normalize_path__confined(out, base, strlen(base), path, strlen(path));

	out[n] = 0;
	cr_assert_str_eq(out, expected, "'%s' + '%s' gives '%s', not '%s'", base, path, out,
			 expected);
}

/* As openat2(2) describes RESOLVE_IN_ROOT: as if chroot() had been called. */
Test(normalize_path, confined_to_the_base)
{
	confines("/a/b", "/etc/x", "/a/b/etc/x");
	confines("/a/b", "etc/x", "/a/b/etc/x");
	confines("/a/b", "../../../etc/x", "/a/b/etc/x");
	confines("/a/b", "c/../../etc/./x", "/a/b/etc/x");
	confines("/a/b", "/", "/a/b");
	confines("/a/b", "..", "/a/b");
	confines("/", "../x", "/x");
	confines("/", "..", "/");
}

static void realpath_of(const char *base, const char *path, char *out, size_t size)
{
	char command[600];
	FILE *f;

	snprintf(command, sizeof(command), "cd / && realpath -ms -- '%s%s%s'",
		 path[0] == '/' ? "" : base, path[0] == '/' ? "" : "/", path);
	f = popen(command, "r");
	cr_assert(f && fgets(out, size, f));
	pclose(f);
	out[strcspn(out, "\n")] = 0;
}

Test(normalize_path, as_realpath_does)
{
	static const char *const parts[] = { "a", "..", ".", "", "b.c", "...", "x y" };
	unsigned int seed = 7;

	for (int i = 0; i < 97; i++) {
		char path[200] = "", expected[600];

		for (int k = 0; k < 6; k++) {
			strcat(path, parts[rand_r(&seed) % 7]);
			if (k < 5)
				strcat(path, "/");
		}
		if (!path[0])
			continue;
		realpath_of("/base/dir", path, expected, sizeof(expected));
		folds("/base/dir", path, expected);
	}
}
