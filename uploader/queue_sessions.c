// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the sessions to send, opens one after the other, and reads the live one's manifest again as
 * it grows. */
#include "uploader/queue_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/dir_names.h"
#include "dataset/session.h"

#define RELIST_NS (600 * NSEC_PER_SEC)
/* While sessions are being recovered, or are in use; and those of other recorders. */
#define RELIST_SOON_NS (30 * NSEC_PER_SEC)
#define PLACES_MAX 100000

void sessions__free(struct places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free((char *)p->list[i].name);
		free((char *)p->list[i].key);
	}
	free(p->list);
	*p = (struct places){ 0 };
}

static int add_place(struct places *p, int dir, const char *name, const char *key)
{
	struct queue_place *list = reallocarray(p->list, p->n + 1, sizeof(*list));
	struct queue_place new = { dir, strdup(name), strdup(key) };

	if (list)
		p->list = list;
	if (!list || !new.name || !new.key || p->n == PLACES_MAX) {
		free((char *)new.name);
		free((char *)new.key);
		return p->n == PLACES_MAX ? -E2BIG : -ENOMEM;
	}
	p->list[p->n++] = new;
	return 0;
}

/* The sessions besides our own live one, oldest first. */
static void find_beside(struct queue *q, struct places *ret)
{
	const struct queue_config *c = &q->config;
	struct dir_names sessions;
	int err = dir_names__choose(&sessions, c->parent, session__is_stamp);

	if (err)
		queue__tell(q, "cannot look for sessions that are not sent yet: %s",
			    strerror(-err));
	for (size_t i = 0; i < sessions.n; i++) {
		const char *name = sessions.names[i];
		char key[OUTBOX_KEY_MAX];

		snprintf(key, sizeof(key), "%s/%s", c->parent_key, name);
		if (c->live && !strcmp(name, c->live->name))
			continue;
		err = add_place(ret, c->parent, name, key);
		if (err) {
			queue__tell(q, "session " FIELD " and later ones are not sent: %s", key,
				    err == -E2BIG ? "too many sessions" : strerror(-err));
			break;
		}
	}
	dir_names__clear(&sessions);
}

static void list_places(struct queue *q)
{
	const struct queue_config *c = &q->config;
	struct places found = { 0 };

	pthread_mutex_unlock(&q->lock);
	for (size_t i = 0; i < c->n_places; i++)
		add_place(&found, c->places[i].dir, c->places[i].name, c->places[i].key);
	if (queue__stays(q))
		find_beside(q, &found);
	pthread_mutex_lock(&q->lock);
	sessions__free(&q->places);
	q->places = found;
	q->list_due_ns = queue__stays(q) ? clock__mono_ns() + RELIST_NS : UINT64_MAX;
	q->sessions_left = 0;
	q->unready = false;
}

/* Why a session cannot be sent. During a recording the first two are not reported: those sessions
 * are in use, or are sent after they are recovered. */
static void tell_unopened(struct queue *q, const char *key, int err)
{
	const char *why = strerror(-err);

	if (queue__stays(q) && (err == -EBUSY || err == -EINPROGRESS))
		return;
	if (err == -EBUSY)
		why = "is being recorded, or sent by another iotrc";
	else if (err == -EINPROGRESS)
		why = "is incomplete: 'iotrc recover' completes it";
	else if (err == -ENOMSG)
		why = "its manifest.json is invalid";
	else if (err == -EACCES)
		why = "belongs to another user";
	queue__tell(q, "session " FIELD ": %s", key, why);
}

void sessions__remove(struct queue *q, const struct queue_place *p)
{
	int err = q->config.keep ? 0 : outbox__remove(p->dir, p->name);

	if (err == -ENOTEMPTY)
		queue__tell(q,
			    "session " FIELD
			    " is at the target; files here that are not in its manifest stay",
			    p->key);
	else if (err)
		queue__tell(q, "cannot remove session " FIELD ": %s", p->key, strerror(-err));
}

/* A session recorded without upload was meant to stay local: it has no journal, and a recording
 * that uploads does not send it. */
static bool may_be_sent(const struct queue *q, const struct queue_place *p)
{
	char journal[OUTBOX_KEY_MAX + sizeof(JOURNAL_NAME)];
	struct stat st;

	snprintf(journal, sizeof(journal), "%s/" JOURNAL_NAME, p->name);
	return !queue__stays(q) || !fstatat(p->dir, journal, &st, AT_SYMLINK_NOFOLLOW) ||
	       errno == EACCES;
}

