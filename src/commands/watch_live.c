// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/watch_live.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "commands/container_follower.h"
#include "commands/run_child.h"
#include "dataset/row_fields.h"
#include "engine/engine.h"
#include "platform/end_watch.h"
#include "platform/machine_id.h"
#include "platform/macros.h"
#include "platform/privileges.h"
#include "rows/dict.h"
#include "rows/encode.h"
#include "schema/schema.h"

/* Often under load, rarely when idle; a person would not see more. */
#define WAIT_MIN_MS 5
#define WAIT_MAX_MS 40

struct watcher {
	struct watch_live *live;
	struct engine *engine;
	struct container_follower *follower;
	struct memory_plan plan;
	struct clock *clock;
	struct encoder *encoder;
	char machine[17];
	bool begun; /* the command runs; earlier rows are our own search for it */
	uint64_t round_events, second;
	uint64_t lost;
	char row[ROW_MAX + ROW_FILE_SLACK];
};

/* ---- signals ---- */

static volatile sig_atomic_t stop;

#define PATIENCE_S 3

/* Any output may block the end, so a second signal exits, and so does the alarm. */
static void stop_watch(int signal)
{
	if (stop++)
		_exit(EXIT_LOST);
	alarm(PATIENCE_S);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop_watch }; /* interrupts write() */

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- records to lines ---- */

static uint64_t wall_ns(const struct watcher *w, uint64_t mono_ns)
{
	return clock__real_ns() - clock__event_ns() + mono_ns;
}

/* Whether RECORD is an executed program. */
static bool is_exec(const void *record)
{
	const struct rec_fs *r = record;

	return (r->type == REC_FS || r->type == REC_FS_LONG) && r->op == FS_PROCESS_EXEC &&
	       r->ret == 0;
}

static void show_event(void *arg, const void *record, size_t size)
{
	const struct record_kind *kind = &record_kinds[*(const uint8_t *)record % RECORD_TYPES_MAX];
	struct row_field fields[ROW_FIELDS_MAX];
	struct watcher *w = arg;
	struct export_row row = { .stream = kind->stream,
				  .fields = fields,
				  .mono_ns = ((const struct rec_fs *)record)->ns,
				  .machine = w->machine };
	int n = (int)schema_streams[kind->stream].n_columns;
	char *end;

	w->round_events++;
	if (!kind->encode || !encode__sound(record, size))
		return;
	end = kind->encode(w->encoder, record, size, w->row);
	if (!end || row_fields__first(w->row, end - 1 - w->row, fields, n) != n)
		return;
	row.wall_ns = wall_ns(w, row.mono_ns);
	w->begun = w->begun || is_exec(record);
	if (w->begun && w->live->wanted(w->live->arg, &row))
		watch_output__row(w->live->output, &row);
}

static void forget_if_full(struct watcher *w)
{
	if (encoder__forget(w->encoder))
		engine__forget(w->engine);
}

static void take_definition(void *arg, const void *record, size_t size)
{
	struct watcher *w = arg;

	if (encode__sound(record, size))
		encoder__define(w->encoder, record, size);
	forget_if_full(w);
}

static void on_clock(void *arg, uint64_t mono_ns, int64_t offset_ns)
{
	struct watcher *w = arg;

	clock__retell(w->clock, mono_ns, offset_ns);
}

static void on_loss(void *arg, const struct engine_loss *loss)
{
	struct watcher *w = arg;

	w->lost += loss->count;
	watch_output__left_out(w->live->output, loss->count);
}

/* ---- rounds ---- */

static void one_round(struct watcher *w)
{
	const struct sink sink = {
		.define = take_definition, .event = show_event, .clock = on_clock, .arg = w
	};
	uint64_t now = clock__event_ns();

	w->round_events = 0;
	engine__mark(w->engine);
	clock__poll(w->clock, now);
	engine__drain(w->engine, &sink);
	encoder__end_round(w->encoder);
	forget_if_full(w);
	if (now - w->second >= NSEC_PER_SEC) {
		w->second = now;
		mounts__refresh(w->encoder->mounts);
		engine__losses(w->engine, on_loss, w);
	}
	watch_output__flush(w->live->output, false);
}

/* Whether the time is up. */
static bool is_watch_over(const struct watch_live *l, uint64_t begun_ns, const atomic_bool *ended)
{
	return stop || atomic_load(ended) || (l->output->closed && !l->argv) ||
	       (l->duration_ns && clock__mono_ns() - begun_ns >= l->duration_ns);
}

