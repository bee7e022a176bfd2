// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/strace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/strace/calls.h"
#include "engine/strace/state.h"
#include "engine/strace/threads.h"
#include "platform/macros.h"

#define LINE_MAX_BYTES (512 * 1024) /* two paths, arguments and a list of buffers take less */
#define READ_BYTES (256 * 1024)     /* at once, so that the queue has room for the rows */
#define LAST_BYTES (64 * 1024 * 1024)
#define LAST_MS 10000 /* strace is considered finished after this time without output */

/* ---- strace's command line ---- */

char **strace__command(char **argv, const char *file)
{
	const char *const options[] = {
		"strace",
		"-DD",
		"-f",
		"--seccomp-bpf",
		"--quiet=attach,personality",
		"-a",
		"1",
		"-o",
		file,
		/* strings in hexadecimal, flags as numbers */
		"-xx",
		"-X",
		"raw",
		"-s",
		"128",
		/* the path of each descriptor, and process ids of this namespace */
		"-y",
		"--pidns-translation",
		"--absolute-timestamps=format:unix,precision:ns",
		"--syscall-times=ns",
		/* these must include the signals that kill a process */
		"-e",
		"signal=!chld,urg,winch,cont",
		"-e",
		strace_calls__names(),
		"--",
	};
	size_t n = ARRAY_SIZE(options), argc = 0;
	char **all;

	while (argv[argc])
		argc++;
	all = calloc(n + argc + 1, sizeof(*all));
	if (!all)
		return NULL;
	for (size_t i = 0; i < n; i++)
		all[i] = (char *)options[i];
	memcpy(all + n, argv, argc * sizeof(*argv));
	return all;
}

/* ---- reading ---- */

static bool reserve(struct strace *s)
{
	size_t capacity = s->text_len + READ_BYTES;
	char *grown;

	if (capacity <= s->text_capacity)
		return true;
	grown = realloc(s->text, 2 * capacity);
	if (!grown)
		return false;
	s->text = grown;
	s->text_capacity = 2 * capacity;
	return true;
}

/* Returns whether anything was read. */
static bool read_more(struct strace *s)
{
	ssize_t n;

	if (s->at_end || !reserve(s))
		return false;
	n = read(s->fd, s->text + s->text_len, READ_BYTES);
	if (n > 0) {
		s->text_len += n;
		s->begun = true;
	} else if (n == 0 ? s->begun || !s->is_fifo : errno != EAGAIN && errno != EINTR) {
		s->at_end = true;
	}
	return n > 0;
}

static void mark(struct engine *e)
{
	struct strace *s = (struct strace *)e;

	s->offset_ns = clock__real_ns() - (int64_t)clock__mono_ns();
	if (!s->detached)
		read_more(s);
	s->marked = s->text_len;
}

/* Handles all whole lines. A strace that is killed may leave an incomplete last line. */
static size_t take_lines(struct strace *s)
{
	size_t at = 0;
	const char *lf;

	while ((lf = memchr(s->text + at, '\n', s->marked - at))) {
		size_t len = lf - (s->text + at);

		if (!s->skipping && len)
			threads__line(s, (struct span){ s->text + at, len });
		s->skipping = false;
		at += len + 1;
	}
	if (s->marked - at > LINE_MAX_BYTES) {
		if (!s->skipping)
			strace_gaps__count(&s->gaps, GAP_LINES, 0);
		s->skipping = true;
		at = s->marked;
	}
	return at;
}

static void drain(struct engine *e, const struct sink *sink)
{
	struct strace *s = (struct strace *)e;
	size_t taken;

	if (!s->text)
		return;
	s->sink = sink;
	taken = take_lines(s);
	if (s->at_end || s->detached)
		threads__adopt(s);
	s->sink = NULL;
	s->text_len -= taken;
	memmove(s->text, s->text + taken, s->text_len);
	s->marked = 0;
}

static void wait_for_more(struct engine *e, int timeout_ms)
{
	struct strace *s = (struct strace *)e;
	struct pollfd p[] = {
		{ .fd = s->at_end ? -1 : s->fd, .events = POLLIN },
		{ .fd = s->watched, .events = POLLIN },
	};

	poll(p, ARRAY_SIZE(p), timeout_ms);
}

