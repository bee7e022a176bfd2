// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/row.h"

#include <string.h>

#include "dataset/field.h"

int row__column(enum stream stream, const char *name)
{
	const struct stream_schema *schema = &schema_streams[stream];
	int i = schema->n_columns - 1;

	while (i > 0 && strcmp(schema->columns[i].name, name))
		i--;
	return i;
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
