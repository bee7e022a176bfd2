/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The threads and processes that strace's output is about. */
#ifndef IOTRC_STRACE_TASKS_H
#define IOTRC_STRACE_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/strace/line.h"
#include "schema/records.h"

#define TASKS_MAX (1 << 17) /* threads at a time */
#define TASKS_KEPT_MAX \
	(64 << 20) /* bytes of lines that wait for the rest of their call, or for their process */

struct strace_process {
	uint32_t refs; /* its threads */
	uint32_t pid, ppid;
	char *cwd, *exe;  /* or NULL: not known */
	uint32_t version; /* incremented when a member below changes */
	char comm[COMM_BYTES];
	char cmdline[CMDLINE_BYTES];
	uint16_t cmdline_len;
	bool cmdline_cut;
};

struct strace_task {
	struct strace_task *next;
	struct strace_process *process; /* NULL: its parent is not known yet */
	uint32_t tid;
	char *pending; /* text of the call that has begun, or NULL */
	size_t pending_len;
	uint64_t began; /* ns, when that call began */
	/* Its lines so far, each ending with LF, while it has no process. */
	char *held;
	size_t held_len;
	/* the definition that was sent last */
	uint64_t id;
	uint32_t version, epoch;
};

struct tasks;

/* 0, or -ENOMEM. */
int tasks__new(struct tasks **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct tasks *tasks__free(struct tasks *t);

/* Thread TID, or NULL. */
struct strace_task *tasks__find(struct tasks *t, uint32_t tid);

/* Adds thread TID, without a process, in place of an older one. NULL if out of memory, or at
 * TASKS_MAX. */
struct strace_task *tasks__add(struct tasks *t, uint32_t tid);

/* Makes T a thread of PROCESS. */
void task__join(struct strace_task *t, struct strace_process *process);

/* Makes T the first thread of a new process, a copy of PARENT (NULL: nothing is known about it).
 * Returns false if out of memory. */
bool task__found(struct strace_task *t, const struct strace_process *parent);

/* Keeps TEXT as the beginning of T's call or (task__hold) as a line of a thread without a process.
 * Returns false if out of memory, or at TASKS_KEPT_MAX. */
bool task__keep(struct tasks *all, struct strace_task *t, struct span text, uint64_t ns);
bool task__hold(struct tasks *all, struct strace_task *t, struct span line);

/* Returns what was kept, which the caller frees, and keeps nothing. */
char *task__kept(struct tasks *all, struct strace_task *t, size_t *ret_len);
char *task__held(struct tasks *all, struct strace_task *t, size_t *ret_len);

/* Removes TASK from T and frees it. */
void tasks__remove(struct tasks *t, struct strace_task *task);

/* Any thread without a process that has held lines, or NULL. */
struct strace_task *tasks__orphan(struct tasks *t);

/* The number of threads. */
size_t tasks__count(const struct tasks *t);

#endif
