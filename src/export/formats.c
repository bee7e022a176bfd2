// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of formats. */
#include "export/format.h"

#include <string.h>

const struct format *const formats[] = {
	&format_csv, &format_jsonl,    &format_msr,      &format_fio,    &format_oracle,
	&format_lcs, &format_perfetto, &format_blkparse, &format_strace, &format_arrow,
	NULL,
};

const struct format *format__find(const char *name)
{
	const struct format *const *f = formats;

	while (*f && strcmp((*f)->name, name))
		f++;
	return *f;
}

static bool choose_all(struct export *e)
{
	for (int s = 0; s < STREAM_COUNT; s++)
		for (size_t i = 0; i < schema_streams[s].n_columns; i++)
			e->columns[s].at[e->columns[s].n++] = i;
	return true;
}

bool format__choose(struct export *e, uint32_t streams, const char *list, const char **ret_bad)
{
	if (!list)
		return choose_all(e);
	while (*list) {
		size_t len = strcspn(list, ",");
		bool found = false;

		for (int s = 0; s < STREAM_COUNT; s++) {
			struct columns *c = &e->columns[s];
			int at = streams >> s & 1 ? schema__column(s, list, len) : -1;

			if (at >= 0 && c->n < ROW_FIELDS_MAX)
				c->at[c->n++] = at;
			found |= at >= 0;
		}
		if (!found) {
			*ret_bad = list;
			return false;
		}
		list += len + (list[len] == ',');
	}
	return true;
}
