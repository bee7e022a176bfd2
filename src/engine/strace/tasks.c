// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* a power of two */

struct tasks {
	size_t n, kept; /* threads; bytes of their texts */
	struct strace_task *buckets[BUCKETS];
};

int tasks__new(struct tasks **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static struct strace_process *process__put(struct strace_process *p)
{
	if (p && !--p->refs) {
		free(p->cwd);
		free(p->exe);
		free(p);
	}
	return NULL;
}

static struct strace_task **place(struct tasks *t, uint32_t tid)
{
	struct strace_task **p = &t->buckets[tid & (BUCKETS - 1)];

	while (*p && (*p)->tid != tid)
		p = &(*p)->next;
	return p;
}

void tasks__remove(struct tasks *t, struct strace_task *task)
{
	struct strace_task **p = place(t, task->tid);

	*p = task->next;
	t->n--;
	t->kept -= task->pending_len + task->held_len;
	process__put(task->process);
	free(task->pending);
	free(task->held);
	free(task);
}

struct tasks *tasks__free(struct tasks *t)
{
	for (size_t i = 0; t && i < BUCKETS; i++)
		while (t->buckets[i])
			tasks__remove(t, t->buckets[i]);
	free(t);
	return NULL;
}

struct strace_task *tasks__find(struct tasks *t, uint32_t tid)
{
	return *place(t, tid);
}

struct strace_task *tasks__add(struct tasks *t, uint32_t tid)
{
	struct strace_task *old = tasks__find(t, tid), *task;

	if (old)
		tasks__remove(t, old);
	task = t->n < TASKS_MAX ? calloc(1, sizeof(*task)) : NULL;
	if (!task)
		return NULL;
	task->tid = tid;
	*place(t, tid) = task;
	t->n++;
	return task;
}

void task__join(struct strace_task *t, struct strace_process *process)
{
	process->refs++;
	process__put(t->process);
	t->process = process;
}

bool task__found(struct strace_task *t, const struct strace_process *parent)
{
	struct strace_process *p = calloc(1, sizeof(*p));

	if (!p)
		return false;
	if (parent) {
		*p = *parent;
		p->ppid = parent->pid;
		p->cwd = parent->cwd ? strdup(parent->cwd) : NULL;
		p->exe = parent->exe ? strdup(parent->exe) : NULL;
	}
	p->refs = 0;
	p->pid = t->tid;
	p->version = 1;
	task__join(t, p);
	return true;
}

static bool append_text(struct tasks *all, char **text, size_t *len, struct span more)
{
	char *grown =
		all->kept + more.len < TASKS_KEPT_MAX ? realloc(*text, *len + more.len + 1) : NULL;

	if (!grown)
		return false;
	memcpy(grown + *len, more.s, more.len);
	*text = grown;
	*len += more.len;
	all->kept += more.len;
	return true;
}

static char *take_away(struct tasks *all, char **text, size_t *len, size_t *ret_len)
{
	char *taken = *text;

	all->kept -= *len;
	*ret_len = *len;
	*text = NULL;
	*len = 0;
	return taken;
}

bool task__keep(struct tasks *all, struct strace_task *t, struct span text, uint64_t ns)
{
	size_t len;

	free(task__kept(all, t, &len));
	t->began = ns;
	return append_text(all, &t->pending, &t->pending_len, text);
}

bool task__hold(struct tasks *all, struct strace_task *t, struct span line)
{
	return append_text(all, &t->held, &t->held_len, line) &&
	       append_text(all, &t->held, &t->held_len, (struct span){ "\n", 1 });
}

char *task__kept(struct tasks *all, struct strace_task *t, size_t *ret_len)
{
	return take_away(all, &t->pending, &t->pending_len, ret_len);
}

char *task__held(struct tasks *all, struct strace_task *t, size_t *ret_len)
{
	return take_away(all, &t->held, &t->held_len, ret_len);
}

struct strace_task *tasks__orphan(struct tasks *t)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct strace_task *task = t->buckets[i]; task; task = task->next)
			if (!task->process)
				return task;
	return NULL;
}

size_t tasks__count(const struct tasks *t)
{
	return t->n;
}
