// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections on loopback and in AF_UNIX: server and client are two processes. Prints what it did,
 * one line per socket call: EVENT PID FD DOMAIN LOCAL SPORT REMOTE DPORT RESULT with `-` for what
 * the call does not have; the ports are those of getsockname and getpeername. Creates unix.sock in
 * the current directory. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "workload.h"

#ifndef SOCKET /* conn32.c has another way */
#define SOCKET(name, ...) SYS(name, __VA_ARGS__)
#endif
#define ROUNDS 3

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static const char *domain_name(int family)
{
	return family == AF_INET ? "AF_INET" : family == AF_INET6 ? "AF_INET6" : "AF_UNIX";
}

static void text(const union address *a, socklen_t len, char *ret_host, char *ret_port)
{
	strcpy(ret_host, "-");
	strcpy(ret_port, "-");
	if (a->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->v4.sin_addr, ret_host, 128);
		sprintf(ret_port, "%u", ntohs(a->v4.sin_port));
	} else if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->v6.sin6_addr, ret_host, 128);
		sprintf(ret_port, "%u", ntohs(a->v6.sin6_port));
	} else if (len > offsetof(struct sockaddr_un, sun_path) && a->un.sun_path[0]) {
		snprintf(ret_host, 128, "%s", a->un.sun_path);
	}
}

/* ASKED is the peer's address if the socket does not have it (a refused connect). */
static void say(const char *event, int fd, int family, long result, const union address *requested,
		socklen_t requested_len)
{
	char local[128] = "-", sport[8] = "-", remote[128] = "-", dport[8] = "-";
	union address a = { 0 };
	socklen_t len = sizeof(a);

	if (!getsockname(fd, &a.any, &len))
		text(&a, len, local, sport);
	memset(&a, 0, sizeof(a));
	len = sizeof(a);
	if (!getpeername(fd, &a.any, &len))
		text(&a, len, remote, dport);
	else if (requested)
		text(requested, requested_len, remote, dport);
	printf("%s %d %d %s %s %s %s %s %ld\n", event, getpid(), fd, domain_name(family), local,
	       sport, remote, dport, result);
	fflush(stdout);
}

static void server(int listener, int family)
{
	for (int i = 0; i < ROUNDS; i++) {
#ifdef SYS_accept
		int fd = OK(i ? SOCKET(accept4, listener, 0L, 0L, (long)SOCK_CLOEXEC) :
				SOCKET(accept, listener, 0L, 0L));
#else
		int fd = OK(SOCKET(accept4, listener, 0L, 0L, (long)SOCK_CLOEXEC));
#endif
		char byte;

		say("ACCEPT", fd, family, fd, NULL, 0);
		IS(1, SYS(read, fd, &byte, 1));
		IS(0, SYS(read, fd, &byte, 1)); /* until the client has shut down */
		IS(0, SYS(close, fd));
	}
}

static void client(const union address *to, socklen_t len, int family)
{
	for (int i = 0; i < ROUNDS; i++) {
		int fd = OK(SOCKET(socket, family, SOCK_STREAM | SOCK_CLOEXEC, 0));
		int result = OK(SOCKET(connect, fd, to, len));

		say("CONNECT", fd, family, result, to, len);
		IS(1, SYS(write, fd, "x", 1));
		IS(0, SOCKET(shutdown, fd, SHUT_WR));
		say("SHUTDOWN", fd, family, 0, to, len);
		IS(0, SYS(close, fd));
	}
}

static void pair(union address *at, socklen_t len, int family)
{
	int listener = OK(SOCKET(socket, family, SOCK_STREAM, 0));
	long pid;
	int fd;

	say("SOCKET_CREATE", listener, family, listener, NULL, 0);
	OK(SOCKET(bind, listener, at, len));
	say("BIND", listener, family, 0, NULL, 0);
	OK(SOCKET(listen, listener, 7));
	say("LISTEN", listener, family, 0, NULL, 0);
	OK(SOCKET(getsockname, listener, at, &len)); /* the port that bind chose */
	pid = OK(fork());
	if (!pid) {
		server(listener, family);
		exit(0);
	}
	client(at, len, family);
	OK(SYS(wait4, pid, 0L, 0, 0L));
	IS(0, SYS(close, listener)); /* nobody listens now */

	fd = OK(SOCKET(socket, family, SOCK_STREAM, 0));
	FAILS(ECONNREFUSED, SOCKET(connect, fd, at, len));
	say("CONNECT", fd, family, -ECONNREFUSED, at, len);
	IS(0, SYS(close, fd));
}

int main(void)
{
	union address a;

	memset(&a, 0, sizeof(a));
	a.v4.sin_family = AF_INET;
	a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pair(&a, sizeof(a.v4), AF_INET);

	memset(&a, 0, sizeof(a));
	a.v6.sin6_family = AF_INET6;
	a.v6.sin6_addr = in6addr_loopback;
	pair(&a, sizeof(a.v6), AF_INET6);

	memset(&a, 0, sizeof(a));
	a.un.sun_family = AF_UNIX;
	strcpy(a.un.sun_path, "unix.sock");
	SYS(unlinkat, AT_FDCWD, "unix.sock", 0); /* of an earlier run */
	pair(&a, offsetof(struct sockaddr_un, sun_path) + sizeof("unix.sock"), AF_UNIX);
	return 0;
}
