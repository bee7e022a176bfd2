// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Completions that find the program's queue full. */
#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "bpf/uring_complete.h"
#include "bpf/uring_conn.h"
#include "bpf/uring_flight.h"
#include "bpf/uring_lost.h"
#include "bpf/uring_ring.h"

enum alike { ALIKE_NOT, ALIKE_UNKNOWN, ALIKE_KNOWN };

/* Whether the request of a completion with USER_DATA and RES can be REQ, and is one in flight. */
__noinline u32 alike(u64 req, u64 user_data, s32 res)
{
	if (kread(req, io_kiocb, cqe.user_data) != user_data ||
	    (s32)kread(req, io_kiocb, cqe.res) != res)
		return ALIKE_NOT;
	return bpf_map_lookup_elem(&uring_flights, &req) ||
			       bpf_map_lookup_elem(&uring_conns, &req) ?
		       ALIKE_KNOWN :
		       ALIKE_UNKNOWN;
}

#define FLUSH_STEP 32 /* requests that one function's loop goes through, for the verifier's sake */

/* Of the next of a ring's requests that have ended, from the node in the scratch on: keeps there
 * the one that the completion can be of. Returns whether there is no more to look for. */
__noinline u32 look_at_ended(u64 user_data, s32 res)
{
	struct uring_flight *f = get_uring_scratch();
	u64 i;
	u32 is;

	if (!f)
		return 1;
	for (i = 0; i < FLUSH_STEP && f->file; i++) {
		u64 req = f->file - kaddr(0, io_kiocb, comp_list);

		is = alike(req, user_data, res);
		if (is != ALIKE_NOT)
			f->req = req;
		if (is == ALIKE_KNOWN)
			return 1;
		f->file = kread(f->file, io_wq_work_node, next);
	}
	return !f->file;
}

/* Whose completion is being told of, among the requests of a ring that have ended by now; 0: of
 * none of the first FLUSH_MAX. What several have in common is all that a row says of their
 * completion. */
static __always_inline u64 ended_request(u64 ring, u64 user_data, s32 res)
{
	struct uring_flight *f = get_uring_scratch();
	u64 i;

	if (!f)
		return 0;
	f->file = kread(ring, io_ring_ctx, submit_state.compl_reqs.first);
	f->req = 0;
	for (i = 0; i < FLUSH_MAX / FLUSH_STEP; i++)
		if (look_at_ended(user_data, res))
			break;
	return f->req;
}

/* A completion that finds the program's queue full waits for room there, and passes this tracepoint
 * instead of io_uring_complete, which doesn't say whose it is. The kernel is going through the
 * requests that have ended (__io_submit_flush_completions() of io_uring/io_uring.c), or it is one
 * of those with many. What a worker ends by itself (to 6.9) is in no list: it is lost, whatever it
 * was about. Filters are asked about the program's own thread; those of the kernel have other
 * names. */
static __always_inline int overflow(u64 ring, u64 user_data, s32 res, u32 cqe_flags)
{
	struct task_state *state = current_state(true);
	struct task_struct *task = current_task();
	bool of_kernel =
		kread((u64)task, task_struct, flags) & PF_IO_WORKER; /* or the one that polls */
	bool worker = of_kernel && kread((u64)task, task_struct, worker_private);

	count_fired(HOOK_URING_OVERFLOW);
	if (!worker &&
	    answer(ended_request(ring, user_data, res), user_key(ring, user_data), res, cqe_flags))
		return 0;
	uring_overflown = 1;
	if (state && !of_kernel && task_refresh(state, task, false) == WHOM_LEFT_OUT)
		return 0;
	return lose(cfg.uring_stream, bpf_ktime_get_ns());
}

SEC("tp_btf/io_uring_cqe_overflow") /* since 5.19 */
int BPF_PROG(on_uring_overflow, u64 ring, u64 user_data, s32 res, u32 flags)
{
	return overflow(argument(ctx, 0), user_data, res, flags);
}

struct uring_overflow_event {
	u64 common, ring, user_data;
	s32 res;
	u32 flags;
};

SEC("tp/io_uring/io_uring_cqe_overflow")
int on_uring_overflow_classic(struct uring_overflow_event *e)
{
	return overflow(e->ring, e->user_data, e->res, e->flags);
}
