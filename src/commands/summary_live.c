// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/summary_live.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#include "base/clock.h"
#include "base/containers.h"
#include "base/csv.h"
#include "base/thread.h"
#include "commands/container_follower.h"
#include "commands/live_names.h"
#include "commands/run_child.h"
#include "commands/summary_print.h"
#include "dataset/memory.h"
#include "options/command.h"
#include "platform/end_watch.h"
#include "platform/macros.h"
#include "rows/names.h"
#include "schema/fs_ops.h"
#include "schema/sums.h"

#define KEY_MAX (SUMMARY_NAME_MAX + 512) /* bytes of a group's name */
/* One of these precedes the use of a file's pages. */
#define NAMING_OPS \
	(UINT64_C(1) << FS_OPEN | UINT64_C(1) << FS_READ | UINT64_C(1) << FS_WRITE | \
	 UINT64_C(1) << FS_MMAP | UINT64_C(1) << FS_SENDFILE)
#define DRAIN_MS 20     /* between two drains of names */
#define DRAIN_SOON_MS 1 /* while many new ones come */

/* ---- groups in the form of rows ---- */

typedef char *(*part_fn)(char *p, const struct engine_sum *sum, struct summary_live *l);

static char *text(char *p, const char *s)
{
	return csv__escape(p, s, strlen(s));
}

static char *operation(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return sum->operation ? text(p, sum->operation) : p;
}

static char *process(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return sum->pid ? csv__u64(p, sum->pid) : p;
}

static char *command(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return text(p, sum->command);
}

static char *container(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	const char *name = l->containers ? containers__name(l->containers, sum->cgroup) : NULL;

	if (name)
		return text(p, name);
	return sum->cgroup ? csv__u64(p, sum->cgroup) : p;
}

static char *user(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	struct passwd *entry = sum->uid < 0 ? NULL : getpwuid(sum->uid);

	if (entry && strlen(entry->pw_name) < KEY_MAX / 8)
		return text(p, entry->pw_name);
	return sum->uid < 0 ? p : csv__u64(p, sum->uid);
}

static char *device(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return sum->dev ? csv__device(p, sum->dev >> 20, sum->dev & 0xfffff) : p;
}

static char *device_of_file(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	uint32_t dev = live_names__device(l->names, sum);

	return dev ? csv__device(p, dev >> 20, dev & 0xfffff) : p;
}

static char *fs_type(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return text(p, live_names__fs_type(l->names, sum));
}

static char *minute(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	char wall[CLOCK_WALL_LEN];
	int64_t second = INT64_C(60) * sum->minute;

	if (!sum->minute || !clock__civil(second, 0, clock__utc_offset(second), wall))
		return p;
	return csv__mem(p, wall, DIMENSION_MINUTE_LEN);
}

static char *error(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	const char *name = sum->error ? names__errno((int)sum->error) : NULL;

	if (name)
		return text(p, name);
	return sum->error ? csv__u64(p, sum->error) : p;
}

static char *size(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return sum->size < 0 ? p : csv__u64(p, sum->size);
}

/* A file whose name is unknown: MAJOR:MINOR/INODE. */
static char *file(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	size_t len;
	const char *name = l->names && sum->file ? live_names__find(l->names, sum, &len) : NULL;

	if (name && len <= SUMMARY_NAME_MAX)
		return csv__mem(p, name, len);
	if (!sum->file || !sum->dev)
		return p;
	p = csv__device(p, sum->dev >> 20, sum->dev & 0xfffff);
	*p++ = '/';
	return csv__u64(p, sum->file);
}

/* What OF says of the file's name. Of a file without one nothing is known. */
static char *part_of_name(char *p, const struct engine_sum *sum, struct summary_live *l,
			  struct row_field (*of)(struct row_field path))
{
	size_t len = 0;
	const char *name = sum->file ? live_names__find(l->names, sum, &len) : NULL;
	struct row_field part;

	if (!name || len > SUMMARY_NAME_MAX)
		return p;
	part = of((struct row_field){ (char *)name, len });
	return csv__mem(p, part.s, part.len);
}

static char *directory(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return part_of_name(p, sum, l, dimension__directory);
}

static char *extension(char *p, const struct engine_sum *sum, struct summary_live *l)
{
	return part_of_name(p, sum, l, dimension__extension);
}

#define S(stream) (UINT32_C(1) << STREAM_##stream)
#define ALL_STREAMS UINT32_MAX

