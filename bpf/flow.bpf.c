// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TCP connections from their beginning to their end, and those that live. */
#include "bpf/flow.h"
#include "bpf/abi.h"
#include "bpf/context.h"
#include "bpf/counters.h"
#include "bpf/file.h"
#include "bpf/filter.h"
#include "bpf/flow_socket.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "bpf/socket.h"
#include "schema/records.h"

/* The owner is the process that connects; of an accepted connection, the one that first reads from
 * it, or ends it. Only close() and shutdown() lead to TCP_FIN_WAIT1 and TCP_LAST_ACK. */
static __always_inline int flow_state(void *ctx, bool again)
{
	u64 sk = argument(ctx, 0);
	u8 old = argument(ctx, 1), new = argument(ctx, 2);
	struct flow *f;

	if (!is_tcp(sk))
		return 0;
	if (new == TCP_CLOSE) {
		flow_ended(ctx, sk, old);
	} else if (new == TCP_SYN_SENT) {
		flow_begun(sk, in_own_call(ctx), again ? BPF_NOEXIST : BPF_ANY);
	} else if (old == TCP_SYN_RECV && new == TCP_ESTABLISHED) {
		flow_begun(sk, false, BPF_NOEXIST);
	} else if (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK) {
		f = bpf_map_lookup_elem(&flows, &sk);
		if (f && !f->pid)
			flow_owned(f);
	}
	return 0;
}

/* Two programs for one event, as in connect.bpf.c. */
SEC("tp_btf/inet_sock_set_state")
int on_flow_state(u64 *ctx)
{
	count_fired(HOOK_FLOW_STATE);
	return flow_state(ctx, false);
}

SEC("tp_btf/inet_sock_set_state")
int on_flow_state_again(u64 *ctx)
{
	count_fired(HOOK_FLOW_STATE_AGAIN);
	return flow_state(ctx, true);
}

/* After data was copied to a reader. */
SEC("tp_btf/tcp_rcv_space_adjust")
int on_flow_read(u64 *ctx)
{
	u64 sk = argument(ctx, 0);
	struct flow *f = bpf_map_lookup_elem(&flows, &sk);

	count_fired(HOOK_FLOW_READ);
	if (f && !f->pid && in_own_call(ctx))
		flow_owned(f);
	return 0;
}

/* ---- an iterator that user space runs; it is attached to no hook ---- */

/* Makes the process of TASK the owner. */
static __always_inline void flow_owned_by(struct flow *f, u64 task)
{
	u64 comm = kaddr(task, task_struct, comm);
	u64 cgroup = kread(kread(task, task_struct, cgroups), css_set, dfl_cgrp);

	f->comm[0] = kread_u64(comm);
	f->comm[1] = kread_u64(comm + 8);
	f->cgroup = kread(kread(cgroup, cgroup, kn), kernfs_node, id);
	f->left_out = leaves_out(task);
	f->pid = f->tid = kread(task, task_struct, tgid);
}

/* Notes a connection that was there before the recording. */
static __always_inline void flow_found(u64 sk, u64 task)
{
	struct flow f = {};
	int err;

	flow_owned_by(&f, task);
	err = bpf_map_update_elem(&flows, &sk, &f, BPF_NOEXIST);
	if (err && err != -EEXIST)
		lose(STREAM_NW_FLOW, bpf_ktime_get_ns());
	/* It may have ended before it was noted. */
	if (kread(sk, sock, __sk_common.skc_state) == TCP_CLOSE)
		bpf_map_delete_elem(&flows, &sk);
}

/* Whether the record of a connection that lives was written, or summed up. */
static __always_inline bool report_flow(struct seq_file *seq, u64 sk, const struct flow *f,
					u8 state)
{
	u64 now = bpf_ktime_get_ns();
	u32 zero = 0;
	struct rec_flow *rec = bpf_map_lookup_elem(&flow_scratch, &zero);

	if (!rec || flow_left_out(f, kread(sk, sock, sk_err), now))
		return true;
	flow_fill(rec, sk);
	flow_tell(rec, f, flow_event, state, now);
	return flow_show(seq, rec);
}

/* Called for each descriptor of each process: writes a struct rec_flow for each connection and
 * socket that lives, or notes the connections that are new. Several descriptors may lead to one. */
SEC("iter/task_file")
int look_at_flows(struct bpf_iter__task_file *ctx)
{
	u64 file = as_number(ctx->file), task = as_number(ctx->task), sk;
	u32 round = flow_round, before;
	struct flow *f;
	u8 state;

	if (!file || !task || !is_socket(file))
		return 0;
	sk = sock_of(file);
	if (sk && round && is_counted(sk))
		report_socket(ctx->meta->seq, sk, round);
	state = sk && is_tcp(sk) ? kread(sk, sock, __sk_common.skc_state) : TCP_CLOSE;
	if (state == TCP_CLOSE || state == TCP_LISTEN || state == TCP_SYN_SENT)
		return 0;
	f = bpf_map_lookup_elem(&flows, &sk);
	if (!round) {
		if (!f)
			flow_found(sk, task);
		return 0;
	}
	if (!f || f->reported == round)
		return 0;
	if (!f->pid)
		flow_owned_by(f, task);
	/* Set before the record is made, so that a connection that ends meanwhile gets no second
	 * row after FLOW_STOP. */
	before = f->reported;
	f->reported = round;
	f->stopped = flow_event == FLOW_STOP;
	/* If there was no more room, the kernel asks again for this descriptor. */
	if (!report_flow(ctx->meta->seq, sk, f, state)) {
		f->reported = before;
		f->stopped = 0;
	}
	return 0;
}
