// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets through io_uring: each call that a ring supports, for IPv4, IPv6 and AF_UNIX. Prints
 * which rows it makes, JSON, one per line; addresses and ports are those of getsockname and
 * getpeername. What this kernel's rings do not support is done by the system call, and has a row as
 * well. Creates uring.sock in the current directory. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "uring.h"

/* Newer than some headers. */
#define OP_SOCKET 45
#define OP_BIND 56
#define OP_LISTEN 57
#define ACCEPT_MULTISHOT 1

#define ROUNDS 3

enum { ACCEPTED = 1, CONNECTED, CANCELLED }; /* which request a completion belongs to */

static struct ring ring;

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

static void tell_end(const char *end, const char *port, const union address *a, socklen_t len)
{
	char text[128] = "";
	int number = 0;

	if (a->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof(text));
		number = ntohs(a->v4.sin_port);
	} else if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof(text));
		number = ntohs(a->v6.sin6_port);
	} else if (len > offsetof(struct sockaddr_un, sun_path)) {
		strcpy(text, a->un.sun_path);
	}
	printf(", \"%s\": \"%s\", \"%s\": \"", end, text, port);
	if (number)
		printf("%d", number);
	printf("\"");
}

/* A request's result, which must not be an error. */
static int good(int result)
{
	if (result < 0) {
		fprintf(stderr, "a request ended with %s\n", strerror(-result));
		exit(99);
	}
	return result;
}

static void begin_row(const char *event, int fd, int family, long result, const char *more)
{
	printf("{\"event_type\": \"%s\", \"domain\": \"%s\", \"fd\": \"", event,
	       domain_name(family));
	if (fd >= 0)
		printf("%d", fd);
	printf("\", \"return_value\": \"%ld\"%s", result, more);
}

/* The row of EVENT on FD (-1: the row has none), with the addresses of the socket ENDS (-1:
 * none). */
static void tell_conn(const char *event, int fd, int family, int ends, long result,
		      const char *more)
{
	union address a = { 0 };
	socklen_t len = sizeof(a);

	begin_row(event, fd, family, result, more);
	if (ends >= 0) {
		OK(getsockname(ends, &a.any, &len));
		tell_end("local_addr", "sport", &a, len);
		len = sizeof(a);
		if (!getpeername(ends, &a.any, &len))
			tell_end("remote_addr", "dport", &a, len);
	}
	puts("}");
}

/* Of a socket without a descriptor: its peer PEER knows the addresses. */
static void tell_peer(const char *event, int fd, int family, int peer, long result,
		      const char *more)
{
	union address a = { 0 };
	socklen_t len = sizeof(a);

	begin_row(event, fd, family, result, more);
	OK(getpeername(peer, &a.any, &len));
	tell_end("local_addr", "sport", &a, len);
	memset(&a, 0, sizeof(a));
	len = sizeof(a);
	OK(getsockname(peer, &a.any, &len));
	tell_end("remote_addr", "dport", &a, len);
	puts("}");
}

static int do_socket(int family)
{
	struct io_uring_sqe *sqe;
	int fd;

	if (ring.known[OP_SOCKET]) {
		sqe = ring__next(&ring, OP_SOCKET, family);
		sqe->off = SOCK_STREAM | SOCK_CLOEXEC;
		fd = good(ring__one(&ring));
	} else {
		fd = OK(SYS(socket, family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	}
	tell_conn("SOCKET_CREATE", fd, family, -1, fd,
		  ", \"sock_type\": \"SOCK_STREAM|SOCK_CLOEXEC\"");
	return fd;
}

static int do_bind(int fd, const union address *at, socklen_t len)
{
	struct io_uring_sqe *sqe;
	union address copy = *at;

	if (!ring.known[OP_BIND])
		return SYS(bind, fd, at, len) ? -errno : 0;
	sqe = ring__next(&ring, OP_BIND, fd);
	sqe->addr = (uintptr_t)&copy;
	sqe->addr2 = len;
	return ring__one(&ring);
}

static int do_listen(int fd, int backlog)
{
	struct io_uring_sqe *sqe;

	if (!ring.known[OP_LISTEN])
		return SYS(listen, fd, backlog) ? -errno : 0;
	sqe = ring__next(&ring, OP_LISTEN, fd);
	sqe->len = backlog;
	return ring__one(&ring);
}

static void ask_accept(int fd)
{
	struct io_uring_sqe *sqe = ring__next(&ring, IORING_OP_ACCEPT, fd);

	sqe->user_data = ACCEPTED;
	sqe->accept_flags = SOCK_CLOEXEC;
}

static union address connect_to; /* gone when the connection exists: the request keeps it */

static void ask_connect(int fd, const union address *to, socklen_t len)
{
	struct io_uring_sqe *sqe = ring__next(&ring, IORING_OP_CONNECT, fd);

	connect_to = *to;
	sqe->user_data = CONNECTED;
	sqe->addr = (uintptr_t)&connect_to;
	sqe->addr2 = len;
}

static void do_close(int fd, int family)
{
	/* Its row has the addresses that the socket had. */
	tell_conn("CLOSE", fd, family, fd, 0, "");
	ring__next(&ring, IORING_OP_CLOSE, fd);
	IS(0, ring__one(&ring));
}

static int answered(void)
{
	return *ring.cq_head != __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE);
}

/* Submits N requests, of which one of each kind is in progress afterwards; rows are in the order of
 * the completions. Returns the accepted socket. */
static int meet(unsigned int n, int client, int listener, int family)
{
	int server = -1, result;
	uint64_t which;

	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, n, 0, 0, 0L, 0L));
	memset(&connect_to, 0xff, sizeof(connect_to));
	for (int i = 0; i < 2; i++) {
		if (!answered())
			ring__wait(&ring);
		result = good(ring__take(&ring, &which, NULL));
		if (which == ACCEPTED) {
			server = result;
			tell_conn("ACCEPT", listener, family, server, server, "");
		} else {
			tell_conn("CONNECT", client, family, client, result, "");
		}
	}
	return server;
}

