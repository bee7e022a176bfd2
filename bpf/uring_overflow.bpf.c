// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "bpf/uring_overflow.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

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
