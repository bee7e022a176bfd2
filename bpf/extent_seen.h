/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files of overlayfs: pages belong to the file of a layer, processes see the overlay's. The file
 * that a system call acts on tells which is which. */
#ifndef IOTRC_BPF_EXTENT_SEEN_H
#define IOTRC_BPF_EXTENT_SEEN_H

#include "bpf/abi.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/extent_name.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_args.h"
#include "bpf/syscall_number.h"
#include "bpf/task_state.h"

#define OVERLAYFS_MAGIC 0x794c7630 /* include/uapi/linux/magic.h */

/* The arguments of calls, by number, that are the files which they read and write: native, 32-bit.
 * FILE_READ and FILE_WRITTEN shift the number of the argument, plus 1. */
const volatile u8 call_files[2][MAX_SYSCALLS] = {};

/* The overlay's file, by the address of the layer's inode. */
struct seen_file {
	u64 path, ino;
	u32 dev, epoch; /* in which the path's definition was sent */
};

/* LRU: at worst, a file that was last used a while ago is no longer found. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct seen_file);
} seen_files SEC(".maps");

volatile u32 any_seen = 0;

static __always_inline u64 call_argument(u64 regs, u32 n, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	if (compat)
		n += 3;
	switch (n) {
	case 0:
		return kread(regs, pt_regs, di);
	case 1:
		return kread(regs, pt_regs, si);
	case 3:
		return (u32)kread(regs, pt_regs, bx);
	case 4:
		return (u32)kread(regs, pt_regs, cx);
	default: /* the third is in the same register */
		return kread(regs, pt_regs, dx);
	}
#else
	return n ? kread_u64(kaddr(regs, pt_regs, regs) + n * sizeof(u64)) :
		   kread(regs, pt_regs, orig_x0);
#endif
}

/* The file that the current call reads, or with FILE_WRITTEN writes; 0 if that is not known. */
static __always_inline u64 file_of_call(u32 shift)
{
	struct task_struct *task = current_task();
	u64 regs = stacked_registers(task_address(task));
	bool compat = is_compat(task);
	u32 nr, argument;

	if (!regs)
		return 0;
	nr = number_in(regs);
	if (nr >= MAX_SYSCALLS)
		return 0;
	argument = call_files[compat][opaque(nr) & (MAX_SYSCALLS - 1)] >> shift & 3;
	return argument ? task_file(task, (s32)call_argument(regs, argument - 1, compat)) : 0;
}

/* Notes the overlay's file through which the current call reaches INODE, the layer's. A global
 * function: the verifier goes through it once. */
__noinline int see_file(u64 inode, u32 shift)
{
	u64 file = file_of_call(shift), at, dentry, seen, sb;
	struct seen_file s = { .epoch = epoch };

	if (!file)
		return 0;
	at = file_path_at(file);
	dentry = kread(at, path, dentry);
	seen = kread(dentry, dentry, d_inode);
	sb = kread(seen, inode, i_sb);
	if (seen == inode || kread(sb, super_block, s_magic) != OVERLAYFS_MAGIC) {
		/* The memory may have held the inode of an overlay's layer before. */
		if (any_seen)
			bpf_map_delete_elem(&seen_files, &inode);
		return 0;
	}
	if (!is_regular(seen) || !is_regular(inode))
		return 0;
	s.path = path_of(dentry, kread(at, path, mnt), seen);
	s.ino = kread(seen, inode, i_ino);
	s.dev = kread(sb, super_block, s_dev);
	bpf_map_update_elem(&seen_files, &inode, &s, BPF_ANY);
	any_seen = 1;
	return 0;
}

/* The same, at most once a jiffy for one file. STATE is that of the current thread, or NULL;
 * owner_of() has been called for it. */
static __always_inline void note_seen(struct task_state *state, u64 inode, u32 shift)
{
	if (!state || state->owner.seen_inode == inode)
		return;
	state->owner.seen_inode = inode;
	if (!(task_read(current_task(), flags) & (PF_KTHREAD | PF_IO_WORKER)))
		see_file(inode, shift);
}

/* The overlay's file of the layer's INODE, or NULL. */
static __always_inline struct seen_file *seen_file_of(u64 inode)
{
	return any_seen ? bpf_map_lookup_elem(&seen_files, &inode) : 0;
}

#endif
