// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine that reads the output of DTrace, on macOS or any other system that has it. One dtrace
 * process runs each script of dtrace/, and feeds one stream. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/shown.h"
#include "dtrace_scripts.h"
#include "engine/dtrace/requests.h"
#include "engine/dtrace/runner.h"
#include "engine/dtrace/said.h"
#include "engine/dtrace/sip.h"
#include "engine/dtrace/state.h"
#include "platform/cpus.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define PROGRAM "/usr/sbin/dtrace"
#define LINE_MAX_BYTES (16 * 1024)      /* two paths, in which each character takes four */
#define READ_BYTES (256 * 1024)         /* at once: the queue has space for that many rows */
#define ROUNDS_MAX 16                   /* times that, from each source in a round of the reader */
#define SAID_BYTES 4096                 /* of messages during the start */
#define START_MS 120000                 /* under emulation, the first dtrace takes a minute */
#define SILENT_NS UINT64_C(15000000000) /* without a heartbeat; there are five per second */
#define END_MS 5000
#define LAST_MS 200 /* after its end, dtrace has at most the buffers of the other CPUs to write */
#define LOG_LINES_MAX 20 /* of each source's invalid lines; more are only counted */

struct script {
	enum stream stream;
	const char *name, *text;
	bool (*take)(struct source *s, const struct dtrace_line *l);
};

static const struct script scripts[DTRACE_SCRIPTS] = {
	[DTRACE_VFS] = { STREAM_FS, "vfs.d", dtrace_vfs, dtrace__call },
	[DTRACE_IO] = { STREAM_BLOCK, "io.d", dtrace_io, dtrace__block },
	[DTRACE_NETWORK] = { STREAM_NW_CONN, "network.d", dtrace_network, dtrace__socket },
};

uint64_t dtrace__ns(const struct dtrace *d, uint64_t ns)
{
	return ns + (uint64_t)d->offset_ns;
}

/* DTrace counts from boot, on macOS without the time asleep (mach_absolute_time()). */
static uint64_t dtrace_clock_ns(void)
{
#ifdef CLOCK_UPTIME_RAW
	return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
	return clock__event_ns();
#endif
}

/* ---- counts ---- */

static void count(atomic_uint_least64_t *n, uint64_t more)
{
	atomic_fetch_add_explicit(n, more, memory_order_relaxed);
}

void dtrace__event(struct source *s, const void *record, size_t size)
{
	count(&s->seen, 1);
	s->all->sink->event(s->all->sink->arg, record, size);
}

void dtrace__left_out(struct source *s)
{
	count(&s->seen, 1);
	count(&s->filtered, 1);
}

static void add_span(struct span_lost *l, uint64_t n, uint64_t from, uint64_t to)
{
	if (!l->count || from < l->from_ns)
		l->from_ns = from;
	l->to_ns = MAX(l->to_ns, to);
	l->count += n;
}

static void lose(struct source *s, uint64_t n, uint64_t from, uint64_t to)
{
	count(&s->seen, n);
	count(&s->lost_all, n);
	add_span(&s->lost, n, from, to);
}

/* ---- lines ---- */

/* Counts a lost record, and logs its text. */
static void not_understood(struct source *s, const char *text, size_t len)
{
	char shown[SHOWN_MAX(200)];
	uint64_t now = clock__event_ns();

	lose(s, 1, now, now);
	if (s->left_out++ >= LOG_LINES_MAX)
		return;
	shown__copy(shown, text, MIN(len, 200));
	log__line(LOG_WARNING, "cannot parse a line of %s: %s", scripts[s->script].name, shown);
}

static void has_begun(struct source *s, const struct dtrace_line *l)
{
	uint64_t now = clock__event_ns();

	if (l->ret == 1)
		s->all->is_darwin = true;
	s->begun = true;
	order__restart(s->order, l->ns);
	if (!s->stopped_ns)
		return;
	add_span(&s->gap, 1, s->stopped_ns, now);
	s->stopped_ns = 0;
	/* Files opened and closed meanwhile were not recorded. */
	process_table__forget_descriptors(s->processes);
}

