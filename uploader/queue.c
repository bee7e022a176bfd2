// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/queue.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/background.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/thread.h"
#include "dataset/session.h"
#include "uploader/outbox.h"
#include "uploader/pace.h"
#include "uploader/telemetry.h"

#define RELIST_NS (600 * PACE_SECOND)
#define UNREADY_NS (30 * PACE_SECOND) /* where some are being recovered, or somebody is at them */
#define TRIES_MAX 5                   /* of a file that fails alone, before it is put aside */
#define NEWS_LINES 16
#define STOP_NS (3 * PACE_SECOND)
#define SLICE_NS (PACE_SECOND / 4) /* that a thread sleeps without looking up */
#define PLACES_MAX 100000
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
	char news[NEWS_LINES][QUEUE_NEWS_MAX];
	unsigned int n_news, news_dropped;

	/* Guards all below; never held during I/O. The caller's thread only ever tries it: the
	 * scheduler may keep back who holds it. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct outbox *live, *old;
	bool looking;         /* a thread is in look(), and may have let go of the lock there */
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

/* ---- what is told ---- */

static __attribute__((format(printf, 2, 3))) void tell(struct queue *q, const char *format, ...)
{
	char line[QUEUE_NEWS_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	pthread_mutex_lock(&q->news_lock);
	if (q->n_news == NEWS_LINES)
		q->news_dropped++;
	else
		strcpy(q->news[q->n_news++], line);
	pthread_mutex_unlock(&q->news_lock);
}

bool queue__news(struct queue *q, char news[QUEUE_NEWS_MAX])
{
	bool some = false;

	if (pthread_mutex_trylock(&q->news_lock))
		return false;
	if (q->n_news) {
		some = true;
		strcpy(news, q->news[0]);
		memmove(q->news, q->news + 1, --q->n_news * sizeof(*q->news));
	} else if (q->news_dropped) {
		some = true;
		snprintf(news, QUEUE_NEWS_MAX, "and %u more", q->news_dropped);
		q->news_dropped = 0;
	}
	pthread_mutex_unlock(&q->news_lock);
	return some;
}

/* ---- which sessions ---- */

static void free_places(struct places *p)
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
		return -ENOMEM;
	}
	p->list[p->n++] = new;
	return 0;
}

/* YYYYMMDD_HHMMSS_mmm */
static int is_stamp(const struct dirent *entry)
{
	static const char shape[] = "dddddddd_dddddd_ddd";
	const char *s = entry->d_name;

	for (const char *c = shape; *c; c++, s++)
		if (*c == 'd' ? !isdigit((unsigned char)*s) : *s != *c)
			return 0;
	return !*s;
}

