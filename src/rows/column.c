// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/column.h"

#ifdef CHECK_COLUMNS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/schema.h"

/* The columns of the row that this thread is writing. */
static _Thread_local const struct stream_schema *schema;
static _Thread_local size_t at; /* the column being written */

static void stop(const char *name)
{
	fprintf(stderr, "column %zu of %s is '%s', not '%s'\n", at, schema->key,
		at < schema->n_columns ? schema->columns[at].name : "", name);
	abort();
}

void column__begin(enum stream stream)
{
	schema = &schema_streams[stream];
	at = 0; /* the wall time */
}

void column__next(const char *const *names)
{
	for (; *names; names++)
		if (++at >= schema->n_columns || strcmp(schema->columns[at].name, *names))
			stop(*names);
}

void column__end(void)
{
	column__next((const char *const[]){ "mono_ns", NULL });
	if (at != schema->n_columns - 1)
		stop("(the last)");
}
#endif
