// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One program for several tracepoints that fire less often than system calls. What they have in
 * common, most of it the names of files and threads, is verified once, not once for each: half of
 * the time that a recorder takes to start is the verifier's. A raw tracepoint says which one it is
 * since 6.10, by the number that was given when it was attached. None of these fires in an
 * interrupt, so none is missed because the program runs for another; where programs can be
 * preempted (since 7.1), each has its own. */
#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/process_exit.h"
#include "bpf/uring_complete.h"
#include "bpf/uring_overflow.h"
#include "bpf/uring_ring.h"
#include "bpf/uring_submit.h"

static __always_inline int submitted(u64 req)
{
	return on_submit(kread(req, io_kiocb, ctx), req);
}

static __always_inline int completed(const volatile u64 *args)
{
	u64 ring = args[0], req = args[1], cqe = args[2];

	if (cfg.uring_cqe)
		return on_answer(req, user_key(ring, kread(cqe, io_uring_cqe, user_data)),
				 kread(cqe, io_uring_cqe, res), kread(cqe, io_uring_cqe, flags));
	return on_answer(req, user_key(ring, cqe), args[3], args[4]);
}

SEC("raw_tp")
int on_shared(u64 *ctx)
{
	/* Not by way of the context: a program that reads an argument there cannot be attached to a
	 * tracepoint that has fewer. */
	const volatile u64 *args;
	u64 hook;

	if (!FROM_6_2) /* never loaded */
		return 0;
	hook = bpf_get_attach_cookie(ctx);
	args = kwords((u64)ctx);
	if (hook == HOOK_PROCESS_EXIT)
		return process_exit(current_task(), cfg.exit_says_last && args[1]);
	if (!cfg.fs && !cfg.nw_conn)
		return 0;
	switch (hook) {
	case HOOK_URING_SUBMIT:
		return submitted(args[0]);
	case HOOK_URING_REFUSED:
		return submitted(args[1]);
	case HOOK_URING_COMPLETE:
		return completed(args);
	case HOOK_URING_OVERFLOW:
		return overflow(args[0], args[1], args[2], args[3]);
	case HOOK_SIGNAL:
		count_fired(HOOK_SIGNAL);
		return take_signal();
	}
	return 0;
}
