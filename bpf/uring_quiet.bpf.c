// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Requests with IOSQE_CQE_SKIP_SUCCESS. Their success passes no tracepoint, so the kernel functions
 * that end a request are hooked. */
#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/uring_abi.h"
#include "bpf/uring_complete.h"
#include "bpf/uring_lost.h"
#include "bpf/uring_ring.h"

/* A request has ended. Its flags still tell whether it had IOSQE_CQE_SKIP_SUCCESS (REQ_F_CQE_SKIP
 * is the same bit); a failure clears that bit and passes io_uring_complete (req_set_fail() of
 * io_uring/io_uring.h). A request that will be reissued (since 6.15) has not ended. */
static __always_inline void end_quiet(u64 req, s32 res)
{
	u64 flags = kread(req, io_kiocb, flags), key = req;

	if (bpf_core_field_exists(((struct io_kiocb___until_5_18 *)0)->user_data) &&
	    cfg.uring_nameless)
		key = user_key(kread(req, io_kiocb, ctx),
			       kread(req, io_kiocb___until_5_18, user_data));
	if (flags & SQE_CQE_SKIP_SUCCESS && !(flags & cfg.uring_reissue))
		on_complete(key, res, 0);
}

static __always_inline s32 result_of(u64 req)
{
	if (bpf_core_field_exists(((struct io_kiocb___until_5_18 *)0)->result))
		return kread(req, io_kiocb___until_5_18, result);
	return kread(req, io_kiocb, cqe.res);
}

/* Posts the completions of all requests that have ended by now, or skips them. */
SEC("fentry/__io_submit_flush_completions") /* since 5.16 */
int BPF_PROG(on_uring_flush, struct io_ring_ctx *ring)
{
	u64 node, comp_list = kaddr(0, io_kiocb, comp_list);

	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_FLUSH);
	node = kread((u64)argument(ctx, 0), io_ring_ctx, submit_state.compl_reqs.first);
	for (u64 i = 0; node && i < FLUSH_MAX; i++) {
		end_quiet(node - comp_list, result_of(node - comp_list));
		node = kread(node, io_wq_work_node, next);
	}
	return 0;
}

/* Ends a single request, as workers (io-wq) do. */
SEC("fentry/io_req_complete_post") /* 6.0 and 6.1; later not all workers call it */
int BPF_PROG(on_uring_post, struct io_kiocb *req)
{
	u64 done = argument(ctx, 0);

	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_WORK);
	end_quiet(done, result_of(done));
	return 0;
}

SEC("fentry/io_req_complete_post") /* until 5.19 */
int BPF_PROG(on_uring_post_result, struct io_kiocb *req, s32 res)
{
	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_WORK);
	end_quiet(argument(ctx, 0), argument(ctx, 1));
	return 0;
}

/* A worker is done with a request, and has ended it if it holds the last reference. Otherwise the
 * flush follows, when it is the turn of the submitter. */
SEC("fentry/io_wq_free_work") /* since 5.11 */
int BPF_PROG(on_uring_work, struct io_wq_work *work)
{
	u64 req = (u64)argument(ctx, 0) - kaddr(0, io_kiocb, work);

	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_WORK);
	if (kread(req, io_kiocb, refs.counter) == 1)
		end_quiet(req, result_of(req));
	return 0;
}
