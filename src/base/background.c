// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/background.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "platform/landlock.h"
#include "platform/macros.h"
#include "platform/privileges.h"
#include "platform/thread_name.h"

/* Of <linux/ioprio.h>, which is only there since Linux 5.15. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE (3 << 13)

void background__enter(int policy)
{
	static const struct sched_param none;
	pid_t tid = gettid();

	setpriority(PRIO_PROCESS, tid, 19);
	sched_setscheduler(tid, policy, &none);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, IOPRIO_IDLE);
}

void background__hurry(pid_t tid)
{
	static const struct sched_param none;

	sched_setscheduler(tid, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, tid, getpriority(PRIO_PROCESS, 0));
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, 0);
}

/* ---- one thread ---- */

static void *enter(void *arg)
{
	struct background *b = arg;

	/* Who starts it may not, by Landlock: that is written to /proc/self/task. */
	thread_name__set(pthread_self(), b->name);
	atomic_store(&b->tid, gettid());
	background__enter(SCHED_OTHER);
	b->run(b->arg);
	return NULL;
}

int background__start(struct background *b, const char *name, void (*run)(void *arg), void *arg)
{
	pthread_condattr_t attr;
	int err;

	b->name = name;
	b->run = run;
	b->arg = arg;
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->wake, &attr);
	pthread_condattr_destroy(&attr);
	b->ready = true;
	err = thread__start(&b->thread, name, enter, b);
	b->running = !err;
	return err;
}

bool background__stopped(const struct background *b)
{
	return atomic_load_explicit(&b->stop, memory_order_relaxed);
}

void background__wait(struct background *b, uint64_t due_ns)
{
	struct timespec t = { due_ns / NSEC_PER_SEC, due_ns % NSEC_PER_SEC };

	pthread_mutex_lock(&b->lock);
	while (!background__stopped(b) && clock__mono_ns() < due_ns)
		if (due_ns == UINT64_MAX)
			pthread_cond_wait(&b->wake, &b->lock);
		else
			pthread_cond_timedwait(&b->wake, &b->lock, &t);
	pthread_mutex_unlock(&b->lock);
}

bool background__stop(struct background *b, uint64_t within_ns)
{
	uint64_t until = clock__mono_ns() + within_ns;
	struct timespec t = { until / NSEC_PER_SEC, until % NSEC_PER_SEC };

	if (!b->running)
		return !b->stuck;
	pthread_mutex_lock(&b->lock);
	atomic_store(&b->stop, true);
	pthread_cond_broadcast(&b->wake);
	pthread_mutex_unlock(&b->lock);
	if (atomic_load(&b->tid))
		background__hurry(atomic_load(&b->tid));
	b->stuck = pthread_clockjoin_np(b->thread, NULL, CLOCK_MONOTONIC, &t);
	b->running = false;
	return !b->stuck;
}

void background__done(struct background *b)
{
	if (!b->ready)
		return;
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
}

/* ---- what it may ---- */

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* The system calls, since what glibc makes of them is for all threads. */
int background__drop(uid_t uid, gid_t gid)
{
	bool other = uid != (uid_t)-1 && uid != geteuid();
	int err = other ? privileges__drop(CAP(SETUID) | CAP(SETGID)) : 0;

	if (!err && other &&
	    (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	     syscall(SYS_setresuid, uid, uid, uid) < 0))
		err = -errno;
	if (!err)
		err = privileges__drop(0);
	return err ? err : landlock__enter();
}
