// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of extent: what lies on the disks, and who caused it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform/macros.h"
#include "report/columns.h"
#include "report/figure_row.h"
#include "report/figures_streams.h"

static enum channel channel_of_kind(const struct row_field *kind)
{
	static const struct {
		const char *name;
		enum channel channel;
	} kinds[] = {
		{ "data", CHANNEL_EXTENT_DATA },         { "direct", CHANNEL_EXTENT_DIRECT },
		{ "metadata", CHANNEL_EXTENT_METADATA }, { "journal", CHANNEL_EXTENT_JOURNAL },
		{ "swap", CHANNEL_EXTENT_SWAP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (figures__is(kind, kinds[i].name))
			return kinds[i].channel;
	return CHANNEL_EXTENT_UNKNOWN;
}

static void add(struct disk_totals *t, const struct figure_row *row)
{
	t->parts++;
	t->read += row->read ? row->bytes : 0;
	t->written += row->write ? row->bytes : 0;
}

/* Notes the first word in rows that write a file, and whether later rows have others. */
static void note_word(struct first_word *w, const struct row_field *f, uint64_t mono_ns)
{
	char text[sizeof(w->text)];

	figures__text(text, sizeof(text), f);
	w->others |= w->at_ns && strcmp(w->text, text);
	if (w->at_ns && w->at_ns <= mono_ns)
		return;
	w->at_ns = mono_ns;
	memcpy(w->text, text, sizeof(text));
}

static int count_disk_file(struct figures *t, const struct row_field *f,
			   const struct figure_row *row, uint64_t weight)
{
	struct group *g = figures__group(t, TABLE_DISK_FILES, row->name->s, row->name->len, weight);
	struct disk_file_group *file;

	if (!g)
		return -ENOMEM;
	file = g->value;
	add(&file->totals, row);
	if (figures__is(FIELD(f, EXTENT, kind), "readahead"))
		file->ahead += row->bytes;
	if (row->has_ns && row->ns > file->oldest_ns)
		file->oldest_ns = row->ns;
	if (row->write) {
		note_word(&file->command, FIELD(f, EXTENT, command), row->mono_ns);
		note_word(&file->cause, FIELD(f, EXTENT, cause), row->mono_ns);
	}
	return 0;
}

static int count_owner(struct figures *t, const struct row_field *f, const struct figure_row *row,
		       uint64_t weight)
{
	const struct row_field *kind = FIELD(f, EXTENT, kind), *cause = FIELD(f, EXTENT, cause);
	const struct row_field *command = FIELD(f, EXTENT, command);
	char key[192];
	int len = snprintf(key, sizeof(key), "%.*s/%.*s/%.*s", kind->len < 32 ? (int)kind->len : 32,
			   kind->s, cause->len < 32 ? (int)cause->len : 32, cause->s,
			   command->len < 100 ? (int)command->len : 100, command->s);
	struct group *g = figures__group(t, TABLE_DISK_OWNERS, key, len, weight);

	if (!g)
		return -ENOMEM;
	add(g->value, row);
	return 0;
}

int figures__extent(struct figures *t, const struct row_field *f)
{
	const struct row_field *operation = FIELD(f, EXTENT, operation);
	const struct row_field *seen = FIELD(f, EXTENT, overlay_filename);
	struct figure_row row = { .channel = channel_of_kind(FIELD(f, EXTENT, kind)) };
	uint64_t weight;
	int err;

	row.read = figures__is(operation, "read");
	row.write = figures__is(operation, "write");
	figures__number(FIELD(f, EXTENT, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, EXTENT, size), &row.bytes);
	row.has_ns = figures__millionths(FIELD(f, EXTENT, age_ms), &row.ns);
	/* The same name as in rows of fs. */
	row.name = seen->len ? seen : FIELD(f, EXTENT, filename);
	weight = 1 + row.bytes / 4096;
	if (row.write)
		t->time.bins[timeline__bin(&t->time, row.mono_ns)][row.channel] += row.bytes;
	err = count_owner(t, f, &row, weight);
	return err || !row.name->len ? err : count_disk_file(t, f, &row, weight);
}
