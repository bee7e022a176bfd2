// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "report/data_tables.h"
#include "schema/schema.h"

#define DATA_FORMAT 1

/* N bytes as a JSON string in base64, as JavaScript's typed arrays are read from: numbers are
 * little-endian on every machine that iotrc runs on. */
static json_t *base64(const void *data, size_t n)
{
	char *text = malloc(n / 3 * 4 + 8);
	json_t *json = NULL;

	if (text)
		json = json_stringn(text, EVP_EncodeBlock((unsigned char *)text, data, (int)n));
	free(text);
	return json;
}

/* ---- time ---- */

static unsigned int bins_used(const struct timeline *t)
{
	unsigned int used = 1;

	for (unsigned int i = 0; i < TIMELINE_BINS; i++)
		for (unsigned int c = 0; c < CHANNEL_COUNT; c++)
			if (t->bins[i][c])
				used = i + 1;
	return used;
}

static json_t *channels(const struct timeline *t, unsigned int n)
{
	json_t *all = json_object();
	double bins[TIMELINE_BINS];

	for (unsigned int c = 0; c < CHANNEL_COUNT; c++) {
		bool any = false;

		for (unsigned int i = 0; i < n; i++) {
			bins[i] = t->bins[i][c];
			any |= t->bins[i][c];
		}
		if (any)
			json_object_set_new(all, channel_names[c], base64(bins, n * sizeof(*bins)));
	}
	return all;
}

/* Cells that are not 0, as column * TIMELINE_ROWS + row and the count. */
static json_t *grid(const uint32_t cells[TIMELINE_COLUMNS][TIMELINE_ROWS])
{
	static const unsigned int size = TIMELINE_COLUMNS * TIMELINE_ROWS;
	uint32_t *counts = malloc(size * sizeof(*counts));
	uint16_t *places = malloc(size * sizeof(*places));
	json_t *json = NULL;
	unsigned int n = 0;

	for (unsigned int i = 0; counts && places && i < size; i++) {
		uint32_t count = cells[i / TIMELINE_ROWS][i % TIMELINE_ROWS];

		if (!count)
			continue;
		places[n] = i;
		counts[n++] = count;
	}
	if (n)
		json = json_pack("{s:o, s:o}", "cells", base64(places, n * sizeof(*places)),
				 "counts", base64(counts, n * sizeof(*counts)));
	free(counts);
	free(places);
	return json;
}

static json_t *grids(const struct timeline *t)
{
	json_t *all = json_object();

	for (unsigned int g = 0; g < TIMELINE_GRIDS; g++) {
		json_t *json = grid(t->grids[g]);

		if (json)
			json_object_set_new(all, channel_names[g], json);
	}
	return json_pack("{s:i, s:i, s:i, s:o}", "bins", TIMELINE_GRID_BINS, "rows", TIMELINE_ROWS,
			 "low", TIMELINE_LOW, "of", all);
}

static json_t *time_axis(const struct data_config *c, unsigned int bins)
{
	const struct timeline *t = &c->figures->time;
	const struct clock_offset *o =
		clock__offset_at(c->session->offsets, c->session->n_offsets, t->origin_ns);

	return json_pack(
		"{s:I, s:I, s:i, s:f, s:i, s:i, s:I, s:I}", "origin_ns", (json_int_t)t->origin_ns,
		"width_ns", (json_int_t)t->width_ns, "bins", (int)bins, "wall",
		(double)(t->origin_ns + o->offset_ns) / 1e9, "utc_offset", (int)o->utc_offset_s,
		"clock_steps", (int)c->session->n_offsets - 1, "first_ns",
		(json_int_t)c->figures->first_ns, "last_ns", (json_int_t)c->figures->last_ns);
}

