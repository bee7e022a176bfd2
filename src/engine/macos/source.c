// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads what tracers print, keeps them running, and counts what they lose. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/shown.h"
#include "engine/macos/marker.h"
#include "engine/macos/runner.h"
#include "engine/macos/state.h"
#include "platform/cpus.h"
#include "platform/macros.h"

#define LINE_MAX_BYTES (1 << 20)        /* an exec's arguments and environment in JSON */
#define READ_BYTES (256 * 1024)         /* at once: the queue has space for their rows */
#define ROUNDS_MAX 16                   /* reads from each source per round of the reader */
#define START_MS 120000                 /* under emulation, the first dtrace takes a minute */
#define TOUCH_NS UINT64_C(200000000)    /* between touches of the marker while it begins or ends */
#define ALIVE_NS UINT64_C(3000000000)   /* … and while it records */
#define SILENT_NS UINT64_C(15000000000) /* without a heartbeat or the marker */
#define END_MS 5000
#define LAST_MS 200 /* after its end, dtrace has at most the buffers of the other CPUs to write */
#define LOG_LINES_MAX 20 /* of each source's invalid lines; more are only counted */

/* clang-format off */
static const char *const holes[HOLES] = {
	[HOLE_FAILED] = "eslogger does not report calls that fail: missing and denied are incomplete",
	[HOLE_CUT] = "paths that fs_usage has cut: what was done to these files is missing",
	[HOLE_RENAME] = "renames whose new name fs_usage does not report",
	[HOLE_TWO_PATHS] = "calls on two files, of which fs_usage reports only one",
	[HOLE_FILE] = "calls on files whose open was not seen",
	[HOLE_THREAD] = "threads that ended before their process was known",
	[HOLE_MAP] = "writable mappings: fs_usage does not report whether they change their file",
	[HOLE_SPAWN] = "programs started by posix_spawn: fs_usage does not report which ones",
	[HOLE_CALL] = "calls that this iotrc does not know",
};
/* clang-format on */

uint64_t macos__ns(const struct macos *d, uint64_t ns)
{
	return ns + (uint64_t)d->offset_ns;
}

/* ---- counts ---- */

static void count(atomic_uint_least64_t *n, uint64_t more)
{
	atomic_fetch_add_explicit(n, more, memory_order_relaxed);
}

void macos__event(struct source *s, const void *record, size_t size)
{
	count(&s->seen, 1);
	s->all->sink->event(s->all->sink->arg, record, size);
}

void macos__left_out(struct source *s)
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

void macos__lose(struct source *s, uint64_t n, uint64_t from, uint64_t to)
{
	count(&s->seen, n);
	count(&s->lost_all, n);
	add_span(&s->lost, n, from, to);
}

void macos__hole(struct source *s, enum hole hole)
{
	count(&s->holes[hole], 1);
}

/* ---- lines ---- */

/* Counts a lost record, and logs its text. */
static void not_understood(struct source *s, const char *text, size_t len)
{
	char shown[SHOWN_MAX(200)];
	uint64_t now = clock__event_ns();

	macos__lose(s, 1, now, now);
	if (s->left_out++ >= LOG_LINES_MAX)
		return;
	shown__copy(shown, text, MIN(len, 200));
	log__line(LOG_WARNING, "cannot parse a line of %s: %s", s->kind->name, shown);
}

void macos__has_begun(struct source *s, uint64_t ns)
{
	uint64_t now = clock__event_ns();

	s->begun = true;
	order__restart(s->order, ns);
	if (!s->stopped_ns)
		return;
	add_span(&s->gap, 1, s->stopped_ns, now);
	s->stopped_ns = 0;
	/* Files opened and closed meanwhile were not recorded. */
	process_table__forget_descriptors(s->processes);
}

void macos__queue(struct source *s, const struct call_line *l, const char *text, size_t len)
{
	if (order__put(s->order, l, text, len))
		macos__lose(s, 1, macos__ns(s->all, l->ns), macos__ns(s->all, l->ns));
}

