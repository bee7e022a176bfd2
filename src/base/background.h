/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that work during a recording at the lowest priority for CPU and disk. */
#ifndef IOTRC_BACKGROUND_H
#define IOTRC_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/thread.h"

/* One thread. To end it, it is requested to stop; if it does not end in time (a disk may not
 * answer), it is abandoned. A zeroed struct has no thread. */
struct background {
	struct thread thread;
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* the owner's, too … */
	pthread_cond_t wake;  /* the same, for waiting; signalled at a stop; on CLOCK_MONOTONIC */
	atomic_bool stop;
	bool ready, stuck;
};

/* Runs RUN(ARG) in a new thread called NAME (15 bytes at most), which enters the background. RUN
 * should return soon after background__stopped() turns true. Returns 0, or a negative errno if no
 * thread was started. */
int background__start(struct background *b, const char *name, void (*run)(void *arg), void *arg);

/* Whether the thread has been requested to stop. */
bool background__stopped(const struct background *b);

/* To be called by the thread: waits until DUE_NS of CLOCK_MONOTONIC (UINT64_MAX: for ever), or
 * until a stop is requested. */
void background__wait(struct background *b, uint64_t due_ns);

/* Requests the thread to stop. */
void background__ask(struct background *b);

/* Requests the thread to stop and waits for it. Gives up after WITHIN_NS in which it has used no
 * CPU time (a disk does not answer), and after ten times as long in any case: on a busy machine it
 * may be slow. Returns false if it has not ended; it then still uses its argument. */
bool background__stop(struct background *b, uint64_t within_ns);

/* Frees what background__start() allocated. Must not be called while the thread has not ended. */
void background__done(struct background *b);

/* Reduces the rights of the calling thread, and of no other thread, to those of the ordinary user
 * UID and GID (-1: the current one). It can write only where platform/landlock.h allows it. Returns
 * 0, or a negative errno; the thread should then end. */
int background__drop(uid_t uid, gid_t gid);

#endif