static void take_beat(struct source *s, const struct dtrace_line *l)
{
	s->at_end = !strcmp(l->name, "end");
	order__beat(s->order, l->cpu, l->ns);
}

/* Takes S in, which changes. */
static void take_line(struct source *s, char *text, size_t len)
{
	char *whole = len < LINE_MAX_BYTES ? text : NULL, copy[256];
	size_t copied = MIN(len, sizeof(copy));
	struct dtrace_line l;

	memcpy(copy, text, copied);
	if (!whole || !dtrace_line__parse(&l, whole, len)) {
		not_understood(s, copy, copied);
		return;
	}
	if (!strcmp(l.name, "begin"))
		has_begun(s, &l);
	else if (!strcmp(l.name, "beat") || !strcmp(l.name, "end"))
		take_beat(s, &l);
	else if (order__put(s->order, &l, text, len))
		lose(s, 1, dtrace__ns(s->all, l.ns), dtrace__ns(s->all, l.ns));
}

static void take_record(struct source *s, const struct dtrace_line *l)
{
	bool taken =
		!strcmp(l->name, "task") ? dtrace__take_task(s, l) : scripts[s->script].take(s, l);

	if (!taken)
		not_understood(s, l->name, strlen(l->name));
}

/* ---- messages ---- */

static void ended_unasked(struct source *s)
{
	if (s->detached)
		return;
	s->gaps++;
	s->stopped_ns = s->stopped_ns ? s->stopped_ns : clock__event_ns();
	log__line(LOG_WARNING, "dtrace for %s has ended: restarting it", scripts[s->script].name);
}

static void take_message(struct source *s, const char *text)
{
	struct dtrace_said said = dtrace_said__parse(text);
	uint64_t now = clock__event_ns(), from = 0;
	char shown[SHOWN_MAX(sizeof(s->message))];

	if (!strncmp(text, RUNNER_ENDED, sizeof(RUNNER_ENDED) - 1)) {
		ended_unasked(s);
		return;
	}
	if (said.kind == DTRACE_SAID_DROPS && said.count) {
		if (said.cpu >= 0)
			from = order__reached(s->order, (uint32_t)said.cpu);
		lose(s, said.count, from ? dtrace__ns(s->all, from) : s->heard_ns, now);
		/* Lost records may have opened or closed descriptors. */
		if (s->script != DTRACE_IO)
			process_table__forget_descriptors(s->processes);
		return;
	}
	if (s->left_out++ >= LOG_LINES_MAX)
		return;
	shown__copy(shown, text, strlen(text));
	log__line(LOG_WARNING, "%s: %s", scripts[s->script].name, shown);
}

