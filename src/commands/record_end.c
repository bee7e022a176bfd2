// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of a recording. */
#include "commands/recording.h"

#include <string.h>

#include "base/log.h"
#include "base/notify.h"
#include "base/output.h"
#include "commands/digest.h"
#include "commands/filters.h"
#include "commands/record_signals.h"
#include "commands/status.h"
#include "commands/upload_progress.h"
#include "commands/verify.h"
#include "dataset/manifest.h"
#include "dataset/manifest_file.h"
#include "dataset/session.h"
#include "dataset/staging.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "engine/keep.h"
#include "metrics/publisher.h"
#include "options/command.h"
#include "platform/macros.h"
#include "schema/schema.h"
#include "snappers/snapshots.h"
#include "uploader/upload.h"

/* Returns whether the kernel has skipped hooks, and logs which streams may lack rows. */
static bool tell_missed(struct recording *r)
{
	uint64_t missed[STREAM_CAPTURED] = { 0 };
	bool any = false;

	engine__missed(r->engine, missed);
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		if (!missed[s])
			continue;
		any = true;
		recording__complain(
			"%s: the kernel skipped a hook %llu times, so rows are missing (see hooks in "
			"the manifest)",
			schema_streams[s].key, (unsigned long long)missed[s]);
	}
	return any;
}

static void tell_gap(void *arg, const char *text)
{
	recording__complain("%s", text);
}

/* Waits for the rest of the upload. Returns false if one of its threads is stuck. */
static bool finish_upload(struct recording *r)
{
	const struct options *o = r->options;
	struct upload_progress progress;
	struct queue_stats s;
	bool ended;

	upload_progress__begin(&progress, upload__queue(r->upload), o->quiet, o->upload.timeout_ns);
	ended = upload__finish(r->upload, upload_progress__tick, &progress, &s);
	upload_progress__tick(&progress, &s);
	upload_progress__end(&progress);
	upload_progress__conclude(&s, o->quiet, " for next time");
	return ended;
}

/* ---- the phases of the end: each returns whether it succeeded, and reports errors itself ---- */

static bool stop_background(struct recording *r)
{
	bool ok = true;

	if (!snapshots__stop(r->snapshots)) {
		r->stuck = true;
		recording__complain("a filesystem does not answer: its snapshot stays unfinished");
		ok = false;
	} else if (snapshots__problem(r->snapshots)) {
		recording__complain("%s", snapshots__problem(r->snapshots));
	}
	if (!staging__stop(r->staging))
		r->stuck = true;
	recording__tell_staging(r);
	return ok;
}

static bool stop_keeping(struct recording *r)
{
	int err = r->keep ? keep__close(r->keep) : 0;

	if (err)
		recording__complain("could not keep all records in %s: %s",
				    r->options->keep_records, strerror(-err));
	return !err;
}

static bool stop_capture(struct recording *r)
{
	struct status_snapshot s;
	unsigned int unfinished;
	bool kept;
	int err;

	recording__take_snapshot(r, &s); /* writes the losses of snapshots to the lost stream */
	capture__stop(r->capture);
	/* Rows lost by the last write, or at the end of a file, are reported after the last row of
	 * all other streams. */
	writer__settle(r->writer);
	capture__tell_last(r->capture);
	kept = stop_keeping(r);
	err = writer__close(r->writer);
	if (err)
		recording__complain("could not write all rows: %s", strerror(-err));
	unfinished = writer__unfinished(r->writer);
	if (unfinished)
		recording__complain(
			"%u files could not be finished: their rows wait in .part files for "
			"'iotrc recover'",
			unfinished);
	else
		manifest__set_state(r->manifest, "complete");
	return kept && !err && !unfinished;
}

static bool end_manifest(struct recording *r)
{
	int err = recording__write_manifest(r);
	bool unmounted = session__place(r->session) == SESSION_UNMOUNTED;

	if (err)
		recording__complain("cannot write %s/%s: %s", r->session->path, MANIFEST_NAME,
				    strerror(-err));
	if (unmounted)
		recording__complain(
			"%s: its disk was unmounted: these rows are out of reach until it is "
			"mounted again",
			r->session->path);
	return !err && !unmounted;
}

/* Whether no row is missing; S has the final counts. */
static bool is_complete(struct recording *r, const struct status_snapshot *s)
{
	uint64_t faults[FAULTS];
	bool ok = !capture__faults(r->capture, faults);

	if (!ok)
		recording__complain(
			"%llu records were invalid, and of %llu the thread and of %llu the file is "
			"unknown: please report this",
			(unsigned long long)faults[FAULT_RECORD],
			(unsigned long long)faults[FAULT_THREAD],
			(unsigned long long)faults[FAULT_FILE]);
	for (int i = 0; i < STREAM_COUNT; i++)
		ok &= !row_counts__lost(&s->streams[i].rows);
	ok &= !tell_missed(r);
	for (int i = 0; i < STREAM_CAPTURED; i++)
		ok &= !capture__missed(r->capture, i);
	engine__gaps(r->engine, tell_gap, r);
	/* In developer mode, the session is verified. */
	return ok &
	       !(r->options->dev && verify__dir(r->session->path, output__stream(OUTPUT_STDERR)));
}

#define DIGEST_NS NSEC_PER_SEC /* the user waits for it */

static void tell_people(const struct recording *r, const struct status_snapshot *s)
{
	FILE *out = output__stream(OUTPUT_STDERR);

	status__summary(out, s, r->session->path);
	digest__print(out, r->session->path, DIGEST_NS);
	status__hint(out, r->session->path);
}

/* Ends the recording; returns the exit code. */
int recording__finish(struct recording *r)
{
	struct status_snapshot s;
	struct matched matched;
	bool ok;

	notify__send("STOPPING=1\nSTATUS=Finishing");
	status__clear(&r->status);
	ok = stop_background(r);
	ok &= stop_capture(r);
	ok &= end_manifest(r);
	recording__take_snapshot(r, &s);
	ok &= is_complete(r, &s);
	capture__matched(r->capture, &matched);
	engine__matched(r->engine, &matched);
	filters__tell_end(&r->filters, &matched, &s);
	if (log__unattended())
		recording__tell_end(r, &s);
	else if (!r->options->quiet)
		tell_people(r, &s);
	fflush(output__stream(OUTPUT_STDERR)); /* verify's lines, too */
	record_signals.code_recorded = ok ? EXIT_OK : EXIT_LOST;
	record_signals.recorded = 1;
	if (r->upload && !finish_upload(r))
		r->stuck = true;
	recording__publish(r, &s, false);
	if (!publisher__stop(r->publisher))
		r->stuck = true;
	return record_signals.code_recorded;
}
