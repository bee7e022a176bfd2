// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Operations that come through io_uring, from the submission of a request to its completion,
 * wherever that runs (inline, io-wq, SQPOLL). The arguments are read from the submission queue
 * entry, which is the same on every kernel, and are then treated like those of a system call; see
 * src/engine/bpf/uring.def. */
#include "bpf/abi.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/uring_abi.h"
#include "bpf/uring_complete.h"
#include "bpf/uring_conn.h"
#include "bpf/uring_flight.h"
#include "bpf/uring_lost.h"
#include "bpf/uring_ring.h"
#include "bpf/uring_submit.h"

/* Until 5.17 a request that is refused on submission passes only the tracepoint of its completion,
 * before it would have been reported as submitted. So a failure that belongs to no request in
 * flight is taken for one of the entry submitted last. */
static __always_inline int maybe_refused(u64 ctx, u64 key, u64 user_data)
{
	if (!find_flight(key) && !bpf_map_lookup_elem(&uring_conns, &key) &&
	    !bpf_map_lookup_elem(&uring_rowless, &key) &&
	    kread_u64(sqe_of(ctx) + offsetof(struct sqe, user_data)) == user_data)
		on_submit(ctx, 0);
	return 0;
}

static __always_inline int on_nameless_answer(u64 ctx, u64 user_data, s32 res, u32 cqe_flags)
{
	u64 key = user_key(ctx, user_data);

	count_fired(HOOK_URING_COMPLETE);
	if (res < 0)
		maybe_refused(ctx, key, user_data);
	return on_complete(key, res, cqe_flags);
}

/* ---- the tracepoints, whose arguments change every few versions ---- */

SEC("tp_btf/io_uring_submit_req") /* since 6.4 */
int BPF_PROG(on_uring_submit_req)
{
	u64 req = argument(ctx, 0);

	return on_submit(kread(req, io_kiocb, ctx), req);
}

SEC("tp_btf/io_uring_submit_sqe") /* 6.0 to 6.3 */
int BPF_PROG(on_uring_submit_sqe)
{
	u64 req = argument(ctx, 0);

	return on_submit(kread(req, io_kiocb, ctx), req);
}

/* A request that is wrong from the start (a bad address, a name too long) is refused before it
 * counts as submitted, and completes like any other. */
SEC("tp_btf/io_uring_req_failed") /* since 6.0 */
int BPF_PROG(on_uring_refused)
{
	u64 req = argument(ctx, 1);

	return on_submit(kread(req, io_kiocb, ctx), req);
}

SEC("tp_btf/io_uring_req_failed") /* 5.18 and 5.19; before: maybe_refused() */
int BPF_PROG(on_uring_refused_old)
{
	return on_submit(argument(ctx, 1), argument(ctx, 2));
}

SEC("tp_btf/io_uring_submit_sqe") /* 5.14 to 5.19, and 5.10 since 5.10.162 */
int BPF_PROG(on_uring_submit_old)
{
	return on_submit(argument(ctx, 0), argument(ctx, 1));
}

SEC("tp_btf/io_uring_submit_sqe") /* until 5.13 */
int BPF_PROG(on_uring_submit_opcode)
{
	u64 ring = argument(ctx, 0);

	return on_submit(ring, taken_request(ring, argument(ctx, 1)));
}

SEC("tp_btf/io_uring_complete") /* since 6.15 */
int BPF_PROG(on_uring_complete, struct io_ring_ctx *ring, u64 req, struct io_uring_cqe *cqe)
{
	return on_answer(req, user_key(argument(ctx, 0), cqe->user_data), cqe->res, cqe->flags);
}

SEC("tp_btf/io_uring_complete") /* 5.18 to 6.14 */
int BPF_PROG(on_uring_complete_args, u64 ring, u64 req, u64 user_data, int res, u32 flags)
{
	return on_answer(req, user_key(argument(ctx, 0), user_data), res, flags);
}

SEC("tp_btf/io_uring_complete") /* 5.13 to 5.17, and 5.10 since 5.10.162 */
int BPF_PROG(on_uring_complete_nameless, u64 ring, u64 user_data, int res, u32 flags)
{
	return on_nameless_answer(argument(ctx, 0), user_data, res, flags);
}

SEC("tp_btf/io_uring_complete") /* until 5.12 */
int BPF_PROG(on_uring_complete_result, u64 ring, u64 user_data, int res)
{
	return on_nameless_answer(argument(ctx, 0), user_data, res, 0);
}

/* For kernels where programs on raw tracepoints can be preempted: the classic tracepoints, laid out
 * as in 7.2. */
struct uring_event {
	u64 common, ring, req, user_data;
	s32 res; /* only in a completion */
	u32 flags;
};

SEC("tp/io_uring/io_uring_submit_req")
int on_uring_submit_classic(struct uring_event *e)
{
	return on_submit(e->ring, e->req);
}

SEC("tp/io_uring/io_uring_req_failed")
int on_uring_refused_classic(struct uring_event *e)
{
	return on_submit(e->ring, e->req);
}

SEC("tp/io_uring/io_uring_complete")
int on_uring_complete_classic(struct uring_event *e)
{
	return on_answer(e->req, user_key(e->ring, e->user_data), e->res, e->flags);
}
