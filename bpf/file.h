/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Open files: from a descriptor to the file, and from the file to its name. */
#ifndef IOTRC_BPF_FILE_H
#define IOTRC_BPF_FILE_H

#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/mount.h"
#include "bpf/path.h"

/* Raised whenever names have changed under open files: a rename, a mount, another root. */
volatile u32 names_epoch = 1;

/* A file that a thread has used, and what was found of it. It holds for a jiffy, while nothing has
 * been renamed: what renames without a system call (a file server in the kernel) isn't seen. */
struct known_file {
	u64 file, dentry, mount, hash_len, ino, id;
	u64 jiffies;
	u32 names, pad;
};
#define N_KNOWN_FILES 4 /* by descriptor */

static __always_inline bool still_known(const struct known_file *k, u64 file)
{
	u64 dentry, inode;

	if (k->file != file || k->jiffies != bpf_jiffies64() || k->names != names_epoch)
		return false;
	dentry = kread(file, file, f_path.dentry);
	inode = kread(file, file, f_inode);
	/* Its memory may hold another file by now: of the same name only by the same dentry and
	 * mount, and the same by its number. */
	return k->dentry == dentry && k->mount == kread(file, file, f_path.mnt) &&
	       k->ino == kread(inode, inode, i_ino) &&
	       k->hash_len == kread(dentry, dentry, d_name.hash_len) &&
	       kread(dentry, dentry, d_hash.pprev);
}

/* The open file FD of TASK, which current_task() has given. */
static __always_inline u64 task_file(struct task_struct *task, s64 fd)
{
	u64 fdt = kread(task_read(task, files), files_struct, fdt);

	if ((u64)fd >= kread(fdt, fdtable, max_fds))
		return 0;
	return kread_u64(kread(fdt, fdtable, fd) + (u64)fd * sizeof(u64));
}

/* Where FILE's name is. What overlayfs maps is the layer's file, on a mount of the kernel's own;
 * since 6.5 it knows the name that the user opened (struct backing_file). */
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