static json_t *sizes(const struct figures *t)
{
	static const char *const names[SIZE_COUNT] = { "read", "write", "block_read",
						       "block_write" };
	json_t *all = json_object();

	for (unsigned int i = 0; i < SIZE_COUNT; i++) {
		json_t *powers = json_array();

		for (unsigned int p = 0; p < SIZE_POWERS; p++)
			json_array_append_new(powers, json_integer(t->sizes[i][p]));
		json_object_set_new(all, names[i], powers);
	}
	return all;
}

/* ---- samples ---- */

struct sample_columns {
	float *time; /* seconds since the origin */
	float *bytes, *at, *us;
	uint16_t *file, *process;
	uint8_t *channel, *failed, *disk;
};

static void fill_columns(struct sample_columns *to, const struct data_config *c,
			 const struct data_places *places, const struct sample *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct sampled *row = &s->rows[i];

		to->time[i] =
			(float)((double)(int64_t)(row->mono_ns - c->figures->time.origin_ns) / 1e9);
		to->bytes[i] = (float)row->bytes;
		to->at[i] = row->has_at ? (float)row->at : -1;
		to->us[i] = row->has_ns ? (float)row->ns / 1e3f : -1;
		to->file[i] = data_places__file(places, row->file);
		to->process[i] = data_places__process(places, row->pid);
		to->channel[i] = row->channel;
		to->failed[i] = row->failed;
		to->disk[i] = data_places__disk(places, row->device);
	}
}

static json_t *sample(const struct data_config *c, const struct data_places *places,
		      enum figures_sample which, size_t max)
{
	struct sample *s = &c->figures->samples[which];
	struct sample_columns to;
	json_t *json = NULL;
	char *memory;
	size_t n;

	sample__finish(s, max);
	n = s->n;
	memory = calloc(n + 1, 4 * sizeof(float) + 2 * sizeof(uint16_t) + 3);
	if (!memory)
		return NULL;
	to.time = (float *)memory;
	to.bytes = to.time + n;
	to.at = to.bytes + n;
	to.us = to.at + n;
	to.file = (uint16_t *)(to.us + n);
	to.process = to.file + n;
	to.channel = (uint8_t *)(to.process + n);
	to.failed = to.channel + n;
	to.disk = to.failed + n;
	fill_columns(&to, c, places, s);
	json = json_pack("{s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "n", (int)n,
			 "of", (json_int_t)c->figures->sampled_of[which], "time",
			 base64(to.time, n * 4), "bytes", base64(to.bytes, n * 4), "at",
			 base64(to.at, n * 4), "us", base64(to.us, n * 4), "file",
			 base64(to.file, n * 2), "process", base64(to.process, n * 2), "channel",
			 base64(to.channel, n), "failed", base64(to.failed, n), "disk",
			 base64(to.disk, which == SAMPLE_BLOCK ? n : 0));
	free(memory);
	return json;
}

static json_t *samples(const struct data_config *c, const struct data_places *places)
{
	unsigned int d = c->sample_divisor ?: 1;

	return json_pack("{s:o, s:o, s:o}", "fs", sample(c, places, SAMPLE_FS, SAMPLE_FS_MAX / d),
			 "block", sample(c, places, SAMPLE_BLOCK, SAMPLE_BLOCK_MAX / d), "other",
			 sample(c, places, SAMPLE_OTHER, SAMPLE_OTHER_MAX / d));
}

static json_t *row_channels(void)
{
	json_t *names = json_array();

	for (unsigned int i = 0; i < CHANNEL_ROWS; i++)
		json_array_append_new(names, json_string(channel_names[i]));
	return names;
}

/* ---- the session ---- */

static json_t *spec(const struct data_config *c, const char *name, const char *const keys[])
{
	int fd = session_reader__open_in(c->session->fd, "system_spec", name);
	json_t *all = NULL, *some = json_object();
	char why[JSON_WHY_MAX];

	if (fd >= 0 && !json_text__read(fd, &all, why))
		for (; *keys; keys++)
			json_object_set(some, *keys, json_object_get(all, *keys));
	if (fd >= 0)
		close(fd);
	json_decref(all);
	return some;
}

