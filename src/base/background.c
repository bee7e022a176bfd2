// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/background.h"

#include "base/clock.h"
#include "platform/cond.h"
#include "platform/landlock.h"
#include "platform/priority.h"
#include "platform/privileges.h"
#include "platform/thread_time.h"

#define BUSY_LIMITS 10 /* times the limit of a stop, for a thread that uses the CPU meanwhile */

static void run_in_background(void *arg)
{
	struct background *b = arg;

	priority__lower(false);
	b->run(b->arg);
}

int background__start(struct background *b, const char *name, void (*run)(void *arg), void *arg)
{
	b->run = run;
	b->arg = arg;
	pthread_mutex_init(&b->lock, NULL);
	cond__init(&b->wake);
	b->ready = true;
	return thread__run(&b->thread, name, run_in_background, b);
}

bool background__stopped(const struct background *b)
{
	return atomic_load_explicit(&b->stop, memory_order_relaxed);
}

void background__wait(struct background *b, uint64_t due_ns)
{
	pthread_mutex_lock(&b->lock);
	while (!background__stopped(b) && clock__mono_ns() < due_ns)
		cond__wait_until(&b->wake, &b->lock, due_ns);
	pthread_mutex_unlock(&b->lock);
}

void background__ask(struct background *b)
{
	if (!b->thread.running || b->stuck)
		return;
	pthread_mutex_lock(&b->lock);
	atomic_store(&b->stop, true);
	pthread_cond_broadcast(&b->wake);
	pthread_mutex_unlock(&b->lock);
	thread__hurry(&b->thread);
}

bool background__stop(struct background *b, uint64_t within_ns)
{
	uint64_t end, used;

	if (!b->thread.running || b->stuck)
		return !b->stuck;
	background__ask(b);
	end = clock__mono_ns() + BUSY_LIMITS * within_ns;
	do {
		used = thread_time__ns(b->thread.id);
		b->stuck = !thread__join(&b->thread, clock__mono_ns() + within_ns);
	} while (b->stuck && thread_time__ns(b->thread.id) != used && clock__mono_ns() < end);
	return !b->stuck;
}

void background__done(struct background *b)
{
	if (!b->ready)
		return;
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
}

int background__drop(uid_t uid, gid_t gid)
{
	int err = privileges__become(uid, gid);

	return err ? err : landlock__enter();
}
