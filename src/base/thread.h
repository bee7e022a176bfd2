/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts threads; no other file does. docs/INTERNALS.md lists all threads. */
#ifndef IOTRC_THREAD_H
#define IOTRC_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts RUN(ARG) in a thread called NAME (15 bytes at most) with all signals blocked, since the
 * main thread handles them. It inherits the caller's nice value. Returns 0, or a negative errno. */
int thread__start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg);

/* A thread that is joined with a time limit and abandoned if it has not ended by then: a disk may
 * not answer. A zeroed struct has no thread. All members are private to thread.c, except TID, which
 * is 0 until the thread runs. */
struct thread {
	pthread_t id;
	atomic_int tid;
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t end;
	bool running, ended; /* ended: under the lock */
};

/* Like thread__start(). T must remain valid until thread__join() returns true. */
int thread__run(struct thread *t, const char *name, void (*run)(void *arg), void *arg);

/* Waits for the thread to end, at most until UNTIL_NS of CLOCK_MONOTONIC. Returns true if it has
 * ended, or was never started. */
bool thread__join(struct thread *t, uint64_t until_ns);

/* Gives the thread ordinary priority (the reverse of priority__lower()), because another thread
 * waits for it. */
void thread__hurry(struct thread *t);

#endif
