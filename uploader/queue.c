// SPDX-License-Identifier: GPL-2.0-or-later
/* The threads: each takes the next file that is due, and handles the result. */
#include "uploader/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/background.h"
#include "base/clock.h"
#include "base/thread.h"
#include "platform/cond.h"
#include "platform/libc.h"
#include "platform/priority.h"
#include "uploader/queue_state.h"

#define TRIES_MAX 5 /* failures of a single file before it is set aside */
#define STOP_NS (3 * NSEC_PER_SEC)

/* ---- the result for a file ---- */

static void settle_done(struct queue *q, struct outbox *o, struct outbox_file *f)
{
	bool last = outbox__is_manifest(f);

	q->files_done++;
	q->bytes_done += f->bytes;
	outbox__done(o, f);
	/* A requested delay applies even if another request succeeded meanwhile. */
	q->backoff.failures = 0;
	if (!q->obeying && !q->refused)
		q->backoff.not_before_ns = 0;
	q->refused_last = false;
	if (q->troubled)
		queue__tell(q, "goes on");
	q->troubled = false;
	*q->problem = *q->reported = 0;
	q->sessions_done += last;
	q->live_done |= last && o == q->live;
}

static void settle_failed(struct queue *q, struct outbox *o, struct outbox_file *f,
			  const struct target_result *r)
{
	bool refused = r->verdict == TARGET_REFUSED;
	uint32_t random = 0;
	ssize_t n = getrandom(&random, sizeof(random), 0);

	(void)n; /* then the delay has no random factor */
	backoff__failed(&q->backoff, clock__mono_ns(), refused, r->retry_after_s, random);
	q->obeying = r->retry_after_s;
	q->refused = refused;
	q->refused_last = refused && atomic_load(&q->ending);
	q->troubled = true;
	q->gave_up |= refused && !queue__stays(q);
	/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
	strcpy(q->problem, r->reason);
	/* Reported once, and again if it changes or after a success. */
	if (refused ? strcmp(q->reported, r->reason) != 0 : !*q->reported) {
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(q->reported, r->reason);
		queue__tell(q, "%s%s", r->reason, q->gave_up ? "" : "; trying again");
	}
	if (r->general)
		outbox__put_first(o, f);
	else
		outbox__put_last(o, f);
}

/* The problem concerns only this file. */
static void settle_stuck(struct queue *q, struct outbox *o, struct outbox_file *f,
			 const struct target_result *r)
{
	snprintf(q->problem, sizeof(q->problem), "%s: " FIELD, f->path, r->reason);
	queue__tell(q, FIELD "/%s is not sent: %s", o->key, f->path, r->reason);
	outbox__put_aside(o, f);
}

static void settle(struct queue *q, struct outbox *o, struct outbox_file *f,
		   const struct target_result *r)
{
	if (r->verdict == TARGET_DONE)
		settle_done(q, o, f);
	else if (r->verdict == TARGET_CANCELLED)
		outbox__put_first(o, f);
	else if (r->verdict == TARGET_LOCAL || (r->verdict == TARGET_REFUSED && !r->general) ||
		 (!r->general && ++f->tries >= TRIES_MAX))
		settle_stuck(q, o, f, r);
	else
		settle_failed(q, o, f, r);
}

static bool do_one(struct worker *w)
{
	struct queue *q = w->q;
	struct outbox *o = q->live;
	struct outbox_file *f = o ? outbox__take(o) : NULL;
	struct target_result r = { 0 };

	w->place = q->config.live;
	if (!f && q->old) {
		w->place = &q->places.list[q->places.next - 1];
		o = q->old;
		f = outbox__take(o);
	}
	if (!f)
		return false;
	q->busy++;
	q->busy_bytes += f->bytes;
	w->outbox = o;
	w->file = f;
	atomic_store(&w->sent, 0);
	pthread_mutex_unlock(&q->lock);
	worker__send(w, &r);
	pthread_mutex_lock(&q->lock);
	q->busy--;
	q->busy_bytes -= f->bytes;
	atomic_store(&w->sent, 0);
	settle(q, o, f, &r);
	pthread_cond_broadcast(&q->wake);
	return true;
}

/* ---- the threads ---- */

static void wait_a_while(struct queue *q)
{
	uint64_t until = clock__mono_ns() + NSEC_PER_SEC;

	if (q->backoff.not_before_ns > clock__mono_ns() && q->backoff.not_before_ns < until)
		until = q->backoff.not_before_ns;
	cond__wait_until(&q->wake, &q->lock, until);
}

static void work(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->q;
	int err;

	if (queue__stays(q))
		priority__lower(true);
	err = background__drop(q->config.uid, q->config.gid);
	pthread_mutex_lock(&q->lock);
	if (err) {
		queue__tell(q, "cannot drop privileges, so it does not run: %s", strerror(-err));
		q->gave_up |= !--q->running;
	}
	while (!err && !atomic_load(&q->stop)) {
		if (sessions__look_due(q))
			sessions__look(q);
		else if (!queue__may_send(q) || !do_one(w))
			wait_a_while(q);
	}
	pthread_mutex_unlock(&q->lock);
}

