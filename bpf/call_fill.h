/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Filling a record from the arguments and the result of its call. */
#ifndef IOTRC_BPF_CALL_FILL_H
#define IOTRC_BPF_CALL_FILL_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

/* These are the same on x86 and arm64 (include/uapi/asm-generic/fcntl.h). */
#define O_WRONLY 01
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define AT_REMOVEDIR 0x200
#define AT_EXECVE_CHECK 0x10000
#define X_OK 1
#define RWF_APPEND 0x10
#define RWF_NOAPPEND 0x20

#define MAX_IOVECS 1024 /* UIO_MAXIOV */
#define IOVEC_STEP 32   /* iovecs per call of sum_some_iovecs() */

/* FLAGS with KIND in place of their top byte, which FS_HAS_TOP keeps: no value of an argument makes
 * one call look like another. */
static __always_inline u32 with_kind(u32 flags, u32 kind)
{
	return kind << KIND_SHIFT | (flags & ((1u << KIND_SHIFT) - 1));
}

/* Whether execveat() was only asked if the file may be executed (since 6.14): it then executes
 * nothing, and is a question about the file as access() is. */
static __always_inline bool only_checks(const struct task_state *state,
					const volatile struct syscall_desc *d)
{
	return d->props & PROP_EXECVE_CHECK && arg(state, d->flags) & AT_EXECVE_CHECK;
}

/* Fills what the arguments say. The fields are computed first, and each is written once. */
static __always_inline void fill(struct rec_fs *rec, const struct task_state *state,
				 const volatile struct syscall_desc *d)
{
	u32 props = d->props, flags = 0, top = 0;
	u16 has = (props & PROP_BYTES ? FS_HAS_BYTES : 0);
	u8 op = d->op, kind = d->kind;

	if (props & PROP_FILE_FLAGS) {
		if (state->file) {
			flags = state->file_flags;
			has |= FS_HAS_FILE_FLAGS;
		}
	} else if (d->flags) {
		flags = arg(state, d->flags);
		has |= FS_HAS_FLAGS;
		if (props & PROP_REMOVEDIR && flags & AT_REMOVEDIR)
			op = FS_RMDIR;
	} else if (props & PROP_CREAT) {
		flags = O_WRONLY | O_CREAT | O_TRUNC;
		has |= FS_HAS_FLAGS;
	} else if (props & PROP_OPEN_HOW) {
		flags = state->args[6];
		if (state->has_how)
			has |= FS_HAS_FLAGS;
	}
	if (kind) {
		top = flags >> KIND_SHIFT;
		flags = with_kind(flags, kind);
		has |= FS_HAS_FLAGS | (top ? FS_HAS_TOP : 0);
	}
	rec->type = REC_FS;
	rec->op = op;
	rec->has = has;
	rec->flags = flags;
	rec->ns = state->exit_ns;
	rec->duration = state->exit_ns - state->enter_ns;
	rec->task = state->id;
	rec->path = state->path;
	rec->ret = state->ret;
	rec->size = top;
	rec->offset = 0;
}

#define IOVECS_UNREADABLE (1ULL << 63) /* more than the kernel takes as a sum of lengths */

