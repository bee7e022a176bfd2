// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/strace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/strace/state.h"
#include "platform/macros.h"

#define LINE_MAX_BYTES (512 * 1024) /* two paths, arguments and a list of buffers take less */
#define READ_BYTES (256 * 1024)     /* at once, so that the queue has room for the rows */
#define LAST_BYTES (64 * 1024 * 1024)
#define LAST_MS 10000 /* strace is considered finished after this time without output */

/* clang-format off */
static const char *const gap_texts[GAPS] = {
	[GAP_URING] = "io_uring: strace does not see what is done through it",
	[GAP_ROOT] = "another root or mount namespace: paths there may be wrong",
	[GAP_SETUID] = "a set-user-ID program ran without its owner's privileges",
	[GAP_THREAD] = "a thread executed a program: strace misses that program's first call",
	[GAP_AIO] = "asynchronous I/O: strace does not show all requests of a call",
	[GAP_LINES] = "strace's output was not understood",
	[GAP_PARENT] = "a process whose parent is not known: relative paths may be wrong",
	[GAP_MEMORY] = "out of memory for processes",
	[GAP_DIED] = "strace ended before the command did",
	[GAP_NOTHING] = "strace has recorded nothing",
};
/* clang-format on */

void strace__gap(struct strace *s, enum gap gap, uint32_t pid)
{
	if (!atomic_fetch_add(&s->gaps[gap], 1))
		s->gap_pids[gap] = pid;
}

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
		strace__calls(),
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

/* ---- lines ---- */

static void take_line(struct strace *s, struct span text);

static void take_held(struct strace *s, struct strace_task *t)
{
	size_t len;
	char *held = task__held(s->tasks, t, &len), *line = held, *end;

	for (; held && line < held + len; line = end + 1) {
		end = memchr(line, '\n', held + len - line);
		take_line(s, (struct span){ line, end - line });
	}
	free(held);
}

void strace__born(struct strace *s, struct strace_task *t, uint32_t tid, bool is_thread)
{
	struct strace_task *child = tasks__find(s->tasks, tid);

	/* Its lines may precede the end of its parent's call. If it has a process, that is an older
	 * thread whose end was not seen. */
	if (!child || child->process)
		child = tid == t->tid ? NULL : tasks__add(s->tasks, tid);
	if (!child) {
		strace__gap(s, GAP_MEMORY, tid);
		return;
	}
	if (is_thread)
		task__join(child, t->process);
	else if (!task__found(child, t->process))
		strace__gap(s, GAP_MEMORY, tid);
	if (child->process)
		take_held(s, child);
}

/* The very first process is the command's. */
static struct strace_task *thread_of(struct strace *s, uint32_t tid)
{
	struct strace_task *t = tasks__find(s->tasks, tid);

	if (!t)
		t = tasks__add(s->tasks, tid);
	if (!t) {
		strace__gap(s, GAP_MEMORY, tid);
		return NULL;
	}
	if (!s->first && task__found(t, NULL)) {
		s->first = tid;
		t->process->cwd = *s->cwd ? strdup(s->cwd) : NULL;
	}
	return t;
}

static void call(struct strace *s, struct strace_task *t, struct span body, uint64_t began_ns)
{
	struct line_call c;

	if (!line__call(&c, body))
		strace__gap(s, GAP_LINES, t->tid);
	else if (c.finished)
		strace__call(s, t, &c, began_ns);
}

static void resume(struct strace *s, struct strace_task *t, const struct line *l)
{
	size_t len, whole_len;
	char *begun = task__kept(s->tasks, t, &len), *whole;

	/* If a thread called execve(), strace prints its return twice. */
	if (!begun || len <= l->name.len || memcmp(begun, l->name.s, l->name.len) != 0 ||
	    begun[l->name.len] != '(') {
		free(begun);
		return;
	}
	whole_len = len + l->body.len;
	whole = realloc(begun, whole_len);
	if (!whole) {
		strace__gap(s, GAP_MEMORY, t->tid);
		free(begun);
		return;
	}
	memcpy(whole + len, l->body.s, l->body.len);
	call(s, t, (struct span){ whole, whole_len }, t->began);
	free(whole);
}

