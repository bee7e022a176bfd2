// SPDX-License-Identifier: GPL-2.0-only
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

#include "csv.h"

json_t *json_text(const char *s)
{
	json_t *json = json_string(s);
	size_t len = strlen(s);
	char *buf;

	if (json)
		return json;
	buf = malloc(CSV_TEXT_MAX(len));
	if (!buf)
		return NULL;
	json = json_stringn(buf, csv__escape(buf, s, len) - buf);
	free(buf);
	return json;
}
