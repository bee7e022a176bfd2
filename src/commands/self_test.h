/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Performs, in a separate process, operations for every hook: a hook that is attached but does not
 * fire then is broken. */
#ifndef IOTRC_SELF_TEST_H
#define IOTRC_SELF_TEST_H

#include <stdbool.h>
#include <stddef.h>

#define SELF_TEST_MAX 16

struct self_test {
	int go_fd, done_fd;         /* pipes to and from the process */
	int results[SELF_TEST_MAX]; /* by test: 0, or a negative errno */
};

/* Starts the process, which waits. It creates files in DIR and removes them at once. Returns 0, or
 * a negative errno. The process is not a descendant of ours, so the engine does not exclude it. */
int self_test__begin(struct self_test *e, const char *dir);

/* Lets it run to its end, for some seconds at most. Returns 0, or a negative errno. */
int self_test__run(struct self_test *e);

/* Returns the index of the test that makes hook NAME (KIND/TARGET as in the manifest) fire, or
 * -1. */
int self_test__of(const char *name);

/* What it does, in words. */
const char *self_test__what(int index);

/* Returns why no test makes hook NAME fire, or NULL. */
const char *self_test__rare(const char *name);

#endif
