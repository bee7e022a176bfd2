/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command of `iotrc run` as a process: it runs as the invoking user, in our process group and
 * on our terminal, with our descriptors 0, 1 and 2. */
#ifndef IOTRC_RUN_CHILD_H
#define IOTRC_RUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "commands/run_plan.h"

struct run_child {
	pid_t pid;
	int gate; /* the child waits for this before it executes the command */
};

/* The invoking user. */
struct run_user {
	pid_t sudo; /* the outermost process of sudo above us, or 0 */
};

/* To be called before a fork, because the child's parents may differ. */
struct run_user run_child__user(void);

/* In the child: takes over user, groups and, under sudo, the environment. Returns 0, or a negative
 * errno; the command must not run then, because it would have root's rights. */
int run_child__become(const struct run_user *user);

/* Forks the child; nothing of the command runs before run_child__start(). Under sudo it has the
 * user, the groups and the environment that sudo was started with.
 *
 * From now on signals do not end us. Until the child has ended, it is passed SIGTERM and SIGHUP,
 * and SIGINT and SIGQUIT unless they come from the terminal, which sends them to the command
 * itself. One child at a time. Returns 0, or a negative errno. */
int run_child__new(struct run_child *ret, const struct run_plan *plan);

/* Lets the child execute the command. */
void run_child__start(struct run_child *c);

/* Ends a child that was not started. */
void run_child__cancel(struct run_child *c);

/* Waits until the command has ended. Returns its status as a shell does: 128+n for signal n. */
int run_child__wait(struct run_child *c);

/* Before run_child__new(): orphaned descendants of the command become our children, so that they
 * can be waited for. Returns 0, or a negative errno. */
int run_child__adopt(void);

/* After run_child__adopt(), once the command has ended: waits until all of its descendants have
 * ended too, or until a signal requests the end, also one that came since the end of the command.
 * Process OTHER, a child of ours, is not one of them. */
void run_child__wait_for_rest(pid_t other);

#endif
