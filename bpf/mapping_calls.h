/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mmap() and the calls on a range of addresses. */
#ifndef IOTRC_BPF_MAPPING_CALLS_H
#define IOTRC_BPF_MAPPING_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/call_long.h"
#include "bpf/fd_calls.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_args.h"
#include "bpf/task_state.h"
#include "bpf/vma.h"
#include "schema/records.h"

#define MAP_ANONYMOUS 0x20

static __always_inline enum verdict enter_mmap(struct task_state *state, struct task_struct *task,
					       const volatile struct syscall_desc *d)
{
	if (d->props & PROP_ARGS_AT && !args_at(state, state->args[0]))
		return VERDICT_TRACE;
	if (state->args[3] & MAP_ANONYMOUS)
		return VERDICT_IGNORE;
	return enter_fd(state, task, d);
}

/* Shared anonymous memory is a file inside the kernel, named "dev/zero". */
static __always_inline bool is_shared_memory(u64 file)
{
	u64 dentry = kread(file, file, f_path.dentry);

	return is_nameless(kread(file, file, f_inode), kread(file, file, f_path.mnt)) &&
	       kread(dentry, dentry, d_name.hash_len) >> 32 == 8 &&
	       kread_u64(kread(dentry, dentry, d_name.name)) == 0x6f72657a2f766564ULL;
}

static __always_inline enum verdict enter_range(struct task_state *state)
{
	u64 file = mapped_file(state->args[0]);

	if (!file || is_shared_memory(file))
		return VERDICT_IGNORE;
	return take_file(state, file, 0);
}

__subprog int emit_mapping(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	fill_extent(&s->rec.fs, state, d);
	s->rec.has |= LONG_HAS_ADDRESS;
	if (d->shape == SHAPE_MMAP) {
		s->rec.address = state->ret >= 0 || state->ret < -4095 ? state->ret : 0;
		if (state->ret < 0 && state->ret >= -4095)
			s->rec.has &= ~LONG_HAS_ADDRESS;
		s->rec.aux = state->args[2];
		s->rec.aux2 = state->args[3];
		if (state->no_args)
			s->rec.fs.has &= ~(FS_HAS_SIZE | FS_HAS_OFFSET);
		else
			s->rec.has |= LONG_HAS_PROT;
	} else {
		s->rec.address = state->args[0];
	}
	send_bare(s, state->exit_ns);
	return 0;
}

#endif
