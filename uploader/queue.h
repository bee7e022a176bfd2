/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends sessions to a target, in threads without capabilities: each finished file of the session
 * being recorded, and unsent files of other sessions. Manifests and journals on disk say what is to
 * be sent (uploader/outbox.h); the queue only decides what is sent next, and when. */
#ifndef IOTRC_UPLOAD_QUEUE_H
#define IOTRC_UPLOAD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "uploader/target.h"

#define QUEUE_NEWS_MAX 1024

/* A session: directory NAME in directory DIR. */
struct queue_place {
	int dir; /* borrowed */
	const char *name;
	const char *key; /* BUCKET/MACHINE_ID/SESSION */
};

/* All members are borrowed until queue__free(), except target and identity, which are copied. */
struct queue_config {
	const struct target_config *target;
	const char *identity;  /* the target's identity, for the journals */
	unsigned int parallel; /* threads */
	uint64_t rate;         /* bytes per second, all threads together; 0: no limit */
	bool keep;             /* keep local copies */
	bool telemetry;        /* report each session to the target */
	uid_t uid;             /* user of the threads; -1: this process's user */
	gid_t gid;

	/* During a recording: the threads have a low priority and never give up. LIVE is the
	 * session being recorded; PARENT is searched for other sessions every ten minutes. */
	const struct queue_place *live; /* or NULL */
	int parent;
	const char *parent_key; /* BUCKET/MACHINE_ID */

	/* For recordings by other processes: likewise, with PARENT and no LIVE, but PARENT is
	 * searched every half minute, and finished files of sessions being recorded are sent. */
	bool continuous;

	/* Otherwise: sessions to send once; a refusal ends the upload. */
	const struct queue_place *places;
	size_t n_places;
};

struct queue_stats {
	uint64_t files_done, bytes_done; /* uploaded since the start */
	uint64_t files_left, bytes_left; /* of the open sessions, including files in progress */
	uint64_t bytes_sent;             /* of the files in progress */
	uint64_t sessions_done;
	uint64_t sessions_left;          /* not examined yet, or with unsent files */
	bool idle;                       /* there is nothing to send now */
	bool gave_up;                    /* the target refused, or no thread runs */
	bool troubled;                   /* the last attempt failed */
	char problem[TARGET_REASON_MAX]; /* why, or "" */
};

struct queue;

/* Starts the threads. 0, or a negative errno with a line in PROBLEM. */
int queue__new(struct queue **ret, const struct queue_config *config,
	       char problem[TARGET_REASON_MAX]);

/* Tells Q that the live session's manifest has changed. Never blocks. */
void queue__poke(struct queue *q);

/* Limits all threads together to RATE bytes per second; 0: no limit. */
void queue__set_rate(struct queue *q, uint64_t rate);

/* Gets the stats, or the previous ones while a thread holds the lock. Never blocks. To be called
 * from one thread only. */
void queue__stats(struct queue *q, struct queue_stats *ret);

/* Gets the next message for the user, one line; false if there is none. Never blocks. */
bool queue__news(struct queue *q, char news[QUEUE_NEWS_MAX]);

/* Waits until there is nothing left to send, at most TIMEOUT_NS, or until a signal handler sets
 * *STOP. Calls TICK ten times a second. The threads get normal priority. */
void queue__wait(struct queue *q, uint64_t timeout_ns, const volatile int *stop,
		 void (*tick)(void *arg, const struct queue_stats *stats), void *arg);

/* Cancels uploads in progress and ends the threads. False if a thread is stuck in the kernel (a
 * share that does not answer): the caller must then exit without freeing Q. */
bool queue__stop(struct queue *q);
/* Stops the threads and frees Q, unless one is stuck. NULL is allowed. Returns NULL. */
struct queue *queue__free(struct queue *q);

#endif
