// SPDX-License-Identifier: GPL-2.0-or-later
/* manifest.json. The document is kept in memory as it will be written; setters change it in
 * place. */
#include "dataset/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/json_text.h"
#include "commit.h"
#include "schema/schema.h"

#define MS(ns) ((double)((ns) / 1000000) / 1000)

struct manifest {
	pthread_mutex_t lock;
	json_t *root;
	json_t *clock, *session, *files, *hooks;              /* borrowed from root */
	json_t *streams[STREAM_COUNT], *counts[STREAM_COUNT]; /* borrowed from root */
	uint64_t started_mono_ns;
	uid_t uid;
	gid_t gid;
	bool running;
	bool oom;
};

/* jansson accepts NULL as a value and fails then, so a failed allocation is noticed here. Takes
 * ownership of values. */
static void set_member(struct manifest *m, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		m->oom = true;
}

static void append_value(struct manifest *m, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		m->oom = true;
}

static json_t *set_object(struct manifest *m, json_t *parent, const char *key)
{
	json_t *object = json_object();

	set_member(m, parent, key, object);
	return object;
}

static json_t *set_array(struct manifest *m, json_t *parent, const char *key)
{
	json_t *array = json_array();

	set_member(m, parent, key, array);
	return array;
}

static json_t *iso8601_now(void)
{
	char buf[CLOCK_ISO8601_SIZE];

	clock__iso8601(clock__real_ns(), buf);
	return json_string(buf);
}

/* ---- constant members ---- */

static json_t *words(struct manifest *m, const char *list)
{
	json_t *array = json_array();

	while (*list) {
		size_t len = strcspn(list, " ");

		if (len)
			append_value(m, array, json_stringn(list, len));
		list += len + (list[len] == ' ');
	}
	return array;
}

static void add_column(struct manifest *m, json_t *columns, const struct column *c)
{
	json_t *column = json_object();

	set_member(m, column, "name", json_string(c->name));
	set_member(m, column, "type", json_string(schema_type_names[c->type]));
	set_member(m, column, "unit", json_string(c->unit));
	set_member(m, column, "description", json_string(c->description));
	if (schema__is_number(c->type))
		set_member(m, column, "sum", c->sum ? json_string(c->sum) : json_null());
	if (c->words)
		set_member(m, column, "words", words(m, c->words));
	append_value(m, columns, column);
}

static void add_streams(struct manifest *m, uint32_t enabled)
{
	json_t *streams = set_object(m, m->root, "streams");

	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct stream_schema *schema = &schema_streams[i];
		json_t *s = set_object(m, streams, schema->key), *columns;

		m->streams[i] = s;
		set_member(m, s, "subdir", json_string(schema->subdir));
		set_member(m, s, "filename_prefix", json_string(schema->prefix));
		set_member(m, s, "description", json_string(schema->description));
		set_member(m, s, "wall_clock", json_string(schema->wall_clock));
		set_member(m, s, "enabled", json_boolean(enabled >> i & 1));
		set_member(m, s, "hooks", json_array());
		columns = set_array(m, s, "columns");
		for (size_t c = 0; c < schema->n_columns; c++)
			add_column(m, columns, &schema->columns[c]);
	}
}

