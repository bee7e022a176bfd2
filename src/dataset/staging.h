/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks after the directory of a machine's sessions, <out>/<bucket>/<MACHINE_ID>, during a
 * recording. A thread at the lowest priority recovers sessions of killed recorders, keeps all
 * sessions within their disk budget, and creates or finds the running session's directory again if
 * it is gone. */
#ifndef IOTRC_STAGING_H
#define IOTRC_STAGING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/disk_budget.h"
#include "dataset/session.h"
#include "dataset/session_origin.h"

struct staging_config {
	struct session *session;             /* the running session */
	const struct session_origin *origin; /* its origin; NULL: do not look for it again */
	struct disk_budget *budget;
	uid_t uid; /* owner of new files; -1: unchanged */
	gid_t gid;
	/* Called on the thread. */
	void (*said)(void *arg);    /* a message is ready for staging__line() */
	bool (*failing)(void *arg); /* rows cannot be written */
	void (*moved)(void *arg);   /* the session's directory has been replaced by a new one */
	void *arg;
};

struct staging;

/* Starts the thread. CONFIG is borrowed until staging__free(). 0, or a negative errno. */
int staging__new(struct staging **ret, const struct staging_config *config);

/* Gets the next message for the user; false if there is none. From any thread. */
struct staging_line {
	int level; /* of syslog(3) */
	char text[500];
};
bool staging__line(struct staging *s, struct staging_line *ret);

/* Stops the thread; unfinished work is left for the next recording. False if the thread is stuck in
 * the kernel (a file system that does not answer): the caller must then exit without freeing S. */
bool staging__stop(struct staging *s);
/* Stops the thread and frees S, unless the thread is stuck. NULL is allowed. Returns NULL. */
struct staging *staging__free(struct staging *s);

#endif
