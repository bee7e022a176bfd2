// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/background.h"
#include "dataset/memory.h"
#include "platform/cpu_wait.h"
#include "platform/file_state.h"
#include "platform/macros.h"
#include "schema/schema.h"
#include "snappers/filesystem.h"
#include "snappers/pressure.h"
#include "snappers/process.h"
#include "snappers/system_spec.h"

/* On a busy machine a walk waits, at most PAUSE_MAX at a time, and then runs for SLICE. */
#define PAUSE_STEP (5 * NSEC_PER_SEC / 2)
#define PAUSE_MAX (30 * NSEC_PER_SEC)
#define SLICE NSEC_PER_SEC
/* A walk that had to wait for a CPU for more than a tenth of LOOK, rests. */
#define LOOK (NSEC_PER_SEC / 4)
#define REST NSEC_PER_SEC
/* Time for the thread to end; the whole program has two seconds after a signal. */
#define STOP_NS (3 * NSEC_PER_SEC / 2)
#define NEVER UINT64_MAX

struct snapshots {
	struct snapshots_config config;
	struct anonymizer *anon;
	struct background thread;

	struct processes *processes;
	uint64_t first_ns; /* time of the first process snapshot */
	uint64_t process_due_ns, walk_due_ns;
	bool process_due_is_snapshot;
	unsigned int n_process;

	bool full_done;
	uint64_t slice_ns, look_ns; /* when the slice and the look began */
	uint64_t waited_ns;         /* cpu_wait__ns() then */
	unsigned int calls;
	atomic_bool walking, pausing;
	atomic_uint_least64_t seen, expected;

	struct snap_rows_counts process, filesystem;
	char problem[256]; /* written once, before problem_known */
	atomic_bool problem_known;
};

static void note_problem(struct snapshots *s, const char *what, int err)
{
	if (atomic_load(&s->problem_known))
		return;
	snprintf(s->problem, sizeof(s->problem), "%s: %s", what, strerror(-err));
	atomic_store(&s->problem_known, true);
}

static bool stopped(struct snapshots *s)
{
	return background__stopped(&s->thread);
}

/* ---- the manifest ---- */

static void changed(struct snapshots *s)
{
	if (s->config.changed)
		s->config.changed(s->config.arg);
}

static void on_file(void *arg, const struct file_facts *facts)
{
	struct snapshots *s = arg;

	manifest__add_file(s->config.manifest, facts);
	changed(s);
}

static void on_spec(void *arg, const char *path, size_t bytes, const char *sha256)
{
	struct snapshots *s = arg;

	manifest__append(s->config.manifest, "system_spec",
			 json_pack("{s:s, s:I, s:s}", "path", path, "bytes", (json_int_t)bytes,
				   "sha256", sha256));
	changed(s);
}

static struct snap_rows_config rows_config(struct snapshots *s, enum stream stream,
					   const char *stamp, struct snap_rows_counts *counts,
					   uint64_t part_bytes)
{
	return (struct snap_rows_config){
		.stream = stream,
		.stamp = stamp,
		.session_fd = s->config.session->fd,
		.uid = s->config.uid,
		.gid = s->config.gid,
		.level = s->config.level,
		.budget = s->config.budget,
		.part_bytes = part_bytes,
		.counts = counts,
		.finished = on_file,
		.arg = s,
	};
}

static void stamp_now(char stamp[STAMP_SIZE])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	session__stamp(stamp, &now);
}

/* ---- processes ---- */

static void snapshot_processes(struct snapshots *s, uint64_t now)
{
	struct snap_rows_config config;
	struct snap_rows *rows = NULL;
	char stamp[STAMP_SIZE];
	int err, ended;

	stamp_now(stamp);
	config = rows_config(s, STREAM_PROCESS, stamp, &s->process, 0);
	err = snap_rows__new(&rows, &config, ++s->n_process);
	if (!err) {
		err = processes__pass(s->processes, now, rows, s->config.clock, s->anon);
		ended = snap_rows__end(rows, NULL);
		err = err ? err : ended;
	}
	snap_rows__free(rows);
	if (err)
		note_problem(s, "a snapshot of the processes is incomplete", err);
}

static void plan_processes(struct snapshots *s)
{
	s->process_due_ns = NEVER;
	if (s->processes)
		s->process_due_ns =
			processes__next(s->first_ns, s->config.settings->process_interval_ns,
					clock__mono_ns(), &s->process_due_is_snapshot);
}

static void do_processes(struct snapshots *s)
{
	uint64_t now = clock__mono_ns();

	if (now < s->process_due_ns)
		return;
	if (s->process_due_is_snapshot)
		snapshot_processes(s, now);
	else
		processes__pass(s->processes, now, NULL, s->config.clock, NULL);
	plan_processes(s);
}

