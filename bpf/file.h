/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Open files: finding the file of a descriptor, and the name of a file. */
#ifndef IOTRC_BPF_FILE_H
#define IOTRC_BPF_FILE_H

#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/mount.h"
#include "bpf/path.h"

/* Raised whenever the names of open files may have changed: by RENAMES or MOUNTS
 * (bpf/task_state.h). */
volatile u32 names_epoch = 1;

/* Changes whenever that was not just a rename: a mount, a new root. */
static __always_inline u32 mounts_epoch(void)
{
	return names_epoch >> 16;
}

/* A file that a thread has used, or its current directory, and its name. Valid within one jiffy
 * while names_epoch stays the same. Renames that are not system calls (by a file server in the
 * kernel) are not noticed in that time. */
struct known_file {
	u64 file; /* not of the current directory */
	u64 dentry, mount, hash_len, ino, id;
	u64 jiffies;
	u32 names;
	u32 hashed; /* the dentry can be looked up: it was not removed */
};
#define N_KNOWN_FILES 4 /* indexed by descriptor */

static __always_inline bool is_recent(const struct known_file *k)
{
	return k->jiffies == bpf_jiffies64() && k->names == names_epoch;
}

/* Whether INODE, at DENTRY and MOUNT, is what K is about. The memory may hold another file by now.
 * It has the same name only if it has the same dentry and mount, and is the same file only if the
 * inode number is the same. */
static __always_inline bool is_same(const struct known_file *k, u64 dentry, u64 mount, u64 inode)
{
	return k->dentry == dentry && k->mount == mount && k->ino == kread(inode, inode, i_ino) &&
	       k->hash_len == kread(dentry, dentry, d_name.hash_len) &&
	       k->hashed == is_hashed(dentry);
}

/* Notes what K is about, and since when: all but the id, which is looked up afterwards, so that a
 * rename meanwhile counts. */
static __always_inline void note_known(struct known_file *k, u64 dentry, u64 mount, u64 inode)
{
	k->names = names_epoch;
	k->jiffies = bpf_jiffies64();
	k->dentry = dentry;
	k->mount = mount;
	k->ino = kread(inode, inode, i_ino);
	k->hash_len = kread(dentry, dentry, d_name.hash_len);
	k->hashed = is_hashed(dentry);
}

static __always_inline bool still_known(const struct known_file *k, u64 file)
{
	return k->file == file && is_recent(k) &&
	       is_same(k, kread(file, file, f_path.dentry), kread(file, file, f_path.mnt),
		       kread(file, file, f_inode));
}

/* The open file FD of TASK, which current_task() has returned; 0 if there is none. */
static __always_inline u64 task_file(struct task_struct *task, s64 fd)
{
	u64 fdt = kread(task_pointer(task, files), files_struct, fdt);

	if ((u64)fd >= kread(fdt, fdtable, max_fds))
		return 0;
	return kread_u64(kread(fdt, fdtable, fd) + (u64)fd * sizeof(u64));
}

/* Address of the struct path of FILE. overlayfs maps the file of a layer, on a mount internal to
 * the kernel; since 6.5 such a file has the path that the user opened (struct backing_file). */
static __always_inline u64 file_path_at(u64 file)
{
	u64 mount = kread(file, file, f_path.mnt);

	if (is_internal(mount) && bpf_core_type_exists(struct backing_file) &&
	    !is_nameless(kread(file, file, f_inode), mount))
		return kaddr(file, backing_file, user_path);
	return kaddr(file, file, f_path);
}

static __always_inline u64 file_path_id(u64 *recent, u64 file)
{
	u64 at = file_path_at(file), dentry = kread(at, path, dentry);

	return path_id(recent, dentry, kread(at, path, mnt), kread(dentry, dentry, d_inode));
}

#endif
