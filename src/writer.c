// SPDX-License-Identifier: GPL-2.0-only
/* The write manager. The lock is held for a few instructions, never over compression or I/O: no
 * producer ever waits for the disk. What a lane holds is the writer thread's alone, except for the
 * counters. */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define LOST_RESERVE 2   /* chunks beyond the bound, to tell of what there was no chunk for */
#define RETRY_NS NS_PER_S /* between two tries of a stream whose disk refuses */

struct counters {
	_Atomic uint64_t written_rows, lost_disk_rows, raw_bytes, compressed_bytes;
	_Atomic int error;           /* of the last try, 0: all is well */
};

/* A stream's way to the disk. */
struct lane {
	pthread_mutex_t sync;        /* held while the file is synced, and while file changes */
	uint64_t synced;             /* bytes of all files, when it was synced last: the sync thread's */
	struct csv_file *file;       /* NULL: none open */
	uint64_t opened_ns;
	bool ending;                 /* file takes no more rows and wants to be finished */
	int error;                   /* of the last try, 0: all is well */
	uint64_t retry_ns;           /* with error: not before */
	unsigned seq;                /* of the last file */
	int level;                   /* … and what it is compressed by */
	struct writer_stream_stats done; /* of the finished files; lost_disk_rows of all */
	struct counters counters;
};

struct writer {
	struct writer_config config;
	pthread_t thread, syncer;
	bool joined, syncs;
	struct lane lanes[STREAM_COUNT];
	_Atomic int first_error;
	_Atomic int level;
	_Atomic uint64_t put, steps; /* chunks put, and done with */