static void begin_processes(struct snapshots *s)
{
	int err;

	s->process_due_ns = NEVER;
	if (!s->config.settings->process_interval_ns)
		return;
	err = processes__new(&s->processes, NULL);
	if (err) {
		note_problem(s, "no snapshots of the processes", err);
		return;
	}
	s->first_ns = s->process_due_ns = clock__mono_ns();
	s->process_due_is_snapshot = true;
	do_processes(s);
}

/* ---- files ---- */

static void wait_until(struct snapshots *s, uint64_t until)
{
	do {
		background__wait(&s->thread, until < s->process_due_ns ? until : s->process_due_ns);
		do_processes(s);
	} while (!stopped(s) && clock__mono_ns() < until);
}

static bool never_pauses(const struct snapshots *s)
{
	return s->config.settings->busy_percent >= 100;
}

/* Waits while other programs need the machine. Our own reading adds to the pressure, so it is
 * measured while we wait; otherwise the walk could stop for ever. */
static void give_way(struct snapshots *s)
{
	double limit = s->config.settings->busy_percent;
	uint64_t begun = clock__mono_ns();
	struct pressure before, now;

	pressure__read(&before);
	if (never_pauses(s) || pressure__recent(&before) < limit)
		return;
	atomic_store(&s->pausing, true);
	while (!stopped(s) && clock__mono_ns() - begun < PAUSE_MAX) {
		wait_until(s, clock__mono_ns() + PAUSE_STEP);
		pressure__read(&now);
		if (pressure__between(&before, &now) < limit)
			break;
		before = now;
	}
	atomic_store(&s->pausing, false);
}

static void begin_look(struct snapshots *s)
{
	s->look_ns = clock__mono_ns();
	s->waited_ns = cpu_wait__ns();
}

/* The walk has nice 19, so it mostly waits for a CPU while other programs use all of them. Where it
 * runs between them, they lose caches and the time of the disk to it: so it rests. */
static void rest(struct snapshots *s)
{
	uint64_t ran = clock__mono_ns() - s->look_ns;

	if (!never_pauses(s) && cpu_wait__ns() - s->waited_ns > ran / 10) {
		wait_until(s, clock__mono_ns() + REST);
		s->slice_ns += REST;
	}
	begin_look(s);
}

/* Called between two files. */
static bool pause_walk(void *arg)
{
	struct snapshots *s = arg;
	uint64_t now;

	if (stopped(s))
		return true;
	if (++s->calls % 64)
		return false;
	do_processes(s);
	now = clock__mono_ns();
	if (now - s->slice_ns >= SLICE) {
		give_way(s);
		s->slice_ns = clock__mono_ns();
		begin_look(s);
	} else if (now - s->look_ns >= LOOK) {
		rest(s);
	}
	return stopped(s);
}

static void tell_snapshot(struct snapshots *s, const char *stamp, const char *started,
			  const struct filesystem_result *r)
{
	char ended[CLOCK_ISO8601_SIZE];

	clock__iso8601(clock__real_ns(), ended);
	manifest__append(s->config.manifest, "snapshots",
			 json_pack("{s:s, s:s, s:s, s:b, s:s?, s:s, s:s, s:I, s:I, s:I, s:i, s:s?}",
				   "stream", schema_streams[STREAM_FILESYSTEM].key, "stamp", stamp,
				   "kind", r->full ? "full" : "changes", "complete", r->complete,
				   "changes_since", *r->base ? r->base : NULL, "started_at",
				   started, "ended_at", ended, "files_seen", (json_int_t)r->entries,
				   "gone", (json_int_t)r->gone, "unreadable",
				   (json_int_t)r->unreadable, "parts", (int)r->parts, "problem",
				   r->error ? strerror(-r->error) : NULL));
	changed(s);
}

/* Identifies a baseline's dataset: the directory of sessions (by inode, not by name), and whether
 * and with which key names are anonymised. */
static int describe_dataset(struct snapshots *s, char *buf, size_t size)
{
	struct file_state state;
	int err;
	char *real = realpath(s->config.session->path, NULL), *slash;

	if (!real)
		return -errno;
	slash = strrchr(real, '/');
	if (slash && slash != real)
		*slash = 0;
	err = file_state__get(AT_FDCWD, real, true, &state);
	if (!err)
		snprintf(buf, size, "%d %llu %lld.%09u %s",
			 s->config.key ? 1 + s->config.keep_system : 0,
			 (unsigned long long)state.inode, (long long)state.birth.second,
			 state.birth.ns, real);
	free(real);
	return err;
}

