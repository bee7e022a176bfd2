/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What has moved over a connection, who owns it, and its rows. The kernel itself counts what a TCP
 * connection moves, in its struct tcp_sock: here that is only read. bpf/flow_socket.h counts what
 * other sockets move. */
#ifndef IOTRC_BPF_FLOW_H
#define IOTRC_BPF_FLOW_H

#include "bpf/abi.h"
#include "bpf/context.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/filter.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/socket.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

#define SOCK_DONE 1 /* a bit of sock_common.skc_flags (include/net/sock.h): FIN was received */

struct flow {
	u64 begin_ns; /* 0: it was there before the recording */
	u64 cgroup, comm[2];
	u32 pid, tid; /* of the owner; 0: not known yet */
	u32 reported; /* flow_round when it was last reported while it lived */
	u8 left_out;  /* the owner is, by a filter */
	u8 stopped;   /* it has its FLOW_STOP */
	u8 pad[2];
};

/* Keyed by the address of the struct sock, from the request for a connection, or its completion, to
 * its end. Not LRU: a connection that finds no room counts as lost. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, u64);
	__type(value, struct flow);
} flows SEC(".maps");

/* Set by user space when it goes through the connections: the enum flow_event for those that live,
 * and the number of the round; 0: only note the connections that are there. */
volatile u32 flow_event = FLOW_ROTATION;
volatile u32 flow_round = 0;

static __always_inline bool is_tcp(u64 sk)
{
	u16 family = kread(sk, sock, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) &&
	       kread(sk, sock, sk_protocol) == IPPROTO_TCP;
}

/* The current thread is the owner of F. */
__subprog int flow_owned(struct flow *f)
{
	struct task_state *state = current_state(true);
	u64 who = bpf_get_current_pid_tgid();

	if (!f || !state)
		return 0;
	f->left_out = task_refresh(state, current_task(), false) == WHOM_LEFT_OUT;
	f->cgroup = state->cgroup;
	f->comm[0] = state->comm[0];
	f->comm[1] = state->comm[1];
	f->tid = who;
	f->pid = who >> 32;
	return 0;
}

/* Notes a connection that begins now; OWNED: the current thread asks for it. */
static __always_inline void flow_begun(u64 sk, bool owned, u64 flags)
{
	struct flow f = { .begin_ns = bpf_ktime_get_ns() };

	if (owned)
		flow_owned(&f);
	/* int: as in connect_meet() */
	int err = bpf_map_update_elem(&flows, &sk, &f, flags);

	if (err && flags == BPF_ANY)
		lose(STREAM_NW_FLOW, f.begin_ns);
}

/* Fills all fields but type, event, state and times. */
__subprog int flow_fill(struct rec_flow *rec, u64 sk)
{
	u64 sent, again, received;

	if (!rec)
		return 0;
	/* The kernel counts what is sent again as sent, and a FIN as a byte received. */
	sent = kread(sk, tcp_sock, bytes_sent);
	again = kread(sk, tcp_sock, bytes_retrans);
	received = kread(sk, tcp_sock, bytes_received);
	rec->proto = IPPROTO_TCP;
	rec->error = kread(sk, sock, sk_err);
	rec->bytes_sent = sent > again ? sent - again : 0;
	rec->bytes_received =
		received - (received && (kread(sk, sock, __sk_common.skc_flags) >> SOCK_DONE & 1));
	rec->segments_sent = kread(sk, tcp_sock, segs_out);
	rec->segments_received = kread(sk, tcp_sock, segs_in);
	rec->retransmits = kread(sk, tcp_sock, total_retrans);
	rec->srtt_us = kread(sk, tcp_sock, srtt_us) >> 3; /* include/linux/tcp.h */
	rec->min_rtt_us = kread(sk, tcp_sock, rtt_min.s[0].v);
	rec->socket = 0;
	ends_of_sock(&rec->ends, sk);
	return 0;
}

/* Fills the rest. */
static __always_inline void flow_tell(struct rec_flow *rec, const struct flow *f,
				      enum flow_event event, u8 state, u64 now)
{
	rec->type = REC_FLOW;
	rec->event = event;
	rec->state = state;
	rec->ns = now;
	rec->duration = f->begin_ns ? now - f->begin_ns : DURATION_UNKNOWN;
	rec->pid = f->pid;
	rec->tid = f->tid;
	rec->cgroup = f->cgroup;
	__builtin_memcpy(rec->comm, f->comm, sizeof(rec->comm));
}

/* Whether a filter drops the row of F, which ended with ERROR; the row has been counted then. */
static __always_inline bool flow_left_out(const struct flow *f, u64 error, u64 now)
{
	if (f->pid ? f->left_out : owner_filtered()) {
		count_filtered(STREAM_NW_FLOW);
		return true;
	}
	return leave_out_ended(STREAM_NW_FLOW, error,
			       f->begin_ns ? now - f->begin_ns : DURATION_UNKNOWN);
}

/* ---- iterators, which user space runs ---- */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct rec_flow);
} flow_scratch SEC(".maps");

/* Writes REC to the reader of an iterator, or sums it up if it is the last of its connection.
 * Returns false if there was no room: the kernel asks again for the same element then. */
static __always_inline bool flow_show(struct seq_file *seq, struct rec_flow *rec)
{
	u32 cpu;

	if (cfg.sums && rec->event != FLOW_ROTATION)
		sum_record(rec);
	else if (bpf_seq_write(seq, rec, sizeof(*rec)))
		return false;
	count_seen(cpu_slot(&cpu), STREAM_NW_FLOW);
	return true;
}

/* The connection has ended, in STATE. CTX is the context of the program. Of two programs for the
 * event, the one that removes the entry makes the row. */
static __always_inline void flow_ended(void *ctx, u64 sk, u8 state)
{
	struct flow *f = bpf_map_lookup_elem(&flows, &sk), copy;
	u64 now = bpf_ktime_get_ns(), flags;
	struct rec_flow *rec;
	int err;

	if (!f)
		return;
	if (!f->pid && in_own_call(ctx))
		flow_owned(f);
	copy = *f;
	err = bpf_map_delete_elem(&flows, &sk);
	if (err || copy.stopped || state == TCP_SYN_SENT ||
	    flow_left_out(&copy, kread(sk, sock, sk_err), now))
		return;
	rec = reserve(STREAM_NW_FLOW, sizeof(*rec), now, &flags);
	if (!rec)
		return;
	flow_fill(rec, sk);
	flow_tell(rec, &copy, FLOW_END, state, now);
	deliver(rec, flags);
}

#endif
