// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/row_fields.h"

#include <string.h>

static int split_quoted(char *line, size_t len, struct row_field *fields, int n)
{
	struct row_field all[ROW_FIELDS_MAX];
	const char *why;
	int found = row_file__split(line, len, all, &why);

	if (found > n)
		found = n;
	for (int i = 0; i < found; i++)
		fields[i] = all[i];
	return found;
}

int row_fields__first(char *line, size_t len, struct row_field *fields, int n)
{
	char *start = line, *end = line + len;
	int found = 0;

	if (memchr(line, '"', len))
		return split_quoted(line, len, fields, n);
	for (char *at = line; at < end && found < n; at += 8) {
		for (uint64_t commas = row_field__commas(row_field__word(at)); commas && found < n;
		     commas &= commas - 1) {
			char *comma = at + __builtin_ctzll(commas) / 8;

			if (comma >= end)
				break;
			fields[found++] = (struct row_field){ start, comma - start };
			start = comma + 1;
		}
	}
	if (found < n)
		fields[found++] = (struct row_field){ start, end - start };
	return found;
}
