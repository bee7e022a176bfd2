// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/row.h"

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

bool row__int(const struct export_row *row, int column, int64_t *ret)
{
	const struct row_field *f = &row->fields[column];
	bool negative = f->len && *f->s == '-';
	uint64_t v;

	if (!field__uint(f->s + negative, f->len - negative, &v) ||
	    v > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = (int64_t)(negative ? -v : v);
	return true;
}

bool row__is(const struct export_row *row, int column, const char *word)
{
	const struct row_field *f = &row->fields[column];

	return f->len == strlen(word) && !memcmp(f->s, word, f->len);
}
