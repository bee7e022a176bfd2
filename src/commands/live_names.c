// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/live_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/groups.h"
#include "base/clock.h"
#include "dataset/row_fields.h"
#include "dataset/two_paths.h"
#include "export/row.h"
#include "rows/encode.h"

#define NAMES_MAX_KEPT 131072
#define NAMES_BYTES_MAX (32 << 20)
#define FILLING 10 /* percent of the buffer since the last drain */

/* A file in sums. */
struct file_id {
	uint64_t file;
	uint64_t dev;
};

struct live_names {
	struct engine *engine;
	struct clock *clock;
	struct encoder *encoder;
	struct groups *names; /* by struct file_id; the values are char *, owned by this */
	uint64_t dropped;     /* groups__dropped() when the engine was last told to send again */
	char row[ROW_MAX + ROW_FILE_SLACK];
};

static void drop_name(void *arg, struct group *group, bool at_end)
{
	free(*(char **)group->value);
}

int live_names__new(struct live_names **ret, struct engine *engine,
		    const struct selection *selection, const struct memory_plan *plan)
{
	const struct groups_config config = { .value_size = sizeof(char *),
					      .max_groups = NAMES_MAX_KEPT,
					      .max_bytes = NAMES_BYTES_MAX,
					      .drop = drop_name };
	struct encoder_config encoder = { .selection = selection, .memory = plan };
	struct live_names *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	n->engine = engine;
	err = clock__new(&n->clock);
	encoder.clock = n->clock;
	if (!err)
		err = encoder__new(&n->encoder, &encoder);
	if (!err)
		err = groups__new(&n->names, &config);
	if (err)
		live_names__free(n);
	else
		*ret = n;
	return err;
}

struct live_names *live_names__free(struct live_names *n)
{
	if (!n)
		return NULL;
	groups__free(n->names);
	encoder__free(n->encoder);
	clock__free(n->clock);
	free(n);
	return NULL;
}

/* ---- definitions ---- */

/* If out of memory, the name is missing. */
static void keep_name(struct live_names *n, uint64_t file, uint32_t dev, const char *name,
		      size_t len)
{
	struct file_id id = { file, dev };
	struct group *group = groups__at(n->names, (const char *)&id, sizeof(id));
	char **value = group ? group->value : NULL, *copy = strndup(name, len);

	if (!value || !copy) {
		free(copy);
		return;
	}
	groups__charge(n->names, group, (ptrdiff_t)len - (*value ? (ptrdiff_t)strlen(*value) : 0));
	free(*value);
	*value = copy;
}

/* The name of a path as in rows: its field without quotes. */
static void define_path(struct live_names *n, const struct rec_path *path)
{
	const struct path_entry *entry = dict__get(n->encoder->paths, path->id);
	struct row_field field;

	if (!entry)
		return;
	memcpy(n->row, entry->text + entry->raw_len, entry->field_len);
	if (row_fields__first(n->row, entry->field_len, &field, 1) != 1)
		return;
	keep_name(n, path->id, 0, field.s, field.len);
	keep_name(n, path->ino, path->dev, field.s, field.len);
}

/* Notes the name by which a call on a path reached the inode. A rename has two names, and the last
 * one is the file's new name. */
static void define_reached(struct live_names *n, const struct rec_fs_long *rec, size_t size)
{
	struct row_field fields[ROW_FIELDS_MAX], name;
	int column = row__column(STREAM_FS, "filename");
	char *end = encode__fs(n->encoder, rec, size, n->row);

	if (!end || row_fields__first(n->row, end - 1 - n->row, fields, column + 1) != column + 1)
		return;
	name = two_paths__split(&fields[column]).second;
	if (name.len)
		keep_name(n, rec->ino, rec->dev, name.s, name.len);
}

static void on_definition(void *arg, const void *record, size_t size)
{
	struct live_names *n = arg;

	if (!encode__sound(record, size))
		return;
	switch (*(const uint8_t *)record) {
	case REC_PATH:
		encoder__define(n->encoder, record, size);
		define_path(n, record);
		break;
	case REC_FS_LONG:
		define_reached(n, record, size);
		break;
	}
}

static void on_event(void *arg, const void *record, size_t size)
{
}

bool live_names__drain(struct live_names *n)
{
	const struct sink sink = { .define = on_definition, .event = on_event, .arg = n };
	bool filling = engine__fill(n->engine).definitions >= FILLING;

	engine__mark(n->engine);
	engine__drain(n->engine, &sink);
	dict__drop(n->encoder->paths);
	if (dict__full(n->encoder->paths) || groups__dropped(n->names) != n->dropped) {
		n->dropped = groups__dropped(n->names);
		engine__forget(n->engine);
		dict__forget(n->encoder->paths);
	}
	return filling;
}

const char *live_names__find(struct live_names *n, const struct engine_sum *sum, size_t *ret_len)
{
	struct file_id id = { sum->file, sum->dev };
	struct group *group = groups__find(n->names, (const char *)&id, sizeof(id));
	const char *name = group ? *(char **)group->value : NULL;

	if (!name)
		return NULL;
	group->weight++;
	*ret_len = strlen(name);
	return name;
}
