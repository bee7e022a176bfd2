// SPDX-License-Identifier: GPL-2.0-or-later
/* Waits for descriptors in every way, and prints for each call what its row must be: event,
 * epoll fd, target, operation, events, max, ready, timeout in ms, result, errno. '-' is an empty
 * field. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "workload.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

/* An int in a register whose upper half is garbage. */
#define INT(n) ((long)(0xdefaced00000000ULL | (uint32_t)(n)))

/* Arguments that the kernel reads differently from what they look like, or refuses. */
static void odd(int ep, int fd, int to)
{
	struct epoll_event event = { .events = EPOLLIN }, ready[5];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec ts;

	OK(SYS(epoll_ctl, INT(ep), INT(EPOLL_CTL_ADD), INT(fd), &event));
	printf("EPOLL_CTL %d %d EPOLL_CTL_ADD EPOLLIN - - - 0 -\n", ep, fd);
	/* The events are ignored when a descriptor is removed. */
	OK(SYS(epoll_ctl, ep, EPOLL_CTL_DEL, fd, &event));
	printf("EPOLL_CTL %d %d EPOLL_CTL_DEL - - - - 0 -\n", ep, fd);
	FAILS(EINVAL, SYS(epoll_ctl, ep, 77, fd, &event));
	printf("EPOLL_CTL %d %d - EPOLLIN - - - -22 EINVAL\n", ep, fd);
	IS(0, SYS(epoll_pwait, INT(ep), ready, INT(3), INT(1), NULL, 8));
	printf("EPOLL_WAIT %d - - - 3 0 1.000000 0 -\n", ep);
	FAILS(EINVAL, SYS(epoll_pwait, ep, ready, INT(-3), INT(-7), NULL, 8));
	printf("EPOLL_WAIT %d - - - -3 - -1 -22 EINVAL\n", ep);
	/* nfds is unsigned. */
	FAILS(EINVAL, SYS(ppoll, &p, INT(-16), NULL, NULL, 8));
	printf("POLL - - - - 4294967280 - -1 -22 EINVAL\n");
	ts = (struct timespec){ .tv_sec = -1 };
	FAILS(EINVAL, SYS(ppoll, &p, 1, &ts, NULL, 8));
	printf("POLL - - - - 1 - - -22 EINVAL\n");
	ts = (struct timespec){ .tv_nsec = -1 };
	FAILS(EINVAL, SYS(ppoll, &p, 1, &ts, NULL, 8));
	printf("POLL - - - - 1 - - -22 EINVAL\n");
	ts = (struct timespec){ .tv_sec = 1, .tv_nsec = 2000000000 };
	FAILS(EINVAL, SYS(ppoll, &p, 1, &ts, NULL, 8));
	printf("POLL - - - - 1 - - -22 EINVAL\n");
	FAILS(EFAULT, SYS(ppoll, &p, 1, 8L, NULL, 8));
	printf("POLL - - - - 1 - - -14 EFAULT\n");
	ts = (struct timespec){ .tv_sec = -5, .tv_nsec = -5 };
	FAILS(EINVAL, SYS(pselect6, 0, NULL, NULL, NULL, &ts, NULL));
	printf("SELECT - - - - 0 - - -22 EINVAL\n");
	FAILS(EINVAL, SYS(pselect6, INT(-3), NULL, NULL, NULL, NULL, NULL));
	printf("SELECT - - - - -3 - -1 -22 EINVAL\n");
	/* Longer than a ktime_t can hold: cut to its maximum. */
	ts = (struct timespec){ .tv_sec = 1L << 60 };
	IS(1, SYS(ppoll, &(struct pollfd){ .fd = 1000, .events = POLLIN }, 1, &ts, NULL, 8));
	printf("POLL - - - - 1 1 9223372036854.775807 1 -\n");
#ifdef SYS_poll
	{
		struct timeval tv = { .tv_usec = 3000 + 1000000 };
		fd_set set;
		struct pollfd none = { .fd = 1000, .events = POLLIN };

		/* Microseconds beyond a second are seconds; here there is nothing to wait for. */
		IS(1, SYS(poll, &none, 1, 1));
		printf("POLL - - - - 1 1 1.000000 1 -\n");
		FD_ZERO(&set);
		FD_SET(to, &set);
		IS(1, SYS(select, to + 1, NULL, &set, NULL, &tv));
		printf("SELECT - - - - %d 1 1003.000000 1 -\n", to + 1);
		tv = (struct timeval){ .tv_sec = -1 };
		FAILS(EINVAL, SYS(select, 0, NULL, NULL, NULL, &tv));
		printf("SELECT - - - - 0 - - -22 EINVAL\n");
		tv = (struct timeval){ .tv_usec = -5 };
		FAILS(EINVAL, SYS(select, 0, NULL, NULL, NULL, &tv));
		printf("SELECT - - - - 0 - - -22 EINVAL\n");
	}
#endif
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, ready[5];
	struct timespec ts = { .tv_nsec = 3000000 };
	int fds[2], ep, ep1;
	struct pollfd p[3];
	fd_set set;

	OK(pipe(fds));
	ep = OK(SYS(epoll_create1, 0));
	printf("EPOLL_CREATE %d - - - - - - %d -\n", ep, ep);
	ep1 = OK(SYS(epoll_create1, EPOLL_CLOEXEC));
	printf("EPOLL_CREATE %d - - - - - - %d -\n", ep1, ep1);
	FAILS(EINVAL, SYS(epoll_create1, 1));
	printf("EPOLL_CREATE - - - - - - - -22 EINVAL\n");
	OK(SYS(epoll_ctl, ep, EPOLL_CTL_ADD, fds[0], &event));
	printf("EPOLL_CTL %d %d EPOLL_CTL_ADD EPOLLIN|EPOLLET - - - 0 -\n", ep, fds[0]);
	event.events = EPOLLIN | EPOLLOUT;
	OK(SYS(epoll_ctl, ep, EPOLL_CTL_MOD, fds[0], &event));
	printf("EPOLL_CTL %d %d EPOLL_CTL_MOD EPOLLIN|EPOLLOUT - - - 0 -\n", ep, fds[0]);
	IS(0, SYS(epoll_pwait, ep, ready, 5, 2, NULL, 8));
	printf("EPOLL_WAIT %d - - - 5 0 2.000000 0 -\n", ep);
	IS(1, write(fds[1], "x", 1));
	IS(1, SYS(epoll_pwait, ep, ready, 4, -1, NULL, 8));
	printf("EPOLL_WAIT %d - - - 4 1 -1 1 -\n", ep);
	if (syscall(SYS_epoll_pwait2, ep, ready, 3, &ts, NULL, 8) == 1) /* since 5.11 */
		printf("EPOLL_WAIT %d - - - 3 1 3.000000 1 -\n", ep);
	else
		printf("EPOLL_WAIT %d - - - 3 - 3.000000 -38 ENOSYS\n", ep);
	OK(SYS(epoll_ctl, ep, EPOLL_CTL_DEL, fds[0], NULL));
	printf("EPOLL_CTL %d %d EPOLL_CTL_DEL - - - - 0 -\n", ep, fds[0]);
	FAILS(EBADF, SYS(epoll_pwait, -1, ready, 7, 11, NULL, 8));
	printf("EPOLL_WAIT -1 - - - 7 - 11.000000 -9 EBADF\n");

	p[0] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = fds[1], .events = POLLOUT };
	p[2] = (struct pollfd){ .fd = fds[1], .events = POLLIN };
	IS(2, SYS(ppoll, p, 3, &ts, NULL, 8));
	printf("POLL - - - - 3 2 3.000000 2 -\n");
	IS(1, SYS(ppoll, p, 1, NULL, NULL, 8));
	printf("POLL - - - - 1 1 -1 1 -\n");
	ts = (struct timespec){ .tv_nsec = 4000000 };
	FD_ZERO(&set);
	/* Nobody writes: it times out, and the kernel leaves no time in the struct. */
	IS(0, SYS(pselect6, 0, &set, NULL, NULL, &ts, NULL));
	printf("SELECT - - - - 0 0 4.000000 0 -\n");
	FD_SET(fds[0], &set);
	IS(1, SYS(pselect6, fds[0] + 1, &set, NULL, NULL, NULL, NULL));
	printf("SELECT - - - - %d 1 -1 1 -\n", fds[0] + 1);
#ifdef SYS_poll
	{
		struct timeval tv = { .tv_sec = 0, .tv_usec = 5000 };

		OK(SYS(epoll_create, 1));
		printf("EPOLL_CREATE %d - - - - - - %d -\n", ep1 + 1, ep1 + 1);
		IS(1, SYS(poll, p, 1, 6));
		printf("POLL - - - - 1 1 6.000000 1 -\n");
		IS(0, SYS(epoll_wait, ep, ready, 2, 0));
		printf("EPOLL_WAIT %d - - - 2 0 0.000000 0 -\n", ep);
		FD_ZERO(&set);
		IS(0, SYS(select, 0, &set, NULL, NULL, &tv));
		printf("SELECT - - - - 0 0 5.000000 0 -\n");
	}
#endif
	IS(1, read(fds[0], ready, 1));
	odd(ep, fds[0], fds[1]);
	return 0;
}
