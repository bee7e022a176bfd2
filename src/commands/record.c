// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/record.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/param.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/output.h"
#include "base/shown.h"
#include "base/state.h"
#include "base/watchdog.h"
#include "commands/digest.h"
#include "commands/filters.h"
#include "commands/reload.h"
#include "commands/status.h"
#include "commands/upload_progress.h"
#include "commands/verify.h"
#include "dataset/disk_budget.h"
#include "dataset/manifest.h"
#include "dataset/memory.h"
#include "dataset/session.h"
#include "dataset/staging.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "metrics/publisher.h"
#include "options/command.h"
#include "platform/landlock.h"
#include "platform/machine_id.h"
#include "platform/macros.h"
#include "platform/priority.h"
#include "platform/privileges.h"
#include "platform/system_calls.h"
#include "schema/schema.h"
#include "snappers/snapshots.h"
#include "uploader/upload.h"

#define BUCKET "linux_v1"

/* ---- signals: flags and a descriptor that wakes the main thread ---- */

static int wake_fd = -1;
static volatile sig_atomic_t stops, rotate_asked, counters_asked;
static volatile sig_atomic_t loading; /* nothing is recorded yet, and there is nothing to tidy up */
static volatile sig_atomic_t recorded; /* only the upload is left */
static volatile sig_atomic_t code_recorded;

static void wake(void)
{
	uint64_t one = 1;
	ssize_t n = write(wake_fd, &one, sizeof(one));

	(void)n; /* full is awake enough */
}

/* It only leaves: whatever it wrote to might hold it up. */
static void on_signal(int signal)
{
	int saved = errno;

	if (signal == SIGHUP) {
		rotate_asked = 1;
	} else if (signal == SIGUSR1) {
		counters_asked = 1;
	} else if (recorded) {
		_exit(code_recorded);
	} else if (loading) {
		_exit(EXIT_OK);
	} else if (stops++) {
		_exit(EXIT_LOST);
	}
	wake();
	errno = saved;
}

static int catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
	/* A reader of stdout or stderr that goes away doesn't end a recording. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an error of the write */
	return 0;
}

/* ---- one recording ---- */

struct recording {
	const struct options *options; /* own */
	struct options own;
	struct filters filters;
	struct memory_plan plan;
	int nice;  /* of the main thread */
	uid_t uid; /* owner of what is made; -1 leaves it */
	gid_t gid;
	struct clock *clock;
	struct engine *engine;
	struct keep *keep; /* or NULL */
	atomic_bool ended; /* the engine has no more records */
	struct session *session;
	struct session_origin *origin;
	struct manifest *manifest;
	struct writer *writer;
	struct capture *capture;
	struct snapshots *snapshots;
	struct upload *upload;       /* or NULL */
	struct publisher *publisher; /* of metrics, or NULL */
	struct latencies *latencies; /* for it */
	uint64_t start_real_ns;      /* wall time, for it */
	struct utsname kernel;       /* for it */
	struct disk_budget *budget;
	struct staging *staging;
	int landlock; /* its ABI; 0: none */
	int state;    /* the state directory, or a negative errno */
	unsigned char key[ANONYMIZE_KEY_SIZE];
	struct anonymizer *anon; /* this thread's */
	struct status status;
	struct daemon daemon;
	struct reload reload;
	uint64_t rounds;             /* of the reader, when the service manager was last told … */
	struct status_snapshot told; /* … this */
	struct watchdog reader, disk; /* the threads between the kernel and the disk */
	bool stuck;                   /* the snapshots' thread is, and still has all this */
	uint64_t begun_ns;
	size_t offsets; /* of the clock, in the manifest */
	atomic_bool manifest_stale;
	uint64_t manifest_due_ns; /* not before */
};

/* The manifest grows with the session, and is written whole: of the main thread's time it takes one
 * part in so many at most, and one more, however many files are finished. */
#define MANIFEST_SHARE 10

