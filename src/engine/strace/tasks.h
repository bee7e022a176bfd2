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
	(64 << 20) /* bytes of lines that wait for the rest of their call, or a parent */

struct process {
	uint32_t refs; /* its threads */
	uint32_t pid, ppid;
	char *cwd, *exe;  /* or NULL: not known */
	uint32_t version; /* grows when what follows changes */
	char comm[COMM_BYTES];
	char cmdline[CMDLINE_BYTES];
	uint16_t cmdline_len;
	bool cmdline_cut;
};

struct task {
	struct task *next;
	struct process *process; /* NULL: whose child it is isn't known yet */
	uint32_t tid;
	char *pending; /* the begun call's text, or NULL */
	size_t pending_len;
	uint64_t began; /* ns, that call */
	/* Without a process: its lines so far, each ending with LF. */
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
struct task *tasks__find(struct tasks *t, uint32_t tid);

/* Adds thread TID, without a process, in place of an older one. NULL: TASKS_MAX, or no memory. */
struct task *tasks__add(struct tasks *t, uint32_t tid);

/* T becomes a thread of PROCESS. */
void task__join(struct task *t, struct process *process);

/* T becomes the first thread of a new process, which is what PARENT is (NULL: nothing is known).
 * False: no memory. */
bool task__found(struct task *t, const struct process *parent);

/* Keeps TEXT as what T's call began with, or (task__hold) as a line of a thread without a process.
 * False: no memory, or TASKS_KEPT_MAX. */
bool task__keep(struct tasks *all, struct task *t, struct span text, uint64_t ns);
bool task__hold(struct tasks *all, struct task *t, struct span line);

/* Takes away what was kept: the caller frees it. */
char *task__kept(struct tasks *all, struct task *t, size_t *ret_len);
char *task__held(struct tasks *all, struct task *t, size_t *ret_len);

/* Removes TASK from T and frees it. */
void tasks__remove(struct tasks *t, struct task *task);

/* Any thread without a process that has held lines, or NULL. */
struct task *tasks__orphan(struct tasks *t);

/* How many there are. */
size_t tasks__count(const struct tasks *t);

#endif
