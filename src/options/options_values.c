// SPDX-License-Identifier: GPL-2.0-or-later
/* What setters of options share: the parts of values, and messages about them. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "options/options_table.h"

int option__fail(struct parse *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->message, OPTIONS_MESSAGE_MAX, format, args);
	va_end(args);
	for (char *c = p->message; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return -EINVAL;
}

int option__is_not(struct parse *p, const char *option, const char *value, const char *what)
{
	return option__fail(p, "--%s: " QUOTED " is not %s", option, value, what);
}

void *option__member(struct parse *p)
{
	return (char *)&p->o + p->row->member;
}

int option__count(const char *text, const char *suffixes, uint64_t *ret_n)
{
	size_t len = strspn(text, "0123456789");
	const char *suffix;
	unsigned long long n;
	unsigned int shift = 0;

	if (!len)
		return -1;
	errno = 0;
	n = strtoull(text, NULL, 10);
	if (errno)
		return -1;
	if (text[len]) {
		suffix = strchr(suffixes, toupper((unsigned char)text[len]));
		if (!suffix || text[len + 1])
			return -1;
		shift = 10 * (suffix - suffixes + 1);
	}
	if (n << shift >> shift != n)
		return -1;
	*ret_n = n << shift;
	return 0;
}

bool option__next_item(const char **list, char *item, size_t size)
{
	size_t len;

	if (!*list)
		return false;
	len = strcspn(*list, ",");
	snprintf(item, size, "%.*s", (int)(len < size ? len : size), *list);
	*list = (*list)[len] ? *list + len + 1 : NULL;
	return true;
}
