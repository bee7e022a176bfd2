// SPDX-License-Identifier: GPL-2.0-or-later
/* The start of a recording. */
#include "commands/recording.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "base/state.h"
#include "commands/filters.h"
#include "commands/record_signals.h"
#include "dataset/disk_budget.h"
#include "dataset/manifest.h"
#include "dataset/manifest_file.h"
#include "dataset/memory.h"
#include "dataset/session.h"
#include "dataset/session_origin.h"
#include "dataset/staging.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "engine/keep.h"
#include "platform/landlock.h"
#include "platform/machine_id.h"
#include "platform/priority.h"
#include "platform/privileges.h"
#include "platform/process_files.h"
#include "platform/system_calls.h"
#include "snappers/snapshots.h"
#include "uploader/upload.h"

/* The command line as given: what getopt() has left of argv[] is in another order. */
#define COMMAND_LINE_MAX 4096
static void read_command_line(struct recording *r, char buf[ANONYMIZE_MAX(COMMAND_LINE_MAX)])
{
	char clear[COMMAND_LINE_MAX];
	bool cut;
	ssize_t got = process_files__arguments(getpid(), clear, sizeof(clear) - 1, &cut);
	size_t n = got > 0 ? (size_t)got : 0;

	while (n && !clear[n - 1])
		n--;
	if (r->options->anonymize) {
		*anonymize__args(r->anon, buf, clear, n) = 0;
		return;
	}
	memcpy(buf, clear, n);
	for (size_t i = 0; i < n; i++)
		if (!buf[i])
			buf[i] = ' ';
	buf[n] = 0;
}

/* On a thread of the writer's. */
static void on_file_finished(void *arg, const struct file_facts *facts)
{
	struct recording *r = arg;

	manifest__add_file(r->manifest, facts);
	atomic_store(&r->manifest_stale, true);
	record_signals__wake();
}

/* Returns 0, or the exit code. Anonymisation requires the state directory; recording does not. */
static int open_state(struct recording *r)
{
	const struct options *o = r->options;
	int err = 0;

	if (!o->anonymize && !o->snapshots.fs_interval_ns && !o->upload.target.url)
		return 0;
	r->state = state__open(o->state);
	if (!o->anonymize)
		return 0;
	err = r->state < 0 ? r->state :
			     state__secret(r->state, ANONYMIZE_KEY_NAME, r->key, sizeof(r->key));
	if (!err)
		err = anonymizer__new(&r->anon, r->key, o->anonymize_keep_system);
	if (err)
		return recording__complain(
			"cannot anonymise: the key in %s: %s", o->state ?: "the state directory",
			err == -EPERM ? "others own it, or may read it" : strerror(-err));
	return 0;
}

static int begin_snapshots(struct recording *r)
{
	const struct options *o = r->options;
	struct snapshots_config config = {
		.settings = &o->snapshots,
		.roots = o->selection.paths.at,
		.n_roots = o->selection.paths.n,
		.memory = o->memory,
		.rotate_bytes = o->rotate_bytes,
		.keep_system = o->anonymize_keep_system,
		.clock = r->clock,
		.session = r->session,
		.manifest = r->manifest,
		.uid = r->uid,
		.gid = r->gid,
		.level = WRITER_LEVEL,
		.state = r->state,
		.key = o->anonymize ? r->key : NULL,
		.changed = recording__manifest_grown,
		.arg = r,
	};

	return snapshots__new(&r->snapshots, &config);
}

/* This machine's engine, or one that reads a file. */
static int open_recording_engine(struct recording *r, char problem[ENGINE_PROBLEM_MAX])
{
	struct engine_config config = {
		.selection = &r->options->selection,
		.memory = &r->plan,
		.file = r->options->replay         ?:
				r->options->strace ?:
						     r->options->dtrace,
		.dir = r->options->output,
		.verbose = r->options->verbose || r->options->dev,
	};

	return engine__open(&r->engine, recording__engine_type(r->options), &config, problem);
}

static void on_ended(void *arg)
{
	struct recording *r = arg;

	atomic_store(&r->ended, true);
	record_signals__wake();
}

static int begin_capture(struct recording *r)
{
	const struct options *o = r->options;
	int err = o->anonymize ? 0 : process_users__new(&r->users);
	struct capture_setup setup = {
		.engine = r->engine,
		.writer = r->writer,
		.encoder = {
			.selection = &o->selection,
			.memory = &r->plan,
			.clock = r->clock,
			.key = o->anonymize ? r->key : NULL,
			.request_names = engine__request_names(r->engine),
			.keep_system = o->anonymize_keep_system,
			.users = r->users,
		},
		.shed = o->shed,
		.distinct = o->distinct,
		.rotate_s = o->rotate_age_s,
		.keep = r->keep,
		.latencies = r->latencies,
		.ended = on_ended,
		.arg = r,
	};

	return err ?: capture__new(&r->capture, &setup);
}

