// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of formats, and what several of them ask of a row. */
#include "export/format.h"

#include <stdlib.h>
#include <string.h>

const struct format *const formats[] = {
	&format_csv, &format_jsonl,    &format_msr,      &format_fio,    &format_oracle,
	&format_lcs, &format_perfetto, &format_blkparse, &format_strace, NULL,
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

bool format__file(const struct export_row *row, uint64_t *ret)
{
	const struct row_field *device = &row->fields[row__column(STREAM_FS, "device")];
	uint64_t inode, key = 0;

	if (!device->len || !row__uint(row, row__column(STREAM_FS, "inode"), &inode))
		return false;
	for (size_t i = 0; i < device->len; i++)
		key = table__mix(key, device->s[i]);
	for (const char *m = row->machine; *m; m++)
		key = table__mix(key, *m);
	*ret = table__mix(key, inode);
	return true;
}

bool format__transfer(const struct export_row *row, struct transfer *ret)
{
	int operation = row__column(STREAM_FS, "operation");

	ret->write = row__is(row, operation, "write");
	return (ret->write || row__is(row, operation, "read")) &&
	       row__uint(row, row__column(STREAM_FS, "offset"), &ret->offset) &&
	       row__uint(row, row__column(STREAM_FS, "bytes_completed"), &ret->bytes) && ret->bytes;
}

static double milliseconds(const struct export_row *row, int column)
{
	char text[64];
	size_t len = row->fields[column].len;

	if (len >= sizeof(text))
		return 0;
	memcpy(text, row->fields[column].s, len);
	text[len] = '\0';
	return atof(text);
}

/* The file may be anybody's: what no integer holds is no latency. */
static uint64_t latency_ns(const struct export_row *row)
{
	double ns = milliseconds(row, row__column(STREAM_BLOCK, "latency_ms")) * 1e6 + 0.5;

	return ns >= 0 && ns < (double)INT64_MAX ? (uint64_t)ns : 0;
}

uint64_t format__duration_ns(const struct export_row *row)
{
	uint64_t ns = 0;

	if (row->stream == STREAM_BLOCK)
		ns = latency_ns(row);
	else
		row__uint(row, row__column(STREAM_FS, "duration_ns"), &ns);
	return ns < row->mono_ns ? ns : 0;
}