	pthread_mutex_t lock;        /* guards all below */
	pthread_cond_t wake, close;
	struct chunk *head, **tail;  /* queue, in the order of arrival */
	struct chunk *free;          /* last in, first out: the warmest */
	uint32_t in_use;             /* chunks with producers and in the queue */
	bool rotate, closing;
	struct { uint32_t age_s; uint64_t bytes, rows; } rotation; /* to be taken over */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- producers ---- */

bool writer__busy(struct writer *w)
{
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->in_use >= w->config.queue_chunks;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

struct chunk *writer__get_chunk(struct writer *w, enum stream stream)
{
	struct chunk *c;
	uint32_t bound = w->config.queue_chunks + (stream == STREAM_LOST ? LOST_RESERVE : 0);

	pthread_mutex_lock(&w->lock);
	if (w->in_use >= bound) {
		pthread_mutex_unlock(&w->lock);
		return NULL;
	}
	w->in_use++;
	c = w->free;
	if (c)
		w->free = c->next;
	pthread_mutex_unlock(&w->lock);
	if (!c)
		c = malloc(sizeof(*c));
	if (!c) {
		pthread_mutex_lock(&w->lock);
		w->in_use--;
		pthread_mutex_unlock(&w->lock);
		return NULL;
	}
	c->next = NULL;
	c->stream = stream;
	c->len = 0;
	c->rows = c->first_ns = c->last_ns = 0;
	return c;
}

static void recycle_locked(struct writer *w, struct chunk *c)
{
	c->next = w->free;
	w->free = c;
	w->in_use--;
}

void writer__put_chunk(struct writer *w, struct chunk *chunk)
{
	pthread_mutex_lock(&w->lock);
	if (chunk->len) {
		chunk->next = NULL;
		*w->tail = chunk;
		w->tail = &chunk->next;
		atomic_fetch_add_explicit(&w->put, 1, memory_order_relaxed);
		pthread_cond_signal(&w->wake);
	} else {
		recycle_locked(w, chunk);
	}
	pthread_mutex_unlock(&w->lock);
}

void writer__rotate(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->rotate = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void writer__set_rotation(struct writer *w, uint32_t age_s, uint64_t bytes, uint64_t rows)
{
	pthread_mutex_lock(&w->lock);
	w->rotation.age_s = age_s;
	w->rotation.bytes = bytes;
	w->rotation.rows = rows;
	pthread_mutex_unlock(&w->lock);
}

/* The thread's own copy is what the lanes go by. */
static void take_rotation_locked(struct writer *w)
{
	w->config.rotate_age_s = w->rotation.age_s;
	w->config.rotate_bytes = w->rotation.bytes;
	w->config.rotate_rows = w->rotation.rows;
}

/* ---- lanes: the writer's thread ---- */

static void lane__publish(struct lane *l)
{
	struct writer_stream_stats s = l->done;

	if (l->file && csv_file__facts(l->file)->rows) {
		const struct file_facts *facts = csv_file__facts(l->file);

		s.written_rows += facts->rows;
		s.raw_bytes += facts->raw_bytes;
		s.compressed_bytes += facts->compressed_bytes;
	}
	atomic_store_explicit(&l->counters.written_rows, s.written_rows, memory_order_relaxed);
	atomic_store_explicit(&l->counters.lost_disk_rows, s.lost_disk_rows, memory_order_relaxed);
	atomic_store_explicit(&l->counters.raw_bytes, s.raw_bytes, memory_order_relaxed);
	atomic_store_explicit(&l->counters.compressed_bytes, s.compressed_bytes,
			      memory_order_relaxed);
	atomic_store_explicit(&l->counters.error, l->error, memory_order_relaxed);
}

static int lane__result(struct writer *w, struct lane *l, int err)
{
	int none = 0;

	l->error = err;
	if (err < 0) {
		l->retry_ns = now_ns() + RETRY_NS;
		atomic_compare_exchange_strong(&w->first_error, &none, err);
	}
	return err;
}

/* A file without rows is not worth its name. */
static int lane__finish_locked(struct writer *w, struct lane *l)
{
	const struct file_facts *facts = csv_file__facts(l->file);
	int err;

	if (!facts->rows) {
		l->file = csv_file__abandon(l->file);
		l->seq--;
		l->ending = false;
		return 0;
	}
	l->ending = true;
	err = lane__result(w, l, csv_file__finish(l->file, NULL));
	if (err < 0 && csv_file__lost(l->file)) {
		l->done.lost_disk_rows += facts->rows;
		l->file = csv_file__abandon(l->file);
		l->ending = false;
		return 0;
	}
	if (err < 0)
		return err;
	l->done.written_rows += facts->rows;
	l->done.raw_bytes += facts->raw_bytes;
	l->done.compressed_bytes += facts->compressed_bytes;
	if (w->config.finished)
		w->config.finished(w->config.arg, facts);
	l->file = csv_file__free(l->file);
	l->ending = false;
	return 0;
}

static int lane__finish(struct writer *w, struct lane *l)
{
	int err;

	pthread_mutex_lock(&l->sync);
	err = lane__finish_locked(w, l);
	pthread_mutex_unlock(&l->sync);
	return err;
}

static int lane__open(struct writer *w, struct lane *l, enum stream stream)
{
	char name[CSV_FILE_NAME_MAX];
	struct csv_file_config config = {
		.session_fd = w->config.session_fd,
		.stream = stream,
		.name = name,
		.uid = w->config.uid,
		.gid = w->config.gid,
		.room = w->config.room,
	};
	int err;

	config.level = l->level = atomic_load_explicit(&w->level, memory_order_relaxed);
	csv_file__name(name, stream, l->seq + 1);
	pthread_mutex_lock(&l->sync);
	err = csv_file__new(&l->file, &config);
	pthread_mutex_unlock(&l->sync);
	if (err < 0)
		return err;
	l->seq++;
	l->opened_ns = now_ns();
	return 0;
}

static int lane__append(struct writer *w, struct lane *l, const struct chunk *c)
{
	int err;

	if (l->error && now_ns() < l->retry_ns)
		return l->error;
	if (l->ending) {
		err = lane__finish(w, l);
		if (err < 0)
			return err;
	}
	if (!l->file) {
		err = lane__open(w, l, c->stream);
		if (err < 0)
			return lane__result(w, l, err);
	}
	err = csv_file__append(l->file, c->data, c->len, c->rows, c->first_ns, c->last_ns);
	if (err < 0) {
		/* Broken off. What it holds gets its end at once if there is room for that much;
		 * rows go into a new file when space returns. */
		lane__finish(w, l);
		return lane__result(w, l, err);
	}
	l->error = 0;
	return 0;
}

static bool lane__is_full(const struct writer *w, const struct lane *l)
{
	const struct writer_config *config = &w->config;
	const struct file_facts *facts = csv_file__facts(l->file);

	return l->level != atomic_load_explicit(&w->level, memory_order_relaxed) ||
	       (config->rotate_bytes && facts->compressed_bytes >= config->rotate_bytes) ||
	       (config->rotate_rows && facts->rows >= config->rotate_rows);
}

static void lane__write(struct writer *w, const struct chunk *c)
{
	struct lane *l = &w->lanes[c->stream];

	if (lane__append(w, l, c) < 0)
		l->done.lost_disk_rows += c->rows;
	else if (lane__is_full(w, l))
		lane__finish(w, l);
	lane__publish(l);
}

/* Finishes what is due; returns when it wants to be called again. */
static uint64_t lane__tend(struct writer *w, struct lane *l, bool rotate)
{
	uint64_t now = now_ns(), due = UINT64_MAX;

	if (!l->file)
		return UINT64_MAX;
	if (l->ending)
		due = l->retry_ns;
	else if (rotate)
		due = now;
	else if (w->config.rotate_age_s)
		due = l->opened_ns + w->config.rotate_age_s * NS_PER_S;
	if (now < due)
		return due;
	lane__finish(w, l);
	lane__publish(l);
	return l->ending ? l->retry_ns : UINT64_MAX;
}

/* ---- the thread ---- */

/* Until there is something to do, at most until DUE. */
static void wait_locked(struct writer *w, uint64_t due)
{
	struct timespec t = { .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };

	while (!w->head && !w->rotate && !w->closing) {
		if (due == UINT64_MAX)
			pthread_cond_wait(&w->wake, &w->lock);
		else if (pthread_cond_timedwait(&w->wake, &w->lock, &t) == ETIMEDOUT)
			return;
	}
}

static void *writer__main(void *arg)
{
	struct writer *w = arg;
	uint64_t due = UINT64_MAX;
	bool closing = false;

	while (!closing) {
		struct chunk *list;
		bool rotate;

		pthread_mutex_lock(&w->lock);
		wait_locked(w, due);
		list = w->head;
		w->head = NULL;
		w->tail = &w->head;
		rotate = w->rotate;
		w->rotate = false;
		closing = w->closing;
		take_rotation_locked(w);
		pthread_mutex_unlock(&w->lock);

		while (list) {
			struct chunk *c = list;

			list = c->next;
			lane__write(w, c);
			atomic_fetch_add_explicit(&w->steps, 1, memory_order_relaxed);
			pthread_mutex_lock(&w->lock);
			recycle_locked(w, c);
			pthread_mutex_unlock(&w->lock);
		}
		due = UINT64_MAX;
		for (int i = 0; i < STREAM_COUNT && !closing; i++) {
			uint64_t d = lane__tend(w, &w->lanes[i], rotate);

			due = d < due ? d : due;
		}
	}
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct lane *l = &w->lanes[i];

		/* Twice: the kernel reports a failed writeback once, and what it could save it has. */
		if (l->file && lane__finish(w, l) < 0)
			lane__finish(w, l);
		lane__publish(l);
		pthread_mutex_lock(&l->sync);
		l->file = csv_file__free(l->file);
		pthread_mutex_unlock(&l->sync);
	}
	return NULL;
}

/* ---- the sync thread ---- */

/* What the power may cost, with the time that rows wait. A disk that takes long to sync is left alone for
 * SYNC_SHARE times as long, so that others get at it. */
#define SYNC_NS (NS_PER_S / 4)
#define SYNC_SHARE 10

static void lane__sync(struct lane *l)
{
	uint64_t bytes = atomic_load_explicit(&l->counters.compressed_bytes, memory_order_relaxed);

	pthread_mutex_lock(&l->sync);
	/* What fails here will fail at the end of the file, or be mended there. */
	if (l->file && bytes != l->synced)
		csv_file__sync(l->file);
	l->synced = bytes;
	pthread_mutex_unlock(&l->sync);
}

static void *sync_main(void *arg)
{
	struct writer *w = arg;
	uint64_t due = now_ns() + SYNC_NS, begun;

	pthread_mutex_lock(&w->lock);
	while (!w->closing) {
		struct timespec t = { .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };

		if (pthread_cond_timedwait(&w->close, &w->lock, &t) != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&w->lock);
		begun = now_ns();
		for (int i = 0; i < STREAM_COUNT; i++)
			lane__sync(&w->lanes[i]);
		due = now_ns();
		due += SYNC_SHARE * (due - begun) > SYNC_NS ? SYNC_SHARE * (due - begun) : SYNC_NS;
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- the object ---- */

/* Signals are the main thread's. */
static int start_threads(struct writer *w)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->syncer, NULL, sync_main, w);
	w->syncs = !err;
	if (!err)
		err = pthread_create(&w->thread, NULL, writer__main, w);
	w->joined = err;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err) {
		pthread_setname_np(w->thread, "iotrc-writer");
		pthread_setname_np(w->syncer, "iotrc-sync");
	}
	return -err;
}

int writer__new(struct writer **ret, const struct writer_config *config)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int err;

