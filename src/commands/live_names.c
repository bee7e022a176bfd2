// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/live_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "aggregate/groups.h"
#include "base/clock.h"
#include "dataset/memory.h"
#include "dataset/row_fields.h"
#include "dataset/two_paths.h"
#include "export/row.h"
#include "rows/encode.h"

#define NAMES_MAX_KEPT 131072
#define NAMES_BYTES_MAX (32 << 20)
#define FILLING 10 /* percent of the buffer since the last drain */
/* The names that may come between two drains. Decoded they take several times as much. */
#define BURST_BYTES (1 << 20)
#define BURST_PATHS (BURST_BYTES / sizeof(struct rec_path))

/* A file in sums. */
struct summed_file {
	uint64_t file;
	uint64_t dev;
};

struct live_name {
	char *text; /* owned by this */
	uint32_t dev;
	char fs_type[FSTYPE_BYTES]; /* empty: unknown */
};

struct live_names {
	struct engine *engine;
	struct clock *clock;
	struct encoder *encoder;
	struct groups *names; /* by struct summed_file; the values are struct live_name */
	uint64_t dropped;     /* groups__dropped() when the engine was last told to send again */
	char row[ROW_MAX + ROW_FILE_SLACK];
};

static void drop_name(void *arg, struct group *group, bool at_end)
{
	free(((struct live_name *)group->value)->text);
}

void live_names__plan(struct memory_plan *ret)
{
	memory__plan(ret, memory__least(memory__cpus()), memory__cpus());
	ret->definitions_bytes = MAX(ret->definitions_bytes, BURST_BYTES);
	ret->paths_bytes = MAX(ret->paths_bytes, 4 * BURST_BYTES);
	ret->paths_max = MAX(ret->paths_max, BURST_PATHS);
}

int live_names__new(struct live_names **ret, struct engine *engine,
		    const struct selection *selection, const struct memory_plan *plan)
{
	const struct groups_config config = { .value_size = sizeof(struct live_name),
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

/* Keeps NAME, that of the file ID, whose text is that of FIELD. If out of memory, it is missing. */
static void keep_name(struct live_names *n, struct summed_file id, struct live_name name,
		      struct row_field field)
{
	struct group *group = groups__at(n->names, (const char *)&id, sizeof(id));
	struct live_name *value = group ? group->value : NULL;

	name.text = strndup(field.s, field.len);
	if (!value || !name.text) {
		free(name.text);
		return;
	}
	groups__charge(n->names, group,
		       (ptrdiff_t)field.len - (value->text ? (ptrdiff_t)strlen(value->text) : 0));
	free(value->text);
	*value = name;
}

/* The name of a path as in rows: its field without quotes. */
static void define_path(struct live_names *n, const struct rec_path *path)
{
	const struct path_entry *entry = dict__get(n->encoder->paths, path->id);
	struct live_name name = { .dev = path->dev };
	struct row_field field;

	if (!entry)
		return;
	memcpy(n->row, entry->text + entry->field_at, entry->field_len);
	if (row_fields__first(n->row, entry->field_len, &field, 1) != 1)
		return;
	memcpy(name.fs_type, path->fs_type, sizeof(name.fs_type) - 1);
	keep_name(n, (struct summed_file){ path->id, 0 }, name, field);
	keep_name(n, (struct summed_file){ path->ino, path->dev }, name, field);
}

/* Notes the name by which a call on a path reached the inode. A rename has two names, and the last
 * one is the file's new name. */
static void define_reached(struct live_names *n, const struct rec_fs_long *rec, size_t size)
{
	struct row_field fields[ROW_FIELDS_MAX], field, type;
	int count = row__column(STREAM_FS, "fs_type") + 1;
	char *end = encode__fs(n->encoder, rec, size, n->row);
	struct live_name name = { .dev = rec->dev };

	if (!end || row_fields__first(n->row, end - 1 - n->row, fields, count) != count)
		return;
	field = two_paths__split(&fields[row__column(STREAM_FS, "filename")]).second;
	type = fields[count - 1];
	memcpy(name.fs_type, type.s, MIN(type.len, sizeof(name.fs_type) - 1));
	if (field.len)
		keep_name(n, (struct summed_file){ rec->ino, rec->dev }, name, field);
}

static void take_name(void *arg, const void *record, size_t size)
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

static void ignore_event(void *arg, const void *record, size_t size)
{
}

bool live_names__drain(struct live_names *n)
{
	const struct sink sink = { .define = take_name, .event = ignore_event, .arg = n };
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

static const struct live_name *find_name(struct live_names *n, const struct engine_sum *sum)
{
	struct summed_file id = { sum->file, sum->dev };
	struct group *group =
		sum->file ? groups__find(n->names, (const char *)&id, sizeof(id)) : NULL;
	const struct live_name *name = group ? group->value : NULL;

	if (!name || !name->text)
		return NULL;
	group->weight++;
	return name;
}

const char *live_names__find(struct live_names *n, const struct engine_sum *sum, size_t *ret_len)
{
	const struct live_name *name = find_name(n, sum);

	if (!name)
		return NULL;
	*ret_len = strlen(name->text);
	return name->text;
}

uint32_t live_names__device(struct live_names *n, const struct engine_sum *sum)
{
	const struct live_name *name = find_name(n, sum);

	return name ? name->dev : 0;
}

const char *live_names__fs_type(struct live_names *n, const struct engine_sum *sum)
{
	const struct live_name *name = find_name(n, sum);

	return name ? name->fs_type : "";
}
