// SPDX-License-Identifier: GPL-2.0-or-later
/* The meaning of a line of dtrace/network.d. */
#include <string.h>
#include <sys/param.h>

#include "engine/macos/darwin.h"
#include "engine/macos/state.h"
#include "platform/macros.h"
#include "rows/linux_numbers.h"
#include "schema/records.h"

#define IN_BYTES 16 /* sockaddr_in, sockaddr_in6: the same on both systems */
#define IN6_BYTES 28
#define UNIX_HEAD 2 /* before sun_path */
#define SOCK_TYPE_MASK 0xf
#define LINUX_SOCK_CLOEXEC 02000000
#define LINUX_F_DUPFD_CLOEXEC 1030

/* The fields of a line with an address after its head. */
enum {
	AT_FD,
	AT_LEN,
	AT_FAMILY,
	AT_WORDS, /* two of 8 bytes, three of 4 */
	ADDRESS_NUMBERS = AT_WORDS + 5
};

struct socket_call {
	struct source *s;
	struct process *p;
	const struct call_line *l;
};

/* ---- addresses ---- */

struct address {
	uint16_t family, port;
	uint8_t ip[16];
	size_t unix_len;
	char path[UNIX_PATH_BYTES];
};

static uint16_t family_of(const struct socket_call *c, int64_t word)
{
	/* macOS has the length in the first byte, and its own numbers of families. */
	return c->s->all->is_darwin ? darwin__family((uint16_t)word >> 8) : (uint16_t)word;
}

static void read_words(const struct call_line *l, uint8_t bytes[IN6_BYTES])
{
	const int64_t *words = l->n + AT_WORDS;

	memcpy(bytes, words, 16);
	for (size_t i = 0; i < 3; i++) {
		uint32_t word = (uint32_t)words[2 + i];

		memcpy(bytes + 16 + 4 * i, &word, sizeof(word));
	}
}

static bool read_address(const struct socket_call *c, struct address *ret)
{
	const struct call_line *l = c->l;
	uint8_t bytes[IN6_BYTES];
	int64_t len = l->n[AT_LEN];

	*ret = (struct address){ .family = family_of(c, l->n[AT_FAMILY]) };
	if (len < UNIX_HEAD)
		return false;
	read_words(l, bytes);
	ret->port = (uint16_t)(bytes[2] << 8 | bytes[3]);
	if (ret->family == LINUX_AF_INET && len >= IN_BYTES) {
		memcpy(ret->ip, bytes + 4, 4);
	} else if (ret->family == LINUX_AF_INET6 && len >= IN6_BYTES) {
		memcpy(ret->ip, bytes + 8, 16);
	} else if (ret->family == LINUX_AF_UNIX && l->n_texts) {
		ret->unix_len = MIN(l->text[0].len, sizeof(ret->path));
		memcpy(ret->path, l->text[0].s, ret->unix_len);
	} else {
		return false;
	}
	return true;
}

static void set_end(struct conn_ends *ends, const struct address *a, bool remote)
{
	if (a->family != ends->family)
		return;
	if (a->family == LINUX_AF_UNIX) {
		memcpy(remote ? ends->un.remote : ends->un.local, a->path, sizeof(a->path));
		*(remote ? &ends->has_remote : &ends->has_local) = (uint8_t)a->unix_len;
		return;
	}
	memcpy(remote ? ends->ip.remote : ends->ip.local, a->ip, sizeof(a->ip));
	*(remote ? &ends->has_remote : &ends->has_local) = 1;
	*(remote ? &ends->dport : &ends->sport) = a->port;
}

/* ---- events ---- */

static void tell(const struct socket_call *c, uint8_t op, int fd, const struct conn_ends *ends,
		 uint32_t arg)
{
	const struct call_line *l = c->l;
	bool is_darwin = c->s->all->is_darwin;
	struct rec_conn r = {
		.type = REC_CONN,
		.op = op,
		.fd = fd,
		.ns = macos__ns(c->s->all, l->ns),
		.duration = l->duration,
		.ret = !l->error ? l->ret : -(is_darwin ? darwin__errno(l->error) : l->error),
		.arg = arg,
		.domain = ends->family,
		.ends = *ends,
	};

	if (!macos__is_wanted(c->s->all, c->p)) {
		macos__left_out(c->s);
		return;
	}
	r.task = macos__task_id(c->s, c->p, l->tid);
	macos__event(c->s, &r,
		     conn_ends_whole(ends) ? sizeof(r) :
					     offsetof(struct rec_conn, ends.ip) + sizeof(ends->ip));
}

/* The socket of the descriptor; for one opened before the recording, only what an address tells. */
static struct conn_ends ends_of(const struct socket_call *c, const struct address *a)
{
	struct opened *o = process__opened(c->p, (int)c->l->n[AT_FD]);

	return o && o->is_socket ? o->ends : (struct conn_ends){ .family = a ? a->family : 0 };
}

/* ---- the calls ---- */

static bool take_socket(const struct socket_call *c)
{
	uint32_t type = (uint32_t)c->l->n[1];
	struct conn_ends ends = { .sock_type = type & SOCK_TYPE_MASK };
	struct opened *o = NULL;

	ends.family = (uint16_t)c->l->n[0];
	if (c->s->all->is_darwin)
		ends.family = darwin__family(ends.family);
	if (!c->l->error)
		o = process__open_socket(c->s->processes, c->p, (int)c->l->ret,
					 type & LINUX_SOCK_CLOEXEC);
	if (o)
		o->ends = ends;
	tell(c, CONN_SOCKET_CREATE, c->l->error ? -1 : (int)c->l->ret, &ends, type);
	return true;
}