static void take_marker(struct source *s, enum marker_word word)
{
	if (!s->begun || (s->stopped_ns && word != MARKER_NONE))
		macos__has_begun(s, s->all->clock_ns());
	s->at_end = word == MARKER_END;
}

static void take_line(struct source *s, char *text, size_t len)
{
	enum marker_word word =
		s->kind->beats ? MARKER_NONE : marker__find(s->all->marker, text, len);
	size_t copied = MIN(len, 256);
	char copy[256];

	if (word != MARKER_NONE) {
		take_marker(s, word);
		return;
	}
	/* What it reports before the recording has begun is not part of the recording. */
	if (!s->kind->beats && !s->begun)
		return;
	memcpy(copy, text, copied);
	if (!s->kind->read(s, text, len))
		not_understood(s, copy, copied);
}

static void take_record(struct source *s, const struct call_line *l)
{
	if (!s->kind->take(s, l))
		not_understood(s, l->name, strlen(l->name));
}

/* ---- messages ---- */

static void ended_unexpectedly(struct source *s)
{
	if (s->detached)
		return;
	s->gaps++;
	s->stopped_ns = s->stopped_ns ? s->stopped_ns : clock__event_ns();
	s->sequence = 0;
	log__line(LOG_WARNING, "the tracer of %s has ended: restarting it", s->kind->name);
}