/* execve() of a thread other than the main one: the other threads are gone, and it takes the main
 * thread's id. */
static void move(struct strace *s, struct strace_task *t, const struct line *l)
{
	static const char success[] = ") = 0";
	struct strace_task *first = tasks__find(s->tasks, l->other),
			   *now = first && first->process ? first : t;
	const char *open = memchr(l->body.s, '(', l->body.len);
	size_t name_len = open ? open - l->body.s : 0;

	strace__gap(s, GAP_THREAD, l->other);
	if (!task__keep(s->tasks, now, l->body, l->ns)) {
		strace__gap(s, GAP_MEMORY, t->tid);
		return;
	}
	/* execve() or execveat() */
	resume(s, now,
	       &(struct line){ .name = { l->body.s, name_len },
			       .body = { success, sizeof(success) - 1 } });
}

static void end(struct strace *s, struct strace_task *t, const struct line *l)
{
	if (t->tid == t->process->pid)
		strace__exit(s, t, l->status, l->ns);
	s->first_ended |= t->tid == s->first;
	tasks__remove(s->tasks, t);
}

static void supersede(struct strace *s, const struct line *l)
{
	struct strace_task *old = tasks__find(s->tasks, l->other);

	if (old && l->other != l->tid)
		tasks__remove(s->tasks, old);
}

static void take_line(struct strace *s, struct span text)
{
	struct line l;
	struct strace_task *t;

	line__parse(&l, text.s, text.len);
	if (l.kind == LINE_IGNORED)
		return;
	t = l.kind == LINE_BAD ? NULL : thread_of(s, l.tid);
	if (!t) {
		strace__gap(s, GAP_LINES, l.tid);
		return;
	}
	if (!t->process) {
		if (!task__hold(s->tasks, t, text))
			strace__gap(s, GAP_MEMORY, t->tid);
		return;
	}
	switch (l.kind) {
	case LINE_CALL:
		call(s, t, l.body, l.ns);
		break;
	case LINE_UNFINISHED:
		if (!task__keep(s->tasks, t, l.body, l.ns))
			strace__gap(s, GAP_MEMORY, t->tid);
		break;
	case LINE_RESUMED:
		resume(s, t, &l);
		break;
	case LINE_MOVED:
		move(s, t, &l);
		break;
	case LINE_ENDED:
		end(s, t, &l);
		break;
	case LINE_SUPERSEDED:
		supersede(s, &l);
		break;
	default:
		break;
	}
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
			take_line(s, (struct span){ s->text + at, len });
		s->skipping = false;
		at += len + 1;
	}
	if (s->marked - at > LINE_MAX_BYTES) {
		if (!s->skipping)
			strace__gap(s, GAP_LINES, 0);
		s->skipping = true;
		at = s->marked;
	}
	return at;
}

/* Their parents will not become known any more. */
static void adopt_orphans(struct strace *s)
{
	struct strace_task *orphan;

	while ((orphan = tasks__orphan(s->tasks))) {
		/* The lines of the thread handled last may have ended it. */
		struct strace_task *first = tasks__find(s->tasks, s->first);

		strace__gap(s, GAP_PARENT, orphan->tid);
		if (!task__found(orphan, first ? first->process : NULL))
			return;
		take_held(s, orphan);
	}
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
		adopt_orphans(s);
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
	char text[160];
	size_t len;

	if (s->first ? !s->first_ended : was_opened(s))
		strace__gap(s, s->first ? GAP_DIED : GAP_NOTHING, s->first);
	for (int i = 0; i < GAPS; i++) {
		uint64_t n = atomic_load(&s->gaps[i]);

		if (!n)
			continue;
		len = snprintf(text, sizeof(text), "%s", gap_texts[i]);
		if (s->gap_pids[i])
			len += snprintf(text + len, sizeof(text) - len, " (process %" PRIu32 ")",
					s->gap_pids[i]);
		if (n > 1)
			snprintf(text + len, sizeof(text) - len, ", %" PRIu64 " times", n);
		tell(arg, text);
	}
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