/* With --upload-later. Without the mark the session stays here. */
static void leave_upload(const struct recording *r)
{
	const struct upload_settings *u = &r->options->upload;
	int err = u->target.url && u->later ? upload__leave(u, r->session, r->uid, r->gid) : 0;

	if (err)
		recording__complain("%s will not be uploaded: %s", r->session->path,
				    strerror(-err));
}

static bool is_failing(void *arg)
{
	struct recording *r = arg;

	return writer__failing(r->writer);
}

/* The session's directory was replaced by an almost empty one. */
static void on_moved(void *arg)
{
	struct recording *r = arg;

	leave_upload(r);
	capture__rotate(r->capture);
	recording__manifest_grown(r);
}

static void on_said(void *arg)
{
	record_signals__wake();
}

static int begin_staging(struct recording *r)
{
	struct staging_config config = {
		.session = r->session,
		.origin = r->origin,
		.budget = r->budget,
		.uid = r->uid,
		.gid = r->gid,
		.said = on_said,
		.failing = is_failing,
		.moved = on_moved,
		.arg = r,
	};

	return staging__new(&r->staging, &config);
}

struct disk_budget_config recording__budget_limits(const struct options *o)
{
	return (struct disk_budget_config){
		.min_free = o->min_free,
		.min_free_percent = o->min_free_percent,
		.max_bytes = o->max_disk,
	};
}

static bool uploads(const struct options *o)
{
	return o->upload.target.url && !o->upload.later;
}

static uint64_t privileges_of(const struct options *o, bool gives)
{
	struct privileges_use use = {
		.gives_files = gives,
		.reads_all_files = o->snapshots.fs_interval_ns,
		.reads_all_processes = o->snapshots.process_interval_ns,
		.in_background = uploads(o) || o->snapshots.fs_interval_ns ||
				 o->snapshots.process_interval_ns,
	};

	return privileges__needed(&use);
}

/* ---- the phases of the start: each returns 0, or the exit code after a message ---- */

/* Checks what can fail before anything is created. */
static int prepare_recording(struct recording *r, char machine_id[17])
{
	const struct options *o = r->options;
	char problem[TARGET_REASON_MAX];
	int err = machine_id__get(machine_id);

	if (err)
		return recording__complain(
			"no machine id in /etc/machine-id: %s; 'systemd-machine-id-setup' or "
			"'dbus-uuidgen --ensure=/etc/machine-id' makes one",
			strerror(-err));
	err = open_state(r);
	if (err)
		return err;
	if (o->upload.target.url && upload__check(&o->upload, problem))
		return recording__complain("cannot upload: %s", problem);
	if (clock__new(&r->clock))
		return recording__complain("out of memory");
	return recording__prepare_metrics(r);
}

/* Loads and attaches. */
static int attach(struct recording *r)
{
	char problem[ENGINE_PROBLEM_MAX];
	int err, nice = priority__set(PRIORITY_URGENT); /* busy processes do not delay the start */

	/* Loading takes some time in the verifier, and cannot be interrupted except by the end of
	 * the process: libbpf retries after a signal. The kernel frees loaded programs then. */
	err = open_recording_engine(r, problem);
	record_signals.loading = 0;
	priority__set(nice);
	if (err)
		return recording__complain("cannot record: %s", problem);
	if (engine__warning(r->engine))
		recording__complain("%s", engine__warning(r->engine));
	return 0;
}

static void tell_drop_reasons(struct recording *r)
{
	json_t *names = engine__drop_reasons(r->engine);

	if (names)
		manifest__set_diagnostic(r->manifest, "drop_reasons", names);
}

/* Creates the session's directory and its first manifest. */
static int make_session(struct recording *r, const char *machine_id)
{
	const struct options *o = r->options;
	char command_line[ANONYMIZE_MAX(COMMAND_LINE_MAX)], boot_id[BOOT_ID_SIZE];
	char key_id[ANONYMIZE_TOKEN_LEN + 1];
	struct manifest_info info = {
		.machine_id = machine_id,
		.command_line = command_line,
		.engine = recording__engine_type(o)->name,
		.enabled = recording__enabled_streams(o),
		.anonymized = o->anonymize,
		.keeps_system = o->anonymize_keep_system,
	};
	json_t *unfilled;
	int err;

	if (o->anonymize) {
		anonymizer__key_id(r->anon, key_id);
		info.anonymize_key_id = key_id;
	}
	session__owner(&r->uid, &r->gid);
	info.uid = r->uid;
	info.gid = r->gid;
	err = session__new(&r->session, o->output, o->bucket ?: SESSION_BUCKET, machine_id, r->uid,
			   r->gid);
	if (err)
		return recording__complain("cannot write to %s: %s", o->output, strerror(-err));
	r->origin = session_origin__new(r->session->fd);
	read_command_line(r, command_line);
	info.session_id = session__id(r->session);
	info.boot_id = boot_id__get(boot_id) ? NULL : boot_id;
	err = manifest__new(&r->manifest, &info);
	if (err)
		return recording__complain("cannot make the manifest: %s", strerror(-err));
	if (selection__stream(&o->selection, STREAM_NW_DROP))
		tell_drop_reasons(r);
	unfilled = engine__unfilled(r->engine);
	if (unfilled)
		manifest__set_diagnostic(r->manifest, "unfilled_columns", unfilled);
	err = recording__write_first_manifest(r);
	if (err)
		return recording__complain("cannot write %s/%s: %s", r->session->path,
					   MANIFEST_NAME, strerror(-err));
	return 0;
}