static json_t *machine(const struct data_config *c)
{
	static const char *const cpu[] = { "brand", "cores_logical", NULL };
	static const char *const memory[] = { "total_bytes", NULL };
	static const char *const os[] = { "distribution", "virtualization", NULL };

	return json_pack("{s:o, s:o, s:o}", "cpu", spec(c, "cpu_info.json", cpu), "memory",
			 spec(c, "memory_info.json", memory), "os", spec(c, "os_info.json", os));
}

/* Copies the manifest's members that contain no names. */
static json_t *session_of(const struct data_config *c, struct report_names *names)
{
	static const char *const keys[] = { "machine_id", "session_id", "boot_id",
					    "host",       "session",    NULL };
	json_t *root = c->session->root, *to = json_object(), *tracer = json_object();
	json_t *from = json_object_get(root, "tracer");
	static const char *const of_tracer[] = { "version", "commit", "engine", NULL };
	const char *line = json_string_value(json_object_get(from, "command_line"));

	for (unsigned int i = 0; keys[i]; i++)
		json_object_set(to, keys[i], json_object_get(root, keys[i]));
	for (unsigned int i = 0; of_tracer[i]; i++)
		json_object_set(tracer, of_tracer[i], json_object_get(from, of_tracer[i]));
	json_object_set_new(tracer, "command_line",
			    report_names__arguments(names, line ?: "", strlen(line ?: "")));
	json_object_set_new(to, "tracer", tracer);
	json_object_set_new(to, "machine", machine(c));
	json_object_set_new(to, "running", json_boolean(c->session->running));
	return to;
}

static json_t *integrity(const struct data_config *c)
{
	json_t *diagnostics = json_object_get(c->session->root, "diagnostics");
	json_t *counts = json_object_get(diagnostics, "streams"), *all = json_object();
	json_t *streams = json_object_get(c->session->root, "streams");

	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct stream_schema *s = &schema_streams[i];
		json_t *to = json_object();

		json_object_update(to, json_object_get(counts, s->key));
		json_object_set_new(to, "read", json_integer(c->feed->rows[i]));
		json_object_set(to, "enabled",
				json_object_get(json_object_get(streams, s->key), "enabled"));
		json_object_set_new(to, "description", json_string(s->description));
		json_object_set_new(all, s->key, to);
	}
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:O}", "streams", all, "files",
			 (json_int_t)c->feed->files, "unfinished", (json_int_t)c->feed->parts,
			 "bad", (json_int_t)c->feed->bad, "lost_spans",
			 (json_int_t)c->figures->lost_spans, "faults", c->faults);
}

static json_t *make(const struct data_config *c, struct report_names *names)
{
	unsigned int bins = bins_used(&c->figures->time);
	struct data_places *places = NULL;
	json_t *tables = data_tables__make(c->session, c->figures, names, &places);
	char now[CLOCK_ISO8601_SIZE];
	json_t *root;

	clock__iso8601(clock__real_ns(), now);
	root = json_pack("{s:i, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "format", DATA_FORMAT, "made_at", now, "made_by", IOTRC_VERSION,
			 "anonymous", (int)c->anonymous, "live", (int)c->live, "session",
			 session_of(c, names), "integrity", integrity(c), "time",
			 time_axis(c, bins), "channels", channels(&c->figures->time, bins), "grids",
			 grids(&c->figures->time), "sizes", sizes(c->figures), "tables", tables,
			 "row_channels", row_channels(), "samples",
			 places ? samples(c, places) : NULL);
	data_places__free(places);
	return root;
}

json_t *data__make(const struct data_config *config)
{
	struct report_names *names;
	json_t *root;

	if (report_names__new(&names, config->anonymous))
		return NULL;
	root = make(config, names);
	report_names__free(names);
	return root;
}