	if (!w)
		return -ENOMEM;
	w->config = *config;
	w->level = config->level;
	w->rotation.age_s = config->rotate_age_s;
	w->rotation.bytes = config->rotate_bytes;
	w->rotation.rows = config->rotate_rows;
	w->tail = &w->head;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_cond_init(&w->close, &attr);
	pthread_condattr_destroy(&attr);
	for (int i = 0; i < STREAM_COUNT; i++)
		pthread_mutex_init(&w->lanes[i].sync, NULL);
	err = start_threads(w);
	if (err < 0) {
		writer__free(w);
		return err;
	}
	*ret = w;
	return 0;
}

void writer__stats(struct writer *w, enum stream stream, struct writer_stream_stats *ret_stats)
{
	struct counters *c = &w->lanes[stream].counters;

	ret_stats->written_rows = atomic_load_explicit(&c->written_rows, memory_order_relaxed);
	ret_stats->lost_disk_rows = atomic_load_explicit(&c->lost_disk_rows, memory_order_relaxed);
	ret_stats->raw_bytes = atomic_load_explicit(&c->raw_bytes, memory_order_relaxed);
	ret_stats->compressed_bytes =
		atomic_load_explicit(&c->compressed_bytes, memory_order_relaxed);
}

void writer__set_level(struct writer *w, int level)
{
	atomic_store(&w->level, level);
}

