// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/mountinfo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 3 /* fields in front of the root: id, parent, device */

FILE *mountinfo__open(void)
{
	return fopen("/proc/self/mountinfo", "re");
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void mountinfo__unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && is_octal(s[1]) && is_octal(s[2]) && is_octal(s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/* Between the options of the mount and the dash are optional fields. */
static bool parse_line(struct mountinfo *m)
{
	char *at = m->text, *dash = strstr(m->text, " - ");

	m->text[strcspn(m->text, "\n")] = 0;
	if (!dash || sscanf(m->text, "%" SCNu64 " %" SCNu64 " %" SCNu32 ":%" SCNu32, &m->id,
			    &m->parent, &m->major, &m->minor) != 4)
		return false;
	*dash = 0;
	dash += strlen(" - ");
	for (int i = 0; i < NUMBERS; i++)
		strsep(&at, " ");
	m->root = strsep(&at, " ");
	m->path = strsep(&at, " ");
	m->options = strsep(&at, " ");
	m->type = strsep(&dash, " ");
	m->source = strsep(&dash, " ");
	m->own_options = strsep(&dash, " ");
	if (!m->options || !m->own_options)
		return false;
	mountinfo__unescape(m->root);
	mountinfo__unescape(m->path);
	mountinfo__unescape(m->type);
	mountinfo__unescape(m->source);
	return true;
}

bool mountinfo__next(struct mountinfo *m, FILE *file)
{
	while (getline(&m->text, &m->size, file) > 0)
		if (parse_line(m))
			return true;
	return false;
}

void mountinfo__clear(struct mountinfo *m)
{
	free(m->text);
	*m = (struct mountinfo){ 0 };
}
