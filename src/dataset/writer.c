// SPDX-License-Identifier: GPL-2.0-or-later
/* The writer. Its lock is held for a few instructions, never during compression or I/O, so
 * producers never wait for the disk. It has two threads: the writer creates and fills files; the
 * syncer syncs, renames and frees them, so that rows do not wait for a sync either. */
#include "dataset/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "platform/cond.h"
#include "platform/landlock.h"
#include "platform/macros.h"

/* Chunks beyond the bound: for streams with few rows (schema/streams.h); some of these are only for
 * the lost stream, so that losses caused by a lack of chunks can be recorded. */
#define FEW_RESERVE 16
#define LOST_RESERVE 2
/* So many chunks that are not in a hurry wake the writer. */
#define BATCH 4
#define RETRY_NS NSEC_PER_SEC /* between two attempts after a disk error */

/* struct writer_stream_stats, readable without the lock: a reader that does not run while it has
 * the lock must not hold up the thread that reports it. */
struct stream_counts {
	_Atomic uint64_t written_rows, lost_disk_rows, raw_bytes, compressed_bytes;
};

/* A stream's way to the disk. */
struct stream_files {
	/* The writer's. */
	uint64_t opened_ns;
	bool ending;       /* file accepts no more rows, but the previous one is not finished yet */
	uint64_t retry_ns; /* with error: not before */
	unsigned seq;      /* of the last file */
	int level;         /* … and the level at which it is compressed */
	/* The syncer's. */
	uint64_t synced;   /* bytes of all files, when file was synced last */
	uint64_t leave_ns; /* after leave_error: when to try again */
	/* Both threads'. */
	struct csv_file *file; /* being filled; NULL: none. Protected by the lock */
	_Atomic int error;     /* of the last attempt to create or write one; 0: success */
	struct stream_counts counts;
	/* Guarded by the lock. */
	struct csv_file *leaving; /* filled, to be finished by the syncer; NULL: none */
	int leave_error;          /* of the last attempt; 0: none yet */
};

struct writer {
	struct writer_config config;
	pthread_t thread, syncer;
	bool joined, syncs; /* the writer has ended; the syncer has begun */
	struct stream_files files[STREAM_COUNT];
	_Atomic int first_error;
	_Atomic int level;
	_Atomic uint64_t put, steps; /* chunks put, and done with */

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake, sync,
		left; /* the writer; the syncer; a file has left or can't, or it is settled */
	struct chunk *head, **tail;   /* queue, in the order of arrival */
	struct chunk *free;           /* last in, first out: it is in the cache */
	uint32_t in_use;              /* chunks with producers and in the queue */
	unsigned int n_waiting;       /* chunks in the queue */
	bool hurry;                   /* it is not left for later */
	bool rotate, closing, filled; /* filled: the writer has handed over all files */
	/* writer__settle() was called; all rows except the lost stream's are written; their files
	 * are finished. */
	bool settling, emptied, settled;
	unsigned int unfinished; /* files */
	struct {
		uint32_t age_s;
		uint64_t bytes, rows;
	} rotation; /* to be taken over */
};

/* ---- producers ---- */