/* Also creates the file for records. */
static int begin_keeping(struct recording *r)
{
	const char *file = r->options->keep_records;
	int err =
		file ? keep__new(&r->keep, file, r->uid, r->gid, engine__request_names(r->engine)) :
		       0;

	return err ? recording__complain("cannot write %s: %s", file, strerror(-err)) : 0;
}

/* Lists the files that are written from now on. The output directory may have to be created again,
 * so its parent is listed. */
static void plan_writing(struct recording *r)
{
	const struct options *o = r->options;
	char state[32];

	r->landlock = landlock__begin();
	landlock__allow(o->output);
	landlock__allow_parent(o->output);
	snprintf(state, sizeof(state), "/proc/self/fd/%d", r->state);
	if (r->state >= 0)
		landlock__allow(state);
	if (uploads(o) && upload__directory(&o->upload))
		landlock__allow(upload__directory(&o->upload));
	if (o->metrics.file)
		landlock__allow_parent(o->metrics.file);
	if (!o->daemon)
		return;
	landlock__allow("/dev/null");
	if (o->pid_file)
		landlock__allow_parent(o->pid_file);
	if (o->log_file)
		landlock__allow_parent(o->log_file);
}

/* Limits the damage of a bug in iotrc. A kernel without these features can record all the same; the
 * manifest says so. */
static void restrict_threads(struct recording *r)
{
	const struct options *o = r->options;
	bool network = uploads(o) && !upload__directory(&o->upload);
	bool filter = !system_calls__restrict(network);

	manifest__set_diagnostic(
		r->manifest, "sandbox",
		json_pack("{s:b, s:i}", "seccomp", filter, "landlock", r->landlock));
}

/* Drops privileges, which are per thread: before other threads are started, but after the
 * uploader's, which drop more than the others would have left. */
static int drop_privileges(struct recording *r)
{
	const struct options *o = r->options;
	char problem[TARGET_REASON_MAX];
	int err;

	plan_writing(r);
	recording__begin_containers(r);
	if (uploads(o) &&
	    upload__new(&r->upload, &o->upload, o->state, r->session, r->uid, r->gid, problem))
		return recording__complain("cannot upload: %s", problem);
	leave_upload(r);
	r->nice = priority__set(PRIORITY_URGENT); /* for start_threads() */
	err = privileges__drop(privileges_of(o, r->uid != (uid_t)-1));
	if (err)
		return recording__complain("cannot give up privileges: %s", strerror(-err));
	return 0;
}

/* Starts the threads between the ring and the disk, and those of the snapshots. */
static int start_threads(struct recording *r)
{
	const struct options *o = r->options;
	struct disk_budget_config budget = recording__budget_limits(o);
	struct writer_config config = {
		.session_fd = r->session->fd,
		.rotate_age_s = o->rotate_age_s,
		.rotate_bytes = o->rotate_bytes,
		.rotate_rows = o->rotate_rows,
		.level = WRITER_LEVEL,
		.uid = r->uid,
		.gid = r->gid,
		.queue_chunks = r->plan.queue_chunks,
		.finished = on_file_finished,
		.arg = r,
	};
	int err;

	budget.fd = r->session->fd;
	if (disk_budget__new(&r->budget, &budget))
		return recording__complain("out of memory");
	config.budget = r->budget;
	err = writer__new(&r->writer, &config);
	if (!err)
		err = begin_capture(r);
	priority__set(r->nice);
	/* Landlock also prevents a thread from reading other processes (security/landlock/task.c),
	 * which the snapshots of processes do. The other threads restrict themselves. */
	if (!err && !o->snapshots.process_interval_ns)
		err = landlock__enter();
	if (!err)
		err = begin_snapshots(r);
	if (!err && o->snapshots.process_interval_ns)
		err = landlock__enter();
	if (!err)
		err = begin_staging(r);
	if (err)
		return recording__complain("cannot start recording: %s", strerror(-err));
	err = recording__start_metrics(r);
	if (err)
		return err;
	restrict_threads(r);
	recording__manifest_grown(r); /* by its hooks and counts */
	return 0;
}

/* -1: recording has begun; otherwise the exit code. */
int recording__begin(struct recording *r)
{
	char machine_id[17];
	int code;

	memory__plan(&r->plan, r->options->memory, memory__cpus());
	code = prepare_recording(r, machine_id);
	if (!code)
		code = attach(r);
	if (!code && record_signals.stops)
		code = recording__complain(RECORD_SIGNALS_EARLY);
	if (code)
		return code;
	filters__look(&r->filters, &r->own.selection);
	code = make_session(r, machine_id);
	if (!code)
		code = begin_keeping(r);
	if (!code)
		code = drop_privileges(r);
	if (!code)
		code = start_threads(r);
	return code ? code : -1;
}