static void one_pair(int listener, int family, const union address *to, socklen_t len)
{
	int client = do_socket(family), server, result;

	ask_accept(listener);
	ask_connect(client, to, len);
	server = meet(2, client, listener, family);
	ring__next(&ring, IORING_OP_SHUTDOWN, client)->len = SHUT_WR;
	if (ring.known[IORING_OP_SHUTDOWN]) {
		result = ring__one(&ring);
	} else {
		ring.tail--;
		result = SYS(shutdown, client, SHUT_WR);
	}
	IS(0, result);
	tell_conn("SHUTDOWN", client, family, client, 0, ", \"shutdown_how\": \"SHUT_WR\"");
	do_close(client, family);
	do_close(server, family);
}

/* One request that accepts all connections. */
static void accept_many(int listener, int family, const union address *to, socklen_t len)
{
	int clients[ROUNDS], servers[ROUNDS];
	uint64_t which;

	ask_accept(listener);
	ring.sqes[(ring.tail - 1) & *ring.sq_mask].ioprio = ACCEPT_MULTISHOT;
	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, 1, 0, 0, 0L, 0L));
	if (answered()) {
		/* Before 5.19. */
		IS(-EINVAL, ring__take(&ring, NULL, NULL));
		tell_conn("ACCEPT", listener, family, listener, -EINVAL, "");
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		clients[i] = do_socket(family);
		ask_connect(clients[i], to, len);
		servers[i] = meet(1, clients[i], listener, family);
	}
	ring__next(&ring, IORING_OP_ASYNC_CANCEL, -1)->addr = ACCEPTED;
	ring.sqes[(ring.tail - 1) & *ring.sq_mask].user_data = CANCELLED;
	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, 1, 2, IORING_ENTER_GETEVENTS, 0L, 0L));
	for (int i = 0; i < 2; i++) {
		int result = ring__take(&ring, &which, NULL);

		if (which == ACCEPTED)
			tell_conn("ACCEPT", listener, family, listener, result, "");
	}
	for (int i = 0; i < ROUNDS; i++) {
		do_close(clients[i], family);
		do_close(servers[i], family);
	}
}

/* Sockets in slots of the ring's own table: no descriptor. */
static void registered(int family, const union address *to, socklen_t len)
{
	int client = do_socket(family), none = -1;

	OK(SYS(io_uring_register, ring.fd, IORING_REGISTER_FILES, &client, 1));
	ask_connect(0, to, len);
	ring.sqes[(ring.tail - 1) & *ring.sq_mask].flags = IOSQE_FIXED_FILE;
	IS(0, ring__one(&ring));
	tell_conn("CONNECT", -1, family, client, 0, "");
	OK(SYS(io_uring_register, ring.fd, IORING_REGISTER_FILES_UPDATE,
	       &(struct io_uring_files_update){ .offset = 0, .fds = (uintptr_t)&none }, 1));
	tell_conn("CLOSE", client, family, client, 0, "");
	IS(0, SYS(close, client));
	OK(SYS(io_uring_register, ring.fd, IORING_UNREGISTER_FILES, 0L, 0));
}

static void close_slot(unsigned int slot)
{
	ring__next(&ring, IORING_OP_CLOSE, 0)->file_index = slot + 1;
	IS(0, ring__one(&ring));
}

/* Sockets that never had a descriptor: CLIENT created one in the ring's table, or else the accepted
 * one is. */