bool writer__busy(struct writer *w)
{
	bool busy;

	pthread_mutex_lock(&w->lock);
	busy = w->in_use >= w->config.queue_chunks;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

/* Whether the writer's thread should take what is in the queue. */
static bool is_ready_locked(const struct writer *w)
{
	return w->n_waiting >= BATCH || (w->n_waiting && w->hurry);
}

static void hurry_locked(struct writer *w)
{
	w->hurry = true;
	if (w->n_waiting)
		pthread_cond_signal(&w->wake);
}

struct chunk *writer__get_chunk(struct writer *w, enum stream stream)
{
	struct chunk *c;
	uint32_t bound = w->config.queue_chunks + (BULK_STREAMS >> stream & 1 ? 0 : FEW_RESERVE) +
			 (stream == STREAM_LOST ? LOST_RESERVE : 0);

	pthread_mutex_lock(&w->lock);
	if (w->in_use >= bound) {
		hurry_locked(w);
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
		hurry_locked(w);
		pthread_mutex_unlock(&w->lock);
		return NULL;
	}
	c->next = NULL;
	c->stream = stream;
	c->len = c->n_marks = 0;
	c->rows = c->first_ns = c->last_ns = 0;
	return c;
}

static void recycle_locked(struct writer *w, struct chunk *c)
{
	c->next = w->free;
	w->free = c;
	w->in_use--;
}

bool writer__put_chunk(struct writer *w, struct chunk *chunk, bool hurry)
{
	bool ready;

	pthread_mutex_lock(&w->lock);
	if (chunk->len) {
		chunk->next = NULL;
		*w->tail = chunk;
		w->tail = &chunk->next;
		w->n_waiting++;
		atomic_fetch_add_explicit(&w->put, 1, memory_order_relaxed);
	} else {
		recycle_locked(w, chunk);
	}
	w->hurry |= hurry;
	ready = is_ready_locked(w);
	if (ready)
		pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	return ready;
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

/* The writer thread uses its own copy for the files. */
static void take_rotation_locked(struct writer *w)
{
	w->config.rotate_age_s = w->rotation.age_s;
	w->config.rotate_bytes = w->rotation.bytes;
	w->config.rotate_rows = w->rotation.rows;
}

/* ---- the files of a stream ---- */

/* Returns F if it counts: a file without rows gets no final name. */
static struct writer_stream_stats held(const struct csv_file *f)
{
	const struct file_facts *facts = csv_file__facts(f);

	if (!facts->rows)
		return (struct writer_stream_stats){ 0 };
	return (struct writer_stream_stats){
		.written_rows = facts->rows,
		.raw_bytes = facts->raw_bytes,
		.compressed_bytes = facts->compressed_bytes,
	};
}

static void stream_files__account(struct stream_files *l, const struct writer_stream_stats *before,
				  const struct writer_stream_stats *after)
{
	atomic_fetch_add(&l->counts.written_rows, after->written_rows - before->written_rows);
	atomic_fetch_add(&l->counts.raw_bytes, after->raw_bytes - before->raw_bytes);
	atomic_fetch_add(&l->counts.compressed_bytes,
			 after->compressed_bytes - before->compressed_bytes);
}

static void note_error(struct writer *w, int err)
{
	int none = 0;

	if (err < 0)
		atomic_compare_exchange_strong(&w->first_error, &none, err);
}

/* ---- the files of a stream: the writer's thread ---- */

static int stream_files__result(struct writer *w, struct stream_files *l, int err)
{
	atomic_store(&l->error, err);
	if (err < 0)
		l->retry_ns = clock__mono_ns() + RETRY_NS;
	note_error(w, err);
	return err;
}

/* Hands the file over to the syncer, which takes one at a time. Returns 0, or the error because of
 * which the previous file is not finished. */
static int stream_files__leave(struct writer *w, struct stream_files *l)
{
	int err;

	pthread_mutex_lock(&w->lock);
	while (l->leaving && !l->leave_error)
		pthread_cond_wait(&w->left, &w->lock);
	err = l->leaving ? l->leave_error : 0;
	if (!err) {
		if (!csv_file__facts(l->file)->rows)
			l->seq--;
		l->leaving = l->file;
		l->file = NULL;
		pthread_cond_signal(&w->sync);
	}
	pthread_mutex_unlock(&w->lock);
	l->ending = err;
	return err;
}

static int stream_files__open(struct writer *w, struct stream_files *l, enum stream stream)
{
	char name[CSV_FILE_NAME_MAX];
	struct csv_file_config config = {
		.session_fd = w->config.session_fd,
		.stream = stream,
		.name = name,
		.uid = w->config.uid,
		.gid = w->config.gid,
		.budget = w->config.budget,
	};
	struct csv_file *file;
	int err;

	config.level = l->level = atomic_load_explicit(&w->level, memory_order_relaxed);
	csv_file__name(name, stream, l->seq + 1);
	err = csv_file__new(&file, &config);
	if (err < 0)
		return err;
	pthread_mutex_lock(&w->lock);
	l->file = file;
	pthread_mutex_unlock(&w->lock);
	l->seq++;
	l->opened_ns = clock__mono_ns();
	return 0;
}

static int stream_files__append(struct writer *w, struct stream_files *l, const struct chunk *c)
{
	struct writer_stream_stats before, after;
	const struct csv_rows rows = { c->data,    c->len,   c->rows,   c->first_ns,
				       c->last_ns, c->marks, c->n_marks };
	int err;

	if (l->error && clock__mono_ns() < l->retry_ns)
		return l->error;
	if (l->ending) {
		err = stream_files__leave(w, l);
		if (err < 0)
			return err;
	}
	if (!l->file) {
		err = stream_files__open(w, l, c->stream);
		if (err < 0)
			return stream_files__result(w, l, err);
	}
	before = held(l->file);
	err = csv_file__append(l->file, &rows);
	after = held(l->file);
	if (err < 0) {
		/* The frame has ended early. It is finished at once if there is space for its end;
		 * rows go into a new file when there is space again. */
		stream_files__leave(w, l);
		return stream_files__result(w, l, err);
	}
	stream_files__account(l, &before, &after);
	return stream_files__result(w, l, 0);
}

static bool stream_files__is_full(const struct writer *w, const struct stream_files *l)
{
	const struct writer_config *config = &w->config;
	const struct file_facts *facts = csv_file__facts(l->file);

	return l->level != atomic_load_explicit(&w->level, memory_order_relaxed) ||
	       (config->rotate_bytes && facts->compressed_bytes >= config->rotate_bytes) ||
	       (config->rotate_rows && facts->rows >= config->rotate_rows);
}

static void stream_files__write(struct writer *w, const struct chunk *c)
{
	struct stream_files *l = &w->files[c->stream];

	if (stream_files__append(w, l, c) < 0)
		atomic_fetch_add(&l->counts.lost_disk_rows, c->rows);
	else if (stream_files__is_full(w, l))
		stream_files__leave(w, l);
}

/* Hands over files that are due; returns when to call it again. */
static uint64_t stream_files__tend(struct writer *w, struct stream_files *l, bool rotate)
{
	uint64_t now = clock__mono_ns(), due = UINT64_MAX;

	if (!l->file)
		return UINT64_MAX;
	if (l->ending || rotate)
		due = now;
	else if (w->config.rotate_age_s)
		due = l->opened_ns + w->config.rotate_age_s * NSEC_PER_SEC;
	if (now < due)
		return due;
	return stream_files__leave(w, l) < 0 ? now + RETRY_NS : UINT64_MAX;
}

/* ---- the writer's thread ---- */

/* Waits until there is work, at most until DUE. */
static void wait_locked(struct writer *w, uint64_t due)
{
	while (!is_ready_locked(w) && !w->rotate && !w->closing && w->settling == w->emptied)
		if (!cond__wait_until(&w->wake, &w->lock, due))
			return;
}

/* From here on, the syncer owns the files of all streams except lost. */
static void give_over(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->emptied = true;
	pthread_cond_signal(&w->sync);
	pthread_mutex_unlock(&w->lock);
}

static void *writer__main(void *arg)
{
	struct writer *w = arg;
	uint64_t due = UINT64_MAX;
	bool closing = false, settling;

	landlock__enter();
	while (!closing) {
		struct chunk *list;
		bool rotate;

		pthread_mutex_lock(&w->lock);
		wait_locked(w, due);
		list = w->head;
		w->head = NULL;
		w->tail = &w->head;
		w->n_waiting = 0;
		w->hurry = false;
		rotate = w->rotate;
		w->rotate = false;
		closing = w->closing;
		settling = w->settling;
		take_rotation_locked(w);
		pthread_mutex_unlock(&w->lock);

		while (list) {
			struct chunk *c = list;

			list = c->next;
			stream_files__write(w, c);
			atomic_fetch_add_explicit(&w->steps, 1, memory_order_relaxed);
			pthread_mutex_lock(&w->lock);
			recycle_locked(w, c);
			pthread_mutex_unlock(&w->lock);
		}
		if (settling)
			give_over(w);
		due = UINT64_MAX;
		for (int i = 0; i < STREAM_COUNT && !closing && !settling; i++) {
			uint64_t d = stream_files__tend(w, &w->files[i], rotate);

			due = d < due ? d : due;
		}
	}
	return NULL;
}

/* ---- the syncer's thread ---- */

/* How old rows may be before they are synced, which bounds the loss at a power failure. On a slow
 * disk, the pause after a sync is SYNC_SHARE times as long as the sync, so that other programs can
 * use the disk. */
#define SYNC_NS (NSEC_PER_SEC / 4)
#define SYNC_SHARE 10

static void stream_files__sync(struct writer *w, struct stream_files *l)
{
	struct csv_file *file;
	uint64_t bytes;

	pthread_mutex_lock(&w->lock);
	file = l->file;
	bytes = atomic_load(&l->counts.compressed_bytes);
	pthread_mutex_unlock(&w->lock);
	/* An error here will occur again at the end of the file, or be repaired there. */
	if (file && bytes != l->synced)
		csv_file__sync(file);
	l->synced = bytes;
}

/* Finishes and renames the filled file; on an error it remains. */
static void stream_files__finish(struct writer *w, struct stream_files *l)
{
	struct csv_file *f = l->leaving;
	struct writer_stream_stats before = held(f), after = { 0 };
	uint64_t lost = 0;
	int err = 0;

	if (before.written_rows) {
		err = csv_file__finish(f, NULL);
		note_error(w, err);
		after = held(f);
	}
	if (err < 0 && csv_file__lost(f)) {
		lost = before.written_rows;
		after = (struct writer_stream_stats){ 0 };
		err = 0;
	}
	if (!err && after.written_rows && w->config.finished)
		w->config.finished(w->config.arg, csv_file__facts(f));
	if (!err)
		f = after.written_rows ? csv_file__free(f) : csv_file__abandon(f);

	stream_files__account(l, &before, &after);
	atomic_fetch_add(&l->counts.lost_disk_rows, lost);
	pthread_mutex_lock(&w->lock);
	l->leaving = f;
	l->leave_error = err;
	pthread_cond_broadcast(&w->left);
	pthread_mutex_unlock(&w->lock);
	l->leave_ns = clock__mono_ns() + RETRY_NS;
}

/* Returns when the filled file of L is to be finished: at once, or some time after an error. */
static uint64_t leave_due_locked(const struct stream_files *l)
{
	if (!l->leaving)
		return UINT64_MAX;
	return l->leave_error ? l->leave_ns : 0;
}

/* Waits until something is due; once all is FILLED, everything that is left is due. */
static bool wait_to_sync(struct writer *w, uint64_t sync_ns)
{
	bool filled;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		uint64_t due = sync_ns;

		for (int i = 0; i < STREAM_COUNT; i++) {
			uint64_t leave = leave_due_locked(&w->files[i]);

			due = leave < due ? leave : due;
		}
		if (w->filled || w->emptied != w->settled || clock__mono_ns() >= due)
			break;
		cond__wait_until(&w->sync, &w->lock, due);
	}
	filled = w->filled;
	pthread_mutex_unlock(&w->lock);
	return !filled;
}

static bool leaves_now(struct writer *w, struct stream_files *l)
{
	bool leaves;

	pthread_mutex_lock(&w->lock);
	leaves = leave_due_locked(l) <= clock__mono_ns();
	pthread_mutex_unlock(&w->lock);
	return leaves;
}

/* A file that cannot be finished now keeps the suffix .part. */
static void stream_files__close(struct writer *w, struct stream_files *l)
{
	for (int files = 0; files < 2; files++) { /* the filled one and the last one */
		/* Twice, because the kernel reports a failed writeback once and has then written
		 * what it could. */
		for (int tries = 0; tries < 2 && l->leaving; tries++)
			stream_files__finish(w, l);
		pthread_mutex_lock(&w->lock);
		w->unfinished += l->leaving != NULL;
		csv_file__free(l->leaving);
		l->leaving = l->file;
		l->file = NULL;
		pthread_mutex_unlock(&w->lock);
	}
}

/* For all streams except lost, after the writer has handed them over. */
static void settle(struct writer *w)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		if (i != STREAM_LOST)
			stream_files__close(w, &w->files[i]);
	pthread_mutex_lock(&w->lock);
	w->settled = true;
	pthread_cond_broadcast(&w->left);
	pthread_mutex_unlock(&w->lock);
}

