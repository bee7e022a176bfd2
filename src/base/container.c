// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/container.h"

#include <fnmatch.h>
#include <string.h>

#define PREFIX_DIGITS 12 /* of an id, as runtimes print it */

bool container__is_name(const char *name, const char *text)
{
	const char *last = strrchr(name, '/');

	if (strchr(text, '*'))
		return *name && !fnmatch(text, name, FNM_PATHNAME);
	return *text && (!strcmp(name, text) || (last && !strcmp(last + 1, text)));
}

bool container__is_called(const struct container *c, const char *text)
{
	size_t len = strlen(text);

	return (len >= PREFIX_DIGITS && !strncmp(c->id, text, len)) ||
	       container__is_name(c->name, text);
}