static void walk(struct snapshots *s)
{
	const struct snapshots_settings *settings = s->config.settings;
	char stamp[STAMP_SIZE], started[CLOCK_ISO8601_SIZE], dataset[8192], name[96];
	const char *slash = strrchr(s->config.session->path, '/');
	struct filesystem_config config = {
		.clock = s->config.clock,
		.anon = s->anon,
		.dataset = dataset,
		.state = s->config.state,
		.roots = s->config.roots,
		.n_roots = s->config.n_roots,
		.network = settings->network_mounts,
		.full = settings->full && !s->full_done,
		.pause = pause_walk,
		.arg = s,
		.seen = &s->seen,
		.expected = &s->expected,
	};
	struct filesystem_result result;
	struct memory_plan plan;
	int err = s->config.state < 0 ? s->config.state :
					describe_dataset(s, dataset, sizeof(dataset));

	if (err) {
		note_problem(s, "no snapshot of the filesystems", err);
		return;
	}
	memory__plan(&plan, s->config.memory, memory__cpus());
	config.sort_bytes = plan.sort_bytes;
	stamp_now(stamp);
	clock__iso8601(clock__real_ns(), started);
	snprintf(name, sizeof(name), "%.40s/%s", slash ? slash + 1 : "", stamp);
	config.rows =
		rows_config(s, STREAM_FILESYSTEM, stamp, &s->filesystem, s->config.rotate_bytes);
	atomic_store(&s->seen, 0);
	atomic_store(&s->expected, 0);
	s->slice_ns = 0;
	atomic_store(&s->walking, true);
	filesystem__snapshot(&config, name, &result);
	atomic_store(&s->walking, false);
	s->full_done |= result.full && result.complete;
	tell_snapshot(s, stamp, started, &result);
	if (result.error && result.error != -EINTR)
		note_problem(s,
			     result.complete ?
				     "the next snapshot of the filesystems will be a full one" :
				     "a snapshot of the filesystems is incomplete",
			     result.error);
}

/* ---- the thread ---- */

static void write_spec(struct snapshots *s)
{
	struct system_spec_config config = {
		.session_fd = s->config.session->fd,
		.uid = s->config.uid,
		.gid = s->config.gid,
		.network = s->config.settings->network_mounts,
		.anon = s->anon,
		.finished = on_spec,
		.arg = s,
	};
	int err = system_spec__write(&config);

	if (err)
		note_problem(s, "system_spec is incomplete", err);
}

static void take_snapshots(void *arg)
{
	struct snapshots *s = arg;
	uint64_t interval = s->config.settings->fs_interval_ns;

	begin_processes(s);
	if (s->config.settings->system_spec)
		write_spec(s);
	s->walk_due_ns = interval ? clock__mono_ns() : NEVER;
	while (!stopped(s)) {
		do_processes(s);
		if (clock__mono_ns() >= s->walk_due_ns) {
			walk(s);
			/* If a snapshot takes longer than the interval, the missed ones are
			 * skipped. */
			while (s->walk_due_ns <= clock__mono_ns())
				s->walk_due_ns += interval;
		}
		background__wait(&s->thread, s->process_due_ns < s->walk_due_ns ?
						     s->process_due_ns :
						     s->walk_due_ns);
	}
}

int snapshots__new(struct snapshots **ret, const struct snapshots_config *config)
{
	struct snapshots *s = calloc(1, sizeof(*s));
	const struct snapshots_settings *o = config->settings;
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->config = *config;
	if (config->key)
		err = anonymizer__new(&s->anon, config->key, config->keep_system);
	if (!err && (o->process_interval_ns || o->fs_interval_ns || o->system_spec))
		err = background__start(&s->thread, "snapshots", take_snapshots, s);
	if (err) {
		snapshots__free(s);
		return err;
	}
	*ret = s;
	return 0;
}

bool snapshots__stop(struct snapshots *s)
{
	return background__stop(&s->thread, STOP_NS);
}

struct snapshots *snapshots__free(struct snapshots *s)
{
	if (!s || !snapshots__stop(s))
		return NULL; /* the thread may still use it */
	processes__free(s->processes);
	anonymizer__free(s->anon);
	background__done(&s->thread);
	free(s);
	return NULL;
}

void snapshots__counts(struct snapshots *s, enum stream stream, struct row_counts *ret,
		       uint64_t *ret_bytes)
{
	struct snap_rows_counts *n = stream == STREAM_PROCESS ? &s->process : &s->filesystem;

	*ret = (struct row_counts){
		.seen = atomic_load(&n->seen),
		.written = atomic_load(&n->written),
		.lost[LOST_DISK] = atomic_load(&n->lost_disk),
	};
	*ret_bytes = atomic_load(&n->bytes);
}

void snapshots__note(struct snapshots *s, char note[SNAPSHOTS_NOTE_MAX])
{
	uint64_t seen = atomic_load(&s->seen), expected = atomic_load(&s->expected);

	*note = 0;
	if (!atomic_load(&s->walking))
		return;
	if (expected)
		snprintf(note, SNAPSHOTS_NOTE_MAX, "files %llu%%%s",
			 (unsigned long long)(seen < expected ? 100 * seen / expected : 100),
			 atomic_load(&s->pausing) ? " (waiting)" : "");
	else
		snprintf(note, SNAPSHOTS_NOTE_MAX, "files %llu%s", (unsigned long long)seen,
			 atomic_load(&s->pausing) ? " (waiting)" : "");
}

const char *snapshots__problem(struct snapshots *s)
{
	return atomic_load(&s->problem_known) ? s->problem : NULL;
}