static bool is_to_settle(struct writer *w)
{
	bool is;

	pthread_mutex_lock(&w->lock);
	is = w->emptied && !w->settled;
	pthread_mutex_unlock(&w->lock);
	return is;
}

static void *sync_main(void *arg)
{
	struct writer *w = arg;
	uint64_t due = clock__mono_ns() + SYNC_NS, begun;

	landlock__enter();
	while (wait_to_sync(w, due)) {
		if (is_to_settle(w))
			settle(w);
		for (int i = 0; i < STREAM_COUNT; i++)
			if (leaves_now(w, &w->files[i]))
				stream_files__finish(w, &w->files[i]);
		begun = clock__mono_ns();
		if (begun < due)
			continue;
		for (int i = 0; i < STREAM_COUNT; i++)
			stream_files__sync(w, &w->files[i]);
		due = clock__mono_ns();
		due += SYNC_SHARE * (due - begun) > SYNC_NS ? SYNC_SHARE * (due - begun) : SYNC_NS;
	}
	for (int i = 0; i < STREAM_COUNT; i++)
		stream_files__close(w, &w->files[i]);
	return NULL;
}

/* ---- the object ---- */

static int start_threads(struct writer *w)
{
	int err = thread__start(&w->syncer, "iotrc-sync", sync_main, w);

	w->syncs = !err;
	if (!err)
		err = thread__start(&w->thread, "iotrc-writer", writer__main, w);
	w->joined = err;
	return err;
}

