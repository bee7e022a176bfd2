// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/telemetry.h"
#include "platform/macros.h"

/* Where each value is in a manifest. The names that the family's gateway uses come first. */
static const struct {
	const char *name, *object, *key;
} values[] = {
	{ "computer_id", NULL, "machine_id" },
	{ "operating_system", "host", "platform" },
	{ "duration_s", "session", "duration_seconds" },
	{ "kernel", "host", "kernel" },
	{ "version", "tracer", "version" },
	{ "engine", "tracer", "engine" },
	{ "state", "session", "state" },
};

static json_int_t sum(const json_t *counts)
{
	json_int_t n = 0;
	const char *cause;
	json_t *value;

	json_object_foreach((json_t *)counts, cause, value)
		n += json_integer_value(value);
	return n;
}

json_t *telemetry__new(const json_t *manifest)
{
	const json_t *streams =
		json_object_get(json_object_get(manifest, "diagnostics"), "streams");
	json_t *all = json_object(), *events = json_object(), *lost = json_object(), *counts;
	const char *stream;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const json_t *from =
			values[i].object ? json_object_get(manifest, values[i].object) : manifest;
		json_t *value = json_object_get(from, values[i].key);

		if (value)
			err |= json_object_set(all, values[i].name, value);
	}
	json_object_foreach((json_t *)streams, stream, counts) {
		err |= json_object_set(events, stream, json_object_get(counts, "written"));
		err |= json_object_set_new(lost, stream,
					   json_integer(sum(json_object_get(counts, "lost"))));
	}
	err |= json_object_set_new(all, "events", events);
	err |= json_object_set_new(all, "lost", lost);
	if (!err)
		return all;
	json_decref(all);
	return NULL;
}
