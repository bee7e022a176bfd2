// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_scope.h"

#include <fnmatch.h>
#include <string.h>

const char *run_scope__name(const struct run_scope *s, const char *path)
{
	size_t len = strlen(s->root);

	if (len == 1) /* "/" */
		return path[1] ? path + 1 : ".";
	if (!strncmp(path, s->root, len) && (!path[len] || path[len] == '/'))
		return path[len] ? path + len + 1 : ".";
	return s->all ? path : NULL;
}

bool run_scope__ignores(const struct run_scope *s, const char *path)
{
	for (const char *const *glob = s->ignores; *glob; glob++) {
		const char *part = path;

		if (!fnmatch(*glob, path, FNM_PATHNAME | FNM_LEADING_DIR))
			return true;
		while (!strchr(*glob, '/') && (part = strchr(part, '/')))
			if (!fnmatch(*glob, ++part, FNM_PATHNAME | FNM_LEADING_DIR))
				return true;
	}
	return false;
}
