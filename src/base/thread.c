// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/thread.h"

#include <signal.h>
#include <unistd.h>

#include "platform/cond.h"
#include "platform/libc.h"
#include "platform/priority.h"
#include "platform/thread_name.h"

int thread__start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	pthread_attr_init(&attr);
	priority__pass_on(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(ret, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		thread_name__set(*ret, name);
	return -err;
}

static void *enter(void *arg)
{
	struct thread *t = arg;

	/* Who starts it may not, by Landlock, or can't, on macOS. */
	thread_name__set(pthread_self(), t->name);
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

	t->name = name;
	t->run = run;
	t->arg = arg;
	t->ended = false;
	pthread_mutex_init(&t->lock, NULL);
	cond__init(&t->end);
	err = thread__start(&t->id, name, enter, t);
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