/* The sessions beside the live one, oldest first. */
static void find_beside(struct queue *q, struct places *ret)
{
	const struct queue_config *c = &q->config;
	struct dirent **entries;
	int n = scandirat(c->parent, ".", &entries, is_stamp, alphasort);

	if (n < 0) {
		tell(q, "cannot look for sessions that are not sent yet: %s", strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		char key[OUTBOX_KEY_MAX];

		snprintf(key, sizeof(key), "%s/%s", c->parent_key, entries[i]->d_name);
		if (strcmp(entries[i]->d_name, c->live->name))
			add_place(ret, c->parent, entries[i]->d_name, key);
		free(entries[i]);
	}
	free(entries);
}

static void list_places(struct queue *q)
{
	const struct queue_config *c = &q->config;
	struct places found = { 0 };

	pthread_mutex_unlock(&q->lock);
	for (size_t i = 0; i < c->n_places; i++)
		add_place(&found, c->places[i].dir, c->places[i].name, c->places[i].key);
	if (c->live)
		find_beside(q, &found);
	pthread_mutex_lock(&q->lock);
	free_places(&q->places);
	q->places = found;
	q->list_due_ns = c->live ? clock__mono_ns() + RELIST_NS : UINT64_MAX;
	q->sessions_left = 0;
	q->unready = false;
}

/* Why a session can't be sent. In a recording the first two are nothing to talk about: they are
 * somebody's who is at it, or are taken up when they are recovered. */
static void tell_unopened(struct queue *q, const char *key, int err)
{
	const char *why = strerror(-err);

	if (q->config.live && (err == -EBUSY || err == -EINPROGRESS))
		return;
	if (err == -EBUSY)
		why = "is being recorded, or sent by another iotrc";
	else if (err == -EINPROGRESS)
		why = "was not finished: 'iotrc recover' does that";
	else if (err == -ENOMSG)
		why = "its manifest.json is none";
	else if (err == -EACCES)
		why = "belongs to another user";
	tell(q, "session " FIELD ": %s", key, why);
}

static void remove_session(struct queue *q, const struct queue_place *p)
{
	int err = q->config.keep ? 0 : outbox__remove(p->dir, p->name);

	if (err == -ENOTEMPTY)
		tell(q,
		     "session " FIELD
		     " is at the target; files here that are not in its manifest stay",
		     p->key);
	else if (err)
		tell(q, "cannot remove session " FIELD ": %s", p->key, strerror(-err));
}

/* What was recorded without upload was to stay here: it has no journal, and a recording that
 * uploads leaves it alone. */
static bool may_be_sent(const struct queue *q, const struct queue_place *p)
{
	char journal[OUTBOX_KEY_MAX + sizeof(JOURNAL_NAME)];
	struct stat st;

	snprintf(journal, sizeof(journal), "%s/" JOURNAL_NAME, p->name);
	return !q->config.live || !fstatat(p->dir, journal, &st, AT_SYMLINK_NOFOLLOW) ||
	       errno == EACCES;
}

static void open_next(struct queue *q)
{
	const struct queue_place *p = &q->places.list[q->places.next++];
	struct outbox *o = NULL;
	int err;

	q->sessions_left++;
	pthread_mutex_unlock(&q->lock);
	err = !may_be_sent(q, p) ? -ENOENT :
				   outbox__open(&o, p->dir, p->name, p->key, false, q->config.keep,
						q->identity, -1, -1);
	if (err == -EALREADY)
		remove_session(q, p);
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

	/* Once more at the end of a recording. */
	if (q->unready && q->config.live)
		due = atomic_load(&q->ending) && !q->listed_last ? 0 : due - RELIST_NS + UNREADY_NS;
	return clock__mono_ns() >= due;
}

static int open_live(const struct queue *q, struct outbox **ret)
{
	const struct queue_config *c = &q->config;

	return outbox__open(ret, c->live->dir, c->live->name, c->live->key, true, c->keep,
			    q->identity, c->uid, c->gid);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * PACE_SECOND + t.tv_nsec;
}

/* A manifest that grows all the time is read as often as takes a tenth of a CPU. */
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
	/* A session whose directory was taken away gets another one (src/dataset/staging.h). */
	if (err == -ENOENT && !(o && o->busy)) {
		q->live = NULL;
		pthread_mutex_unlock(&q->lock);
		outbox__free(o);
		o = NULL;
		err = open_live(q, &o);
		pthread_mutex_lock(&q->lock);
		q->live = o;
	}
	q->refresh_due_ns = clock__mono_ns() + 9 * (cpu_ns() - begun);
	if (err && !q->live_failed)
		tell(q, "cannot read the session's manifest: %s", strerror(-err));
	q->live_failed = err;
}

static bool old_is_over(const struct queue *q)
{
	return !q->old || outbox__idle(q->old);
}

/* While it fails, one thread tries. */
static bool may_send(const struct queue *q)
{
	return !q->gave_up && clock__mono_ns() >= q->backoff.not_before_ns &&
	       !(q->backoff.failures && q->busy);
}

/* While there is something to send, the manifest's news can wait. */
static bool refresh_due(const struct queue *q)
{
	return atomic_load(&q->poked) && q->config.live &&
	       (!q->live || !q->live->waiting.n || !may_send(q)) &&
	       (atomic_load(&q->ending) || clock__mono_ns() >= q->refresh_due_ns);
}

static bool look_due(const struct queue *q)
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

/* Lets go of the lock for what takes time. */
static void look(struct queue *q)
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

static bool is_idle(const struct queue *q)
{
	return !q->looking && !look_due(q) && !q->busy && !q->old && q->list_due_ns &&
	       (!q->config.live || (q->live && q->live->finished && outbox__idle(q->live)));
}

/* ---- one file ---- */