static int watch(struct engine *e, int fd)
{
	((struct strace *)e)->watched = fd;
	return 0;
}

static bool ended(const struct engine *e)
{
	const struct strace *s = (const struct strace *)e;

	return s->at_end && !s->marked;
}

/* ---- the end ---- */

/* Whether the line about the end of the command was read after AT. */
static bool end_is_in(const struct strace *s, size_t at)
{
	uint32_t first = s->first;
	struct line l;
	const char *lf;

	while (s->text && (lf = memchr(s->text + at, '\n', s->text_len - at))) {
		line__parse(&l, s->text + at, lf - (s->text + at));
		first = first ?: l.tid;
		if (l.kind == LINE_ENDED && l.tid == first)
			return true;
		at = lf + 1 - s->text;
	}
	return false;
}

/* The command has ended, and strace learns of that before its parent: everything up to its end is
 * in the FIFO, or strace is about to write it. */
static void detach(struct engine *e)
{
	struct strace *s = (struct strace *)e;
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	bool found = s->first_ended || end_is_in(s, 0);

	while (!found && !s->at_end && s->text_len < LAST_BYTES) {
		size_t at = s->text_len;

		if (!read_more(s)) {
			if (!s->begun || (!s->at_end && poll(&p, 1, LAST_MS) <= 0))
				break;
			continue;
		}
		/* Searches from the beginning of the line, which may be the very first one. */
		while (s->first && at && s->text[at - 1] != '\n')
			at--;
		found = end_is_in(s, s->first ? at : 0);
	}
	s->detached = true;
}

static void counts(struct engine *e, enum stream stream, struct engine_counts *ret)
{
	struct strace *s = (struct strace *)e;

	if (stream == STREAM_FS)
		ret->seen = atomic_load_explicit(&s->seen, memory_order_relaxed);
}

static void forget(struct engine *e)
{
	((struct strace *)e)->epoch++;
}

/* Whether strace has opened the FIFO, which it does before it runs the command. */
static bool was_opened(const struct strace *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	return s->begun || (poll(&p, 1, 0) > 0 && p.revents & POLLHUP);
}

static void gaps(struct engine *e, engine_gap_fn tell, void *arg)
{
	struct strace *s = (struct strace *)e;

	if (s->first ? !s->first_ended : was_opened(s))
		strace_gaps__count(&s->gaps, s->first ? GAP_DIED : GAP_NOTHING, s->first);
	strace_gaps__tell(&s->gaps, tell, arg);
}

static bool serves(enum stream stream)
{
	return stream == STREAM_FS;
}

static void free_strace(struct engine *e)
{
	struct strace *s = (struct strace *)e;

	if (s->fd >= 0)
		close(s->fd);
	tasks__free(s->tasks);
	mounts__free(s->mounts);
	free(s->text);
	free(s);
}

static int open_strace(struct engine **ret, const struct engine_config *config, char *problem)
{
	struct strace *s = calloc(1, sizeof(*s));
	struct stat st = { .st_mode = 0 };
	int err;

	if (!s)
		return engine__problem(problem, -ENOMEM, "out of memory");
	s->engine.type = &engine_strace;
	s->watched = -1;
	s->fd = open(config->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	err = s->fd < 0 || fstat(s->fd, &st) ? -errno : 0;
	if (err)
		engine__problem(problem, err, "cannot read %.200s: %s", config->file,
				strerror(-err));
	else if (tasks__new(&s->tasks) || mounts__new(&s->mounts))
		err = engine__problem(problem, -ENOMEM, "out of memory");
	if (err) {
		free_strace(&s->engine);
		return err;
	}
	s->is_fifo = S_ISFIFO(st.st_mode);
	s->is_root = !geteuid();
	if (!getcwd(s->cwd, sizeof(s->cwd)))
		*s->cwd = 0;
	*ret = &s->engine;
	return 0;
}

const struct engine_type engine_strace = {
	.name = "strace",
	.patient = true,
	.serves = serves,
	.open = open_strace,
	.mark = mark,
	.drain = drain,
	.wait = wait_for_more,
	.watch = watch,
	.ended = ended,
	.counts = counts,
	.forget = forget,
	.gaps = gaps,
	.detach = detach,
	.free = free_strace,
};
