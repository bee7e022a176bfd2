/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* UDP and unix sockets: counts what each moves, since the kernel does not, and makes their rows. */
#ifndef IOTRC_BPF_FLOW_SOCKET_H
#define IOTRC_BPF_FLOW_SOCKET_H

#include "bpf/abi.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/flow.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "bpf/socket.h"
#include "schema/records.h"
#include "schema/streams.h"

#define SOCK_STREAM 1 /* include/linux/net.h */

#define MSG_PEEK 2 /* include/linux/socket.h: what is received stays */
#define MSG_ERRQUEUE 0x2000

#define E2BIG 7 /* include/uapi/asm-generic/errno-base.h */

#define RCV_SHUTDOWN 1 /* include/net/sock.h */

struct socket_flow {
	struct flow flow;
	/* The number of the socket's inode, which tells it from the next socket at this address;
	 * 0: not filled yet. */
	u64 inode;
	u64 ends_from; /* what the ends were read from */
	u64 bytes_sent, bytes_received;
	u64 datagrams_sent, datagrams_received; /* 0 of streams */
	struct conn_ends ends;
};

/* Keyed by the address of the struct sock, from the first transfer. A transfer of a socket that
 * finds no room counts as a lost row. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024); /* resized by user space */
	__type(key, u64);
	__type(value, struct socket_flow);
} flow_sockets SEC(".maps");

/* To copy: too large for the stack. */
const volatile u64 no_socket[sizeof(struct socket_flow) / 8] = {};

/* The number of the inode of the socket that SK belongs to; 0: it has been closed. */
static __always_inline u64 socket_inode(u64 sk)
{
	u64 socket = kread(sk, sock, sk_socket);

	return socket ? kread(socket, socket_alloc, vfs_inode.i_ino) : 0;
}

/* Reads the ends anew if they have changed: a socket may be bound, connected and connected to
 * another one at any time. The last peer stays when there is none any more. */
static __always_inline void socket_ends(struct socket_flow *s, u64 sk)
{
	u64 from, remote;

	if (kread(sk, sock, __sk_common.skc_family) == AF_UNIX) {
		remote = kread(sk, unix_sock, peer);
		from = remote ^ kread(sk, unix_sock, addr);
	} else {
		remote = kread(sk, sock, __sk_common.skc_dport);
		from = remote | kread(sk, inet_sock, inet_sport) << 16 |
		       kread(sk, sock, __sk_common.skc_daddr) << 32;
	}
	if (s->inode && (from == s->ends_from || (!remote && s->ends.has_remote)))
		return;
	ends_of_sock(&s->ends, sk);
	s->ends_from = from;
}

/* Fills all of REC. */
static __always_inline void socket_fill(struct rec_flow *rec, const struct socket_flow *s,
					enum flow_event event, u64 now)
{
	__builtin_memset(rec, 0, sizeof(*rec));
	flow_tell(rec, &s->flow, event, 0, now);
	rec->proto = s->ends.family == AF_UNIX ? 0 : IPPROTO_UDP;
	rec->bytes_sent = s->bytes_sent;
	rec->bytes_received = s->bytes_received;
	rec->segments_sent = s->datagrams_sent;
	rec->segments_received = s->datagrams_received;
	rec->min_rtt_us = FLOW_NO_RTT;
	rec->socket = s->inode;
	__builtin_memcpy(&rec->ends, &s->ends, sizeof(rec->ends));
}

/* The socket that SK belonged to has ended: makes its row, if nobody else does, and forgets it. A
 * global function: the verifier goes through it once. */
__noinline int socket_ended(u64 sk)
{
	struct socket_flow *s = bpf_map_lookup_elem(&flow_sockets, &sk);
	u64 now = bpf_ktime_get_ns(), flags;
	struct rec_flow *rec;

	if (!s)
		return 0;
	if (!s->inode || s->flow.stopped || flow_left_out(&s->flow, 0, now)) {
		bpf_map_delete_elem(&flow_sockets, &sk);
		return 0;
	}
	rec = reserve(STREAM_NW_FLOW, sizeof(*rec), now, &flags);
	if (!rec) {
		bpf_map_delete_elem(&flow_sockets, &sk);
		return 0;
	}
	socket_fill(rec, s, FLOW_END, now);
	if (bpf_map_delete_elem(&flow_sockets, &sk))
		withdraw(rec, STREAM_NW_FLOW);
	else
		deliver(rec, flags);
	return 0;
}

/* GONE is a socket that was found to have ended: its entry is removed when the next one is
 * examined. */
static long look_at_socket(void *map, const u64 *key, const struct socket_flow *s, u64 *gone)
{
	if (*gone)
		socket_ended(*gone);
	*gone = s->inode && socket_inode(*key) != s->inode ? *key : 0;
	return 0;
}

