// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/thread.h"

#include <signal.h>
#include <unistd.h>

#include "platform/cond.h"
#include "platform/libc.h"
#include "platform/priority.h"
#include "platform/thread_name.h"

/* Arguments for the new thread, on the stack of its starter, which waits until they have been read.
 * Memory that another thread frees would cost a malloc() arena for each thread. */
struct start {
	const char *name;
	void *(*run)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool read;
};

/* A thread sets its own name: Landlock may keep other threads from doing it, and on macOS only the
 * thread itself can. */
static void *run_thread(void *arg)
{
	struct start *start = arg;
	void *(*run)(void *arg) = start->run;
	void *own = start->arg;

	thread_name__set(pthread_self(), start->name);
	pthread_mutex_lock(&start->lock);
	start->read = true;
	pthread_cond_signal(&start->wake);
	pthread_mutex_unlock(&start->lock);
	return run(own);
}

static int create(pthread_t *ret, struct start *start)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	pthread_attr_init(&attr);
	priority__pass_on(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(ret, &attr, run_thread, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

int thread__start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg)
{
	struct start start = { .name = name, .run = run, .arg = arg };
	int err;

	pthread_mutex_init(&start.lock, NULL);
	pthread_cond_init(&start.wake, NULL);
	err = create(ret, &start);
	pthread_mutex_lock(&start.lock);
	while (!err && !start.read)
		pthread_cond_wait(&start.wake, &start.lock);
	pthread_mutex_unlock(&start.lock);
	pthread_cond_destroy(&start.wake);
	pthread_mutex_destroy(&start.lock);
	return err;
}

static void *enter_thread(void *arg)
{
	struct thread *t = arg;

	atomic_store(&t->tid, gettid());
	t->run(t->arg);
	pthread_mutex_lock(&t->lock);
	t->ended = true;
	pthread_cond_signal(&t->end);
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

int thread__run(struct thread *t, const char *name, void (*run)(void *arg), void *arg)
{
	int err;

	t->run = run;
	t->arg = arg;
	t->ended = false;
	pthread_mutex_init(&t->lock, NULL);
	cond__init(&t->end);
	err = thread__start(&t->id, name, enter_thread, t);
	t->running = !err;
	return err;
}

bool thread__join(struct thread *t, uint64_t until_ns)
{
	bool ended;

	if (!t->running)
		return true;
	pthread_mutex_lock(&t->lock);
	while (!t->ended && cond__wait_until(&t->end, &t->lock, until_ns))
		;
	ended = t->ended;
	pthread_mutex_unlock(&t->lock);
	if (!ended)
		return false;
	pthread_join(t->id, NULL);
	pthread_cond_destroy(&t->end);
	pthread_mutex_destroy(&t->lock);
	t->running = false;
	return true;
}

void thread__hurry(struct thread *t)
{
	pid_t tid = atomic_load(&t->tid);

	if (tid)
		priority__raise(t->id, tid);
}
