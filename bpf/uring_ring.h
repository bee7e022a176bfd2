/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring of io_uring in kernel memory. Its layout changes every few versions. */
#ifndef IOTRC_BPF_URING_RING_H
#define IOTRC_BPF_URING_RING_H

#include "bpf/cfg.h"
#include "bpf/current.h"
#include "bpf/hash.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/uring_abi.h"

/* Address of the entry that was submitted last. */
static __always_inline u64 sqe_of(u64 ctx)
{
	u32 entries = kread(ctx, io_ring_ctx, sq_entries), flags = kread(ctx, io_ring_ctx, flags);
	u32 at = ((u32)kread(ctx, io_ring_ctx, cached_sq_head) - 1) & (entries - 1);
	u64 array = kread(ctx, io_ring_ctx, sq_array);

	if (!(flags & SETUP_NO_SQARRAY) && array)
		at = (u32)kread_u64(array + at * 4) & (entries - 1);
	if (flags & SETUP_SQE128)
		at *= 2;
	return kread(ctx, io_ring_ctx, sq_sqes) + (u64)at * 64;
}

/* The key of a completion that does not name its request: until 5.17, and for requests that
 * complete more than once. It is made of the ring and the user_data. */
static __always_inline u64 user_key(u64 ctx, u64 user_data)
{
	return mix(ctx, user_data);
}

/* The thread that the current one submits for. Until 5.11 the thread of IORING_SETUP_SQPOLL was a
 * kernel thread that used the files of the submitter. */
static __always_inline struct task_struct *submitting_task(u64 ctx)
{
	struct task_struct *task = current_task();

	if (bpf_core_field_exists(((struct io_ring_ctx___until_5_11 *)0)->sqo_task) &&
	    kread(task_address(task), task_struct, flags) & PF_KTHREAD)
		return (void *)kread(ctx, io_ring_ctx___until_5_11, sqo_task);
	return task;
}

/* The request being submitted, where the tracepoint does not give it (until 5.13): the one taken
 * last from the free list (io_alloc_req() of fs/io_uring.c). Until 5.11 that list is out of reach:
 * 0. */
static __always_inline u64 taken_request(u64 ctx, u8 opcode)
{
	u64 req;

	if (!bpf_core_field_exists(((struct io_ring_ctx___until_5_15 *)0)->submit_state.reqs))
		return 0;
	req = kread_u64(kaddr(ctx, io_ring_ctx___until_5_15, submit_state.reqs) +
			8 * kread(ctx, io_ring_ctx___until_5_15, submit_state.free_reqs));
	return kread(req, io_kiocb, ctx) == ctx && kread(req, io_kiocb, opcode) == opcode ? req : 0;
}

/* Whether a 32-bit program made the ring: its iovecs are of 32 bits. */
static __always_inline bool is_narrow(u64 ctx)
{
	if (bpf_core_field_exists(((struct io_ring_ctx *)0)->int_flags))
		return kread(ctx, io_ring_ctx, int_flags) & cfg.uring_narrow;
	return BPF_CORE_READ_BITFIELD_PROBED((struct io_ring_ctx___with_bits *)ctx, compat);
}

#define SLOTS_LOG2 \
	9 /* per part of the table, until 5.11: IORING_FILE_TABLE_SHIFT of fs/io_uring.c */

#define FILE_PTR_MASK (~7ULL) /* the other bits are flags (io_uring/filetable.h) */

/* The file in SLOT of the ring's own table; 0 if there is none. A global function: the verifier
 * goes through it once. */
__noinline u64 slot_file(u64 ctx, u32 slot)
{
	if (bpf_core_field_exists(((struct io_file_table *)0)->data)) {
		u64 node;

		if (slot >= kread(ctx, io_ring_ctx, file_table.data.nr))
			return 0;
		node = kread_u64(kread(ctx, io_ring_ctx, file_table.data.nodes) +
				 slot * sizeof(u64));
		return node ? kread(node, io_rsrc_node, file_ptr) & FILE_PTR_MASK : 0;
	}
	if (bpf_core_field_exists(((struct io_file_table___until_6_12 *)0)->files)) {
		if (slot >= kread(ctx, io_ring_ctx___until_6_12, nr_user_files))
			return 0;
		return kread(kread(ctx, io_ring_ctx___until_6_12, file_table.files) +
				     slot * bpf_core_type_size(struct io_fixed_file),
			     io_fixed_file, file_ptr) &
		       FILE_PTR_MASK;
	}
	if (bpf_core_type_exists(struct fixed_file_data)) {
		u64 part = kread(kread(ctx, io_ring_ctx___until_5_11, file_data), fixed_file_data,
				 table) +
			   (slot >> SLOTS_LOG2) * bpf_core_type_size(struct fixed_file_table);

		if (slot >= kread(ctx, io_ring_ctx___until_5_11, nr_user_files))
			return 0;
		return kread_u64(kread(part, fixed_file_table, files) +
				 (slot & ((1 << SLOTS_LOG2) - 1)) * 8);
	}
	return 0; /* 5.12 to 5.14: the request has the file, and no request closes one */
}

/* requests looked at per flush; further ones are left to miss_quiet(), or lost */
#define FLUSH_MAX 1024

#endif
