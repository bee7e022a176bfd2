// SPDX-License-Identifier: GPL-2.0-or-later
/* Linux's own of CPUs, clocks and threads. */
#ifdef __linux__
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "platform/clock_step.h"
#include "platform/cpus.h"
#include "platform/thread_name.h"

unsigned int cpus__possible(void)
{
	int n = libbpf_num_possible_cpus();

	return n < 1 ? 1 : n;
}

int clock_step__watch(void)
{
	/* A timer that never fires, but is cancelled when the clock is set (timerfd_create(2)). */
	const struct itimerspec never = { .it_value.tv_sec = INT64_C(1) << 40 };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC), err;

	if (fd >= 0 &&
	    !timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

void clock_step__noticed(int fd)
{
	uint64_t n;
	ssize_t done = fd >= 0 ? read(fd, &n, sizeof(n)) : 0;

	(void)done; /* EAGAIN as a rule, ECANCELED now and then */
}

void thread_name__set(pthread_t thread, const char *name)
{
	pthread_setname_np(thread, name);
}
#else
typedef int nothing_here; /* ISO C forbids an empty file */
#endif
