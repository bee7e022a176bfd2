// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/thread_time.h"

#ifdef __linux__
#include <time.h>

#include "platform/macros.h"

uint64_t thread_time__ns(pthread_t thread)
{
	struct timespec used;
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &used))
		return 0;
	return (uint64_t)used.tv_sec * NSEC_PER_SEC + (uint64_t)used.tv_nsec;
}
#else
uint64_t thread_time__ns(pthread_t thread)
{
	return 0;
}
#endif