static void without_descriptor(int listener, int family, const union address *to, socklen_t len,
			       bool client)
{
	int results[2], own = -1, peer;
	struct io_uring_sqe *sqe;
	uint64_t which[2];

	if (client) {
		sqe = ring__next(&ring, OP_SOCKET, family);
		sqe->off = SOCK_STREAM;
		sqe->file_index = 1;
		IS(0, ring__one(&ring));
		tell_conn("SOCKET_CREATE", -1, family, -1, 0, ", \"sock_type\": \"SOCK_STREAM\"");
		ask_accept(listener);
		ask_connect(0, to, len);
		ring.sqes[(ring.tail - 1) & *ring.sq_mask].flags = IOSQE_FIXED_FILE;
	} else {
		own = do_socket(family);
		ask_accept(listener);
		sqe = &ring.sqes[(ring.tail - 1) & *ring.sq_mask];
		sqe->accept_flags = 0;
		sqe->file_index = IORING_FILE_INDEX_ALLOC;
		ask_connect(own, to, len);
	}
	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, 2, 0, 0, 0L, 0L));
	for (int i = 0; i < 2; i++) {
		if (!answered())
			ring__wait(&ring);
		results[i] = good(ring__take(&ring, &which[i], NULL));
	}
	peer = client ? results[which[1] == ACCEPTED] : own;
	for (int i = 0; i < 2; i++) {
		if (which[i] == ACCEPTED && client)
			tell_conn("ACCEPT", listener, family, peer, peer, "");
		else if (which[i] == ACCEPTED)
			tell_peer("ACCEPT", listener, family, peer, 0, "");
		else if (client)
			tell_peer("CONNECT", -1, family, peer, 0, "");
		else
			tell_conn("CONNECT", own, family, own, 0, "");
	}
	sqe = ring__next(&ring, IORING_OP_SHUTDOWN, 0);
	sqe->len = SHUT_WR;
	sqe->flags = IOSQE_FIXED_FILE;
	IS(0, ring__one(&ring));
	tell_peer("SHUTDOWN", -1, family, peer, 0, ", \"shutdown_how\": \"SHUT_WR\"");
	tell_peer("CLOSE", -1, family, peer, 0, "");
	close_slot(0);
	do_close(peer, family);
}

static void family_of(union address *at, socklen_t len, int family)
{
	int listener = do_socket(family), other;
	socklen_t size = len;

	IS(0, do_bind(listener, at, len));
	tell_conn("BIND", listener, family, listener, 0, "");
	IS(0, do_listen(listener, 17));
	tell_conn("LISTEN", listener, family, listener, 0, ", \"backlog\": \"17\"");
	OK(getsockname(listener, &at->any, &size)); /* the port that bind chose */

	other = do_socket(family);
	IS(-EADDRINUSE, do_bind(other, at, len));
	printf("{\"event_type\": \"BIND\", \"domain\": \"%s\", \"fd\": \"%d\", \"return_value\": \"%d\"",
	       domain_name(family), other, -EADDRINUSE);
	tell_end("local_addr", "sport", at, len);
	puts("}");
	printf("{\"event_type\": \"CLOSE\", \"domain\": \"%s\", \"fd\": \"%d\", \"return_value\": \"0\"}\n",
	       domain_name(family), other);
	IS(0, SYS(close, other));

	for (int i = 0; i < ROUNDS; i++)
		one_pair(listener, family, at, len);
	accept_many(listener, family, at, len);
	if (ring.known[OP_SOCKET]) { /* since 5.19, like slots that the kernel chooses */
		int none[2] = { -1, -1 };

		OK(SYS(io_uring_register, ring.fd, IORING_REGISTER_FILES, none, 2));
		for (int i = 0; i < 2 * ROUNDS; i++)
			without_descriptor(listener, family, at, len, i % 2);
		OK(SYS(io_uring_register, ring.fd, IORING_UNREGISTER_FILES, 0L, 0));
	}
	registered(family, at, len); /* last: nobody accepts it */
	do_close(listener, family);

	other = do_socket(family);
	ask_connect(other, at, len);
	IS(-ECONNREFUSED, ring__one(&ring));
	printf("{\"event_type\": \"CONNECT\", \"domain\": \"%s\", \"fd\": \"%d\", \"return_value\": \"%d\"",
	       domain_name(family), other, -ECONNREFUSED);
	tell_end("remote_addr", "dport", at, len);
	puts("}");
	printf("{\"event_type\": \"CLOSE\", \"domain\": \"%s\", \"fd\": \"%d\", \"return_value\": \"0\"}\n",
	       domain_name(family), other);
	IS(0, SYS(close, other));
}

int main(void)
{
	union address a;

	if (ring__new(&ring, 0)) {
		puts("no io_uring");
		return 0;
	}
	memset(&a, 0, sizeof(a));
	a.v4.sin_family = AF_INET;
	a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	family_of(&a, sizeof(a.v4), AF_INET);

	memset(&a, 0, sizeof(a));
	a.v6.sin6_family = AF_INET6;
	a.v6.sin6_addr = in6addr_loopback;
	family_of(&a, sizeof(a.v6), AF_INET6);

	memset(&a, 0, sizeof(a));
	a.un.sun_family = AF_UNIX;
	strcpy(a.un.sun_path, "uring.sock");
	SYS(unlinkat, AT_FDCWD, "uring.sock", 0); /* of an earlier run */
	family_of(&a, offsetof(struct sockaddr_un, sun_path) + sizeof("uring.sock"), AF_UNIX);
	return 0;
}
