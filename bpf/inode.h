/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The type, the scope and the device of an inode. */
#ifndef IOTRC_BPF_INODE_H
#define IOTRC_BPF_INODE_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "schema/records.h"

#define S_IFMT 0170000
#define S_IFBLK 0060000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define SB_KERNMOUNT (1 << 22) /* include/linux/fs.h: the kernel mounted it for internal use */

static __always_inline u32 inode_format(u64 inode)
{
	return kread(inode, inode, i_mode) & S_IFMT;
}

static __always_inline bool is_regular(u64 inode)
{
	return inode_format(inode) == S_IFREG;
}

/* The device of the filesystem; for a block device file, whose inode is on a filesystem shared by
 * all disks, the disk itself. */
static __always_inline u32 inode_dev(u64 inode)
{
	if (inode_format(inode) == S_IFBLK)
		return kread(inode, inode, i_rdev);
	return kread(kread(inode, inode, i_sb), super_block, s_dev);
}

/* Copies the name of the filesystem type of SB, which ends in NUL, to TO. Most names have less than
 * eight characters, and need no call of a helper. */
static __always_inline void read_fs_type(char *to, u64 sb)
{
	u64 name = kread(kread(sb, super_block, s_type), file_system_type, name),
	    *words = (u64 *)to;
	u64 first = FROM_6_2 ? until_nul(kread_u64(name)) : 0;

	if (!first || first >> 56) {
		bpf_probe_read_kernel_str(to, FSTYPE_BYTES, (void *)name);
		return;
	}
	words[0] = first;
	words[1] = 0;
}

#endif
