// SPDX-License-Identifier: GPL-2.0-or-later
/* What targets of each kind need. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "uploader/target_kind.h"

void target__say(char reason[TARGET_REASON_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, TARGET_REASON_MAX, format, args);
	va_end(args);
	for (char *c = reason; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

void target__result(struct target_result *r, enum target_verdict verdict, bool general,
		    const char *format, ...)
{
	char reason[TARGET_REASON_MAX];
	va_list args;

	/* Through a copy, because the arguments may be parts of R's current text. */
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	r->verdict = verdict;
	r->general = general;
	r->retry_after_s = 0;
	target__say(r->reason, "%s", reason);
}

bool target__is_key(const char *key)
{
	if (!*key || strlen(key) > TARGET_KEY_MAX)
		return false;
	for (const char *s = key; s; s = strchr(s, '/') ? strchr(s, '/') + 1 : NULL) {
		size_t n = strcspn(s, "/");

		if (!n || (n <= 2 && !memcmp(s, "..", n)))
			return false;
	}
	return true;
}
