// SPDX-License-Identifier: GPL-2.0-or-later
/* The metrics of a recording. */
#include "commands/recording.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "metrics/latency.h"
#include "metrics/publisher.h"
#include "uploader/queue.h"
#include "uploader/upload.h"

/* Opens and binds, which may need privileges. */
int recording__prepare_metrics(struct recording *r)
{
	const struct metrics_settings *settings = &r->options->metrics;
	char problem[PUBLISHER_PROBLEM_MAX];

	if (!settings->file && !settings->listen)
		return 0;
	r->latencies = latencies__new();
	if (!r->latencies)
		return recording__complain("out of memory");
	if (publisher__new(&r->publisher, settings, problem))
		return recording__complain("%s", problem);
	return 0;
}

static void collect_upload(struct recording *r, struct metrics_upload *ret)
{
	struct queue_stats s;

	ret->enabled = r->upload;
	if (!r->upload)
		return;
	queue__stats(upload__queue(r->upload), &s);
	ret->failing = s.troubled;
	ret->files_done = s.files_done;
	ret->bytes_done = s.bytes_done;
	ret->files_left = s.files_left;
	ret->bytes_left = s.bytes_left;
}

static struct metrics_values collect_metrics(struct recording *r, const struct status_snapshot *s,
					     bool recording)
{
	struct engine_fill fill = capture__fill(r->capture);
	struct metrics_values v = {
		.recording = recording,
		.start_real_ns = r->start_real_ns,
		.events_fill = fill.events,
		.definitions_fill = fill.definitions,
		.queue_fill = writer__fill(r->writer),
		.reader_stalls = r->reader.stalls,
		.disk_stalls = r->disk.stalls,
	};

	for (int i = 0; i < STREAM_COUNT; i++)
		v.streams[i] = (struct metrics_stream){
			.enabled = s->streams[i].enabled,
			.rows = s->streams[i].rows,
			.bytes = s->streams[i].bytes,
			.missed = capture__missed(r->capture, i),
		};
	collect_upload(r, &v.upload);
	return v;
}

/* Passes the counts of S and everything else to the publisher. */
void recording__publish(struct recording *r, const struct status_snapshot *s, bool recording)
{
	struct metrics_values values;

	if (!r->publisher)
		return;
	values = collect_metrics(r, s, recording);
	publisher__set(r->publisher, &values);
}

/* 0, or the exit code. */
int recording__start_metrics(struct recording *r)
{
	struct metrics_source source = {
		.engine = recording__engine_type(r->options)->name,
		.kernel = r->kernel.release,
		.request_names = engine__request_names(r->engine),
		.latencies = r->latencies,
	};
	char problem[PUBLISHER_PROBLEM_MAX];
	struct metrics_values values;
	struct status_snapshot s;

	if (!r->publisher)
		return 0;
	uname(&r->kernel);
	r->start_real_ns = clock__real_ns();
	recording__take_snapshot(r, &s);
	values = collect_metrics(r, &s, true);
	if (publisher__start(r->publisher, &source, &values, r->uid, r->gid, problem))
		return recording__complain("%s", problem);
	return 0;
}
