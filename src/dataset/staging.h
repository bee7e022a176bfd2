/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the sessions of a machine lie until they are uploaded or taken away:
 * <out>/<bucket>/<MACHINE_ID>. A thread beside a recording, at the lowest priority, recovers what
 * other recorders left behind there, sees to it that the sessions don't take more than their room,
 * and finds the running one again when its directory is gone. */
#ifndef IOTRC_STAGING_H
#define IOTRC_STAGING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/disk_budget.h"
#include "dataset/session.h"
#include "dataset/session_origin.h"

struct staging_config {
	struct session *session;             /* the running one */
	const struct session_origin *origin; /* its; NULL: it isn't looked for again */
	struct disk_budget *budget;
	uid_t uid; /* owner of what is made; -1 leaves it */
	gid_t gid;
	/* Called on the thread. */
	void (*said)(void *arg);    /* there is a line to be taken */
	bool (*failing)(void *arg); /* rows can't be written */
	void (*moved)(void *arg); /* the session's directory is another one now, and empty or so */
	void *arg;
};

struct staging;

/* Starts the thread; all of CONFIG is borrowed until staging__free(). 0, or a negative errno. */
int staging__new(struct staging **ret, const struct staging_config *config);

/* Takes the next line for the people who watch; false: there is none. From any thread. */
struct staging_line {
	int level; /* of syslog(3) */
	char text[500];
};
bool staging__line(struct staging *s, struct staging_line *ret);

/* Ends the thread; what it is doing is done the next time. False when it is stuck in the kernel (a
 * file system that doesn't answer): the program may only exit then. */
bool staging__stop(struct staging *s);
/* Stops it and frees it, unless its thread is stuck. NULL is allowed. Returns NULL. */
struct staging *staging__free(struct staging *s);

#endif