/* clang-format off */
static const struct {
	const char *name;
	uint32_t by;      /* enum sum_by */
	uint32_t streams; /* whose records have it */
	part_fn part;
} parts[] = {
	{ "operation", SUM_BY_OPERATION, ALL_STREAMS, operation },
	{ "process",   SUM_BY_PROCESS,   ALL_STREAMS, process },
	{ "command",   SUM_BY_COMMAND,   ALL_STREAMS, command },
	{ "container", SUM_BY_CONTAINER, ALL_STREAMS, container },
	{ "user",      SUM_BY_USER,      ALL_STREAMS, user },
	{ "minute",    SUM_BY_MINUTE,    ALL_STREAMS, minute },
	{ "device",    SUM_BY_DEVICE,    S(BLOCK) | S(CACHE) | S(PAGEFAULT), device },
	{ "device",    SUM_BY_FILE,      S(FS), device_of_file },
	{ "fs_type",   SUM_BY_FILE,      S(FS), fs_type },
	{ "errno",     SUM_BY_ERRNO,     S(FS) | S(BLOCK) | S(NW_CONN) | S(NW_EPOLL) | S(NW_SOCKOPT), error },
	{ "size",      SUM_BY_SIZE,      S(FS) | S(BLOCK), size },
	{ "file",      SUM_BY_FILE,      S(FS) | S(CACHE) | S(PAGEFAULT), file },
	{ "directory", SUM_BY_FILE,      S(FS) | S(CACHE) | S(PAGEFAULT), directory },
	{ "extension", SUM_BY_FILE,      S(FS) | S(CACHE) | S(PAGEFAULT), extension },
};
/* clang-format on */

/* The row of parts[] for D of STREAM, or -1. */
static int find_part(const struct dimension *d, enum stream stream)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strcmp(parts[i].name, d->name) && parts[i].streams >> stream & 1)
			return (int)i;
	return -1;
}

bool summary_live__knows(const struct dimension *d, enum stream stream)
{
	return find_part(d, stream) >= 0;
}

/* Hits and misses are counted by operation, so sums are also grouped by operation if necessary. */
static uint32_t wanted(const struct summary_live *l)
{
	uint32_t by = SUM_ON;

	for (int s = 0; s < STREAM_CAPTURED; s++)
		for (int i = 0; i < l->summaries[s].n_by; i++)
			by |= parts[find_part(l->summaries[s].by[i], s)].by;
	if (l->selection.streams >> STREAM_CACHE & 1)
		by |= SUM_BY_OPERATION;
	return by;
}

static int add_sum(void *arg, const struct engine_sum *sum)
{
	struct summary_live *l = arg;
	struct summary *s = &l->summaries[sum->stream];
	char key[KEY_MAX], *p = key;

	if (!(l->shown >> sum->stream & 1))
		return 0;
	if (sum->others)
		return summary__add_rest(s, sum->tally);
	for (int i = 0; i < s->n_by; i++) {
		char *begun = p;

		p = parts[find_part(s->by[i], sum->stream)].part(p, sum, l);
		if (p == begun)
			*p++ = *DIMENSION_NONE;
		if (i + 1 < s->n_by)
			*p++ = '\0';
	}
	return summary__add(s, key, p - key, sum->command, sum->tally);
}

/* ---- watching ---- */

/* Waits until the time is up, process PID has ended, or a signal arrives. */
static int wait_for_end(const struct summary_live *l, struct end_watch *end)
{
	uint64_t until = l->duration_ns ? clock__mono_ns() + l->duration_ns : UINT64_MAX, now;
	int err = l->pid ? end_watch__process(end, l->pid) : 0;

	while (!err && (now = clock__mono_ns()) < until) {
		uint64_t left = (until - now) / 1000000 + 1;

		if (end_watch__wait(end, left > INT32_MAX ? -1 : (int)left))
			break;
	}
	return err;
}

static void *drain_names(void *arg)
{
	struct summary_live *l = arg;
	long pause_ms = DRAIN_SOON_MS;

	while (!atomic_load(&l->ended)) {
		pause_ms =
			live_names__drain(l->names) ? DRAIN_SOON_MS : MIN(2 * pause_ms, DRAIN_MS);
		nanosleep(&(struct timespec){ .tv_nsec = pause_ms * NSEC_PER_MSEC }, NULL);
	}
	return NULL;
}

/* Starts the thread that drains names. Returns 0, or a negative errno. */
static int begin_names(struct summary_live *l, struct engine *e, const struct memory_plan *plan)
{
	int err = live_names__new(&l->names, e, &l->selection, plan);

	if (!err)
		err = thread__start(&l->thread, "names", drain_names, l);
	if (err)
		l->names = live_names__free(l->names);
	return err;
}

