// SPDX-License-Identifier: GPL-2.0-or-later
/* A recording from start to end. */
#include "commands/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/output.h"
#include "commands/filters.h"
#include "commands/record_signals.h"
#include "commands/recording.h"
#include "commands/reload.h"
#include "commands/status.h"
#include "dataset/disk_budget.h"
#include "dataset/manifest.h"
#include "dataset/session.h"
#include "dataset/session_origin.h"
#include "dataset/staging.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "engine/keep.h"
#include "metrics/publisher.h"
#include "options/command.h"
#include "snappers/snapshots.h"
#include "uploader/upload.h"

static void free_recording(struct recording *r)
{
	publisher__free(r->publisher);
	upload__free(r->upload);
	staging__free(r->staging);
	container_watch__end(&r->containers);
	snapshots__free(r->snapshots);
	/* Its threads use what follows. */
	capture__free(r->capture);
	process_users__free(r->users);
	free(r->latencies);
	keep__free(r->keep);
	writer__free(r->writer);
	engine__free(r->engine);
	manifest__free(r->manifest);
	session_origin__free(r->origin);
	session__free(r->session);
	disk_budget__free(r->budget);
	clock__free(r->clock);
	anonymizer__free(r->anon);
	filters__done(&r->filters);
	explicit_bzero(r->key, sizeof(r->key));
	if (r->state >= 0)
		close(r->state);
}

int record__run(const struct options *options)
{
	struct recording r = {
		.own = *options,
		.state = -ENOENT,
		.containers = { .fd = -1, .due_ns = UINT64_MAX },
		.daemon = { .pid_dir = -1, .pid_fd = -1, .log_dir = -1, .parent_fd = -1 },
	};
	int code;

	r.options = &r.own;
	log__to_stderr();
	code = notify__begin();
	if (code)
		recording__complain("cannot talk to the service manager: %s", strerror(-code));
	code = options->daemon ? recording__become_daemon(&r) : 0;
	if (code)
		return code;
	record_signals.loading = !options->daemon;
	if (record_signals__catch())
		return recording__complain("cannot watch for signals: %s", strerror(errno));
	code = output__begin();
	if (code)
		return recording__complain("cannot start a thread: %s", strerror(-code));
	code = recording__begin(&r);
	if (code < 0) {
		r.begun_ns = clock__mono_ns();
		code = recording__tell_ready(&r);
		/* A service reports its progress in STATUS= and at the end. */
		status__begin(&r.status, output__stream(OUTPUT_STDERR), STDERR_FILENO,
			      options->quiet || log__unattended());
		if (!code) {
			recording__watch(&r);
			code = recording__finish(&r);
		}
	}
	r.stuck |= !reload__end(&r.reload);
	daemon__end(&r.daemon);
	output__end();
	if (r.stuck)
		_exit(code);
	free_recording(&r);
	return code;
}
