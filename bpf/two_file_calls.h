/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that copy data from one open file to another, or make them share it. */
#ifndef IOTRC_BPF_TWO_FILE_CALLS_H
#define IOTRC_BPF_TWO_FILE_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/call_long.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/scope.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

/* Puts the names of both files into STATE. One of them has to be in scope: the other may be a pipe
 * or a socket. */
__subprog enum verdict take_two_files(struct task_state *state, u64 in, u64 out)
{
	if (!state)
		return VERDICT_LOST;
	if (!in && !out)
		return VERDICT_TRACE;
	if (!(in && file_in_scope(kread(in, file, f_inode))) &&
	    !(out && file_in_scope(kread(out, file, f_inode))))
		return VERDICT_FILTERED;
	state->file = in;
	if (in) {
		state->path = file_path_id(state->recent, in);
		if (!state->path)
			return VERDICT_LOST;
	}
	if (out) {
		state->base[1] = file_path_id(state->recent, out);
		if (!state->base[1])
			return VERDICT_LOST;
	}
	return VERDICT_TRACE;
}

#define FS_IOC_SETFLAGS 0x40086602 /* include/uapi/linux/fs.h */
#define FS_IOC32_SETFLAGS 0x40046602
#define FS_IOC_FSSETXATTR 0x401c5820

/* The requests that set a file's attributes, as chattr does: file_flags becomes the row's flags. */
static __always_inline enum verdict enter_attributes(struct task_state *state,
						     struct task_struct *task)
{
	u32 request = state->args[1];
	u64 file = task_file(task, (s32)state->args[0]);
	enum verdict verdict;

	if (request != FS_IOC_SETFLAGS && request != FS_IOC32_SETFLAGS &&
	    request != FS_IOC_FSSETXATTR)
		return VERDICT_IGNORE;
	verdict = take_two_files(state, file, 0);
	/* In the state: on 5.10 there is no more room on the stack. */
	state->args[5] = 0;
	if (request != FS_IOC_FSSETXATTR)
		uread(&state->args[5], sizeof(u32), state->args[2]);
	state->args[4] = request == FS_IOC_FSSETXATTR ? KIND_FSSETXATTR : KIND_SETFLAGS;
	return verdict;
}

static __always_inline bool sets_attributes(const struct task_state *state,
					    const volatile struct syscall_desc *d)
{
	u32 request = state->args[1];

	return d->shape == SHAPE_IOCTL &&
	       (request == FS_IOC_SETFLAGS || request == FS_IOC32_SETFLAGS ||
		request == FS_IOC_FSSETXATTR);
}

__subprog int emit_attributes(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	s->rec.fs.op = FS_SETATTR;
	s->rec.fs.flags = with_kind(state->args[5], state->args[4]);
	s->rec.fs.size = (u32)state->args[5] >> KIND_SHIFT;
	s->rec.fs.has |= FS_HAS_FLAGS | FS_HAS_TOP;
	send_bare(s, state->exit_ns);
	return 0;
}

/* The requests that share extents between files (include/uapi/linux/fs.h). The arguments become
 * (out, request, in, offset, size, whether offset and size are known). */
static __always_inline enum verdict enter_ioctl(struct task_state *state, struct task_struct *task)
{
	s64 range[3] = {}; /* struct file_clone_range: src_fd, src_offset, src_length */
	s64 dest_fd = -1;
	u64 at = state->args[2];

	switch ((u32)state->args[1]) {
	case 0x40049409: /* FICLONE */
		state->args[5] = 0;
		break;
	case 0x4020940d: /* FICLONERANGE */
		state->args[5] = !uread(range, sizeof(range), at);
		state->args[2] = state->args[5] ? range[0] : -1;
		state->args[3] = range[1];
		state->args[4] = range[2];
		break;
	/* FIDEDUPERANGE: the descriptor is the source; only the first destination is recorded */
	case 0xc0189436:
		state->args[5] = !uread(range, 16, at);
		if (uread(&dest_fd, sizeof(dest_fd), at + 24))
			dest_fd = -1;
		state->args[2] = (u32)state->args[0];
		state->args[0] = dest_fd;
		state->args[3] = range[0];
		state->args[4] = range[1];
		break;
	default:
		return enter_attributes(state, task);
	}
	return take_two_files(state, task_file(task, (s32)state->args[2]),
			      task_file(task, (s32)state->args[0]));
}

__subprog int emit_two_files(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	s->rec.has |= LONG_TWO_FILES;
	s->rec.base2 = state->base[1];
	fill_extent(&s->rec.fs, state, d);
	if (d->shape == SHAPE_IOCTL) {
		s->rec.fs.offset = state->args[3];
		s->rec.fs.size = state->args[4];
		if (state->args[5])
			s->rec.fs.has |= FS_HAS_OFFSET | FS_HAS_SIZE;
	} else if (state->file && !has_position(state->file)) {
		if (state->ret > 0) /* only the driver knows whether it used the offset */
			s->rec.fs.has &= ~FS_HAS_OFFSET;
	} else if (state->file && !arg(state, d->offset)) {
		s->rec.fs.offset =
			kread(state->file, file, f_pos) - (state->ret > 0 ? state->ret : 0);
		s->rec.fs.has |= FS_HAS_OFFSET;
	}
	send_bare(s, state->exit_ns);
	return 0;
}

#endif
