/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which files --scope selects. */
#ifndef IOTRC_BPF_SCOPE_H
#define IOTRC_BPF_SCOPE_H

#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

/* Pseudo filesystems (include/uapi/linux/magic.h). A few share their number with a real filesystem;
 * user space tells those apart by name. */
static __always_inline bool magic_is_pseudo(u32 magic)
{
	switch (magic) {
	case 0x9fa0:     /* proc */
	case 0x62656572: /* sysfs */
	case 0x27e0eb:   /* cgroup */
	case 0x63677270: /* cgroup2 */
	case 0x1cd1:     /* devpts */
	case 0x64626720: /* debugfs */
	case 0x74726163: /* tracefs */
	case 0xcafe4a11: /* bpf */
	case 0x73636673: /* securityfs */
	case 0xf97cff8c: /* selinuxfs */
	case 0x43415d53: /* smackfs */
	case 0xde5e81e4: /* efivarfs */
	case 0x6165676c: /* pstore */
	case 0x62656570: /* configfs */
	case 0x65735543: /* fusectl */
	case 0x42494e4d: /* binfmt_misc */
	case 0x19800202: /* mqueue */
	case 0x6e736673: /* nsfs */
	case 0x50494446: /* pidfs */
	case 0x09041934: /* anon_inodefs */
	case 0x534f434b: /* sockfs */
	case 0x50495045: /* pipefs */
	case 0x62646576: /* bdev */
	case 0x958458f6: /* hugetlbfs */
	case 0x07655821: /* resctrl */
	case 0x6c6f6f70: /* binderfs */
		return true;
	}
	return false;
}

static __always_inline bool mode_in_scope(u32 mode)
{
	u32 format = mode & S_IFMT;

	return cfg.scope_all || format == S_IFREG || format == S_IFDIR || format == S_IFLNK;
}

static __always_inline bool file_in_scope(u64 inode)
{
	u64 sb;

	if (cfg.scope_all)
		return true;
	if (!mode_in_scope(kread(inode, inode, i_mode) & 0xffff))
		return false;
	sb = kread(inode, inode, i_sb);
	return !(kread(sb, super_block, s_flags) & SB_KERNMOUNT) &&
	       !magic_is_pseudo(kread(sb, super_block, s_magic));
}

#endif
