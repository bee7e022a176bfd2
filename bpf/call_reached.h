/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file that the path of a call reached, if the dentry cache tells. */
#ifndef IOTRC_BPF_CALL_REACHED_H
#define IOTRC_BPF_CALL_REACHED_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_long.h"
#include "bpf/call_paths.h"
#include "bpf/current.h"
#include "bpf/dcache.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

/* Errors (errno below 64) of calls that have found no file, or have not looked for one. Others,
 * such as EPERM, EACCES, EEXIST and EBUSY, are about a file that was found. */
#define NO_FILE \
	(1ULL << 2 /* ENOENT */ | 1ULL << 4 /* EINTR */ | 1ULL << 9 /* EBADF */ | \
	 1ULL << 12 /* ENOMEM */ | 1ULL << 14 /* EFAULT */ | 1ULL << 20 /* ENOTDIR */ | \
	 1ULL << 22 /* EINVAL */ | 1ULL << 23 /* ENFILE */ | 1ULL << 24 /* EMFILE */ | \
	 1ULL << 36 /* ENAMETOOLONG */ | 1ULL << 38 /* ENOSYS */ | 1ULL << 40 /* ELOOP */)

static __always_inline bool found_a_file(s64 ret)
{
	return ret >= 0 || ret <= -64 || !(NO_FILE >> -ret & 1);
}

/* Dentry and mount of the file open as FD, or of the current directory. */
static __always_inline struct where where_at(s32 fd)
{
	struct task_struct *task = current_task();
	struct where ret = {};
	u64 at;

	if (fd == AT_FDCWD) {
		at = kaddr(kread(task, task_struct, fs), fs_struct, pwd);
	} else {
		u64 file = task_file(task, fd);

		if (!file)
			return ret;
		at = file_path_at(file);
	}
	ret.dentry = kread(at, path, dentry);
	ret.mount = kread(at, path, mnt);
	return ret;
}

/* The inode that the first or second path of the call leads to; 0 if unknown. */
__subprog u64 reached(struct task_state *state, u32 second, bool follow)
{
	struct long_scratch *s = get_long_scratch();
	struct lookup *lookup = get_lookup();
	struct rec_fs_long *rec;
	struct where from;
	u32 at, len, how;

	if (!state || !s || !lookup || (state->paths != PATHS_SHORT && state->paths != PATHS_LONG))
		return 0;
	rec = &state->own.rec;
	at = second ? rec->len + rec->skip2 : rec->skip;
	len = second ? rec->len2 - rec->skip2 : rec->len - rec->skip;
	how = (follow ? LOOKUP_FOLLOW : 0) |
	      (state->requested_has & LONG_CONFINED ? LOOKUP_CONFINED : 0);
	if (state->paths == PATHS_LONG)
		lookup_text(lookup, &s->rec.requested[at & (2 * PATH_BYTES - 1)], len);
	else
		lookup_text(lookup, &state->own.requested[at & (2 * SHORT_PATH - 1)], len);
	from = where_at(state->at_fd[second & 1]);
	return lookup_path(from.dentry, from.mount, how);
}

/* Fills number, device and mode of INODE. */
__subprog int fill_inode(struct rec_fs_long *rec, u64 inode)
{
	u64 sb;

	if (!rec || !inode)
		return 0;
	sb = kread(inode, inode, i_sb);
	rec->ino = kread(inode, inode, i_ino);
	rec->dev = kread(sb, super_block, s_dev);
	rec->mode = kread(inode, inode, i_mode) & 0xffff;
	read_fs_type(rec->fs_type, sb);
	return 1;
}

/* Copies what is known of the file that a path reached. */
static __always_inline void fill_found(struct rec_fs_long *to, const struct rec_fs_long *from)
{
	to->ino = from->ino;
	to->replaced = from->replaced;
	to->dev = from->dev;
	to->mode = from->mode;
	__builtin_memcpy(to->fs_type, from->fs_type, sizeof(to->fs_type));
}

static __always_inline bool reaches_second(const struct task_state *state,
					   const volatile struct syscall_desc *d)
{
	return d->props & PROP_SECOND && state->requested_has & LONG_HAS_REQUESTED2;
}

/* On entry: the file whose name is to be removed, and the file whose name a rename replaces. */
static __always_inline void reach_first(struct task_state *state,
					const volatile struct syscall_desc *d)
{
	u64 inode;

	state->own.rec.ino = state->own.rec.replaced = 0;
	if (d->op == FS_RENAME) {
		inode = reached(state, 1, false);
		state->own.rec.replaced = kread(inode, inode, i_ino);
	} else {
		inode = reached(state, reaches_second(state, d), !(d->props & PROP_NOFOLLOW));
		if (fill_inode(&state->own.rec, inode) && d->op == FS_UNLINK &&
		    kread(inode, inode, i_nlink) == 1)
			state->requested_has |= LONG_LAST_LINK;
	}
}

/* Whether the path would leave the directory that it is confined to: it reaches nothing. */
static __always_inline bool leaves(const struct task_state *state)
{
	return state->requested_has & LONG_CONFINED && state->ret == -18 /* EXDEV */;
}

/* On exit: the file that the path reached, if that is not known yet. FOLLOW: follows(). */
static __always_inline bool reach_last(struct task_state *state,
				       const volatile struct syscall_desc *d, bool follow)
{
	bool second = reaches_second(state, d);

	if (!found_a_file(state->ret) || leaves(state))
		return false;
	if (d->props & PROP_REACH_FIRST && state->own.rec.ino)
		return true;
	if (state->ret >= 0 && (d->op == FS_UNLINK || d->op == FS_RMDIR))
		return false;
	if (d->op == FS_RENAME)
		second = state->ret >= 0;
	return fill_inode(&state->own.rec, reached(state, second, follow));
}

/* The device that stat() returns is not always the superblock's: a subvolume of btrfs and a file on
 * overlayfs have an anonymous one of their own. Other rows of the file have the superblock's. */
static __always_inline void settle_device(struct task_state *state, bool follow)
{
	struct rec_fs_long *rec = &state->own.rec;
	struct lookup *lookup = get_lookup();
	struct known_super *known;
	u32 stated = rec->dev;
	u64 inode;

	if (!lookup || state->path || stated >> 20)
		return;
	known = &lookup->super;
	if (known->dev == stated && known->jiffies == bpf_jiffies64() &&
	    known->mounts == mounts_epoch()) {
		__builtin_memcpy(rec->fs_type, known->fs_type, sizeof(rec->fs_type));
		return;
	}
	inode = reached(state, 0, follow);
	if (!inode || kread(inode, inode, i_ino) != rec->ino)
		return;
	fill_inode(rec, inode);
	if (rec->dev != stated)
		return;
	known->dev = stated;
	known->mounts = mounts_epoch();
	known->jiffies = bpf_jiffies64();
	__builtin_memcpy(known->fs_type, rec->fs_type, sizeof(known->fs_type));
}

static __always_inline void note_replaced(struct rec_fs_long *rec)
{
	if (rec->fs.op == FS_RENAME && rec->replaced && rec->replaced != rec->ino)
		rec->has |= LONG_REPLACED;
}

#endif
