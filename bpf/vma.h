/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file mapped at an address. bpf_find_vma() (5.17) would take the lock of the memory map, which
 * fails if another thread holds it, and delays others. Here the tree is read without a lock: the
 * current thread is about to change this very place, so no other does. */
#ifndef IOTRC_BPF_VMA_H
#define IOTRC_BPF_VMA_H

#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/uread.h"

#define TREE_DEPTH_MAX \
	40 /* levels of a balanced red-black tree of 65,530 areas; a maple tree has fewer */

/* A pointer in a maple tree includes the type of its node (lib/maple_tree.c,
 * include/linux/maple_tree.h). */
#define MAPLE_NODE_MASK 255ULL
#define MAPLE_TYPE(enode) ((enode) >> 3 & 15)
#define MAPLE_LEAF_64 1
#define MAPLE_ARANGE_64 3
#define MAPLE_PIVOTS 15
#define MAPLE_ARANGE_PIVOTS 9

/* The child of the maple tree node ENTRY that contains ADDR. A pivot is the last address of its
 * slot; a pivot of 0 ends the list. Global: the verifier goes through one level, not through
 * all. */
__noinline u64 maple_step(u64 entry, u64 addr)
{
	u64 node = entry & ~MAPLE_NODE_MASK, pivots, slots;
	u64 n, i;

	if (!bpf_core_field_exists(struct mm_struct, mm_mt)) /* verified even if never called */
		return 0;
	if (MAPLE_TYPE(entry) == MAPLE_ARANGE_64) {
		n = MAPLE_ARANGE_PIVOTS;
		pivots = kaddr(node, maple_arange_64, pivot);
		slots = kaddr(node, maple_arange_64, slot);
	} else {
		n = MAPLE_PIVOTS;
		pivots = kaddr(node, maple_range_64, pivot);
		slots = kaddr(node, maple_range_64, slot);
	}
	for (i = 0; i < MAPLE_PIVOTS && i < n; i++) {
		u64 pivot = kread_u64(pivots + i * 8);

		if (addr <= pivot || (!pivot && i))
			break;
	}
	return kread_u64(slots + i * 8);
}

/* Since 6.1 the areas of a process are in a maple tree. */
static __always_inline u64 maple_find(u64 entry, u64 addr)
{
	u64 level;

	for (level = 0; level < 12; level++) {
		u64 type = MAPLE_TYPE(entry);

		if (!(entry & ~MAPLE_NODE_MASK) || type < MAPLE_LEAF_64 || type > MAPLE_ARANGE_64)
			return 0;
		entry = maple_step(entry, addr);
		if (type == MAPLE_LEAF_64)
			return entry;
	}
	return 0;
}

/* Until 6.0 they are in a red-black tree. */
static __always_inline u64 rb_find(u64 node, u64 addr)
{
	u64 i;

	for (i = 0; i < TREE_DEPTH_MAX && node; i++) {
		u64 vma = node - bpf_core_field_offset(struct vm_area_struct, vm_rb);

		if (kread(vma, vm_area_struct, vm_end) <= addr)
			node = kread(node, rb_node, rb_right);
		else if (kread(vma, vm_area_struct, vm_start) <= addr)
			return vma;
		else
			node = kread(node, rb_node, rb_left);
	}
	return 0;
}

/* Address of the struct vm_area_struct of the current process at ADDR, or 0. */
__noinline u64 mapped_area(u64 addr)
{
	u64 mm = kread((u64)bpf_get_current_task(), task_struct, mm), vma;

	if (bpf_core_field_exists(struct mm_struct, mm_mt))
		vma = maple_find(kread(mm, mm_struct, mm_mt.ma_root), addr);
	else
		vma = rb_find(kread(mm, mm_struct, mm_rb.rb_node), addr);
	if (!vma || addr < kread(vma, vm_area_struct, vm_start) ||
	    addr >= kread(vma, vm_area_struct, vm_end))
		return 0;
	return vma;
}

/* The index of the page of the file that is mapped at ADDR in the area VMA. */
static __always_inline u64 page_in_area(u64 vma, u64 addr)
{
	return kread(vma, vm_area_struct, vm_pgoff) +
	       ((addr - kread(vma, vm_area_struct, vm_start)) >> cfg.page_shift);
}

/* Address of the struct file mapped at ADDR, or 0. */
static __always_inline u64 mapped_file(u64 addr)
{
	u64 vma = mapped_area(untagged(addr));

	return vma ? kread(vma, vm_area_struct, vm_file) : 0;
}

#endif