int writer__new(struct writer **ret, const struct writer_config *config)
{
	struct writer *w = calloc(1, sizeof(*w));
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
	cond__init(&w->wake);
	cond__init(&w->sync);
	cond__init(&w->left);
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
	struct stream_counts *counts = &w->files[stream].counts;

	*ret_stats = (struct writer_stream_stats){
		.written_rows = atomic_load(&counts->written_rows),
		.lost_disk_rows = atomic_load(&counts->lost_disk_rows),
		.raw_bytes = atomic_load(&counts->raw_bytes),
		.compressed_bytes = atomic_load(&counts->compressed_bytes),
	};
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
	bool failing = false;

	pthread_mutex_lock(&w->lock);
	for (int i = 0; i < STREAM_COUNT; i++)
		failing = failing || w->files[i].error ||
			  (w->files[i].leaving && w->files[i].leave_error);
	pthread_mutex_unlock(&w->lock);
	return failing;
}

int writer__error(struct writer *w)
{
	return atomic_load(&w->first_error);
}

void writer__settle(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->settling = true;
	pthread_cond_signal(&w->wake);
	while (!w->settled)
		pthread_cond_wait(&w->left, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

unsigned int writer__unfinished(struct writer *w)
{
	unsigned int n;

	pthread_mutex_lock(&w->lock);
	n = w->unfinished;
	pthread_mutex_unlock(&w->lock);
	return n;
}

int writer__close(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	if (!w->joined)
		pthread_join(w->thread, NULL);
	pthread_mutex_lock(&w->lock);
	w->filled = true;
	pthread_cond_signal(&w->sync);
	pthread_mutex_unlock(&w->lock);
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
	pthread_cond_destroy(&w->left);
	pthread_cond_destroy(&w->sync);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