static void watch_events(struct watcher *w, const atomic_bool *ended)
{
	uint64_t begun_ns = clock__mono_ns();
	int wait_ms = WAIT_MIN_MS;
	struct end_watch process;
	bool gone = false;

	if (!end_watch__begin_without_signals(&process) && w->live->pid)
		gone = end_watch__process(&process, w->live->pid) == -ESRCH;
	while (!gone && !is_watch_over(w->live, begun_ns, ended)) {
		gone = end_watch__wait(&process, 0);
		one_round(w);
		wait_ms = w->round_events ? WAIT_MIN_MS : MIN(wait_ms * 2, WAIT_MAX_MS);
		engine__wait(w->engine, wait_ms);
	}
	end_watch__close(&process);
	engine__detach(w->engine);
	do
		one_round(w);
	while (w->round_events && stop < 2);
	engine__losses(w->engine, on_loss, w);
}

/* ---- the whole ---- */

/* Returns 0, or the exit code after a message. */
static int begin_watching(struct watcher *w)
{
	struct engine_config config = { .selection = w->live->selection, .memory = &w->plan };
	struct encoder_config encoder = { .selection = w->live->selection, .memory = &w->plan };
	char problem[ENGINE_PROBLEM_MAX];

	memory__plan(&w->plan, 0, memory__cpus());
	if (machine_id__get(w->machine))
		snprintf(w->machine, sizeof(w->machine), "unknown");
	if (clock__new(&w->clock))
		return command__cannot(w->live->command, "out of memory");
	if (engine__open(&w->engine, engines[0], &config, problem))
		return command__cannot(w->live->command, "cannot record: %s", problem);
	encoder.clock = w->clock;
	encoder.request_names = engine__request_names(w->engine);
	if (encoder__new(&w->encoder, &encoder) ||
	    container_follower__new(&w->follower, w->engine, w->live->selection, false))
		return command__cannot(w->live->command, "out of memory");
	return 0;
}

static void end(struct watcher *w)
{
	if (w->lost)
		fprintf(stderr,
			"%" PRIu64 " events were lost: the output was slower than the machine\n",
			w->lost);
	container_follower__free(w->follower);
	encoder__free(w->encoder);
	engine__free(w->engine);
	clock__free(w->clock);
	free(w);
}

/* A thread waits for the command. */
struct waiter {
	struct run_child child;
	int status;
	atomic_bool ended;
};

static void *wait_for_child(void *arg)
{
	struct waiter *wait = arg;

	wait->status = run_child__wait(&wait->child);
	atomic_store(&wait->ended, true);
	return NULL;
}

static int run_and_watch(struct watcher *w, struct selection *selection)
{
	struct watch_live *l = w->live;
	struct waiter wait = { .status = 0 };
	pthread_t thread;
	const struct run_plan plan = { l->command, l->argv, NULL };
	int code, err = run_child__new(&wait.child, &plan);

	if (err)
		return command__cannot(l->command, "cannot start a process: %s", strerror(-err));
	signal(SIGPIPE, SIG_IGN); /* by us, not by the command */
	selection->pids[0] = wait.child.pid;
	selection->n_pids = 1;
	selection->streams |= 1u << STREAM_FS; /* for is_exec() */
	selection->ops |= UINT64_C(1) << FS_PROCESS_EXEC;
	l->selection = selection;
	code = begin_watching(w);
	if (!code && thread__start(&thread, "waiter", wait_for_child, &wait))
		code = command__cannot(l->command, "cannot start a thread");
	if (code) {
		run_child__cancel(&wait.child);
		return code;
	}
	run_child__start(&wait.child);
	watch_events(w, &wait.ended);
	pthread_join(thread, NULL);
	return wait.status;
}

int watch_live__run(struct watch_live *l)
{
	struct watcher *w = calloc(1, sizeof(*w));
	struct selection selection = *l->selection;
	atomic_bool never = false;
	int code;

	if (!w)
		return command__cannot(l->command, "out of memory");
	w->live = l;
	w->begun = !l->argv;
	l->output->stop = &stop;
	if (l->argv) {
		code = run_and_watch(w, &selection);
	} else {
		catch_signals();
		code = begin_watching(w);
		if (!code) {
			privileges__drop(0);
			fputs("watching\n", stderr);
			watch_events(w, &never);
			code = w->lost ? EXIT_LOST : EXIT_OK;
		}
	}
	end(w);
	return code;
}