static void end_names(struct summary_live *l)
{
	if (!l->names || atomic_exchange(&l->ended, true))
		return;
	pthread_join(l->thread, NULL);
}

/* If files are wanted but fs is not, adds calls of fs only for the names. */
static void want_names(struct summary_live *l)
{
	if (l->selection.streams >> STREAM_FS & 1)
		return;
	l->selection.streams |= UINT32_C(1) << STREAM_FS;
	l->selection.ops = NAMING_OPS;
}

static int open_summary_engine(struct summary_live *l, struct engine **ret)
{
	struct memory_plan plan;
	struct engine_config config = { .selection = &l->selection, .memory = &plan };
	char problem[ENGINE_PROBLEM_MAX];
	int err = 0;

	l->shown = l->selection.streams;
	config.sums = wanted(l);
	if (config.sums & SUM_BY_FILE)
		want_names(l);
	/* Without a list, or for a cgroup that is not in it, the id of the cgroup is shown. */
	if (config.sums & SUM_BY_CONTAINER)
		containers__new(&l->containers);
	/* Without the clock of a time namespace, which this finds, minutes would be others. */
	if (config.sums & SUM_BY_MINUTE && clock__new(&l->clock))
		return command__cannot(l->command, "out of memory");
	live_names__plan(&plan);
	if (engine__open(ret, engines[0], &config, problem))
		return command__cannot(l->command, "cannot record: %s", problem);
	err = container_follower__new(&l->follower, *ret, &l->selection, false);
	if (!err && config.sums & SUM_BY_FILE)
		err = begin_names(l, *ret, &plan);
	if (err) {
		l->follower = container_follower__free(l->follower);
		*ret = engine__free(*ret);
		return command__cannot(l->command, "cannot start a thread: %s", strerror(-err));
	}
	return 0;
}

static void close_engine(struct summary_live *l, struct engine *e)
{
	l->follower = container_follower__free(l->follower);
	end_names(l);
	l->names = live_names__free(l->names);
	l->containers = containers__free(l->containers);
	l->clock = clock__free(l->clock);
	engine__free(e);
}

static int read_sums(struct summary_live *l, struct engine *e)
{
	bool all_named;
	int err;

	/* Connections that live count as well. */
	err = engine__flows(e, FLOW_STOP, NULL);
	if (err)
		return command__cannot(l->command, "cannot look at connections: %s",
				       strerror(-err));
	engine__detach(e);
	end_names(l);
	if (l->names)
		live_names__drain(l->names);
	if (l->containers)
		containers__refresh(l->containers, &all_named);
	err = engine__sums(e, add_sum, l, &l->untimed);
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		struct engine_counts counts;

		engine__counts(e, s, &counts);
		l->lost[s] = counts.lost;
	}
	engine__missed(e, l->missed);
	return err ? command__cannot(l->command, "cannot read the sums: %s", strerror(-err)) : 0;
}

static int run_child(struct summary_live *l)
{
	struct engine *e = NULL;
	const struct run_plan plan = { l->command, l->argv, NULL };
	struct run_child child;
	int err = run_child__adopt(), code;

	if (!err)
		err = run_child__new(&child, &plan);
	if (err)
		return command__cannot(l->command, "cannot start a process: %s", strerror(-err));
	l->selection.pids[l->selection.n_pids++] = child.pid;
	code = open_summary_engine(l, &e);
	if (code) {
		run_child__cancel(&child);
		return code;
	}
	run_child__start(&child);
	l->status = run_child__wait(&child);
	run_child__wait_for_rest(0); /* as strace -f does */
	code = read_sums(l, e);
	close_engine(l, e);
	return code;
}

int summary_live__run(struct summary_live *l)
{
	struct engine *e = NULL;
	struct end_watch end;
	int code, err;

	if (l->argv)
		return run_child(l);
	err = end_watch__begin(&end);
	code = err ? command__cannot(l->command, "cannot watch for signals: %s", strerror(-err)) :
		     open_summary_engine(l, &e);
	if (code)
		return code;
	fputs("watching\n", stderr);
	err = wait_for_end(l, &end);
	end_watch__close(&end);
	if (err)
		code = command__cannot(l->command, "--pid %d: %s", l->pid, strerror(-err));
	else
		code = read_sums(l, e);
	close_engine(l, e);
	return code;
}
