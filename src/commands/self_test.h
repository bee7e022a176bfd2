/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does, in a process that isn't ours, a little of everything that hooks tell of: a hook that is
 * attached and doesn't fire then is no hook. */
#ifndef IOTRC_EXERCISE_H
#define IOTRC_EXERCISE_H

#include <stdbool.h>
#include <stddef.h>

#define SELF_TEST_MAX 8

struct self_test {
	int go_fd, done_fd;         /* pipes to the process and from it */
	int results[SELF_TEST_MAX]; /* by exercise: 0, or a negative errno: it couldn't be done */
};

/* Starts the process, which waits; files are made, and removed at once, in DIR. 0, or a negative
 * errno. It has no ancestor here: what the engine leaves out as ours it isn't. */
int self_test__begin(struct self_test *e, const char *dir);

/* Lets it run to its end, some seconds at most. 0, or a negative errno. */
int self_test__run(struct self_test *e);

/* Which one provokes hook NAME (KIND/TARGET as in the manifest): its index, or -1. */
int self_test__of(const char *name);

/* What it does, in words. */
const char *self_test__what(int index);

/* Why nothing here provokes hook NAME, or NULL. */
const char *self_test__rare(const char *name);

#endif
