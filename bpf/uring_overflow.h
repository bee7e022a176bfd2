/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Completions that find the completion queue of the program full. */
#ifndef IOTRC_BPF_URING_OVERFLOW_H
#define IOTRC_BPF_URING_OVERFLOW_H

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

/* Whether a completion with USER_DATA and RES may be that of REQ, and whether REQ is known to be in
 * flight. */
__noinline u32 may_match(u64 req, u64 user_data, s32 res)
{
	if (kread(req, io_kiocb, cqe.user_data) != user_data ||
	    (s32)kread(req, io_kiocb, cqe.res) != res)
		return ALIKE_NOT;
	return find_flight(req) || bpf_map_lookup_elem(&uring_conns, &req) ? ALIKE_KNOWN :
									     ALIKE_UNKNOWN;
}

#define FLUSH_STEP 32 /* requests per call of the function, for the verifier */

/* Looks at the next FLUSH_STEP requests that have ended, starting at the node in the scratch, and
 * keeps there the one that the completion may belong to. Returns whether to stop. */
__noinline u32 look_at_ended(u64 user_data, s32 res)
{
	struct uring_flight *f = get_uring_scratch();
	u64 i;
	u32 is;

	if (!f)
		return 1;
	for (i = 0; i < FLUSH_STEP && f->file; i++) {
		u64 req = f->file - kaddr(0, io_kiocb, comp_list);

		is = may_match(req, user_data, res);
		if (is != ALIKE_NOT)
			f->req = req;
		if (is == ALIKE_KNOWN)
			return 1;
		f->file = kread(f->file, io_wq_work_node, next);
	}
	return !f->file;
}

/* The request of the ring that the completion belongs to, among the first FLUSH_MAX that have
 * ended; 0 if it is none of these. If several match, their rows say the same about the
 * completion. */
__noinline u64 ended_request(u64 ring, u64 user_data, s32 res)
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

/* Counts a completion as lost whose request is unknown. Filters apply only to threads of the
 * program: kernel threads have names of their own. */
__noinline int lose_unknown(u32 of_kernel)
{
	struct task_state *state = current_state(true);

	uring_overflown = 1;
	if (state && !of_kernel && task_refresh(state, current_task(), false) == WHOM_LEFT_OUT)
		return 0;
	return lose(cfg.uring_stream, bpf_ktime_get_ns());
}

/* A completion that finds the queue full waits there for room, and passes this tracepoint instead
 * of io_uring_complete. It does not name the request: the kernel is either going through the
 * requests that have ended (__io_submit_flush_completions() of io_uring/io_uring.c), or the request
 * completes more than once. A request that a worker ended (until 6.9) is in no list and counts as
 * lost, whatever it was. */
static __always_inline int overflow(u64 ring, u64 user_data, s32 res, u32 cqe_flags)
{
	u64 task = bpf_get_current_task();
	bool of_kernel = kread(task, task_struct, flags) & PF_IO_WORKER; /* or the polling thread */
	bool worker = of_kernel && kread(task, task_struct, worker_private);

	count_fired(HOOK_URING_OVERFLOW);
	if (!worker && complete_request(ended_request(ring, user_data, res),
					user_key(ring, user_data), res, cqe_flags))
		return 0;
	return lose_unknown(of_kernel);
}

#endif
