/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting threads: the one place where that happens. docs/INTERNALS.md lists them all. */
#ifndef IOTRC_THREAD_H
#define IOTRC_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts RUN(ARG) in a thread called NAME (15 bytes at most), in which all signals are blocked:
 * they are the main thread's. It inherits the nice value of the caller. 0, or a negative errno. */
int thread__start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg);

/* A thread that is waited for with a limit, and left behind where it is stuck: a disk may not
 * answer. A zeroed struct has no thread. Private to thread.c, but TID: 0 until it runs. */
struct thread {
	pthread_t id;
	atomic_int tid;
	void (*run)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t end;
	bool running, ended; /* ended: under the lock */
};

/* Like thread__start(). T must stay until thread__join() says that the thread has ended. */
int thread__run(struct thread *t, const char *name, void (*run)(void *arg), void *arg);

/* Waits until the thread has ended, at most until UNTIL_NS of CLOCK_MONOTONIC. True: it has, or was
 * never started. */
bool thread__join(struct thread *t, uint64_t until_ns);

/* Gives the thread ordinary priority (priority__lower()), since somebody waits for it. */
void thread__hurry(struct thread *t);

#endif
