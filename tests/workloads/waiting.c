// SPDX-License-Identifier: GPL-2.0-or-later
/* Waits for descriptors in every way, and says for each call what its row has to say: event, epoll
 * fd, target, operation, events, max, ready, timeout in ms, result, errno. '-' is an empty
 * field. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include "workload.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

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
	/* Nobody writes: all of the time goes by, and the kernel leaves none in the struct. */
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
	return 0;
}