static void add_head(struct manifest *m, const struct manifest_info *info)
{
	struct utsname uts = { 0 };
	json_t *o;

	uname(&uts);
	set_member(m, m->root, "schema_version", json_string(SCHEMA_VERSION));

	o = set_object(m, m->root, "tracer");
	set_member(m, o, "name", json_string("iotrc"));
	set_member(m, o, "version", json_string(IOTRC_VERSION));
	set_member(m, o, "commit", json_string(IOTRC_COMMIT));
	set_member(m, o, "engine", json_string(info->engine));
	set_member(m, o, "command_line", json_text(info->command_line));

	set_member(m, m->root, "session_id", json_string(info->session_id));
	set_member(m, m->root, "machine_id", json_string(info->machine_id));
	set_member(m, m->root, "boot_id", info->boot_id ? json_string(info->boot_id) : json_null());
	o = set_object(m, m->root, "host");
	set_member(m, o, "platform", json_text(uts.sysname));
	set_member(m, o, "kernel", json_text(uts.release));
	set_member(m, o, "machine", json_text(uts.machine));

	o = set_object(m, m->root, "csv");
	set_member(
		m, o, "escape",
		json_string(
			"Control characters and bytes that are not UTF-8 are \\xHH, a backslash is "
			"\\\\: one row is one line. Two paths are joined by ' -> '; the first blank of "
			"such an arrow inside a path is \\x20. Quoting is RFC 4180's, only where "
			"needed."));
	set_member(m, o, "null",
		   json_string(
			   "An empty field: does not apply, or could not be known. 0 is a value."));
}

