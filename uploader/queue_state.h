/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State shared by the files of the queue, and private to them: queue.c (threads), queue_sessions.c
 * (choice of sessions), queue_worker.c (sending one file), queue_news.c (messages), queue_stats.c
 * (numbers). */
#ifndef IOTRC_UPLOAD_QUEUE_STATE_H
#define IOTRC_UPLOAD_QUEUE_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/thread.h"
#include "uploader/outbox.h"
#include "uploader/pace.h"
#include "uploader/queue.h"
#include "uploader/target.h"

#define QUEUE_NEWS_LINES 16
/* Maximum length in messages of a name or a reason from outside. */
#define FIELD "%.200s"

struct worker {
	struct queue *q;
	struct target *target;
	struct thread thread;
	struct outbox *outbox; /* of the file in progress */
	struct outbox_file *file;
	const struct queue_place *place;
	atomic_uint_least64_t sent;
};

/* Names and keys are copies. */
struct places {
	struct queue_place *list;
	size_t n, next; /* next: index of the first one not examined yet */
};

struct queue {
	struct queue_config config;
	char *identity;
	struct worker *workers;
	atomic_bool stop, poked, ending;
	pthread_mutex_t rate_lock;
	struct rate rate;
	atomic_uint rates; /* number of sessions opened so far, to recognize a replaced one */

	pthread_mutex_t news_lock; /* guards these three; held only to copy a line */
	char news[QUEUE_NEWS_LINES][QUEUE_NEWS_MAX];
	unsigned int n_news, news_dropped;

	/* Guards all members below; never held during I/O. The caller's thread only uses trylock,
	 * because a low-priority thread that holds the lock may not run for a while. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct outbox *live, *old;
	bool looking;         /* a thread is in sessions__look(), possibly without the lock */
	struct places places; /* old is the session examined last */
	uint64_t list_due_ns, refresh_due_ns;
	bool listed_last; /* at the end of a recording */
	bool unready;     /* a session could not be opened yet */
	bool live_done, live_failed;
	struct backoff backoff;
	bool obeying;      /* the target asked for this delay */
	bool refused;      /* the last failure was a refusal */
	bool refused_last; /* … at the end of a recording */
	bool gave_up, troubled;
	unsigned int busy, running;
	char problem[TARGET_REASON_MAX];
	char reported[TARGET_REASON_MAX]; /* the last problem reported */
	uint64_t files_done, bytes_done, busy_bytes, sessions_done, sessions_left;

	struct queue_stats shown; /* the caller's */
};

/* Whether it never gives up and stays in the background, as during a recording. */
static inline bool queue__stays(const struct queue *q)
{
	return q->config.live || q->config.continuous;
}

/* While uploads fail, only one thread tries. Called with the lock held. */
static inline bool queue__may_send(const struct queue *q)
{
	return !q->gave_up && clock__mono_ns() >= q->backoff.not_before_ns &&
	       !(q->backoff.failures && q->busy);
}

/* Adds a line for queue__news(). At most QUEUE_NEWS_LINES are kept; further ones are counted. */
__attribute__((format(printf, 2, 3))) void queue__tell(struct queue *q, const char *format, ...);

/* Opens the session being recorded; the caller frees the outbox. 0, or a negative errno. */
int sessions__open_live(const struct queue *q, struct outbox **ret);

/* Removes the local copy of an uploaded session, unless copies are kept. */
void sessions__remove(struct queue *q, const struct queue_place *p);

/* Whether sessions__look() has anything to do. Called with the lock held. */
bool sessions__look_due(const struct queue *q);

/* Reads the live manifest, closes a finished session, opens the next one or lists sessions again,
 * whatever is due. Called with the lock held; releases it during I/O. */
void sessions__look(struct queue *q);

/* Frees what P holds. */
void sessions__free(struct places *p);

/* Sends W's file, records it in the journal and removes the local copy. Called without the lock. */
void worker__send(struct worker *w, struct target_result *r);

#endif