/* The main thread handles signals. */
static int start_workers(struct queue *q)
{
	int err = 0;

	q->running = q->config.parallel;
	for (unsigned int i = 0; !err && i < q->config.parallel; i++)
		err = thread__run(&q->workers[i].thread, "iotrc-upload", work, &q->workers[i]);
	return err;
}

static int begin_queue(struct queue *q, const struct queue_config *config,
		       char problem[TARGET_REASON_MAX])
{
	int err;

	snprintf(problem, TARGET_REASON_MAX, "%s", strerror(ENOMEM));
	q->workers = calloc(config->parallel, sizeof(*q->workers));
	q->identity = strdup(config->identity);
	if (!q->workers || !q->identity)
		return -ENOMEM;
	/* Here, while we still have the rights to read the credentials. */
	for (unsigned int i = 0; i < config->parallel; i++) {
		q->workers[i].q = q;
		err = target__new(&q->workers[i].target, config->target, problem);
		if (err)
			return err;
	}
	if (config->live)
		err = sessions__open_live(q, &q->live);
	if (!err)
		err = start_workers(q);
	if (err)
		snprintf(problem, TARGET_REASON_MAX, "%s", strerror(-err));
	return err;
}

int queue__new(struct queue **ret, const struct queue_config *config,
	       char problem[TARGET_REASON_MAX])
{
	struct queue *q = calloc(1, sizeof(*q));
	int err;

	if (!q) {
		snprintf(problem, TARGET_REASON_MAX, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	q->config = *config;
	q->rate.bytes_per_s = config->rate;
	pthread_mutex_init(&q->lock, NULL);
	pthread_mutex_init(&q->rate_lock, NULL);
	pthread_mutex_init(&q->news_lock, NULL);
	cond__init(&q->wake);
	err = begin_queue(q, config, problem);
	if (err) {
		queue__free(q);
		return err;
	}
	*ret = q;
	return 0;
}

/* Without the lock a wakeup may be lost, so the threads check every second. */
void queue__poke(struct queue *q)
{
	atomic_store(&q->poked, true);
	pthread_cond_broadcast(&q->wake);
}

/* ---- the end ---- */

static void hurry(struct queue *q)
{
	for (unsigned int i = 0; i < q->config.parallel; i++)
		thread__hurry(&q->workers[i].thread);
}

/* The next attempt would be too late. Files that failed on their own, or were refused before the
 * end, are tried at once instead; files refused from now on need an administrator. */
static bool is_hopeless(struct queue *q, uint64_t end_ns)
{
	bool hopeless;

	if (pthread_mutex_trylock(&q->lock))
		return false;
	if (!q->obeying && (q->backoff.not_before_ns > end_ns || (q->refused && !q->refused_last)))
		q->backoff.not_before_ns = 0;
	hopeless = !q->busy && (q->refused_last || q->backoff.not_before_ns > end_ns);
	pthread_mutex_unlock(&q->lock);
	return hopeless;
}

void queue__wait(struct queue *q, uint64_t timeout_ns, const volatile int *stop,
		 void (*tick)(void *arg, const struct queue_stats *stats), void *arg)
{
	uint64_t now = clock__mono_ns(),
		 end = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
	struct queue_stats s;

	if (queue__stays(q))
		hurry(q);
	atomic_store(&q->ending, true);
	queue__poke(q);
	for (;;) {
		queue__stats(q, &s);
		tick(arg, &s);
		if (s.idle || s.gave_up || *stop || clock__mono_ns() >= end || is_hopeless(q, end))
			return;
		clock__sleep(NSEC_PER_SEC / 10);
	}
}

bool queue__stop(struct queue *q)
{
	uint64_t until = clock__mono_ns() + STOP_NS;
	bool stuck = false;

	atomic_store(&q->stop, true);
	pthread_cond_broadcast(&q->wake);
	for (unsigned int i = 0; q->workers && i < q->config.parallel; i++)
		stuck |= !thread__join(&q->workers[i].thread, until);
	return !stuck;
}

struct queue *queue__free(struct queue *q)
{
	if (!q || !queue__stop(q))
		return NULL; /* a thread may still return to it */
	for (unsigned int i = 0; q->workers && i < q->config.parallel; i++)
		target__free(q->workers[i].target);
	free(q->workers);
	outbox__free(q->live);
	outbox__free(q->old);
	sessions__free(&q->places);
	free(q->identity);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	pthread_mutex_destroy(&q->rate_lock);
	pthread_mutex_destroy(&q->news_lock);
	free(q);
	return NULL;
}
