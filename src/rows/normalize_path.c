// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/normalize_path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Appends PATH to the first N bytes of OUT. '..' never removes any of the first LEAST bytes. */
static size_t append_components(char *out, size_t n, size_t least, const char *path, size_t len)
{
	for (size_t i = 0; i < len;) {
		const char *slash;
		size_t part;

		if (path[i] == '/') {
			i++;
			continue;
		}
		slash = memchr(path + i, '/', len - i);
		part = slash ? (size_t)(slash - path) - i : len - i;
		if (part == 2 && path[i] == '.' && path[i + 1] == '.') {
			while (n > least && out[--n] != '/')
				;
		} else if (part != 1 || path[i] != '.') {
			out[n++] = '/';
			memcpy(out + n, path + i, part);
			n += part;
		}
		i += part;
	}
	return n;
}

size_t normalize_path__path(char *out, const char *base, size_t base_len, const char *path,
			    size_t path_len)
{
	size_t n = 0;

	if (!path_len || path[0] != '/') {
		if (!base_len)
			return 0;
		n = append_components(out, 0, 0, base, base_len);
	}
	n = append_components(out, n, 0, path, path_len);
	if (!n)
		out[n++] = '/';
	return n;
}

size_t normalize_path__confined(char *out, const char *base, size_t base_len, const char *path,
				size_t path_len)
{
	size_t least = append_components(out, 0, 0, base, base_len),
	       n = append_components(out, least, least, path, path_len);

	if (!n)
		out[n++] = '/';
	return n;
}

char *normalize_path__absolute(const char *path)
{
	char *here = getcwd(NULL, 0), *out;
	size_t len = strlen(path), n;

	out = here ? malloc(strlen(here) + len + 3) : NULL;
	if (out) {
		n = normalize_path__path(out, here, strlen(here), path, len);
		out[n] = '\0';
	}
	free(here);
	return out;
}