/* Makes the rows of the sockets whose end was not seen. */
static __always_inline void end_gone(void)
{
	u64 gone = 0;

	bpf_for_each_map_elem(&flow_sockets, look_at_socket, &gone, 0);
	if (gone)
		socket_ended(gone);
}

#define FULL_NS 10000000 /* ns between two searches of a full table for sockets that have ended */
u64 sockets_full_ns = 0;

/* Makes room in the full table. A global function: the verifier goes through it once. */
__noinline int sockets_full(u64 now)
{
	if (!FROM_6_2 || now - sockets_full_ns < FULL_NS)
		return 0;
	sockets_full_ns = now;
	end_gone();
	return 0;
}

/* The entry of SK, which belongs to the socket with the inode INODE. */
static __always_inline struct socket_flow *socket_at(u64 sk, u64 inode)
{
	struct socket_flow *s = bpf_map_lookup_elem(&flow_sockets, &sk);
	u64 now;
	int err;

	if (s && s->inode == inode)
		return s;
	now = bpf_ktime_get_ns();
	if (s && s->inode)
		socket_ended(sk);
	err = bpf_map_update_elem(&flow_sockets, &sk, (const void *)no_socket, BPF_NOEXIST);
	if (err == -E2BIG) {
		sockets_full(now);
		bpf_map_update_elem(&flow_sockets, &sk, (const void *)no_socket, BPF_NOEXIST);
	}
	s = bpf_map_lookup_elem(&flow_sockets, &sk);
	if (!s) {
		lose(STREAM_NW_FLOW, now);
		return 0;
	}
	if (s->inode)
		return s->inode == inode ? s : 0;
	s->flow.begin_ns = now;
	/* The owner is the process that moves something first. Sockets of the kernel have none. */
	if (!(task_read(current_task(), flags) & PF_KTHREAD))
		flow_owned(&s->flow);
	socket_ends(s, sk);
	s->inode = inode;
	return s;
}

/* What is sent with MSG_MORE waits, and becomes one datagram with what follows. */
static __always_inline bool is_pending(u64 sk)
{
	return kread(sk, sock, __sk_common.skc_family) != AF_UNIX && kread(sk, udp_sock, pending);
}

static __always_inline bool is_counted(u64 sk)
{
	u16 family = kread(sk, sock, __sk_common.skc_family);

	return family == AF_UNIX || ((family == AF_INET || family == AF_INET6) &&
				     kread(sk, sock, sk_protocol) == IPPROTO_UDP);
}

enum way { WAY_SENT, WAY_RECEIVED };

/* N bytes were moved over SK, or (negative) an error was returned. */
__noinline int socket_moved(u64 sk, s64 n, u32 way)
{
	bool datagram;
	struct socket_flow *s;

	if (n < 0 || !is_counted(sk))
		return 0;
	datagram = kread(sk, sock, sk_type) != SOCK_STREAM;
	/* A datagram may be empty. But a reader also gets 0 at the end of a stream, and after
	 * shutdown(). */
	if (!n &&
	    (!datagram || (way == WAY_RECEIVED && kread(sk, sock, sk_shutdown) & RCV_SHUTDOWN)))
		return 0;
	s = socket_at(sk, socket_inode(sk));
	if (!s)
		return 0;
	socket_ends(s, sk);
	if (way == WAY_SENT) {
		__sync_fetch_and_add(&s->bytes_sent, n);
		if (datagram && !is_pending(sk))
			__sync_fetch_and_add(&s->datagrams_sent, 1);
	} else {
		__sync_fetch_and_add(&s->bytes_received, n);
		if (datagram)
			__sync_fetch_and_add(&s->datagrams_received, 1);
	}
	return 0;
}

/* Writes a struct rec_flow for the socket of SK, which lives, to the reader of an iterator. */
static __always_inline void report_socket(struct seq_file *seq, u64 sk, u32 round)
{
	struct socket_flow *s = bpf_map_lookup_elem(&flow_sockets, &sk);
	u32 zero = 0, before;
	struct rec_flow *rec = bpf_map_lookup_elem(&flow_scratch, &zero);
	u64 now = bpf_ktime_get_ns();

	if (!s || !rec || s->flow.reported == round || socket_inode(sk) != s->inode)
		return;
	before = s->flow.reported;
	s->flow.reported = round;
	if (flow_left_out(&s->flow, 0, now))
		return;
	s->flow.stopped = flow_event == FLOW_STOP;
	socket_fill(rec, s, flow_event, now);
	/* If there was no more room, the kernel asks again for this descriptor. */
	if (!flow_show(seq, rec)) {
		s->flow.reported = before;
		s->flow.stopped = 0;
	}
}

#endif