static bool take_socketpair(const struct socket_call *c)
{
	uint32_t type = (uint32_t)c->l->n[1];

	for (int i = 0; i < 2; i++) {
		struct opened *o = process__open_socket(c->s->processes, c->p, (int)c->l->n[3 + i],
							type & LINUX_SOCK_CLOEXEC);

		if (o)
			o->ends = (struct conn_ends){ .family = (uint16_t)c->l->n[0],
						      .sock_type = type & SOCK_TYPE_MASK };
	}
	return true;
}

static bool take_address(const struct socket_call *c, uint8_t op)
{
	struct opened *o = process__opened(c->p, (int)c->l->n[AT_FD]);
	bool remote = op == CONN_CONNECT;
	struct conn_ends ends;
	struct address a;

	if (!read_address(c, &a)) {
		ends = ends_of(c, NULL);
	} else {
		ends = ends_of(c, &a);
		set_end(&ends, &a, remote);
		/* For port 0 the system chooses one, which is not reported. */
		if (!remote && a.family != LINUX_AF_UNIX && !a.port)
			ends.sport = 0;
	}
	/* A connection that is being established (EINPROGRESS) also has its other end. */
	if (o && o->is_socket && (!c->l->error || remote))
		o->ends = ends;
	tell(c, op, (int)c->l->n[AT_FD], &ends, 0);
	return true;
}

static bool take_bind(const struct socket_call *c)
{
	return take_address(c, CONN_BIND);
}

static bool take_connect(const struct socket_call *c)
{
	return take_address(c, CONN_CONNECT);
}

static bool take_accept(const struct socket_call *c)
{
	struct conn_ends ends = ends_of(c, NULL);
	struct opened *o;
	struct address a;

	ends.has_remote = 0;
	if (!c->l->error && read_address(c, &a)) {
		if (!ends.family)
			ends.family = a.family;
		set_end(&ends, &a, true);
	}
	if (!c->l->error) {
		o = process__open_socket(c->s->processes, c->p, (int)c->l->ret, false);
		if (o)
			o->ends = ends;
	}
	tell(c, CONN_ACCEPT, (int)c->l->n[AT_FD], &ends, 0);
	return true;
}

static bool take_listen(const struct socket_call *c)
{
	struct conn_ends ends = ends_of(c, NULL);

	tell(c, CONN_LISTEN, (int)c->l->n[AT_FD], &ends, (uint32_t)c->l->n[1]);
	return true;
}

static bool take_shutdown(const struct socket_call *c)
{
	struct conn_ends ends = ends_of(c, NULL);

	tell(c, CONN_SHUTDOWN, (int)c->l->n[AT_FD], &ends, (uint32_t)c->l->n[1]);
	return true;
}

static bool take_close(const struct socket_call *c)
{
	struct opened *o = process__opened(c->p, (int)c->l->n[AT_FD]);

	if (!o)
		return true;
	tell(c, CONN_CLOSE, (int)c->l->n[AT_FD], &o->ends, 0);
	process__close(c->s->processes, c->p, (int)c->l->n[AT_FD]);
	return true;
}

static bool take_dup(const struct socket_call *c)
{
	process__dup(c->s->processes, c->p, (int)c->l->n[AT_FD], (int)c->l->ret, false);
	return true;
}

static bool take_fcntl(const struct socket_call *c)
{
	int64_t closing = c->s->all->is_darwin ? DARWIN_F_DUPFD_CLOEXEC : LINUX_F_DUPFD_CLOEXEC;
	int fd = (int)c->l->n[AT_FD];

	if (c->l->n[1] == DARWIN_F_DUPFD || c->l->n[1] == closing)
		process__dup(c->s->processes, c->p, fd, (int)c->l->ret, c->l->n[1] == closing);
	else if (c->l->n[1] == DARWIN_F_SETFD)
		process__set_closes(c->p, fd, c->l->n[2] & 1);
	return true;
}

static bool take_create(const struct socket_call *c)
{
	struct process *child =
		process_table__fork(c->s->processes, c->p, (uint32_t)c->l->ret, NULL);

	if (child && c->l->n_numbers && c->l->n[0])
		process__forget_files(c->s->processes, child);
	return true;
}

static bool take_exec(const struct socket_call *c)
{
	process__exec(c->s->processes, c->p, c->l->tid);
	macos__ask_arguments(c->p);
	return true;
}

static bool take_exit(const struct socket_call *c)
{
	process_table__remove(c->s->processes, c->l->pid);
	return true;
}

/* clang-format off */
static const struct {
	const char *name;
	size_t numbers;
	bool (*take)(const struct socket_call *c);
} calls[] = {
	{ "socket", 3, take_socket },
	{ "socketpair", 5, take_socketpair },
	{ "bind", ADDRESS_NUMBERS, take_bind },
	{ "connect", ADDRESS_NUMBERS, take_connect },
	{ "accept", ADDRESS_NUMBERS, take_accept },
	{ "listen", 2, take_listen },
	{ "shutdown", 2, take_shutdown },
	{ "close", 1, take_close },
	{ "dup", 3, take_dup },
	{ "dup2", 3, take_dup },
	{ "fcntl", 3, take_fcntl },
	{ "create", 0, take_create },
	{ "exec", 0, take_exec },
	{ "exit", 1, take_exit },
};
/* clang-format on */

bool macos__socket(struct source *s, const struct call_line *l)
{
	struct socket_call c = { .s = s, .l = l };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].name, l->name) != 0)
			continue;
		if (l->n_numbers < calls[i].numbers)
			return false;
		c.p = macos__process_of(s, l);
		return !c.p || calls[i].take(&c);
	}
	return false;
}