static int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log__lines(LOG_ERR, format, args);
	va_end(args);
	return EXIT_CANNOT;
}

static uint32_t enabled_streams(const struct options *o)
{
	return o->selection.streams | 1u << STREAM_LOST |
	       (o->snapshots.process_interval_ns ? 1u << STREAM_PROCESS : 0) |
	       (o->snapshots.fs_interval_ns ? 1u << STREAM_FILESYSTEM : 0);
}

/* On a thread of the writer's. */
static void on_file_finished(void *arg, const struct file_facts *facts)
{
	struct recording *r = arg;

	manifest__add_file(r->manifest, facts);
	atomic_store(&r->manifest_stale, true);
	wake();
}

static void on_manifest_grown(void *arg)
{
	struct recording *r = arg;

	atomic_store(&r->manifest_stale, true);
	wake();
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

static void take_snapshot(struct recording *r, struct status_snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->elapsed_ns = clock__mono_ns() - r->begun_ns;
	snapshots__note(r->snapshots, s->note);
	upload__note(r->upload, s->upload);
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct status_stream *stream = &s->streams[i];

		stream->enabled = enabled_streams(r->options) >> i & 1;
		count_rows(r, i, &stream->rows, &stream->bytes);
	}
}

static int write_manifest(struct recording *r)
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

		if (!(enabled_streams(r->options) >> i & 1))
			continue;
		if (r->snapshots || !is_snapshot(i))
			count_rows(r, i, &n, &bytes);
		manifest__set_counts(r->manifest, i, &n);
	}
	manifest__set_hooks(r->manifest, hooks, engine__hooks(r->engine, hooks));
	capture__definitions(r->capture, &paths, &tasks);
	manifest__set_diagnostic(r->manifest, "stalls",
				 json_pack("{s:I, s:I}", "reader", (json_int_t)r->reader.stalls,
					   "disk", (json_int_t)r->disk.stalls));
	manifest__set_diagnostic(
		r->manifest, "definitions",
		json_pack("{s:I, s:I}", "paths", (json_int_t)paths, "tasks", (json_int_t)tasks));
	err = manifest__write(r->manifest, r->session->fd);
	upload__poke(r->upload);
	now = clock__mono_ns();
	r->manifest_due_ns = now + MANIFEST_SHARE * (now - begun);
	return err;
}

/* Before there is any file: whatever a crash leaves behind has a manifest that says what it is. */
static int write_first_manifest(struct recording *r)
{
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];

	r->offsets = clock__offsets(r->clock, offsets);
	manifest__set_offsets(r->manifest, offsets, r->offsets);
	return manifest__write(r->manifest, r->session->fd);
}

/* The command line as it was given: what argv[] still holds. */
#define COMMAND_LINE_MAX 4096
static void read_command_line(struct recording *r, char buf[ANONYMIZE_MAX(COMMAND_LINE_MAX)])
{
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t n = f ? fread(buf, 1, COMMAND_LINE_MAX - 1, f) : 0;

	if (f)
		fclose(f);
	while (n && !buf[n - 1])
		n--;
	if (r->options->anonymize) {
		char clear[COMMAND_LINE_MAX];

		memcpy(clear, buf, n);
		*anonymize__args(r->anon, buf, clear, n) = 0;
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!buf[i])
			buf[i] = ' ';
	buf[n] = 0;
}

/* 0, or the exit code. Without a state directory there is no anonymisation; a recording there
 * is. */
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
		return complain("cannot anonymise: the key in %s: %s",
				o->state ?: "the state directory",
				err == -EPERM ? "others may read it, or own it" : strerror(-err));
	return 0;
}

static int begin_snapshots(struct recording *r)
{
	const struct options *o = r->options;
	struct snapshots_config config = {
		.settings = &o->snapshots,
		.roots = o->selection.paths,
		.n_roots = o->selection.n_paths,
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
		.changed = on_manifest_grown,
		.arg = r,
	};

	return snapshots__new(&r->snapshots, &config);
}

