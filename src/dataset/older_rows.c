// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/older_rows.h"

#include <string.h>

#include "platform/libc.h"

size_t older_rows__columns(enum stream stream, const char *line, size_t len)
{
	char header[SCHEMA_HEADER_MAX];
	size_t n = schema_streams[stream].n_columns;

	for (; n >= schema__least_columns(stream); n--)
		if (len + 1 == schema__header_of(stream, n, header) && !memcmp(line, header, len))
			return n;
	return 0;
}

bool older_rows__widen(const char *line, size_t len, size_t missing, char *buf)
{
	const char *comma = memrchr(line, ',', len);

	if (!comma)
		return false;
	memcpy(buf, line, comma - line);
	memset(buf + (comma - line), ',', missing);
	memcpy(buf + (comma - line) + missing, comma, line + len - comma);
	return true;
}
