// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/cond.h"
#include "platform/libc.h"
#include "platform/priority.h"
#include "platform/thread_name.h"

/* What a new thread needs to know; it frees this. */
struct start {
	const char *name;
	void *(*run)(void *arg);
	void *arg;
};

/* A thread names itself: Landlock may keep others from it, and macOS does. */
static void *begin(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	thread_name__set(pthread_self(), s.name);
	return s.run(s.arg);
}

int thread__start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg)
{
	struct start *start = malloc(sizeof(*start));
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	if (!start)
		return -ENOMEM;
	*start = (struct start){ name, run, arg };
	pthread_attr_init(&attr);
	priority__pass_on(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(ret, &attr, begin, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (err)
		free(start);
	return -err;
}

static void *enter(void *arg)
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