static int open_session(const struct queue *q, const struct queue_place *p, struct outbox **ret)
{
	const struct queue_config *c = &q->config;
	int err = outbox__open(ret, p->dir, p->name, p->key, OUTBOX_ENDED, c->keep, q->identity, -1,
			       -1);

	if (c->continuous && (err == -EBUSY || err == -EINPROGRESS))
		err = outbox__open(ret, p->dir, p->name, p->key, OUTBOX_ELSEWHERE, c->keep,
				   q->identity, -1, -1);
	return err;
}

static void open_next(struct queue *q)
{
	const struct queue_place *p = &q->places.list[q->places.next++];
	struct outbox *o = NULL;
	int err;

	q->sessions_left++;
	pthread_mutex_unlock(&q->lock);
	err = may_be_sent(q, p) ? open_session(q, p, &o) : -ENOENT;
	if (err == -EALREADY)
		sessions__remove(q, p);
	else if (err && err != -ENOENT)
		tell_unopened(q, p->key, err);
	pthread_mutex_lock(&q->lock);
	q->old = o;
	if (!err || err == -EALREADY || err == -ENOENT)
		q->sessions_left--;
	q->unready |= err == -EBUSY || err == -EINPROGRESS;
}

static bool list_due(const struct queue *q)
{
	uint64_t due = q->list_due_ns;

	/* Soon, and once more at the end. */
	if (due && (q->config.continuous || (q->unready && q->config.live)))
		due = atomic_load(&q->ending) && !q->listed_last ? 0 :
								   due - RELIST_NS + RELIST_SOON_NS;
	return clock__mono_ns() >= due;
}

int sessions__open_live(const struct queue *q, struct outbox **ret)
{
	const struct queue_config *c = &q->config;

	return outbox__open(ret, c->live->dir, c->live->name, c->live->key, OUTBOX_LIVE, c->keep,
			    q->identity, c->uid, c->gid);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* A manifest that keeps growing is read at most so often that this takes a tenth of a CPU. */
static void refresh_live(struct queue *q)
{
	struct outbox *o = q->live;
	struct outbox_news news;
	uint64_t begun = cpu_ns();
	int err = -ENOENT;

	if (o) {
		pthread_mutex_unlock(&q->lock);
		err = outbox__read(o, &news);
		pthread_mutex_lock(&q->lock);
		outbox__add(o, &news);
	}
	/* A session whose directory was removed gets a new one (src/dataset/staging.h). */
	if (err == -ENOENT && !(o && o->busy)) {
		q->live = NULL;
		pthread_mutex_unlock(&q->lock);
		outbox__free(o);
		o = NULL;
		err = sessions__open_live(q, &o);
		pthread_mutex_lock(&q->lock);
		q->live = o;
	}
	q->refresh_due_ns = clock__mono_ns() + 9 * (cpu_ns() - begun);
	if (err && !q->live_failed)
		queue__tell(q, "cannot read the session's manifest: %s", strerror(-err));
	q->live_failed = err;
}

static bool old_is_over(const struct queue *q)
{
	return !q->old || outbox__idle(q->old);
}

/* While there are files to send, the manifest is not read again. */
static bool refresh_due(const struct queue *q)
{
	return atomic_load(&q->poked) && q->config.live &&
	       (!q->live || !q->live->waiting.n || !queue__may_send(q)) &&
	       (atomic_load(&q->ending) || clock__mono_ns() >= q->refresh_due_ns);
}

bool sessions__look_due(const struct queue *q)
{
	return !q->looking && (refresh_due(q) || (q->old && old_is_over(q)) ||
			       (old_is_over(q) && (q->places.next < q->places.n || list_due(q))));
}

static void close_old(struct queue *q)
{
	struct outbox *o = q->old;

	q->sessions_left += !!o->stuck.n;
	q->old = NULL;
	pthread_mutex_unlock(&q->lock);
	outbox__free(o);
	pthread_mutex_lock(&q->lock);
}

/* Releases the lock for slow work. */
void sessions__look(struct queue *q)
{
	q->looking = true;
	if (refresh_due(q)) {
		atomic_store(&q->poked, false);
		refresh_live(q);
	}
	if (q->old && old_is_over(q))
		close_old(q);
	if (!q->old && q->places.next < q->places.n) {
		open_next(q);
	} else if (!q->old && list_due(q)) {
		q->listed_last = atomic_load(&q->ending);
		list_places(q);
		if (q->live)
			outbox__try_again(q->live);
	}
	q->looking = false;
	pthread_cond_broadcast(&q->wake);
}
