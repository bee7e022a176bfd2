/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that work during a recording, with lower priority than anything else for CPU and disk. */
#ifndef IOTRC_BACKGROUND_H
#define IOTRC_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/thread.h"

/* One thread. It is asked to stop, and left behind if it does not: a disk may not answer. A zeroed
 * struct has no thread. */
struct background {
	struct thread thread;
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* the owner's, too … */
	pthread_cond_t wake;  /* … like this, which the stop broadcasts; on CLOCK_MONOTONIC */
	atomic_bool stop;
	bool ready, stuck;
};

/* Runs RUN(ARG) in a thread called NAME (15 bytes at most), which enters the background
 * and should return soon once background__stopped(). 0, or a negative errno: there is
 * no thread then. */
int background__start(struct background *b, const char *name, void (*run)(void *arg), void *arg);

/* Whether the thread has been asked to stop. */
bool background__stopped(const struct background *b);

/* Called by the thread: waits until DUE_NS of CLOCK_MONOTONIC (UINT64_MAX: for ever), or until it
 * is asked to stop. */
void background__wait(struct background *b, uint64_t due_ns);

/* Asks the thread to stop and waits for it, at most WITHIN_NS. False: it is stuck, and still uses
 * what it was given. */
bool background__stop(struct background *b, uint64_t within_ns);

/* Frees what background__start() made. Must not be called while the thread is stuck. */
void background__done(struct background *b);

/* Makes the calling thread, and no other, run with the rights of the ordinary user UID and GID
 * (-1: the current one) only; it can write only where platform/landlock.h allows it. 0, or a
 * negative errno: this is not possible, and the thread should end. */
int background__drop(uid_t uid, gid_t gid);

#endif
