/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Mounts that no process sees in a mount namespace. */
#ifndef IOTRC_BPF_MOUNT_H
#define IOTRC_BPF_MOUNT_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

#define MNT_NS_INTERNAL ((u64)-22) /* fs/mount.h: ERR_PTR(-EINVAL) */

/* The namespace of MOUNT, a struct vfsmount. */
static __always_inline u64 mount_namespace(u64 mount)
{
	return kread(mount - bpf_core_field_offset(struct mount, mnt), mount, mnt_ns);
}

/* Whether the kernel mounted it for internal use: files on it have no path. The same filesystem may
 * also be mounted elsewhere and have paths there (tracefs, mqueue, devtmpfs). */
static __always_inline bool is_internal(u64 mount)
{
	return mount_namespace(mount) == MNT_NS_INTERNAL;
}

/* Whether MOUNT is the root of a tree that is attached nowhere: made by fsmount() or open_tree(),
 * which use an anonymous namespace (is_anon_ns() of fs/mount.h), or unmounted while in use. */
static __always_inline bool is_detached(u64 mount)
{
	u64 namespace = mount_namespace(mount);

	if (!namespace || namespace == MNT_NS_INTERNAL)
		return !namespace;
	if (bpf_core_field_exists(((struct mnt_namespace___with_anon *)0)->is_anon))
		return kread(namespace, mnt_namespace___with_anon, is_anon);
	if (bpf_core_field_exists(((struct mnt_namespace *)0)->seq))
		return !kread(namespace, mnt_namespace, seq);
	if (bpf_core_field_exists(((struct mnt_namespace___since_6_18 *)0)->ns.ns_id))
		return !kread(namespace, mnt_namespace___since_6_18, ns.ns_id);
	return false;
}

#endif