static void sleep_ns(uint64_t ns)
{
	struct timespec t = { ns / PACE_SECOND, ns % PACE_SECOND };

	nanosleep(&t, NULL);
}

static bool on_progress(void *data, uint64_t sent)
{
	struct worker *w = data;
	struct queue *q = w->q;
	uint64_t before = atomic_exchange(&w->sent, sent), now = clock__mono_ns(), wait = 0;
	unsigned int rates = atomic_load(&q->rates);

	if (sent > before) {
		pthread_mutex_lock(&q->rate_lock);
		wait = rate__spend(&q->rate, now, sent - before);
		pthread_mutex_unlock(&q->rate_lock);
	}
	while (wait && !atomic_load(&q->stop) && atomic_load(&q->rates) == rates) {
		uint64_t slice = wait < SLICE_NS ? wait : SLICE_NS;

		sleep_ns(slice);
		wait -= slice;
	}
	return !atomic_load(&q->stop);
}

/* Without it the upload begins anew another time: no reason to stop. */
static void on_multipart(void *data, const char *upload_id)
{
	struct worker *w = data;

	journal__set_progress(w->outbox->journal, w->file->path, w->file->sha256, upload_id);
}

static __attribute__((format(printf, 3, 4))) void result(struct target_result *r,
							 enum target_verdict verdict,
							 const char *format, ...)
{
	va_list args;

	*r = (struct target_result){ .verdict = verdict };
	va_start(args, format);
	vsnprintf(r->reason, sizeof(r->reason), format, args);
	va_end(args);
}

static bool key_of(const struct worker *w, char key[TARGET_KEY_MAX])
{
	return snprintf(key, TARGET_KEY_MAX, "%s/%s", w->outbox->key, w->file->path) <
	       TARGET_KEY_MAX;
}

static uint64_t rate_now(void *data)
{
	struct queue *q = ((struct worker *)data)->q;
	uint64_t rate;

	pthread_mutex_lock(&q->rate_lock);
	rate = q->rate.bytes_per_s;
	pthread_mutex_unlock(&q->rate_lock);
	return rate;
}

static void put_file(struct worker *w, int fd, struct target_result *r)
{
	const struct target_hooks hooks = { w, on_progress, on_multipart, rate_now };
	struct outbox_file *f = w->file;
	char key[TARGET_KEY_MAX];
	char *progress = journal__progress(w->outbox->journal, f->path, f->sha256);
	struct target_object object = {
		.key = key,
		.fd = fd,
		.size = f->bytes,
		.sha256 = f->sha256,
		.upload_id = progress,
	};

	if (!key_of(w, key))
		result(r, TARGET_LOCAL, "its key would be too long");
	else
		target__put(w->target, &object, &hooks, r);
	free(progress);
}

/* What was begun in parts, and can't go on: the store would keep it for ever. */
static void take_back(struct worker *w)
{
	struct outbox_file *f = w->file;
	char key[TARGET_KEY_MAX],
		*progress = journal__progress(w->outbox->journal, f->path, f->sha256);
	struct target_result r;

	if (progress && key_of(w, key)) {
		target__abort(w->target, key, progress, &r);
		if (r.verdict == TARGET_DONE)
			journal__set_progress(w->outbox->journal, f->path, f->sha256, NULL);
	}
	free(progress);
}

