// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/clock_step.h"

#include <errno.h>

#ifdef __linux__
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

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

	(void)done; /* Usually EAGAIN, sometimes ECANCELED. */
}

void clock_step__wake(int fd)
{
	const struct itimerspec now = { .it_value.tv_nsec = 1 }; /* of 1970 */

	if (fd >= 0)
		timerfd_settime(fd, TFD_TIMER_ABSTIME, &now, NULL);
}
#else
/* macOS reports changes only through notifyd. clock__poll() measures the clock again anyway. */
int clock_step__watch(void)
{
	return -ENOTSUP;
}

void clock_step__noticed(int fd)
{
}

void clock_step__wake(int fd)
{
}
#endif