/* A + B, or all ones if that is too large for 64 bits. */
static __always_inline u64 add_lengths(u64 a, u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

/* Sum of the lengths of the first N iovecs, at most IOVEC_STEP, or IOVECS_UNREADABLE. */
__noinline u64 sum_some_iovecs(u64 at, u32 n, u32 compat)
{
	u64 sum = 0, pair[2] = {}, i, narrow = compat & 1, width = 16 - narrow * 8;

	/* Without branches on COMPAT, each of which the verifier would follow in each round. */
	for (i = 0; i < IOVEC_STEP && i < n; i++) {
		if (uread(pair, width, at + i * width))
			return IOVECS_UNREADABLE;
		sum = add_lengths(sum, (pair[0] >> 32) * narrow + pair[1]);
	}
	return sum;
}

/* Number of bytes that readv() and its kin requested, or IOVECS_UNREADABLE. Global functions: the
 * verifier goes through each loop once, rather than through MAX_IOVECS rounds. */
__noinline u64 sum_iovecs(u64 at, u32 n, u32 compat)
{
	u64 sum = 0, some, i, width = 16 - (compat & 1) * 8;

	if (n > MAX_IOVECS)
		return IOVECS_UNREADABLE;
	for (i = 0; i < MAX_IOVECS && i < n; i += IOVEC_STEP) {
		some = sum_some_iovecs(at + i * width, n - i, compat);
		if (some == IOVECS_UNREADABLE)
			return some;
		sum = add_lengths(sum, some);
	}
	return sum;
}

/* Reads what the call gives in memory besides paths and structures: iovecs, or an offset. On entry,
 * when no other thread can have changed it yet: the kernel reads it a moment later. */
static __always_inline void read_given(struct task_state *state,
				       const volatile struct syscall_desc *d)
{
	u32 props = d->props;

	state->given = 0;
	if (props & PROP_IOVEC) {
		state->given =
			sum_iovecs(arg(state, d->size), arg(state, d->size + 1), state->compat);
		state->has_given = state->given != IOVECS_UNREADABLE;
	} else if (props & PROP_OFFSET_AT && arg(state, d->offset)) {
		state->has_given = !uread(&state->given, props & PROP_OFFSET_32 ? 4 : 8,
					  arg(state, d->offset));
	}
}

/* The same as a function of its own. Chains of calls that already have eight frames inline
 * read_given() instead. */
__subprog int fetch_given(struct task_state *state, const volatile struct syscall_desc *d)
{
	if (state && d)
		read_given(state, d);
	return 0;
}

/* Pipes, sockets and most devices have no position; a directory's position means something only to
 * its filesystem. */
static __always_inline bool has_position(u64 file)
{
	u32 format = inode_format(kread(file, file, f_inode));

	return format == S_IFREG || format == S_IFBLK;
}

/* The same for a file that was read or written: in the default scope anything but a regular file is
 * a directory, and that fails. */
static __always_inline bool had_position(u64 file, s64 ret)
{
	return (!cfg.scope_all && ret >= 0) || has_position(file);
}

static __always_inline bool appends(const struct task_state *state,
				    const volatile struct syscall_desc *d)
{
	u32 rwf = d->props & PROP_RWF ? arg(state, d->aux) : 0;

	return d->op == FS_WRITE && state->file &&
	       (rwf & RWF_APPEND || (state->file_flags & O_APPEND && !(rwf & RWF_NOAPPEND)));
}

/* The size that is an argument by itself, if there is one. */
static __always_inline u64 size_argument(const struct task_state *state,
					 const volatile struct syscall_desc *d)
{
	u64 size = arg_long_long(state, d->size, d->props & PROP_HILO_SIZE);

	if (d->size_type == SIZE_INT)
		return (s64)(s32)size;
	return d->size_type == SIZE_UNSIGNED ? (u32)size : size;
}

static __always_inline void fill_size(struct rec_fs *rec, const struct task_state *state,
				      const volatile struct syscall_desc *d)
{
	if (!d->size)
		return;
	rec->size = size_argument(state, d);
	rec->has |= FS_HAS_SIZE;
}

/* The size that was asked for; returns false if there is none, or it is unknown. */
static __always_inline bool requested_size(struct task_state *state,
					   const volatile struct syscall_desc *d, u64 *ret)
{
	if (!(d->props & PROP_IOVEC)) {
		*ret = size_argument(state, d);
		return d->size;
	}
	if (!state->has_given)
		read_given(state, d);
	*ret = state->given;
	return state->has_given;
}

/* Fills the size and the offset. Read on exit, when the position is certain: on entry a call may
 * still have to wait for a position that others share, and an append for the end of the file. After
 * the call the position is behind the bytes moved. */
static __always_inline void fill_extent(struct rec_fs *rec, struct task_state *state,
					const volatile struct syscall_desc *d)
{
	s64 moved = state->ret > 0 ? state->ret : 0;
	u8 offset_at = d->offset;
	u32 props = d->props;
	u64 offset = 0;
	u16 has = 0;

	if (props & (PROP_IOVEC | PROP_OFFSET_AT) && !state->has_given) {
		read_given(state, d);
		has = state->has_given ? FS_ARGS_LATE : 0;
	}
	if (props & PROP_IOVEC) {
		rec->size = state->given;
		if (state->has_given)
			has |= FS_HAS_SIZE;
	} else {
		fill_size(rec, state, d);
	}
	if (offset_at && props & PROP_OFFSET_AT && arg(state, offset_at)) {
		/* The kernel has moved it on by what was transferred. */
		offset = state->given - (has & FS_ARGS_LATE ? moved : 0);
		if (state->has_given)
			has |= FS_HAS_OFFSET;
		goto out;
	}
	if (offset_at && !(props & PROP_OFFSET_AT)) {
		offset = props & PROP_PGOFF ? arg(state, offset_at) << 12 :
					      arg_long_long(state, offset_at, props & PROP_HILO);
		/* preadv2() and pwritev2() take -1 for the file position. */
		if (!(props & PROP_SEQUENTIAL && offset == (u64)-1)) {
			if (!appends(state, d)) {
				has |= FS_HAS_OFFSET;
			} else if (moved) { /* Linux appends even if an offset is given */
				offset = kread(kread(state->file, file, f_inode), inode, i_size) -
					 moved;
				has |= FS_HAS_OFFSET;
			}
			goto out;
		}
	}
	if (props & PROP_SEQUENTIAL && state->file && had_position(state->file, state->ret) &&
	    (moved || !appends(state, d))) {
		offset = kread(state->file, file, f_pos) - moved;
		has |= FS_HAS_OFFSET;
	}
out:
	rec->offset = offset;
	rec->has |= has;
}

#endif
