/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that work beside a recording, below whatever else wants CPU or disk. */
#ifndef IOTRC_BACKGROUND_H
#define IOTRC_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One thread that is told to stop, and is left behind when it doesn't: a disk may not answer.
 * Zeroed, it is none. */
struct background {
	const char *name;
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* the owner's, too … */
	pthread_cond_t wake;  /* … like this, which the stop broadcasts; on CLOCK_MONOTONIC */
	pthread_t thread;
	atomic_int tid;
	atomic_bool stop;
	bool ready, running, stuck;
};

/* Runs RUN(ARG) in a thread called NAME (15 bytes at most), which enters the background with
 * SCHED_OTHER and should return soon once background__stopped(). 0, or a negative errno: there is
 * no thread then. */
int background__start(struct background *b, const char *name, void (*run)(void *arg), void *arg);

bool background__stopped(const struct background *b);

/* Of the thread itself: waits until CLOCK_MONOTONIC's DUE_NS (UINT64_MAX: for ever), or the
 * stop. */
void background__wait(struct background *b, uint64_t due_ns);

/* Has it stop, for WITHIN_NS at most; false: it is stuck, and still has what it was given. */
bool background__stop(struct background *b, uint64_t within_ns);

/* Frees what start made; not while the thread is stuck. */
void background__done(struct background *b);

/* Puts the calling thread there; SCHED_IDLE (<sched.h>) lower still than SCHED_OTHER, where on a
 * busy machine it hardly runs at all. Where the system refuses, it stays where it is. */
void background__enter(int policy);

/* Takes thread TID back: on a busy machine it might wait for seconds, and somebody waits for it. */
void background__hurry(pid_t tid);

/* Takes all rights from the calling thread but those of an ordinary user UID and GID (-1: the
 * one it is), and no other thread's; it writes only where platform/landlock.h has allowed it. 0,
 * or a negative errno: it can't be had, and the thread should end. */
int background__drop(uid_t uid, gid_t gid);

#endif
