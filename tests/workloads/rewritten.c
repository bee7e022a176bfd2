// SPDX-License-Identifier: GPL-2.0-or-later
/* A program whose second thread changes the arguments of its calls while they are in progress:
 * iovecs, the address of a connect(), the event of an epoll_ctl(), the value of a setsockopt().
 * What the kernel uses is 100 bytes, "asked", EPOLLIN and 1234. */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "workload.h"

#define ROUNDS 499

static char buf[128];
static int ends[2], server;
static struct iovec vector = { buf, 100 };
static struct sockaddr_un address = { AF_UNIX, "asked" };
static struct epoll_event event;
static int value;
static volatile int go, stop;

/* The read waits for this thread, so the kernel has read its iovecs already. */
static void *rewrite_iovec(void *arg)
{
	usleep(100000);
	vector.iov_len = 7;
	IS(5, write(ends[1], "after", 5));
	return arg;
}

/* The connection waits for room in the queue. */
static void *rewrite_address(void *arg)
{
	usleep(100000);
	strcpy(address.sun_path, "decoy");
	for (int i = 0; i < 2; i++)
		close(OK(accept(server, NULL, NULL)));
	return arg;
}

/* These do not wait: now and then the change comes in time. */
static void *rewrite_often(void *arg)
{
	while (!stop) {
		if (!go)
			continue;
		access("/proc/self/cwd", F_OK);
		event.events = EPOLLOUT;
		value = 4321;
		go = 0;
	}
	return arg;
}

static void read_rewritten(void)
{
	pthread_t thread;

	OK(SYS(pipe2, ends, 0));
	pthread_create(&thread, NULL, rewrite_iovec, NULL);
	IS(5, SYS(readv, ends[0], &vector, 1));
	pthread_join(thread, NULL);
}

static void connect_rewritten(void)
{
	pthread_t thread;
	int first = OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0)),
	    second = OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));

	server = OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));
	unlink("asked");
	IS(0, SYS(bind, server, &address, sizeof(address)));
	IS(0, SYS(listen, server, 0));
	IS(0, SYS(connect, first, &address, sizeof(address)));
	pthread_create(&thread, NULL, rewrite_address, NULL);
	IS(0, SYS(connect, second, &address, sizeof(address)));
	pthread_join(thread, NULL);
}

static void options_rewritten(void)
{
	int instance = OK(SYS(epoll_create1, 0)), s = OK(SYS(socket, AF_INET, SOCK_STREAM, 0));
	pthread_t thread;

	pthread_create(&thread, NULL, rewrite_often, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		event.events = EPOLLIN;
		go = 1;
		IS(0, SYS(epoll_ctl, instance, i ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, ends[0], &event));
		while (go)
			;
		value = 1234;
		go = 1;
		IS(0, SYS(setsockopt, s, SOL_SOCKET, SO_PRIORITY, &value, sizeof(value)));
		while (go)
			;
	}
	stop = 1;
	pthread_join(thread, NULL);
}

int main(void)
{
	read_rewritten();
	connect_rewritten();
	options_rewritten();
	return 0;
}