/* This machine's, or one that reads a file. */
static const struct engine_type *engine_type(const struct options *o)
{
	return o->replay ? &engine_replay : o->strace ? &engine_strace : engines[0];
}

static int open_engine(struct recording *r, char problem[ENGINE_PROBLEM_MAX])
{
	struct engine_config config = {
		.selection = &r->options->selection,
		.memory = &r->plan,
		.file = r->options->replay ?: r->options->strace,
		.verbose = r->options->verbose || r->options->dev,
	};

	return engine__open(&r->engine, engine_type(r->options), &config, problem);
}

static void on_ended(void *arg)
{
	struct recording *r = arg;

	atomic_store(&r->ended, true);
	wake();
}

static int begin_capture(struct recording *r)
{
	const struct options *o = r->options;
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
		},
		.lighten = o->lighten,
		.keep = r->keep,
		.latencies = r->latencies,
		.ended = on_ended,
		.arg = r,
	};

	return capture__new(&r->capture, &setup);
}

static bool is_failing(void *arg)
{
	struct recording *r = arg;

	return writer__failing(r->writer);
}

/* The session's directory is another one, and empty or so. */
static void on_moved(void *arg)
{
	struct recording *r = arg;

	capture__rotate(r->capture);
	on_manifest_grown(r);
}

static void on_said(void *arg)
{
	wake();
}

