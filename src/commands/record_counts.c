// SPDX-License-Identifier: GPL-2.0-or-later
/* The counts of a recording, and its manifest. */
#include "commands/recording.h"

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "commands/record_signals.h"
#include "dataset/manifest.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "snappers/snapshots.h"
#include "uploader/upload.h"

/* The manifest grows with the session and is always written whole. Writing it takes at most this
 * share of the main thread's time, however many files are finished. */
#define MANIFEST_SHARE 10

uint32_t recording__enabled_streams(const struct options *o)
{
	return o->selection.streams | 1u << STREAM_LOST |
	       (o->snapshots.process_interval_ns ? 1u << STREAM_PROCESS : 0) |
	       (o->snapshots.fs_interval_ns ? 1u << STREAM_FILESYSTEM : 0);
}

const struct engine_type *recording__engine_type(const struct options *o)
{
	return o->engine ? engine__find(o->engine) :
	       o->replay ? &engine_replay :
	       o->strace ? &engine_strace :
	       o->dtrace ? &engine_dtrace :
			   engines[0];
}

static bool is_snapshot(enum stream stream)
{
	return stream == STREAM_PROCESS || stream == STREAM_FILESYSTEM;
}

static void count_rows(struct recording *r, enum stream stream, struct row_counts *ret,
		       uint64_t *ret_bytes)
{
	struct writer_stream_stats stats;

	if (is_snapshot(stream)) {
		snapshots__counts(r->snapshots, stream, ret, ret_bytes);
		capture__set_lost(r->capture, stream, ret->lost[LOST_DISK]);
		return;
	}
	capture__counts(r->capture, stream, ret);
	writer__stats(r->writer, stream, &stats);
	*ret_bytes = stats.compressed_bytes;
}

void recording__take_snapshot(struct recording *r, struct status_snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->elapsed_ns = clock__mono_ns() - r->begun_ns;
	snapshots__note(r->snapshots, s->note);
	upload__note(r->upload, s->upload);
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct status_stream *stream = &s->streams[i];

		stream->enabled = recording__enabled_streams(r->options) >> i & 1;
		count_rows(r, i, &stream->rows, &stream->bytes);
	}
}

/* Counts the rows of which something is unknown by reason. */
static void tell_unknown_extents(struct recording *r)
{
	uint64_t n[UNKNOWN_REASONS];
	json_t *counts;

	if (!(recording__enabled_streams(r->options) >> STREAM_EXTENT & 1))
		return;
	counts = json_object();
	capture__unknown_extents(r->capture, n);
	for (int i = 0; counts && i < UNKNOWN_REASONS; i++)
		if (encode__unknown_reasons[i])
			json_object_set_new(counts, encode__unknown_reasons[i],
					    json_integer((json_int_t)n[i]));
	manifest__set_diagnostic(r->manifest, "extent_unknown", counts);
}

static void tell_users(struct recording *r)
{
	json_t *users = r->users ? process_users__json(r->users) : NULL;

	if (users)
		manifest__set(r->manifest, "users", users);
}

int recording__write_manifest(struct recording *r)
{
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];
	uint64_t paths, tasks, begun = clock__mono_ns(), now;
	struct manifest_hook hooks[ENGINE_HOOKS_MAX];
	int err;

	r->offsets = clock__offsets(r->clock, offsets);
	manifest__set_offsets(r->manifest, offsets, r->offsets);
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct row_counts n = { 0 };
		uint64_t bytes;

		if (!(recording__enabled_streams(r->options) >> i & 1))
			continue;
		if (r->snapshots || !is_snapshot(i))
			count_rows(r, i, &n, &bytes);
		manifest__set_counts(r->manifest, i, &n);
	}
	manifest__set_hooks(r->manifest, hooks, engine__hooks(r->engine, hooks));
	capture__definitions(r->capture, &paths, &tasks);
	tell_unknown_extents(r);
	manifest__set_diagnostic(r->manifest, "stalls",
				 json_pack("{s:I, s:I}", "reader", (json_int_t)r->reader.stalls,
					   "disk", (json_int_t)r->disk.stalls));
	manifest__set_diagnostic(
		r->manifest, "definitions",
		json_pack("{s:I, s:I}", "paths", (json_int_t)paths, "tasks", (json_int_t)tasks));
	tell_users(r);
	err = manifest__write(r->manifest, r->session->fd);
	upload__poke(r->upload);
	now = clock__mono_ns();
	r->manifest_due_ns = now + MANIFEST_SHARE * (now - begun);
	return err;
}

/* Before any other file, so that a manifest describes whatever a crash leaves. */
int recording__write_first_manifest(struct recording *r)
{
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];

	r->offsets = clock__offsets(r->clock, offsets);
	manifest__set_offsets(r->manifest, offsets, r->offsets);
	return manifest__write(r->manifest, r->session->fd);
}

void recording__manifest_grown(void *arg)
{
	struct recording *r = arg;

	atomic_store(&r->manifest_stale, true);
	record_signals__wake();
}

/* A step that is in no manifest has to be derived from the rows at recovery (row_clock.h). */
bool recording__clock_was_set(struct recording *r)
{
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];

	return clock__offsets(r->clock, offsets) != r->offsets;
}
