/* SPDX-License-Identifier: GPL-2.0-only */
/* Does, in a process that isn't ours, a little of everything that hooks tell of: a hook that is
 * attached and doesn't fire then is no hook. */
#ifndef IOTRC_EXERCISE_H
#define IOTRC_EXERCISE_H

#include <stdbool.h>
#include <stddef.h>

#define EXERCISE_MAX 8

struct exercise {
	int go_fd, done_fd;          /* pipes to the process and from it */
	int results[EXERCISE_MAX];   /* by exercise: 0, or a negative errno: it couldn't be done */
};

/* Starts the process, which waits; files are made, and removed at once, in DIR. 0, or a negative
 * errno. It has no ancestor here: what the collector leaves out as ours it isn't. */
int exercise__begin(struct exercise *e, const char *dir);

/* Lets it run to its end, some seconds at most. 0, or a negative errno. */
int exercise__run(struct exercise *e);

/* Which one provokes hook NAME (KIND/TARGET as in the manifest): its index, or -1. */
int exercise__of(const char *name);

/* What it does, in words. */
const char *exercise__what(int index);

/* Why nothing here provokes hook NAME, or NULL. */
const char *exercise__rare(const char *name);

#endif
