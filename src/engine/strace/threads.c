// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/threads.h"

#include <stdlib.h>
#include <string.h>

#include "engine/strace/calls.h"
#include "engine/strace/line.h"

/* Lines that were held back, and can be handled now. */
struct held_lines {
	struct held_lines *below; /* those during which the thread was born */
	char *text, *next, *end;
};

/* Handles T's lines next, before those that would come now. */
static void push_held(struct strace *s, struct strace_task *t)
{
	size_t len;
	char *text = task__held(s->tasks, t, &len);
	struct held_lines *held = text ? malloc(sizeof(*held)) : NULL;

	if (held) {
		*held = (struct held_lines){ s->held, text, text, text + len };
		s->held = held;
	} else if (text) {
		strace_gaps__count(&s->gaps, GAP_MEMORY, t->tid);
		free(text);
	}
}

/* T has created a thread. */
static void born(struct strace *s, struct strace_task *t, struct strace_birth birth)
{
	struct strace_task *child = tasks__find(s->tasks, birth.tid);

	/* Its lines may precede the end of its parent's call. If it has a process, that is an older
	 * thread whose end was not seen. */
	if (!child || child->process)
		child = birth.tid == t->tid ? NULL : tasks__add(s->tasks, birth.tid);
	if (!child) {
		strace_gaps__count(&s->gaps, GAP_MEMORY, birth.tid);
		return;
	}
	if (birth.is_thread)
		task__join(child, t->process);
	else if (!task__found(child, t->process))
		strace_gaps__count(&s->gaps, GAP_MEMORY, birth.tid);
	if (child->process)
		push_held(s, child);
}

/* The very first process is the command's. */
static struct strace_task *thread_of(struct strace *s, uint32_t tid)
{
	struct strace_task *t = tasks__find(s->tasks, tid);

	if (!t)
		t = tasks__add(s->tasks, tid);
	if (!t) {
		strace_gaps__count(&s->gaps, GAP_MEMORY, tid);
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
	struct strace_birth birth = { 0 };
	struct line_call c;

	if (!line__call(&c, body))
		strace_gaps__count(&s->gaps, GAP_LINES, t->tid);
	else if (c.finished)
		birth = strace_calls__take(s, t, &c, began_ns);
	if (birth.tid)
		born(s, t, birth);
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
		strace_gaps__count(&s->gaps, GAP_MEMORY, t->tid);
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

	strace_gaps__count(&s->gaps, GAP_THREAD, l->other);
	if (!task__keep(s->tasks, now, l->body, l->ns)) {
		strace_gaps__count(&s->gaps, GAP_MEMORY, t->tid);
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
		strace_calls__exit(s, t, l->status, l->ns);
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
		strace_gaps__count(&s->gaps, GAP_LINES, l.tid);
		return;
	}
	if (!t->process) {
		if (!task__hold(s->tasks, t, text))
			strace_gaps__count(&s->gaps, GAP_MEMORY, t->tid);
		return;
	}
	switch (l.kind) {
	case LINE_CALL:
		call(s, t, l.body, l.ns);
		break;
	case LINE_UNFINISHED:
		if (!task__keep(s->tasks, t, l.body, l.ns))
			strace_gaps__count(&s->gaps, GAP_MEMORY, t->tid);
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

static void take_held(struct strace *s)
{
	struct held_lines *held;

	while ((held = s->held)) {
		char *line = held->next, *end;

		if (line == held->end) {
			s->held = held->below;
			free(held->text);
			free(held);
			continue;
		}
		/* Without a line feed if there was no memory for it. */
		end = memchr(line, '\n', held->end - line) ?: held->end;
		held->next = end + (end < held->end);
		take_line(s, (struct span){ line, end - line });
	}
}

void threads__line(struct strace *s, struct span text)
{
	take_line(s, text);
	take_held(s);
}

void threads__adopt(struct strace *s)
{
	struct strace_task *orphan;

	while ((orphan = tasks__orphan(s->tasks))) {
		/* The lines of the thread handled last may have ended it. */
		struct strace_task *first = tasks__find(s->tasks, s->first);

		strace_gaps__count(&s->gaps, GAP_PARENT, orphan->tid);
		if (!task__found(orphan, first ? first->process : NULL))
			return;
		push_held(s, orphan);
		take_held(s);
	}
}
