// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/row.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/field.h"

int row__column(enum stream stream, const char *name)
{
	int column = schema__column(stream, name, strlen(name));

	return column < 0 ? 0 : column;
}

bool row__uint(const struct export_row *row, int column, uint64_t *ret)
{
	return field__uint(row->fields[column].s, row->fields[column].len, ret);
}

bool row__is(const struct export_row *row, int column, const char *word)
{
	const struct row_field *f = &row->fields[column];

	return f->len == strlen(word) && !memcmp(f->s, word, f->len);
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

char *row__unescape(const char *s, size_t len)
{
	char *text = malloc(len + 1), *p = text;

	for (size_t i = 0; text && i < len; i++) {
		if (s[i] == '\\' && i + 3 < len && s[i + 1] == 'x') {
			*p++ = (char)(hex(s[i + 2]) << 4 | hex(s[i + 3]));
			i += 3;
		} else {
			i += s[i] == '\\' && i + 1 < len;
			*p++ = s[i];
		}
	}
	if (text)
		*p = 0;
	return text;
}
