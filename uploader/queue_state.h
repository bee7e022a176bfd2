/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the queue share, and nobody else uses: queue.c (the threads), queue_sessions.c
 * (which sessions), queue_worker.c (sending one file), queue_report.c (what the caller is told). */
#ifndef IOTRC_UPLOAD_QUEUE_STATE_H
#define IOTRC_UPLOAD_QUEUE_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "uploader/outbox.h"
#include "uploader/pace.h"
#include "uploader/queue.h"
#include "uploader/target.h"

#define QUEUE_NEWS_LINES 16
/* In messages, of a name or a reason that others chose. */
#define FIELD "%.200s"

struct worker {
	struct queue *q;
	struct target *target;
	pthread_t thread;
	bool running;
	atomic_int tid;
	struct outbox *outbox; /* of what is being sent */
	struct outbox_file *file;
	const struct queue_place *place;
	atomic_uint_least64_t sent;
};

/* Names and keys are its own. */
struct places {
	struct queue_place *list;
	size_t n, next; /* next: the first that is still to be looked at */
};

struct queue {
	struct queue_config config;
	char *identity;
	struct worker *workers;
	atomic_bool stop, poked, ending;
	pthread_mutex_t rate_lock;
	struct rate rate;
	atomic_uint rates; /* how many there have been: who waits for an old one doesn't any more */

	pthread_mutex_t news_lock; /* guards these three, and is held for a copy of a line */
	char news[QUEUE_NEWS_LINES][QUEUE_NEWS_MAX];
	unsigned int n_news, news_dropped;

	/* Guards all below; never held during I/O. The caller's thread only ever tries it: the
	 * scheduler may keep back who holds it. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct outbox *live, *old;
	bool looking;         /* a thread is in sessions__look(), and may have let go of the lock */
	struct places places; /* old is the last one that was looked at */
	uint64_t list_due_ns, refresh_due_ns;
	bool listed_last; /* at the end of a recording */
	bool unready;     /* one couldn't be opened yet */
	bool live_done, live_failed;
	struct backoff backoff;
	bool obeying;      /* the target said how long */
	bool refused;      /* the last failure was that */
	bool refused_last; /* … at the end of a recording */
	bool gave_up, troubled;
	unsigned int busy, running;
	char problem[TARGET_REASON_MAX];
	char told[TARGET_REASON_MAX]; /* a problem that needn't be told again */
	uint64_t files_done, bytes_done, busy_bytes, sessions_done, sessions_left;

	struct queue_stats shown; /* the caller's */
};

/* While it fails, one thread tries. Called with the lock held. */
static inline bool queue__may_send(const struct queue *q)
{
	return !q->gave_up && clock__mono_ns() >= q->backoff.not_before_ns &&
	       !(q->backoff.failures && q->busy);
}

/* Adds a line for queue__news(); QUEUE_NEWS_LINES are kept, further ones are counted. */
__attribute__((format(printf, 2, 3))) void queue__tell(struct queue *q, const char *format, ...);

/* Opens the session being recorded; the caller frees the outbox. 0, or a negative errno. */
int sessions__open_live(const struct queue *q, struct outbox **ret);

/* Removes the local copy of a session that is at the target, unless copies are kept. */
void sessions__remove(struct queue *q, const struct queue_place *p);

/* Whether there is something to do for sessions__look(). Called with the lock held. */
bool sessions__look_due(const struct queue *q);

/* Does what is due: reads the live manifest, closes the session that is over, opens the next one
 * or lists them again. Called with the lock held; releases it for what takes time. */
void sessions__look(struct queue *q);

void sessions__free(struct places *p);

/* Sends W's file, and writes down and removes what is at the target. Called without the lock. */
void worker__send(struct worker *w, struct target_result *r);

#endif
