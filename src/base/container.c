// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/container.h"

#include <fnmatch.h>
#include <string.h>

#define PREFIX_DIGITS 12 /* of an id, as runtimes print it */

bool container__is_called(const struct container *c, const char *text)
{
	size_t len = strlen(text);
	const char *last = strrchr(c->name, '/');

	if (strchr(text, '*'))
		return *c->name && !fnmatch(text, c->name, FNM_PATHNAME);
	if (len >= PREFIX_DIGITS && !strncmp(c->id, text, len))
		return true;
	return len && (!strcmp(c->name, text) || (last && !strcmp(last + 1, text)));
}
