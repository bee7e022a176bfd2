/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends sessions to a target, by threads of its own that hold no capabilities: the session that is
 * being recorded, file by file as they are finished, and beside it what is left of others. What is
 * to be sent is on the disk (uploader/outbox.h); here is only what is tried next, and when. */
#ifndef IOTRC_UPLOAD_QUEUE_H
#define IOTRC_UPLOAD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "uploader/target.h"

#define QUEUE_NEWS_MAX 1024

/* A session: directory NAME of the directory DIR. */
struct queue_place {
	int dir; /* borrowed */
	const char *name;
	const char *key; /* BUCKET/MACHINE_ID/SESSION */
};

/* All is borrowed until queue__free(), but for TARGET and IDENTITY. */
struct queue_config {
	const struct target_config *target;
	const char *identity;  /* of the target, in the journals */
	unsigned int parallel; /* threads */
	uint64_t rate;         /* bytes per second, all together; 0: any */
	bool keep;             /* local copies stay */
	bool telemetry;        /* the target is told of each session */
	uid_t uid;             /* whose rights the threads have, -1: this process's user */
	gid_t gid;

	/* Of a recording: the threads stay out of its way, and nothing is given up. LIVE is the one
	 * that is recorded; the others in PARENT are looked for each ten minutes. */
	const struct queue_place *live; /* or NULL */
	int parent;
	const char *parent_key; /* BUCKET/MACHINE_ID */

	/* Otherwise these, once; a refusal ends it. */
	const struct queue_place *places;
	size_t n_places;
};

struct queue_stats {
	uint64_t files_done, bytes_done; /* at the target, since the start */
	uint64_t files_left, bytes_left; /* of the sessions at hand, those being sent included */
	uint64_t bytes_sent;             /* of those being sent */
	uint64_t sessions_done;
	uint64_t sessions_left;          /* not looked at yet, or with something left */
	bool idle;                       /* nothing is left that could be sent now */
	bool gave_up;                    /* refused, or no thread runs */
	bool troubled;                   /* the last try failed */
	char problem[TARGET_REASON_MAX]; /* why, or "" */
};

struct queue;

/* Starts the threads. 0, or a negative errno with a line in PROBLEM. */
int queue__new(struct queue **ret, const struct queue_config *config,
	       char problem[TARGET_REASON_MAX]);

/* The live session's manifest has changed. Never waits. */
void queue__poke(struct queue *q);

/* Sends at most RATE bytes per second from now on, all together; 0: any. */
void queue__set_rate(struct queue *q, uint64_t rate);

/* Never waits: while a thread is at it, these are the last ones. From one thread only. */
void queue__stats(struct queue *q, struct queue_stats *ret);

/* What is worth telling, a line each; false: nothing. Never waits. */
bool queue__news(struct queue *q, char news[QUEUE_NEWS_MAX]);

/* Until nothing is left, TIMEOUT_NS at most, or until STOP is set by a signal handler. Calls TICK
 * ten times a second. At the end of a recording its threads are no longer kept back. */
void queue__wait(struct queue *q, uint64_t timeout_ns, const volatile int *stop,
		 void (*tick)(void *arg, const struct queue_stats *stats), void *arg);

/* Breaks off what is being sent, and ends the threads. False when one is stuck in the kernel (a
 * share that doesn't answer): the program may only exit then. */
bool queue__stop(struct queue *q);
/* Stops it and frees it, unless its thread is stuck. NULL is allowed. Returns NULL. */
struct queue *queue__free(struct queue *q);

#endif
