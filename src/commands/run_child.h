/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command of `iotrc run` as a process: of the invoking user, in our process group and on our
 * terminal, with our descriptors 0, 1 and 2. */
#ifndef IOTRC_RUN_CHILD_H
#define IOTRC_RUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct run_child {
	pid_t pid;
	int gate; /* what the child waits for before it becomes the command */
};

#define RUN_NOT_FOUND 127 /* statuses of a command that could not be executed, as a shell's */
#define RUN_NOT_EXECUTED 126

/* Forks the child; nothing of the command runs before run_child__start(). Under sudo it has the
 * user, the groups and the environment that sudo was started with. 0, or a negative errno. */
int run_child__new(struct run_child *ret, char **argv);

/* Lets it become the command. */
void run_child__start(struct run_child *c);

/* Ends a child that was not started. */
void run_child__cancel(struct run_child *c);

/* Waits until the command has ended. Meanwhile SIGTERM, SIGHUP, and SIGINT and SIGQUIT that don't
 * come from the terminal, which sends them to the command itself, are passed on to it. Returns its
 * status as a shell does: 128+n for signal n. */
int run_child__wait(struct run_child *c);

#endif
