/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections whose connect() does not wait: their outcome is a second row.
 *
 * Two events matter, in either order and perhaps at the same time on two CPUs: connect() returns
 * with the connection in progress, and the connection is established or refused (on loopback before
 * the call returns, otherwise mostly in a soft interrupt). The first of them stores a word with
 * BPF_NOEXIST, which only one can do; the second makes the row. */
#ifndef IOTRC_BPF_CONNECT_H
#define IOTRC_BPF_CONNECT_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/socket.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

#define EINTR 4
#define EALREADY 114
#define EINPROGRESS 115
#define ERESTARTSYS 512 /* include/linux/errno.h: interrupted by a signal */
#define ERESTART_RESTARTBLOCK 516

struct connecting {
	u64 task, start_ns;
	s32 fd;
	u32 epoch; /* in which the definition of TASK was sent */
};

/* Keyed by the address of the struct sock, from the request for a connection on. Not LRU: a
 * connection that finds no room counts as lost. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, u64);
	__type(value, struct connecting);
} connecting SEC(".maps");

struct connect_word {
	u64 ns; /* time of the outcome; 0: stored by the return of the call */
	s64 ret;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* resized likewise */
	__type(key, u64);
	__type(value, struct connect_word);
} connect_words SEC(".maps");

static __always_inline void connect_forget(u64 sk)
{
	bpf_map_delete_elem(&connecting, &sk);
	bpf_map_delete_elem(&connect_words, &sk);
}

__subprog int connect_row(u64 sk, const struct connecting *c, u64 ns, s64 ret)
{
	struct rec_conn *rec;
	u64 flags;

	if (!c || leave_out_ended(STREAM_NW_CONN, error_of(ret), ns - c->start_ns))
		return 0;
	rec = reserve(STREAM_NW_CONN, sizeof(*rec), ns, &flags);
	if (!rec)
		return 0;
	rec->type = REC_CONN;
	rec->op = CONN_CONNECT;
	rec->no_fd = rec->no_args = 0;
	rec->fd = c->fd;
	rec->ns = ns;
	rec->duration = ns - c->start_ns;
	rec->task = is_kept(c->epoch) ? c->task : 0;
	rec->ret = ret;
	rec->arg = rec->domain = 0;
	ends_of_sock(&rec->ends, sk);
	deliver(rec, flags);
	return 0;
}

/* Stores the word for the other event, or makes the row if that has stored its word already. */
__subprog int connect_meet(u64 sk, const struct connecting *c, u64 ns, s64 ret)
{
	struct connect_word word = { .ns = ns, .ret = ret }, *other;
	/* int: until 6.2 bpf_map_update_elem() returns one, and the upper half of the register is
	 * undefined. */
	int err = bpf_map_update_elem(&connect_words, &sk, &word, BPF_NOEXIST);

	if (!err || !c)
		return 0;
	if (err != -EEXIST) { /* no room */
		lose(STREAM_NW_CONN, bpf_ktime_get_ns());
		connect_forget(sk);
		return 0;
	}
	other = bpf_map_lookup_elem(&connect_words, &sk);
	if (!other || !ns == !other->ns) /* done by another program or call */
		return 0;
	connect_row(sk, c, ns ? ns : other->ns, ns ? ret : other->ret);
	connect_forget(sk);
	return 0;
}

/* connect() on SK has returned RET. */
__subprog int connect_returned(u64 sk, s64 ret)
{
	struct connecting *c = sk ? bpf_map_lookup_elem(&connecting, &sk) : 0, copy;

	if (!c) {
		/* The map had no room for it. */
		if (sk && ret == -EINPROGRESS && kread(sk, sock, sk_protocol) == IPPROTO_TCP)
			lose(STREAM_NW_CONN, bpf_ktime_get_ns());
		return 0;
	}
	if (ret == -EINPROGRESS || ret == -EINTR ||
	    (ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK)) {
		copy = *c;
		connect_meet(sk, &copy, 0, 0);
	} else if (ret != -EALREADY) {
		connect_forget(sk);
	}
	return 0;
}

/* A connection is requested. If it is by a recorded connect(), then by one of the current thread.
 * Other connections are made by the kernel, by a first sendto() (TCP_FASTOPEN_CONNECT), or by
 * io_uring. */
static __always_inline void connect_begun(u64 sk)
{
	struct task_state *state = current_state(false);
	const volatile struct syscall_desc *d;
	struct connecting c = {};

	if (!state || !state->armed)
		return;
	d = describe(state->nr, state->compat);
	if (!d || d->shape != SHAPE_CONN || d->op != CONN_CONNECT)
		return;
	c.task = state->id;
	c.epoch = state->epoch;
	c.start_ns = state->enter_ns;
	c.fd = (s32)arg(state, d->fd);
	/* Not a subflow of the socket (MPTCP). */
	if (sock_of(task_file(current_task(), c.fd)) != sk)
		return;
	bpf_map_delete_elem(&connect_words, &sk);
	if (bpf_map_update_elem(&connecting, &sk, &c, BPF_ANY))
		lose(STREAM_NW_CONN, bpf_ktime_get_ns());
}

static __always_inline void connect_ended(u64 sk, int state, u64 now)
{
	struct connecting *c = bpf_map_lookup_elem(&connecting, &sk), copy;
	s32 err;

	if (!c)
		return;
	copy = *c;
	err = kread(sk, sock, sk_err);
	if (state == TCP_ESTABLISHED)
		connect_meet(sk, &copy, now, 0);
	else if (err) /* sk_err is set before the state: tcp_reset(), tcp_write_err() */
		connect_meet(sk, &copy, now, -err);
	else
		connect_forget(sk); /* the program itself has closed or disconnected it */
}

#endif