/* Reads its messages: into RET (SIZE bytes), or, if that is NULL, handles each line. */
static void read_messages(struct source *s, char *ret, size_t size)
{
	size_t len = ret ? strlen(ret) : 0;
	char text[1024];
	ssize_t n;

	while (s->said >= 0 && (n = read(s->said, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (ret && len + 1 < size && text[i]) {
				ret[len++] = text[i];
				ret[len] = 0;
			}
			if (text[i] != '\n' && s->message_len + 1 < sizeof(s->message))
				s->message[s->message_len++] = text[i];
			if (text[i] != '\n')
				continue;
			s->message[s->message_len] = 0;
			s->message_len = 0;
			if (!ret)
				take_message(s, s->message);
		}
	}
}

/* ---- reading ---- */

static bool make_room(struct source *s)
{
	char *grown = realloc(s->text, s->text_len + READ_BYTES);

	if (!grown)
		return false;
	s->text = grown;
	return true;
}

/* Whether something came. */
static bool read_more(struct source *s)
{
	ssize_t n =
		s->out >= 0 && make_room(s) ? read(s->out, s->text + s->text_len, READ_BYTES) : -1;

	if (n > 0) {
		s->text_len += (size_t)n;
		s->heard_ns = clock__event_ns();
	} else if (!n) {
		s->detached = true; /* its runner has ended */
	}
	return n > 0;
}

static void take_lines(struct source *s)
{
	size_t at = 0;
	char *lf;

	while (at < s->text_len && (lf = memchr(s->text + at, '\n', s->text_len - at))) {
		size_t len = (size_t)(lf - (s->text + at));

		if (!s->skipping && len)
			take_line(s, s->text + at, len);
		s->skipping = false;
		at += len + 1;
	}
	if (s->text_len - at > LINE_MAX_BYTES) {
		if (!s->skipping)
			not_understood(s, s->text + at, s->text_len - at);
		s->skipping = true;
		at = s->text_len;
	}
	s->text_len -= at;
	if (at)
		memmove(s->text, s->text + at, s->text_len);
}

/* A dtrace without output, not even a heartbeat, is stuck. */
static void look_for_life(struct source *s)
{
	uint64_t now = clock__event_ns();

	if (s->detached || !s->begun || s->stopped_ns || now < s->heard_ns + SILENT_NS)
		return;
	s->stopped_ns = s->heard_ns;
	s->heard_ns = now;
	log__line(LOG_WARNING, "dtrace for %s does not answer: restarting it",
		  scripts[s->script].name);
	(void)!write(s->control, &(char){ RUNNER_RESTART }, 1);
}

static void mark(struct engine *e)
{
	struct dtrace *d = (struct dtrace *)e;

	d->offset_ns = (int64_t)(clock__event_ns() - dtrace_clock_ns());
	for (size_t i = 0; i < d->n_sources; i++)
		for (int n = 0; n < ROUNDS_MAX && read_more(&d->sources[i]); n++)
			take_lines(&d->sources[i]);
}

static void drain(struct engine *e, const struct sink *sink)
{
	struct dtrace *d = (struct dtrace *)e;

	d->sink = sink;
	for (size_t i = 0; i < d->n_sources; i++) {
		struct source *s = &d->sources[i];
		const struct dtrace_line *l;

		read_messages(s, NULL, 0);
		look_for_life(s);
		while ((l = order__next(s->order, s->detached)))
			take_record(s, l);
	}
	d->sink = NULL;
}

static void wait_for_more(struct engine *e, int timeout_ms)
{
	struct dtrace *d = (struct dtrace *)e;
	struct pollfd p[DTRACE_SCRIPTS + 1];

	for (size_t i = 0; i < d->n_sources; i++)
		p[i] = (struct pollfd){ .fd = d->sources[i].detached ? -1 : d->sources[i].out,
					.events = POLLIN };
	p[d->n_sources] = (struct pollfd){ .fd = d->watched, .events = POLLIN };
	poll(p, (nfds_t)d->n_sources + 1, timeout_ms);
}

static int watch(struct engine *e, int fd)
{
	((struct dtrace *)e)->watched = fd;
	return 0;
}

/* ---- counts and losses ---- */

static struct source *source_of(struct dtrace *d, enum stream stream)
{
	for (size_t i = 0; i < d->n_sources; i++)
		if (d->sources[i].stream == stream)
			return &d->sources[i];
	return NULL;
}

static void counts(struct engine *e, enum stream stream, struct engine_counts *ret)
{
	struct source *s = source_of((struct dtrace *)e, stream);

	if (!s)
		return;
	ret->seen = atomic_load_explicit(&s->seen, memory_order_relaxed);
	ret->filtered = atomic_load_explicit(&s->filtered, memory_order_relaxed);
	ret->lost = atomic_load_explicit(&s->lost_all, memory_order_relaxed);
}

static void tell_span(struct source *s, struct span_lost *l, enum engine_cause cause,
		      engine_loss_fn tell, void *arg)
{
	struct engine_loss loss = { .stream = s->stream,
				    .cause = cause,
				    .count = l->count,
				    .from_ns = l->from_ns,
				    .to_ns = l->to_ns,
				    .cpu = -1 };

	if (l->count)
		tell(arg, &loss);
	*l = (struct span_lost){ 0 };
}

static void losses(struct engine *e, engine_loss_fn tell, void *arg)
{
	struct dtrace *d = (struct dtrace *)e;

	for (size_t i = 0; i < d->n_sources; i++) {
		struct source *s = &d->sources[i];

		/* A gap without a new dtrace lasts until the end. */
		if (s->detached && s->stopped_ns) {
			add_span(&s->gap, 1, s->stopped_ns, clock__event_ns());
			s->stopped_ns = 0;
		}
		tell_span(s, &s->lost, ENGINE_LOST, tell, arg);
		tell_span(s, &s->gap, ENGINE_GAP, tell, arg);
	}
}

static void gaps(struct engine *e, engine_gap_fn tell, void *arg)
{
	struct dtrace *d = (struct dtrace *)e;
	char text[160];

	for (size_t i = 0; i < d->n_sources; i++) {
		const struct source *s = &d->sources[i];

		if (!s->gaps)
			continue;
		snprintf(text, sizeof(text),
			 "dtrace for %s ended by itself %llu times: rows are missing (lost "
			 "stream, cause missed)",
			 scripts[s->script].name, (unsigned long long)s->gaps);
		tell(arg, text);
	}
}

static void forget(struct engine *e)
{
	((struct dtrace *)e)->epoch++;
}

static size_t hooks(struct engine *e, struct manifest_hook *ret)
{
	struct dtrace *d = (struct dtrace *)e;

	for (size_t i = 0; i < d->n_sources; i++)
		ret[i] = (struct manifest_hook){ .name = scripts[d->sources[i].script].name,
						 .streams = 1u << d->sources[i].stream,
						 .attached = d->sources[i].begun };
	return d->n_sources;
}

static const struct reqnames *request_names(const struct engine *e)
{
	return &dtrace_requests;
}

/* What DTrace can't know. */
static json_t *unfilled(const struct engine *e)
{
	return json_pack("{s:[sssss], s:[sss], s:[s]}", schema_streams[STREAM_FS].key, "inode",
			 "device", "fs_type", "container_id", "offset of sequential calls",
			 schema_streams[STREAM_BLOCK].key, "queue_latency_ms", "flags",
			 "command_flags", schema_streams[STREAM_NW_CONN].key, "local_addr");
}

/* ---- begin and end ---- */

static bool serves(enum stream stream)
{
	for (int i = 0; i < DTRACE_SCRIPTS; i++)
		if (scripts[i].stream == stream)
			return true;
	return false;
}

/* The rest in the pipes is read after all have ended. */
static void detach(struct engine *e)
{
	struct dtrace *d = (struct dtrace *)e;
	uint64_t until = clock__event_ns() + END_MS * UINT64_C(1000000);

	for (size_t i = 0; i < d->n_sources; i++)
		(void)!write(d->sources[i].control, &(char){ RUNNER_END }, 1);
	for (size_t i = 0; i < d->n_sources; i++) {
		struct source *s = &d->sources[i];

		while (!s->detached && clock__event_ns() < until) {
			struct pollfd p = { .fd = s->out, .events = POLLIN };

			if (read_more(s))
				take_lines(s);
			else if (!s->detached && !poll(&p, 1, LAST_MS) && s->at_end)
				break;
		}
		s->detached = true;
	}
}

static void free_source(struct source *s)
{
	int fds[] = { s->out, s->said, s->control };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	order__free(s->order);
	process_table__free(s->processes);
	free(s->text);
}

static void free_dtrace(struct engine *e)
{
	struct dtrace *d = (struct dtrace *)e;

	for (size_t i = 0; i < d->n_sources; i++)
		free_source(&d->sources[i]);
	mounts__free(d->mounts);
	free(d);
}

static int begin_source(struct dtrace *d, enum dtrace_script script, const char *program,
			char *problem)
{
	struct source *s = &d->sources[d->n_sources++];
	struct runner runner;
	char own[16];
	int err;

	*s = (struct source){ .all = d,
			      .script = script,
			      .stream = scripts[script].stream,
			      .out = -1,
			      .said = -1,
			      .control = -1 };
	if (order__new(&s->order, cpus__possible()) || process_table__new(&s->processes))
		return engine__problem(problem, -ENOMEM, "out of memory");
	snprintf(own, sizeof(own), "%d", (int)getpid());
	err = runner__start(&runner, program, scripts[script].text, own);
	if (err)
		return engine__problem(problem, err, "cannot start %.200s: %s", program,
				       strerror(-err));
	s->out = runner.out;
	s->said = runner.said;
	s->control = runner.control;
	s->heard_ns = clock__event_ns();
	return 0;
}

/* Waits until it records, or has ended. */
static int wait_for_begin(struct source *s, char *problem)
{
	uint64_t until = clock__event_ns() + START_MS * UINT64_C(1000000);
	char said[SAID_BYTES] = "", *rest = said, *line;

	while (!s->begun) {
		struct pollfd p[] = { { .fd = s->out, .events = POLLIN },
				      { .fd = s->said, .events = POLLIN } };

		if (clock__event_ns() > until)
			return engine__problem(problem, -ETIMEDOUT, "dtrace does not start (%s)",
					       scripts[s->script].name);
		poll(p, ARRAY_SIZE(p), 1000);
		read_messages(s, said, sizeof(said));
		if (read_more(s))
			take_lines(s);
		if (!s->begun && strstr(said, RUNNER_ENDED))
			return sip__explain(said, problem);
	}
	/* Its messages meanwhile may report losses. */
	while ((line = strsep(&rest, "\n")))
		if (*line)
			take_message(s, line);
	return 0;
}

static int begin_all(struct dtrace *d, const struct engine_config *config, char *problem)
{
	const char *program = config->file ? config->file : PROGRAM;
	int err = sip__look(program, problem);

	for (int i = 0; !err && i < DTRACE_SCRIPTS; i++)
		if (selection__stream(d->selection, scripts[i].stream))
			err = begin_source(d, i, program, problem);
	for (size_t i = 0; !err && i < d->n_sources; i++)
		err = wait_for_begin(&d->sources[i], problem);
	for (size_t i = 0; !err && i < d->n_sources; i++)
		dtrace__ask_all(&d->sources[i]);
	return err;
}

static int open_dtrace(struct engine **ret, const struct engine_config *config, char *problem)
{
	struct dtrace *d = calloc(1, sizeof(*d));
	struct utsname system;
	int err;

	if (!d)
		return engine__problem(problem, -ENOMEM, "out of memory");
	d->engine.type = &engine_dtrace;
	d->selection = config->selection;
	d->watched = -1;
	d->is_darwin = !uname(&system) && !strcmp(system.sysname, "Darwin");
	d->can_ask = true;
	err = mounts__new(&d->mounts);
	err = err ? engine__problem(problem, err, "out of memory") : begin_all(d, config, problem);
	if (err) {
		free_dtrace(&d->engine);
		return err;
	}
	*ret = &d->engine;
	return 0;
}

const struct engine_type engine_dtrace = {
	.name = "dtrace",
	.serves = serves,
	.open = open_dtrace,
	.mark = mark,
	.drain = drain,
	.wait = wait_for_more,
	.watch = watch,
	.counts = counts,
	.losses = losses,
	.forget = forget,
	.hooks = hooks,
	.request_names = request_names,
	.gaps = gaps,
	.unfilled = unfilled,
	.detach = detach,
	.free = free_dtrace,
};