/* Once, when the session is there; nothing depends on whether it gets through. */
static void tell_gateway(struct worker *w, int manifest_fd)
{
	char why[JSON_WHY_MAX];
	json_t *manifest = NULL;
	json_t *told =
		json_text__read(manifest_fd, &manifest, why) ? NULL : telemetry__new(manifest);
	char *text = told ? json_dumps(told, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
	struct target_result ignored;

	if (text)
		target__telemetry(w->target, text, &ignored);
	free(text);
	json_decref(told);
	json_decref(manifest);
}

/* Nothing is removed here before it is written down that it is there. */
static void send_file(struct worker *w, struct target_result *r)
{
	struct outbox_file *f = w->file;
	struct outbox *o = w->outbox;
	int fd = outbox__open_file(o, f), err;

	if (fd >= 0) {
		put_file(w, fd, r);
		if (r->verdict == TARGET_DONE && outbox__is_manifest(f) && w->q->config.telemetry)
			tell_gateway(w, fd);
		close(fd);
	} else if (fd == -ENOENT && journal__elsewhere(o->journal, f->path, f->sha256)) {
		result(r, TARGET_LOCAL, "it was sent to another target, and is no longer here");
	} else {
		result(r, TARGET_LOCAL, "%s", strerror(-fd));
	}
	if (r->verdict == TARGET_LOCAL)
		take_back(w);
	if (r->verdict != TARGET_DONE)
		return;
	err = journal__confirm(o->journal, f->path, f->sha256, f->bytes);
	if (err) {
		result(r, TARGET_RETRY, "cannot write " JOURNAL_NAME ": %s", strerror(-err));
		r->general = true;
	} else if (outbox__is_manifest(f)) {
		remove_session(w->q, w->place);
	} else if (!w->q->config.keep) {
		outbox__remove_file(o, f);
	}
}

static void settle_done(struct queue *q, struct outbox *o, struct outbox_file *f)
{
	bool last = outbox__is_manifest(f);

	q->files_done++;
	q->bytes_done += f->bytes;
	outbox__done(o, f);
	/* How long somebody asked us to wait holds also when another request got through. */
	q->backoff.failures = 0;
	if (!q->obeying && !q->refused)
		q->backoff.not_before_ns = 0;
	q->refused_last = false;
	if (q->troubled)
		tell(q, "goes on");
	q->troubled = false;
	*q->problem = *q->told = 0;
	q->sessions_done += last;
	q->live_done |= last && o == q->live;
}

static void settle_failed(struct queue *q, struct outbox *o, struct outbox_file *f,
			  const struct target_result *r)
{
	bool refused = r->verdict == TARGET_REFUSED;
	uint32_t random = 0;
	ssize_t n = getrandom(&random, sizeof(random), 0);

	(void)n; /* then it isn't spread */
	backoff__failed(&q->backoff, clock__mono_ns(), refused, r->retry_after_s, random);
	q->obeying = r->retry_after_s;
	q->refused = refused;
	q->refused_last = refused && atomic_load(&q->ending);
	q->troubled = true;
	q->gave_up |= refused && !q->config.live;
	strcpy(q->problem, r->reason);
	/* Once, and again when it is another one or after something went well in between. */
	if (refused ? strcmp(q->told, r->reason) != 0 : !*q->told) {
		strcpy(q->told, r->reason);
		tell(q, "%s%s", r->reason, q->gave_up ? "" : "; trying again");
	}
	if (r->general)
		outbox__put_first(o, f);
	else
		outbox__put_last(o, f);
}

/* Something is the matter with this file alone. */
static void settle_stuck(struct queue *q, struct outbox *o, struct outbox_file *f,
			 const struct target_result *r)
{
	snprintf(q->problem, sizeof(q->problem), "%s: " FIELD, f->path, r->reason);
	tell(q, FIELD "/%s is not sent: %s", o->key, f->path, r->reason);
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
	send_file(w, &r);
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
	uint64_t until = clock__mono_ns() + PACE_SECOND;
	struct timespec t;

	if (q->backoff.not_before_ns > clock__mono_ns() && q->backoff.not_before_ns < until)
		until = q->backoff.not_before_ns;
	t = (struct timespec){ until / PACE_SECOND, until % PACE_SECOND };
	pthread_cond_timedwait(&q->wake, &q->lock, &t);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->q;
	int err;

	if (q->config.live)
		background__enter(SCHED_IDLE);
	atomic_store(&w->tid, gettid());
	err = background__drop(q->config.uid, q->config.gid);
	pthread_mutex_lock(&q->lock);
	if (err) {
		tell(q, "cannot give up rights, and so doesn't run: %s", strerror(-err));
		q->gave_up |= !--q->running;
	}
	while (!err && !atomic_load(&q->stop)) {
		if (look_due(q))
			look(q);
		else if (!may_send(q) || !do_one(w))
			wait_a_while(q);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* Signals are the main thread's. */
static int start_workers(struct queue *q)
{
	int err = 0;

	q->running = q->config.parallel;
	for (unsigned int i = 0; !err && i < q->config.parallel; i++) {
		err = thread__start(&q->workers[i].thread, "iotrc-upload", work, &q->workers[i]);
		q->workers[i].running = !err;
	}
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
	/* Here, where there are still the rights to read the credentials. */
	for (unsigned int i = 0; i < config->parallel; i++) {
		q->workers[i].q = q;
		err = target__new(&q->workers[i].target, config->target, problem);
		if (err)
			return err;
	}
	if (config->live)
		err = open_live(q, &q->live);
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
	pthread_condattr_t attr;
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
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->wake, &attr);
	pthread_condattr_destroy(&attr);
	err = begin_queue(q, config, problem);
	if (err) {
		queue__free(q);
		return err;
	}
	*ret = q;
	return 0;
}

/* A wakeup may go astray without the lock: the threads look each second. */
void queue__poke(struct queue *q)
{
	atomic_store(&q->poked, true);
	pthread_cond_broadcast(&q->wake);
}

void queue__set_rate(struct queue *q, uint64_t rate)
{
	pthread_mutex_lock(&q->rate_lock);
	if (q->rate.bytes_per_s != rate) {
		q->rate = (struct rate){ .bytes_per_s = rate };
		atomic_fetch_add(&q->rates, 1);
	}
	pthread_mutex_unlock(&q->rate_lock);
}

static void count_left(const struct outbox *o, struct queue_stats *s)
{
	if (!o)
		return;
	s->files_left += o->waiting.n + o->stuck.n + o->busy + !!o->manifest;
	s->bytes_left += o->waiting.bytes + o->stuck.bytes + (o->manifest ? o->manifest->bytes : 0);
}

void queue__stats(struct queue *q, struct queue_stats *ret)
{
	struct queue_stats *s = &q->shown;

	if (!pthread_mutex_trylock(&q->lock)) {
		*s = (struct queue_stats){
			.files_done = q->files_done,
			.bytes_done = q->bytes_done,
			.bytes_left = q->busy_bytes,
			.sessions_done = q->sessions_done,
			.sessions_left = q->sessions_left + q->places.n - q->places.next +
					 !!q->old + (q->config.live && !q->live_done),
			.idle = is_idle(q),
			.gave_up = q->gave_up,
			.troubled = q->troubled,
		};
		count_left(q->live, s);
		count_left(q->old, s);
		strcpy(s->problem, q->problem);
		pthread_mutex_unlock(&q->lock);
	}
	s->bytes_sent = 0;
	for (unsigned int i = 0; i < q->config.parallel; i++)
		s->bytes_sent += atomic_load(&q->workers[i].sent);
	*ret = *s;
}

/* ---- the end ---- */

static void hurry(struct queue *q)
{
	for (unsigned int i = 0; i < q->config.parallel; i++)
		if (atomic_load(&q->workers[i].tid))
			background__hurry(atomic_load(&q->workers[i].tid));
}

/* The next try would be too late. What was failing by itself, or was refused before the end, is
 * tried at once instead; what is refused now needs somebody who mends something. */
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

	if (q->config.live)
		hurry(q);
	atomic_store(&q->ending, true);
	queue__poke(q);
	for (;;) {
		queue__stats(q, &s);
		tick(arg, &s);
		if (s.idle || s.gave_up || *stop || clock__mono_ns() >= end || is_hopeless(q, end))
			return;
		sleep_ns(PACE_SECOND / 10);
	}
}

bool queue__stop(struct queue *q)
{
	uint64_t until = clock__mono_ns() + STOP_NS;
	struct timespec t = { until / PACE_SECOND, until % PACE_SECOND };
	bool stuck = false;

	atomic_store(&q->stop, true);
	pthread_cond_broadcast(&q->wake);
	for (unsigned int i = 0; q->workers && i < q->config.parallel; i++) {
		struct worker *w = &q->workers[i];

		if (w->running)
			w->running =
				pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &t) != 0;
		stuck |= w->running;
	}
	return !stuck;
}

struct queue *queue__free(struct queue *q)
{
	if (!q || !queue__stop(q))
		return NULL; /* a thread may still come back to it */
	for (unsigned int i = 0; q->workers && i < q->config.parallel; i++)
		target__free(q->workers[i].target);
	free(q->workers);
	outbox__free(q->live);
	outbox__free(q->old);
	free_places(&q->places);
	free(q->identity);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	pthread_mutex_destroy(&q->rate_lock);
	pthread_mutex_destroy(&q->news_lock);
	free(q);
	return NULL;
}