static void tell_staging(struct recording *r)
{
	struct staging_line line;

	while (staging__line(r->staging, &line)) {
		status__clear(&r->status);
		log__line(line.level, "%s", line.text);
	}
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

static struct disk_budget_config budget_limits(const struct options *o)
{
	return (struct disk_budget_config){
		.min_free = o->min_free,
		.min_free_percent = o->min_free_percent,
		.max_bytes = o->max_disk,
	};
}

static uint64_t privileges_of(const struct options *o, bool gives)
{
	struct privileges_use use = {
		.gives_files = gives,
		.reads_all_files = o->snapshots.fs_interval_ns,
		.reads_all_processes = o->snapshots.process_interval_ns,
		.in_background = o->upload.target.url || o->snapshots.fs_interval_ns ||
				 o->snapshots.process_interval_ns,
	};

	return privileges__needed(&use);
}

/* ---- metrics ---- */

/* Binds and opens what may need privileges. */
static int prepare_metrics(struct recording *r)
{
	const struct metrics_settings *settings = &r->options->metrics;
	char problem[PUBLISHER_PROBLEM_MAX];

	if (!settings->file && !settings->listen)
		return 0;
	r->latencies = latencies__new();
	if (!r->latencies)
		return complain("out of memory");
	if (publisher__new(&r->publisher, settings, problem))
		return complain("%s", problem);
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

/* Passes the counts of S, and all else, to the publisher. */
static void publish(struct recording *r, const struct status_snapshot *s, bool recording)
{
	struct metrics_values values;

	if (!r->publisher)
		return;
	values = collect_metrics(r, s, recording);
	publisher__set(r->publisher, &values);
}

/* 0, or the exit code. */
static int start_metrics(struct recording *r)
{
	struct metrics_source source = {
		.engine = engine_type(r->options)->name,
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
	take_snapshot(r, &s);
	values = collect_metrics(r, &s, true);
	if (publisher__start(r->publisher, &source, &values, r->uid, r->gid, problem))
		return complain("%s", problem);
	return 0;
}

/* ---- the phases of the start: each returns 0, or the exit code and has said why ---- */

/* Finds out what can fail before anything is made. */
static int prepare(struct recording *r, char machine_id[17])
{
	const struct options *o = r->options;
	char problem[TARGET_REASON_MAX];
	int err = machine_id__get(machine_id);

	if (err)
		return complain(
			"no machine id in /etc/machine-id: %s; 'systemd-machine-id-setup' or "
			"'dbus-uuidgen --ensure=/etc/machine-id' makes one",
			strerror(-err));
	err = open_state(r);
	if (err)
		return err;
	if (o->upload.target.url && upload__check(&o->upload, problem))
		return complain("cannot upload: %s", problem);
	if (clock__new(&r->clock))
		return complain("out of memory");
	return prepare_metrics(r);
}

/* Loads and attaches. */
static int attach(struct recording *r)
{
	char problem[ENGINE_PROBLEM_MAX];
	int err;

	/* The verifier's work, a second of a CPU, can't be called off otherwise: libbpf tries a
	 * program again that a signal has interrupted. What is loaded goes with the process. */
	loading = !r->options->daemon && !stops;
	err = open_engine(r, problem);
	loading = 0;
	if (err)
		return complain("cannot record: %s", problem);
	if (engine__warning(r->engine))
		complain("%s", engine__warning(r->engine));
	return 0;
}

static void tell_drop_reasons(struct recording *r)
{
	json_t *names = engine__drop_reasons(r->engine);

	if (names)
		manifest__set_diagnostic(r->manifest, "drop_reasons", names);
}

/* Makes the session's directory and its first manifest. */
static int make_session(struct recording *r, const char *machine_id)
{
	const struct options *o = r->options;
	char command_line[ANONYMIZE_MAX(COMMAND_LINE_MAX)], boot_id[BOOT_ID_SIZE];
	struct manifest_info info = {
		.machine_id = machine_id,
		.command_line = command_line,
		.engine = engine_type(o)->name,
		.enabled = enabled_streams(o),
		.anonymized = o->anonymize,
		.keeps_system = o->anonymize_keep_system,
	};
	int err;

	session__owner(&r->uid, &r->gid);
	info.uid = r->uid;
	info.gid = r->gid;
	err = session__new(&r->session, o->output, o->bucket ? o->bucket : BUCKET, machine_id,
			   r->uid, r->gid);
	if (err)
		return complain("cannot write to %s: %s", o->output, strerror(-err));
	r->origin = session_origin__new(r->session->fd);
	read_command_line(r, command_line);
	info.session_id = session__id(r->session);
	info.boot_id = boot_id__get(boot_id) ? NULL : boot_id;
	err = manifest__new(&r->manifest, &info);
	if (err)
		return complain("cannot make the manifest: %s", strerror(-err));
	if (selection__stream(&o->selection, STREAM_NW_DROP))
		tell_drop_reasons(r);
	err = write_first_manifest(r);
	if (err)
		return complain("cannot write %s/%s: %s", r->session->path, MANIFEST_NAME,
				strerror(-err));
	return 0;
}

/* Makes the file that records are kept in, too. */
static int begin_keeping(struct recording *r)
{
	const char *file = r->options->keep_records;
	int err =
		file ? keep__new(&r->keep, file, r->uid, r->gid, engine__request_names(r->engine)) :
		       0;

	return err ? complain("cannot write %s: %s", file, strerror(-err)) : 0;
}

/* Lists what is written from now on. The output directory may have to be made anew, so it is its
 * parent's. */
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
	if (upload__directory(&o->upload))
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

/* What a defect in us could be used for. Kernels without one or both record all the same; the
 * manifest says it. */
static void restrict_threads(struct recording *r)
{
	const struct upload_settings *u = &r->options->upload;
	bool network = u->target.url && !upload__directory(u);
	bool filter = !system_calls__restrict(network);

	manifest__set_diagnostic(
		r->manifest, "sandbox",
		json_pack("{s:b, s:i}", "seccomp", filter, "landlock", r->landlock));
}

/* Gives up privileges, which each thread has for itself: before other threads are started, but
 * after the uploader's, which give up more than the others have left. */
static int drop_privileges(struct recording *r)
{
	const struct options *o = r->options;
	char problem[TARGET_REASON_MAX];
	int err;

	plan_writing(r);
	if (o->upload.target.url &&
	    upload__new(&r->upload, &o->upload, o->state, r->session, r->uid, r->gid, problem))
		return complain("cannot upload: %s", problem);
	r->nice = priority__set(PRIORITY_URGENT); /* for start_threads() */
	err = privileges__drop(privileges_of(o, r->uid != (uid_t)-1));
	if (err)
		return complain("cannot give up privileges: %s", strerror(-err));
	return 0;
}

/* Starts the threads from the ring to the disk, and those of the snapshots. */
static int start_threads(struct recording *r)
{
	const struct options *o = r->options;
	struct disk_budget_config budget = budget_limits(o);
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
		return complain("out of memory");
	config.budget = r->budget;
	err = writer__new(&r->writer, &config);
	if (!err)
		err = begin_capture(r);
	priority__set(r->nice);
	/* Landlock also keeps a thread from looking into other processes
	 * (security/landlock/task.c), which the snapshots of these do. The threads above
	 * restrict themselves. */
	if (!err && !o->snapshots.process_interval_ns)
		err = landlock__enter();
	if (!err)
		err = begin_snapshots(r);
	if (!err && o->snapshots.process_interval_ns)
		err = landlock__enter();
	if (!err)
		err = begin_staging(r);
	if (err)
		return complain("cannot start recording: %s", strerror(-err));
	err = start_metrics(r);
	if (err)
		return err;
	restrict_threads(r);
	on_manifest_grown(r); /* by its hooks and counts */
	return 0;
}

/* -1: recording has begun; otherwise the exit code. */
static int begin_recording(struct recording *r)
{
	char machine_id[17];
	int code;

	memory__plan(&r->plan, r->options->memory, memory__cpus());
	code = prepare(r, machine_id);
	if (!code)
		code = attach(r);
	if (code || stops)
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

/* ---- as a service ---- */

#define ALIVE_NS \
	(10 * NSEC_PER_SEC) /* between two lines of status, where nobody waits for signs of life */

/* Goes into the background. 0, or the exit code: nothing has begun yet. */
static int become_daemon(struct recording *r)
{
	const struct options *o = r->options;
	pid_t other = 0;
	int err = daemon__begin(&r->daemon, o->pid_file, o->log_file, &other);

	if (err == -EBUSY)
		return complain("already running as process %d, says %s", other, o->pid_file);
	if (err == -EPIPE)
		return complain("cannot go into the background: %s", strerror(errno));
	return err ? complain("cannot write %s: %s", o->pid_file, daemon__strerror(err)) : 0;
}

/* For programs as it is; for people as it may be shown. */
static void tell_path(const char *path)
{
	FILE *out = output__stream(OUTPUT_STDOUT);

	if (isatty(STDOUT_FILENO))
		shown__line(out, "%s", path);
	else
		fprintf(out, "%s\n", path);
	fflush(out);
}

#define STATUS_PATH_MAX 200 /* bytes of the session's path that a service's status has */

/* Recording has begun. 0, or the exit code. */
static int tell_ready(struct recording *r)
{
	char shown[SHOWN_MAX(STATUS_PATH_MAX)];
	int err;

	/* Where that is the journal, the message below says it. */
	if (!log__unattended())
		tell_path(r->session->path);
	if (r->options->daemon) {
		output__settle(OUTPUT_STDOUT); /* stdout is another one from here on */
		err = daemon__ready(&r->daemon);
		if (err)
			return complain("cannot write %s: %s", r->options->log_file,
					daemon__strerror(err));
	}
	if (log__unattended())
		log__line(LOG_INFO, "recording in %s", r->session->path);
	shown__copy(shown, r->session->path, strnlen(r->session->path, STATUS_PATH_MAX));
	notify__send("READY=1\nSTATUS=Recording in %s", shown);
	return 0;
}

/* A sign of life, as long as the reader shows one itself. */
static void tell_alive(struct recording *r, const struct status_snapshot *now)
{
	uint64_t watchdog = notify__watchdog_ns(), period = watchdog ? watchdog / 4 : ALIVE_NS,
		 rounds;
	char line[STATUS_LINE_MAX];

	if (!notify__wanted() || now->elapsed_ns - r->told.elapsed_ns < period)
		return;
	rounds = capture__rounds(r->capture);
	if (rounds == r->rounds)
		return;
	status__line(line, 200, now, &r->told);
	notify__send("WATCHDOG=1\nSTATUS=%s", line);
	r->rounds = rounds;
	r->told = *now;
}

/* Takes over what has changed in the configuration file and can change now. */
static void apply(struct recording *r, struct options *new)
{
	const struct options *o = r->options;
	struct disk_budget_config budget = budget_limits(new);
	char changes[512];

	options__fixed_changes(o, new, changes, sizeof(changes));
	writer__set_rotation(r->writer, new->rotate_age_s, new->rotate_bytes, new->rotate_rows);
	disk_budget__set_limits(r->budget, &budget);
	upload__set_rate(r->upload, new->upload.target.rate);
	if (*changes)
		log__line(LOG_NOTICE, "read %s again; from the next start on:%s", o->config,
			  changes);
	else
		log__line(LOG_INFO, "read %s again", o->config);
	options__done(new);
}

/* SIGHUP begins new files at once, whatever becomes of the rest. */
static void reload(struct recording *r)
{
	int err;

	capture__rotate(r->capture);
	notify__send("RELOADING=1\nMONOTONIC_USEC=%llu",
		     (unsigned long long)clock__mono_ns() / 1000);
	err = reload__begin(&r->reload, r->options, r->options->daemon ? &r->daemon : NULL, wake);
	if (err == -EBUSY)
		log__line(LOG_WARNING, "the configuration or the log file does not answer since "
				       "the last reload; going on with the old ones");
	else if (err)
		log__line(LOG_WARNING, "cannot reload: %s", strerror(-err));
	if (err)
		notify__send("READY=1");
}

static void end_reload(struct recording *r)
{
	struct reload *l = &r->reload;

	if (!reload__take(l))
		return;
	if (l->log_err)
		log__line(LOG_WARNING, "cannot open %s again (%s): going on with the old one",
			  r->options->log_file, daemon__strerror(l->log_err));
	if (l->parsed)
		apply(r, &l->new);
	else if (*l->message)
		log__line(LOG_WARNING, "%s; going on with what was read before", l->message);
	notify__send("READY=1");
}

/* Nobody watches: one line says it. */
static void tell_end(const struct recording *r, const struct status_snapshot *s)
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

/* Says so when a thread that rows pass through stops, or goes on. */
static void tell_stuck(struct recording *r, const struct watchdog *d, const char *who,
		       const char *what)
{
	status__clear(&r->status);
	if (d->stuck)
		complain("%s for %llu s: %s", who, (unsigned long long)(WATCHDOG_NS / NSEC_PER_SEC),
			 what);
	else
		complain("no longer: %s", who);
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

/* A step that no manifest tells of is one that recovery must find in the rows (row_clock.h). */
static bool clock_was_set(struct recording *r)
{
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];

	return clock__offsets(r->clock, offsets) != r->offsets;
}

static bool manifest_is_due(struct recording *r)
{
	return clock_was_set(r) ||
	       (atomic_load(&r->manifest_stale) && clock__mono_ns() >= r->manifest_due_ns);
}

static void watch(struct recording *r)
{
	uint64_t duration = r->options->duration_ns;

	while (!stops && !atomic_load(&r->ended)) {
		uint64_t now_ns = clock__mono_ns(), elapsed = now_ns - r->begun_ns,
			 left = NSEC_PER_SEC, drained;
		struct pollfd p = { .fd = wake_fd, .events = POLLIN };
		struct status_snapshot now;

		if (duration && elapsed >= duration)
			break;
		if (duration)
			left = MIN(left, duration - elapsed);
		if (atomic_load(&r->manifest_stale) && now_ns < r->manifest_due_ns)
			left = MIN(left, r->manifest_due_ns - now_ns);
		if (poll(&p, 1, (int)(left / 1000000) + 1) > 0 &&
		    read(wake_fd, &drained, sizeof(drained)) < 0)
			continue;
		if (rotate_asked) {
			rotate_asked = 0;
			reload(r);
		}
		end_reload(r);
		if (manifest_is_due(r)) {
			atomic_store(&r->manifest_stale, false);
			write_manifest(r);
		}
		tell_staging(r);
		watch_threads(r);
		take_snapshot(r, &now);
		if (counters_asked) {
			counters_asked = 0;
			status__clear(&r->status);
			status__table(output__stream(OUTPUT_STDERR), &now);
			fflush(output__stream(OUTPUT_STDERR));
		}
		tell_upload(r);
		publish(r, &now, true);
		status__tick(&r->status, &now);
		tell_alive(r, &now);
	}
}

/* Whether the kernel has left out hooks; then says of which streams rows may be missing. */
static bool tell_missed(struct recording *r)
{
	uint64_t missed[STREAM_CAPTURED] = { 0 };
	bool any = false;

	engine__missed(r->engine, missed);
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		if (!missed[s])
			continue;
		any = true;
		complain(
			"%s: the kernel left out a hook %llu times, and rows are missing (hooks in the "
			"manifest)",
			schema_streams[s].key, (unsigned long long)missed[s]);
	}
	return any;
}

static void tell_gap(void *arg, const char *text)
{
	complain("%s", text);
}

/* Waits for the rest of the upload; false: one of its threads is stuck. */
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

/* ---- the phases of the end: each returns whether all went well, and has said what didn't ---- */

static bool stop_background(struct recording *r)
{
	bool ok = true;

	if (!snapshots__stop(r->snapshots)) {
		r->stuck = true;
		complain("a filesystem doesn't answer: its snapshot stays unfinished");
		ok = false;
	} else if (snapshots__problem(r->snapshots)) {
		complain("%s", snapshots__problem(r->snapshots));
	}
	if (!staging__stop(r->staging))
		r->stuck = true;
	tell_staging(r);
	return ok;
}

static bool stop_keeping(struct recording *r)
{
	int err = r->keep ? keep__close(r->keep) : 0;

	if (err)
		complain("could not keep all records in %s: %s", r->options->keep_records,
			 strerror(-err));
	return !err;
}

static bool stop_capture(struct recording *r)
{
	struct status_snapshot s;
	unsigned int unfinished;
	bool kept;
	int err;

	take_snapshot(r, &s); /* tells the lost stream what the snapshots lost */
	capture__stop(r->capture);
	/* What the last write and the end of a file lose is lost after the last row of all other
	 * streams. */
	writer__settle(r->writer);
	capture__tell_last(r->capture);
	kept = stop_keeping(r);
	err = writer__close(r->writer);
	if (err)
		complain("could not write all rows: %s", strerror(-err));
	unfinished = writer__unfinished(r->writer);
	if (unfinished)
		complain("%u files could not be finished: their rows wait in .part files for "
			 "'iotrc recover'",
			 unfinished);
	else
		manifest__set_state(r->manifest, "complete");
	return kept && !err && !unfinished;
}

static bool end_manifest(struct recording *r)
{
	int err = write_manifest(r);
	bool unmounted = session__place(r->session) == SESSION_UNMOUNTED;

	if (err)
		complain("cannot write %s/%s: %s", r->session->path, MANIFEST_NAME, strerror(-err));
	if (unmounted)
		complain("%s: its disk was unmounted meanwhile: nobody finds these rows until it "
			 "is mounted again",
			 r->session->path);
	return !err && !unmounted;
}

/* Whether no row is missing; S are the last counts. */
static bool is_complete(struct recording *r, const struct status_snapshot *s)
{
	uint64_t unnamed = capture__unnamed(r->capture);
	bool ok = !unnamed;

	if (unnamed)
		complain("%llu records made no sense, or came before their definitions: please "
			 "report this",
			 (unsigned long long)unnamed);
	for (int i = 0; i < STREAM_COUNT; i++)
		ok &= !row_counts__lost(&s->streams[i].rows);
	ok &= !tell_missed(r);
	engine__gaps(r->engine, tell_gap, r);
	/* Developer mode doesn't believe itself. */
	return ok &
	       !(r->options->dev && verify__dir(r->session->path, output__stream(OUTPUT_STDERR)));
}

#define DIGEST_NS NSEC_PER_SEC /* people wait for it */

static void tell_people(const struct recording *r, const struct status_snapshot *s)
{
	FILE *out = output__stream(OUTPUT_STDERR);

	status__summary(out, s, r->session->path);
	digest__print(out, r->session->path, DIGEST_NS);
	status__hint(out, r->session->path);
}

/* Ends the recording; the exit code. */
static int finish(struct recording *r)
{
	struct status_snapshot s;
	struct matched matched;
	bool ok;

	notify__send("STOPPING=1\nSTATUS=Finishing");
	status__clear(&r->status);
	ok = stop_background(r);
	ok &= stop_capture(r);
	ok &= end_manifest(r);
	take_snapshot(r, &s);
	ok &= is_complete(r, &s);
	capture__matched(r->capture, &matched);
	filters__tell_end(&r->filters, &matched, &s);
	if (log__unattended())
		tell_end(r, &s);
	else if (!r->options->quiet)
		tell_people(r, &s);
	fflush(output__stream(OUTPUT_STDERR)); /* verify's lines, too */
	code_recorded = ok ? EXIT_OK : EXIT_LOST;
	recorded = 1;
	if (r->upload && !finish_upload(r))
		r->stuck = true;
	publish(r, &s, false);
	if (!publisher__stop(r->publisher))
		r->stuck = true;
	return code_recorded;
}

int record__run(const struct options *options)
{
	struct recording r = {
		.own = *options,
		.state = -ENOENT,
		.daemon = { .pid_dir = -1, .pid_fd = -1, .log_dir = -1, .parent_fd = -1 },
	};
	int code;

	r.options = &r.own;
	log__to_stderr();
	code = notify__begin();
	if (code)
		complain("cannot talk to the service manager: %s", strerror(-code));
	code = options->daemon ? become_daemon(&r) : 0;
	if (code)
		return code;
	if (catch_signals())
		return complain("cannot watch for signals: %s", strerror(errno));
	code = output__begin();
	if (code)
		return complain("cannot start a thread: %s", strerror(-code));
	code = begin_recording(&r);
	if (code < 0) {
		r.begun_ns = clock__mono_ns();
		code = tell_ready(&r);
		/* What runs as a service says how it goes in STATUS= and at the end. */
		status__begin(&r.status, output__stream(OUTPUT_STDERR), STDERR_FILENO,
			      options->quiet || log__unattended());
		if (!code) {
			watch(&r);
			code = finish(&r);
		}
	}
	r.stuck |= !reload__end(&r.reload);
	daemon__end(&r.daemon);
	output__end();
	if (r.stuck)
		_exit(code);
	publisher__free(r.publisher);
	upload__free(r.upload);
	staging__free(r.staging);
	snapshots__free(r.snapshots);
	capture__free(r.capture);
	free(r.latencies);
	keep__free(r.keep);
	writer__free(r.writer);
	engine__free(r.engine);
	manifest__free(r.manifest);
	session_origin__free(r.origin);
	session__free(r.session);
	disk_budget__free(r.budget);
	clock__free(r.clock);
	anonymizer__free(r.anon);
	filters__done(&r.filters);
	explicit_bzero(r.key, sizeof(r.key));
	if (r.state >= 0)
		close(r.state);
	return code;
}
