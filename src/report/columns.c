// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/columns.h"

#include <string.h>

unsigned char report_columns[REPORT_COLUMN_COUNT];

static unsigned char find(const struct stream_schema *schema, const char *name)
{
	size_t i = schema->n_columns - 1;

	while (i > 0 && strcmp(schema->columns[i].name, name))
		i--;
	return i;
}

void columns__find(void)
{
#define FIND(stream, name) \
	report_columns[stream##_##name] = find(&schema_streams[STREAM_##stream], #name);
	REPORT_COLUMNS(FIND)
}
