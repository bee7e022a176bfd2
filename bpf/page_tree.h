/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which pages of an inode are in the page cache: reads the inode's xarray without a lock. */
#ifndef IOTRC_BPF_PAGE_TREE_H
#define IOTRC_BPF_PAGE_TREE_H

#include "bpf/folio.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

#define XA_LEVELS 7     /* levels; 11 cover 64 bits, 7 cover 42, enough for files of 16 EiB */
#define BATCH_FOLIOS 31 /* batch of filemap_read(): PAGEVEC_SIZE, 31 since 6.11, 15 before */

/* The entry of the xarray at INDEX: a page, or, as its lowest bits tell, a value, a node, or a
 * reference to the first slot of a large folio (include/linux/xarray.h). */
static __always_inline u64 xa_entry(u64 inode, u64 index)
{
	u64 mapping = kread(inode, inode, i_mapping);
	u64 entry = kread(mapping, address_space, i_pages.xa_head);
	bool top = true;
	u64 i;

	for (i = 0; i < XA_LEVELS; i++) {
		u64 node = entry - 2, shift, slot;

		if ((entry & 3) != 2 || entry <= 4096)
			return top && index ? 0 : entry; /* a single page is the root itself */
		shift = (u8)kread(node, xa_node, shift);
		if (top && index >> shift > 63)
			return 0;
		top = false;
		slot = index >> (shift & 63) & 63;
		entry = kread_u64(kaddr(node, xa_node, slots) + slot * 8);
		if ((entry & 3) == 2 && entry < 64 << 2)
			entry = kread_u64(kaddr(node, xa_node, slots) + (entry >> 2) * 8);
	}
	return entry;
}

/* The index after the folio that contains page INDEX; 0 if the page is not in the cache. */
__noinline u64 cached_until(u64 inode, u64 index)
{
	u64 folio = xa_entry(inode, index), first;

	if (!folio || folio & 3)
		return 0;
	first = folio_index(folio);
	return index - first < folio_pages(folio) ? first + folio_pages(folio) : 0;
}

/* How many of the pages FIRST to LAST are in the cache: up to the first folio that is not, or with
 * WHOLE all of them. A large folio counts as far as it overlaps the range. */
__noinline u64 cached_pages(u64 inode, u64 first, u64 last, u32 whole)
{
	u64 n = 0, at = first;
	u64 i;

	for (i = 0; i < BATCH_FOLIOS; i++) {
		u64 end;

		if (at > last)
			break;
		end = cached_until(inode, at);
		if (!end) {
			if (!whole)
				break;
			at++;
			continue;
		}
		n += (end > last ? last + 1 : end) - at;
		at = end;
	}
	return n;
}

#endif