int manifest__new(struct manifest **ret, const struct manifest_info *info)
{
	struct manifest *m = calloc(1, sizeof(*m));
	json_t *o;

	if (!m)
		return -ENOMEM;
	pthread_mutex_init(&m->lock, NULL);
	m->uid = info->uid;
	m->gid = info->gid;
	m->running = true;
	m->started_mono_ns = clock__mono_ns();
	m->root = json_object();

	add_head(m, info);
	m->session = set_object(m, m->root, "session");
	set_member(m, m->session, "state", json_string("running"));
	set_member(m, m->session, "started_at", iso8601_now());
	set_member(m, m->session, "stopped_at", json_null());
	set_member(m, m->session, "duration_seconds", json_real(0));
	set_member(m, m->session, "anonymized", json_boolean(info->anonymized));
	if (info->anonymize_key_id)
		set_member(m, m->session, "anonymize_key_id", json_string(info->anonymize_key_id));
	set_member(m, m->session, "system_paths_clear",
		   json_boolean(!info->anonymized || info->keeps_system));

	m->clock = set_object(m, m->root, "clock");
	set_member(m, m->clock, "wall_clock", json_string("CLOCK_REALTIME, in local time"));
	set_member(m, m->clock, "mono_clock", json_string("CLOCK_MONOTONIC"));

	o = set_object(m, m->root, "diagnostics");
	m->hooks = set_array(m, o, "hooks");
	o = set_object(m, o, "streams");
	for (int i = 0; i < STREAM_COUNT; i++) {
		m->counts[i] = set_object(m, o, schema_streams[i].key);
		manifest__set_counts(m, i, &(struct row_counts){ 0 });
	}
	m->files = set_array(m, m->root, "files");
	add_streams(m, info->enabled);
	if (m->oom) {
		manifest__free(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

struct manifest *manifest__free(struct manifest *m)
{
	if (m) {
		json_decref(m->root);
		pthread_mutex_destroy(&m->lock);
		free(m);
	}
	return NULL;
}

/* ---- what changes ---- */

void manifest__add_file(struct manifest *m, const struct file_facts *facts)
{
	json_t *file = json_object();

	pthread_mutex_lock(&m->lock);
	set_member(m, file, "path", json_string(facts->path));
	set_member(m, file, "stream", json_string(schema_streams[facts->stream].key));
	set_member(m, file, "rows", json_integer(facts->rows));
	set_member(m, file, "raw_bytes", json_integer(facts->raw_bytes));
	set_member(m, file, "compressed_bytes", json_integer(facts->compressed_bytes));
	set_member(m, file, "first_mono_ns", json_integer(facts->first_mono_ns));
	set_member(m, file, "last_mono_ns", json_integer(facts->last_mono_ns));
	set_member(m, file, "sha256", json_string(facts->sha256));
	append_value(m, m->files, file);
	pthread_mutex_unlock(&m->lock);
}

void manifest__set_offsets(struct manifest *m, const struct clock_offset *offsets, size_t n)
{
	json_t *list = manifest_file__offsets(offsets, n), *first = json_array_get(list, 0);

	pthread_mutex_lock(&m->lock);
	set_member(m, m->clock, "utc_offset", json_copy(json_object_get(first, "utc_offset")));
	set_member(m, m->clock, "mono_to_real_offset_ns", json_integer(offsets[0].offset_ns));
	set_member(m, m->clock, "offsets", list);
	pthread_mutex_unlock(&m->lock);
}

void manifest__set_counts(struct manifest *m, enum stream stream, const struct row_counts *counts)
{
	json_t *o = m->counts[stream], *lost = json_object();

	pthread_mutex_lock(&m->lock);
	for (int k = 0; k < LOST_CAUSES; k++)
		set_member(m, lost, lost_causes[k], json_integer(counts->lost[k]));
	set_member(m, o, "seen", json_integer(counts->seen));
	set_member(m, o, "written", json_integer(counts->written));
	set_member(m, o, "filtered", json_integer(counts->filtered));
	set_member(m, o, "lost", lost);
	pthread_mutex_unlock(&m->lock);
}

void manifest__set_hooks(struct manifest *m, const struct manifest_hook *hooks, size_t n)
{
	pthread_mutex_lock(&m->lock);
	json_array_clear(m->hooks);
	for (int s = 0; s < STREAM_COUNT; s++)
		set_member(m, m->streams[s], "hooks", json_array());
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		set_member(m, o, "name", json_string(hooks[i].name));
		set_member(m, o, "attached", json_boolean(hooks[i].attached));
		set_member(m, o, "fired", json_integer(hooks[i].fired));
		set_member(m, o, "missed", json_integer(hooks[i].missed));
		if (hooks[i].gives)
			set_member(m, o, "without_it", json_string(hooks[i].gives));
		append_value(m, m->hooks, o);
		for (int s = 0; s < STREAM_COUNT && hooks[i].attached; s++)
			if (hooks[i].streams >> s & 1)
				append_value(m, json_object_get(m->streams[s], "hooks"),
					     json_string(hooks[i].name));
	}
	pthread_mutex_unlock(&m->lock);
}

void manifest__set(struct manifest *m, const char *key, json_t *value)
{
	pthread_mutex_lock(&m->lock);
	set_member(m, m->root, key, value);
	pthread_mutex_unlock(&m->lock);
}

void manifest__set_diagnostic(struct manifest *m, const char *key, json_t *value)
{
	pthread_mutex_lock(&m->lock);
	set_member(m, json_object_get(m->root, "diagnostics"), key, value);
	pthread_mutex_unlock(&m->lock);
}

void manifest__append(struct manifest *m, const char *key, json_t *value)
{
	json_t *array;

	pthread_mutex_lock(&m->lock);
	array = json_object_get(m->root, key);
	append_value(m, array ? array : set_array(m, m->root, key), value);
	pthread_mutex_unlock(&m->lock);
}

void manifest__set_state(struct manifest *m, const char *state)
{
	bool running = !strcmp(state, "running");

	pthread_mutex_lock(&m->lock);
	set_member(m, m->session, "state", json_string(state));
	if (m->running && !running) {
		uint64_t duration = clock__mono_ns() - m->started_mono_ns;

		set_member(m, m->session, "stopped_at", iso8601_now());
		/* NOLINTNEXTLINE(bugprone-integer-division): whole milliseconds */
		set_member(m, m->session, "duration_seconds", json_real(MS(duration)));
		m->running = false;
	}
	pthread_mutex_unlock(&m->lock);
}

/* ---- onto the disk ---- */

int manifest__write(struct manifest *m, int dir)
{
	int err = -ENOMEM;

	pthread_mutex_lock(&m->lock);
	if (m->running)
		set_member(m, m->session, "duration_seconds",
			   /* NOLINTNEXTLINE(bugprone-integer-division): whole milliseconds */
			   json_real(MS(clock__mono_ns() - m->started_mono_ns)));
	if (!m->oom)
		err = manifest_file__put(dir, m->root, !m->running, m->uid, m->gid);
	pthread_mutex_unlock(&m->lock);
	return err;
}