static void take_message(struct source *s, const char *text)
{
	char shown[SHOWN_MAX(sizeof(s->message))];

	if (!strncmp(text, RUNNER_ENDED, sizeof(RUNNER_ENDED) - 1)) {
		ended_unexpectedly(s);
		return;
	}
	if (s->kind->said(s, text) || s->left_out++ >= LOG_LINES_MAX)
		return;
	shown__copy(shown, text, strlen(text));
	log__line(LOG_WARNING, "%s: %s", s->kind->name, shown);
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

static bool reserve_text(struct source *s)
{
	char *grown = realloc(s->text, s->text_len + READ_BYTES);

	if (!grown)
		return false;
	s->text = grown;
	return true;
}

/* Returns whether anything was read. */
static bool read_more(struct source *s)
{
	ssize_t n = s->out >= 0 && reserve_text(s) ?
			    read(s->out, s->text + s->text_len, READ_BYTES) :
			    -1;

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

/* A tracer without output, not even a heartbeat, is stuck. */
static void look_for_life(struct source *s)
{
	uint64_t now = clock__event_ns();

	if (!s->kind->beats && !s->detached && now >= s->touched_ns + ALIVE_NS) {
		s->touched_ns = now;
		marker__touch(s->all->marker, MARKER_ALIVE);
	}
	if (s->detached || !s->begun || s->stopped_ns || now < s->heard_ns + SILENT_NS)
		return;
	s->stopped_ns = s->heard_ns;
	s->heard_ns = now;
	log__line(LOG_WARNING, "the tracer of %s does not answer: restarting it", s->kind->name);
	(void)!write(s->control, &(char){ RUNNER_RESTART }, 1);
}

void macos__mark(struct engine *e)
{
	struct macos *d = (struct macos *)e;

	d->offset_ns = (int64_t)(clock__event_ns() - d->clock_ns());
	for (size_t i = 0; i < d->n_sources; i++)
		for (int n = 0; n < ROUNDS_MAX && read_more(&d->sources[i]); n++)
			take_lines(&d->sources[i]);
}

void macos__drain(struct engine *e, const struct sink *sink)
{
	struct macos *d = (struct macos *)e;

	d->sink = sink;
	for (size_t i = 0; i < d->n_sources; i++) {
		struct source *s = &d->sources[i];
		const struct call_line *l;

		read_messages(s, NULL, 0);
		look_for_life(s);
		while ((l = order__next(s->order, s->detached)))
			take_record(s, l);
	}
	d->sink = NULL;
}

void macos__wait(struct engine *e, int timeout_ms)
{
	struct macos *d = (struct macos *)e;
	struct pollfd p[SOURCES_MAX + 1];

	for (size_t i = 0; i < d->n_sources; i++)
		p[i] = (struct pollfd){ .fd = d->sources[i].detached ? -1 : d->sources[i].out,
					.events = POLLIN };
	p[d->n_sources] = (struct pollfd){ .fd = d->watched, .events = POLLIN };
	poll(p, (nfds_t)d->n_sources + 1, timeout_ms);
}

int macos__watch(struct engine *e, int fd)
{
	((struct macos *)e)->watched = fd;
	return 0;
}

/* ---- counts and losses ---- */

static struct source *source_of(struct macos *d, enum stream stream)
{
	for (size_t i = 0; i < d->n_sources; i++)
		if (d->sources[i].kind->stream == stream)
			return &d->sources[i];
	return NULL;
}

void macos__counts(struct engine *e, enum stream stream, struct engine_counts *ret)
{
	struct source *s = source_of((struct macos *)e, stream);

	if (!s)
		return;
	ret->seen = atomic_load_explicit(&s->seen, memory_order_relaxed);
	ret->filtered = atomic_load_explicit(&s->filtered, memory_order_relaxed);
	ret->lost = atomic_load_explicit(&s->lost_all, memory_order_relaxed);
}

static void tell_span(struct source *s, struct span_lost *l, enum engine_cause cause,
		      engine_loss_fn tell, void *arg)
{
	struct engine_loss loss = { .stream = s->kind->stream,
				    .cause = cause,
				    .count = l->count,
				    .from_ns = l->from_ns,
				    .to_ns = l->to_ns,
				    .cpu = -1 };

	if (l->count)
		tell(arg, &loss);
	*l = (struct span_lost){ 0 };
}

void macos__losses(struct engine *e, engine_loss_fn tell, void *arg)
{
	struct macos *d = (struct macos *)e;

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

void macos__gaps(struct engine *e, engine_gap_fn tell, void *arg)
{
	struct macos *d = (struct macos *)e;
	char text[160];

	for (size_t i = 0; i < d->n_sources; i++) {
		const struct source *s = &d->sources[i];

		for (int hole = 0; hole < HOLES; hole++)
			if (s->holes[hole]) {
				snprintf(text, sizeof(text), "%s (%llu)", holes[hole],
					 (unsigned long long)s->holes[hole]);
				tell(arg, text);
			}
		if (process_table__left_out(s->processes)) {
			snprintf(text, sizeof(text),
				 "%s: descriptors beyond %d are unknown: rows about them are "
				 "missing (%llu)",
				 s->kind->name, DESCRIPTORS_MAX,
				 (unsigned long long)process_table__left_out(s->processes));
			tell(arg, text);
		}
		if (!s->gaps)
			continue;
		snprintf(text, sizeof(text),
			 "the tracer of %s ended by itself %llu times: rows are missing (lost "
			 "stream, cause missed)",
			 s->kind->name, (unsigned long long)s->gaps);
		tell(arg, text);
	}
}

void macos__forget(struct engine *e)
{
	((struct macos *)e)->epoch++;
}

size_t macos__hooks(struct engine *e, struct manifest_hook *ret)
{
	struct macos *d = (struct macos *)e;

	for (size_t i = 0; i < d->n_sources; i++)
		ret[i] = (struct manifest_hook){ .name = d->sources[i].kind->name,
						 .streams = 1u << d->sources[i].kind->stream,
						 .attached = d->sources[i].begun };
	return d->n_sources;
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

void macos__free(struct engine *e)
{
	struct macos *d = (struct macos *)e;

	for (size_t i = 0; i < d->n_sources; i++)
		free_source(&d->sources[i]);
	marker__free(d->marker);
	mounts__free(d->mounts);
	free(d);
}

/* ---- begin and end ---- */

int macos__new(struct macos **ret, const struct engine_type *type,
	       const struct engine_config *config, char *problem)
{
	struct macos *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return engine__problem(problem, -ENOMEM, "out of memory");
	d->engine.type = type;
	d->selection = config->selection;
	d->dir = config->dir;
	d->watched = -1;
	d->can_ask = true;
	err = mounts__new(&d->mounts);
	if (err) {
		macos__free(&d->engine);
		return engine__problem(problem, err, "out of memory");
	}
	*ret = d;
	return 0;
}

int macos__begin_source(struct macos *d, const struct source_kind *kind, char *const argv[],
			char *problem)
{
	struct source *s = &d->sources[d->n_sources++];
	struct runner runner;
	int err;

	*s = (struct source){ .all = d, .kind = kind, .out = -1, .said = -1, .control = -1 };
	if (order__new(&s->order, kind->beats ? cpus__possible() : 1) ||
	    process_table__new(&s->processes))
		return engine__problem(problem, -ENOMEM, "out of memory");
	if (!kind->beats && !d->marker) {
		err = marker__new(&d->marker, d->dir);
		if (err)
			return engine__problem(problem, err, "cannot create a temporary file: %s",
					       strerror(-err));
	}
	err = runner__start(&runner, argv);
	if (err)
		return engine__problem(problem, err, "cannot start %.200s: %s", argv[0],
				       strerror(-err));
	s->out = runner.out;
	s->said = runner.said;
	s->control = runner.control;
	s->heard_ns = clock__event_ns();
	return 0;
}

static void touch_to(struct source *s, enum marker_word word)
{
	uint64_t now = clock__event_ns();

	if (s->kind->beats || now < s->touched_ns + TOUCH_NS)
		return;
	s->touched_ns = now;
	marker__touch(s->all->marker, word);
}

int macos__wait_for_begin(struct source *s, char *said, size_t size, char *problem)
{
	uint64_t until = clock__event_ns() + START_MS * UINT64_C(1000000);
	char *rest = said, *line;

	*said = 0;
	while (!s->begun) {
		struct pollfd p[] = { { .fd = s->out, .events = POLLIN },
				      { .fd = s->said, .events = POLLIN } };

		if (clock__event_ns() > until)
			return engine__problem(problem, -ETIMEDOUT,
					       "the tracer does not start (%s)", s->kind->name);
		touch_to(s, MARKER_BEGIN);
		poll(p, ARRAY_SIZE(p), s->kind->beats ? 1000 : TOUCH_NS / 1000000);
		read_messages(s, said, size);
		if (read_more(s))
			take_lines(s);
		if (!s->begun && strstr(said, RUNNER_ENDED))
			return -ECHILD;
	}
	/* Its messages during the start may report losses. */
	while ((line = strsep(&rest, "\n")))
		if (*line)
			take_message(s, line);
	return 0;
}

static void end_source(struct source *s, uint64_t until)
{
	bool beats = s->kind->beats;

	while (!s->detached && clock__event_ns() < until) {
		struct pollfd p = { .fd = s->out, .events = POLLIN };

		if (!beats && s->at_end) {
			(void)!write(s->control, &(char){ RUNNER_END }, 1);
			break;
		}
		touch_to(s, MARKER_END);
		if (read_more(s))
			take_lines(s);
		else if (!s->detached && !poll(&p, 1, LAST_MS) && beats && s->at_end)
			break;
	}
	/* It has not reported everything that was done before. */
	if (!beats && !s->at_end) {
		s->gaps++;
		s->stopped_ns = s->stopped_ns ? s->stopped_ns : s->heard_ns;
		(void)!write(s->control, &(char){ RUNNER_END }, 1);
	}
	s->detached = true;
}

/* The rest in the pipes is read after all have ended. */
void macos__detach(struct engine *e)
{
	struct macos *d = (struct macos *)e;
	uint64_t until = clock__event_ns() + END_MS * UINT64_C(1000000);

	for (size_t i = 0; i < d->n_sources; i++)
		if (d->sources[i].kind->beats)
			(void)!write(d->sources[i].control, &(char){ RUNNER_END }, 1);
	for (size_t i = 0; i < d->n_sources; i++)
		end_source(&d->sources[i], until);
}
