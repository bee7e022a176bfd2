/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The name of an inode: a page refers to its inode, the inode to its names in the file system, and
 * the file system to its mounts. */
#ifndef IOTRC_BPF_EXTENT_NAME_H
#define IOTRC_BPF_EXTENT_NAME_H

#include "bpf/definitions.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/mount.h"
#include "bpf/path.h"

#define MOUNTS_OF_SB 16 /* mounts of a file system that are examined */
#define ANCESTORS 24

/* The first mount namespace, that of process 1. 0: unknown. */
volatile u64 first_namespace = 0;

__noinline int find_first_namespace(void)
{
	u64 task = bpf_get_current_task(), i;

	for (i = 0; i < ANCESTORS; i++) {
		if (kread(task, task_struct, tgid) <= 1)
			break;
		task = kread(task, task_struct, real_parent);
	}
	first_namespace = mount_namespace(task_root(task).mount);
	return 0;
}

/* How suitable the mount at address MOUNT is for names: 3: in the first namespace, of the root. */
static __always_inline u32 fitness(u64 mount, u64 root)
{
	u64 vfsmount = kaddr(mount, mount, mnt), namespace = mount_namespace(vfsmount);

	if (!namespace || namespace == MNT_NS_INTERNAL)
		return 0;
	return 1 + (kread(vfsmount, vfsmount, mnt_root) == root) +
	       2 * (namespace == first_namespace);
}

static __always_inline u64 first_mount(u64 sb)
{
	if (bpf_core_field_exists(((struct mount___since_6_18 *)0)->mnt_next_for_sb))
		return kread(sb, super_block___since_6_18, s_mounts);
	return kread(sb, super_block___until_6_17, s_mounts.next) -
	       bpf_core_field_offset(struct mount___until_6_17, mnt_instance);
}

static __always_inline u64 next_mount(u64 mount)
{
	if (bpf_core_field_exists(((struct mount___since_6_18 *)0)->mnt_next_for_sb))
		return kread(mount, mount___since_6_18, mnt_next_for_sb);
	return kread(mount, mount___until_6_17, mnt_instance.next) -
	       bpf_core_field_offset(struct mount___until_6_17, mnt_instance);
}

/* The result of next_mount() after the last mount. */
static __always_inline u64 no_mount(u64 sb)
{
	if (bpf_core_field_exists(((struct mount___since_6_18 *)0)->mnt_next_for_sb))
		return 0;
	return kaddr(sb, super_block___until_6_17, s_mounts) -
	       bpf_core_field_offset(struct mount___until_6_17, mnt_instance);
}

/* The struct vfsmount of the best mount of SB, or 0. */
__noinline u64 mount_of(u64 sb)
{
	u64 root = kread(sb, super_block, s_root), mount = first_mount(sb), end = no_mount(sb);
	u64 best = 0, i;
	u32 best_fitness = 0;

	for (i = 0; i < MOUNTS_OF_SB && mount != end; i++) {
		u32 fit = fitness(mount, root);

		if (fit && fit >= best_fitness) {
			best_fitness = fit;
			best = kaddr(mount, mount, mnt);
		}
		mount = next_mount(mount);
	}
	return best;
}

static __always_inline u64 name_of_inode(u64 inode)
{
	u64 alias = kread(inode, inode, i_dentry.first);

	if (!alias)
		return 0;
	if (bpf_core_field_exists(((struct dentry___without_union *)0)->d_alias))
		return alias - bpf_core_field_offset(struct dentry___without_union, d_alias);
	return alias - bpf_core_field_offset(struct dentry, d_u.d_alias);
}

/* A program may be interrupted or preempted by another one, which then finds the scratch memory in
 * use; it continues on the same CPU. */
static __always_inline u64 define_in_scratch(u64 id, u64 dentry, u64 mount, u64 inode)
{
	u32 scratch = SCRATCH_BLOCK;
	struct path_scratch *s = bpf_map_lookup_elem(&path_scratch, &scratch);

	if (!s || s->busy)
		return 0;
	s->busy = 1;
	id = path_define(id, dentry, mount, inode, SCRATCH_BLOCK);
	s->busy = 0;
	return id;
}

/* Returns the id of the path of INODE at DENTRY and MOUNT, whose definition has been sent; 0 if it
 * did not fit. A path of too many components for a lasting id is sent each time. */
static __always_inline u64 path_of(u64 dentry, u64 mount, u64 inode)
{
	u64 id = path_hash(dentry, mount, inode);
	u32 *sent = id ? bpf_map_lookup_elem(&paths_sent, &id) : 0;

	if (sent && *sent == epoch)
		return id;
	return define_in_scratch(id ?: next_id(), dentry, mount, inode);
}

/* The same of INODE at one of its names. */
static __always_inline u64 inode_path(u64 inode)
{
	u64 dentry = name_of_inode(inode), mount;

	if (!first_namespace)
		find_first_namespace();
	mount = dentry ? mount_of(kread(inode, inode, i_sb)) : 0;
	return mount ? path_of(dentry, mount, inode) : 0;
}

#endif