unsigned int writer__fill(struct writer *w)
{
	uint64_t done = atomic_load(&w->steps);

	return (atomic_load(&w->put) - done) * 100 / w->config.queue_chunks;
}

uint64_t writer__steps(struct writer *w, bool *ret_idle)
{
	uint64_t steps = atomic_load(&w->steps);

	*ret_idle = steps == atomic_load(&w->put);
	return steps;
}

bool writer__failing(struct writer *w)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		if (atomic_load_explicit(&w->lanes[i].counters.error, memory_order_relaxed))
			return true;
	return false;
}

int writer__error(struct writer *w)
{
	return atomic_load(&w->first_error);
}

int writer__close(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_signal(&w->wake);
	pthread_cond_signal(&w->close);
	pthread_mutex_unlock(&w->lock);
	if (!w->joined)
		pthread_join(w->thread, NULL);
	if (w->syncs)
		pthread_join(w->syncer, NULL);
	w->joined = true;
	w->syncs = false;
	return writer__error(w);
}

struct writer *writer__free(struct writer *w)
{
	if (!w)
		return NULL;
	writer__close(w);
	while (w->free) {
		struct chunk *c = w->free;

		w->free = c->next;
		free(c);
	}
	for (int i = 0; i < STREAM_COUNT; i++)
		pthread_mutex_destroy(&w->lanes[i].sync);
	pthread_cond_destroy(&w->close);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
