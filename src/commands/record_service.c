// SPDX-License-Identifier: GPL-2.0-or-later
/* A recording as a service: daemon, service manager, reload. */
#include "commands/recording.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/output.h"
#include "base/shown.h"
#include "commands/record_signals.h"
#include "commands/reload.h"
#include "commands/status.h"
#include "dataset/disk_budget.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "platform/macros.h"
#include "uploader/upload.h"

#define ALIVE_NS (10 * NSEC_PER_SEC) /* between two status lines if no watchdog requires more */

/* Goes into the background. Returns 0, or the exit code; nothing has been started yet. */
int recording__become_daemon(struct recording *r)
{
	const struct options *o = r->options;
	pid_t other = 0;
	int err = daemon__begin(&r->daemon, o->pid_file, o->log_file, &other);

	if (err == -EBUSY)
		return recording__complain("already running as process %d (%s)", other,
					   o->pid_file);
	if (err == -EPIPE)
		return recording__complain("cannot go into the background: %s", strerror(errno));
	return err ? recording__complain("cannot write %s: %s", o->pid_file,
					 daemon__strerror(err)) :
		     0;
}

/* The path unchanged for programs, and escaped for people. */
static void tell_path(const char *path)
{
	FILE *out = output__stream(OUTPUT_STDOUT);

	if (isatty(STDOUT_FILENO))
		shown__line(out, "%s", path);
	else
		fprintf(out, "%s\n", path);
	fflush(out);
}

#define STATUS_PATH_MAX 200 /* bytes of the session's path in the service's status */

/* Reports that recording has begun. Returns 0, or the exit code. */
int recording__tell_ready(struct recording *r)
{
	char shown[SHOWN_MAX(STATUS_PATH_MAX)];
	int err;

	/* If stdout is the journal, the message below contains it. */
	if (!log__unattended())
		tell_path(r->session->path);
	if (r->options->daemon) {
		output__settle(OUTPUT_STDOUT); /* stdout changes from here on */
		err = daemon__ready(&r->daemon);
		if (err)
			return recording__complain("cannot write %s: %s", r->options->log_file,
						   daemon__strerror(err));
	}
	if (log__unattended())
		log__line(LOG_INFO, "recording in %s", r->session->path);
	shown__copy(shown, r->session->path, strnlen(r->session->path, STATUS_PATH_MAX));
	notify__send("READY=1\nSTATUS=Recording in %s", shown);
	return 0;
}

/* Sends a sign of life only while the reader makes progress. */
void recording__tell_alive(struct recording *r, const struct status_snapshot *now)
{
	uint64_t watchdog = notify__watchdog_ns(), period = watchdog ? watchdog / 4 : ALIVE_NS,
		 rounds;
	char line[STATUS_LINE_MAX];

	if (!notify__wanted() || now->elapsed_ns - r->reported.elapsed_ns < period)
		return;
	rounds = capture__rounds(r->capture);
	if (rounds == r->rounds)
		return;
	status__line(line, 200, now, &r->reported);
	notify__send("WATCHDOG=1\nSTATUS=%s", line);
	r->rounds = rounds;
	r->reported = *now;
}

/* Applies changes of the configuration file that are possible during a recording. */
static void apply(struct recording *r, struct options *new)
{
	const struct options *o = r->options;
	struct disk_budget_config budget = recording__budget_limits(new);
	char changes[512];

	options__fixed_changes(o, new, changes, sizeof(changes));
	writer__set_rotation(r->writer, new->rotate_age_s, new->rotate_bytes, new->rotate_rows);
	capture__set_rotation(r->capture, new->rotate_age_s);
	disk_budget__set_limits(r->budget, &budget);
	upload__set_rate(r->upload, new->upload.target.rate);
	if (*changes)
		log__line(LOG_NOTICE, "reloaded %s; takes effect at the next start:%s", o->config,
			  changes);
	else
		log__line(LOG_INFO, "reloaded %s", o->config);
	options__done(new);
}

/* SIGHUP starts new files at once, whatever happens to the configuration. */
void recording__reload(struct recording *r)
{
	int err;

	capture__rotate(r->capture);
	notify__send("RELOADING=1\nMONOTONIC_USEC=%llu",
		     (unsigned long long)clock__mono_ns() / 1000);
	err = reload__begin(&r->reload, r->options, r->options->daemon ? &r->daemon : NULL,
			    record_signals__wake);
	if (err == -EBUSY)
		log__line(LOG_WARNING,
			  "reading the configuration or opening the log file has hung since "
			  "the last reload; continuing with the old ones");
	else if (err)
		log__line(LOG_WARNING, "cannot reload: %s", strerror(-err));
	if (err)
		notify__send("READY=1");
}

void recording__end_reload(struct recording *r)
{
	struct reload *l = &r->reload;

	if (!reload__take(l))
		return;
	if (l->log_err)
		log__line(LOG_WARNING, "cannot open %s again (%s): continuing with the old one",
			  r->options->log_file, daemon__strerror(l->log_err));
	if (l->parsed)
		apply(r, &l->new);
	else if (*l->message)
		log__line(LOG_WARNING, "%s; continuing with the previous configuration",
			  l->message);
	notify__send("READY=1");
}

/* Nobody watches: one line is enough. */
void recording__tell_end(const struct recording *r, const struct status_snapshot *s)
{
	uint64_t written = 0, lost = 0;

	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct status_stream *n = &s->streams[i];

		written += n->rows.written;
		lost += row_counts__lost(&n->rows);
	}
	log__line(lost ? LOG_WARNING : LOG_INFO, "recorded %.1f s in %s: %llu rows, %llu lost",
		  (double)s->elapsed_ns / NSEC_PER_SEC, r->session->path,
		  (unsigned long long)written, (unsigned long long)lost);
}
