// SPDX-License-Identifier: GPL-2.0-or-later
/* The main thread's work during a recording. */
#include "commands/recording.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/output.h"
#include "base/watchdog.h"
#include "commands/record_signals.h"
#include "commands/status.h"
#include "dataset/staging.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "platform/macros.h"
#include "uploader/upload.h"

void recording__tell_staging(struct recording *r)
{
	struct staging_line line;

	while (staging__line(r->staging, &line)) {
		status__clear(&r->status);
		log__line(line.level, "%s", line.text);
	}
}

/* Logs when a thread that rows pass through stalls, or resumes. */
static void tell_stuck(struct recording *r, const struct watchdog *d, const char *who,
		       const char *what)
{
	status__clear(&r->status);
	if (d->stuck)
		recording__complain("%s for %llu s: %s", who,
				    (unsigned long long)(WATCHDOG_NS / NSEC_PER_SEC), what);
	else
		recording__complain("no longer: %s", who);
}

static void watch_threads(struct recording *r)
{
	uint64_t now = clock__mono_ns(), steps = capture__rounds(r->capture);
	bool idle;

	if (watchdog__look(&r->reader, steps, false, now))
		tell_stuck(r, &r->reader, "the rings have not been read", "events are being lost");
	steps = writer__steps(r->writer, &idle);
	if (watchdog__look(&r->disk, steps, idle, now))
		tell_stuck(r, &r->disk, "the disk has not taken rows",
			   "they wait, and will be lost");
}

static void tell_upload(struct recording *r)
{
	char news[QUEUE_NEWS_MAX];

	while (upload__news(r->upload, news)) {
		status__clear(&r->status);
		log__line(LOG_WARNING, "upload: %s", news);
	}
}

static bool manifest_is_due(struct recording *r)
{
	return recording__clock_was_set(r) ||
	       (atomic_load(&r->manifest_stale) && clock__mono_ns() >= r->manifest_due_ns);
}

void recording__watch(struct recording *r)
{
	uint64_t duration = r->options->duration_ns;

	while (!record_signals.stops && !atomic_load(&r->ended)) {
		uint64_t now_ns = clock__mono_ns(), elapsed = now_ns - r->begun_ns,
			 left = NSEC_PER_SEC;
		struct pollfd p[] = { { .fd = record_signals.wake_fd, .events = POLLIN },
				      { .fd = r->containers.fd, .events = POLLIN } };
		struct status_snapshot now;
		char drained[64];

		if (duration && elapsed >= duration)
			break;
		if (duration)
			left = MIN(left, duration - elapsed);
		if (atomic_load(&r->manifest_stale) && now_ns < r->manifest_due_ns)
			left = MIN(left, r->manifest_due_ns - now_ns);
		if (r->containers.due_ns < now_ns + left)
			left = MAX(r->containers.due_ns, now_ns) - now_ns;
		if (poll(p, 2, (int)(left / 1000000) + 1) > 0 && p[0].revents &&
		    read(record_signals.wake_fd, drained, sizeof(drained)) < 0)
			continue;
		recording__look_for_containers(r, p[1].revents & POLLIN);
		if (record_signals.rotate_requested) {
			record_signals.rotate_requested = 0;
			recording__reload(r);
		}
		recording__end_reload(r);
		if (manifest_is_due(r)) {
			atomic_store(&r->manifest_stale, false);
			recording__write_manifest(r);
		}
		recording__tell_staging(r);
		watch_threads(r);
		recording__take_snapshot(r, &now);
		if (record_signals.counters_requested) {
			record_signals.counters_requested = 0;
			status__clear(&r->status);
			status__table(output__stream(OUTPUT_STDERR), &now);
			fflush(output__stream(OUTPUT_STDERR));
		}
		tell_upload(r);
		recording__publish(r, &now, true);
		status__tick(&r->status, &now);
		recording__tell_alive(r, &now);
	}
}
