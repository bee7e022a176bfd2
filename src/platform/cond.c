// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/cond.h"

#include <errno.h>
#include <time.h>

#include "platform/macros.h"

#ifdef __linux__
void cond__init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

static int timed_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t due_ns)
{
	struct timespec t = { due_ns / NSEC_PER_SEC, due_ns % NSEC_PER_SEC };

	return pthread_cond_timedwait(cond, lock, &t);
}
#else
void cond__init(pthread_cond_t *cond)
{
	pthread_cond_init(cond, NULL);
}

/* macOS has no pthread_condattr_setclock(), but can wait for a relative time (pthread.h), which
 * changes of the wall clock do not affect. It does not advance while the machine sleeps. */
static int timed_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t due_ns)
{
	uint64_t now = clock_gettime_nsec_np(CLOCK_MONOTONIC),
		 left = due_ns > now ? due_ns - now : 0;
	struct timespec t = { left / NSEC_PER_SEC, left % NSEC_PER_SEC };

	return pthread_cond_timedwait_relative_np(cond, lock, &t);
}
#endif

bool cond__wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t due_ns)
{
	if (due_ns == UINT64_MAX)
		return !pthread_cond_wait(cond, lock);
	return timed_wait(cond, lock, due_ns) != ETIMEDOUT;
}
