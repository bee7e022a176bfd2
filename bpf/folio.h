/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Folios of the page cache. Until 5.15 they are compound pages. */
#ifndef IOTRC_BPF_FOLIO_H
#define IOTRC_BPF_FOLIO_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

/* Whether FLAGS, the first word of a page, have the flag BIT. */
static __always_inline bool flag_in(u64 flags, u32 bit)
{
	return flags >> bit & 1;
}

/* The first word of a page holds its flags, whatever the type is called. */
static __always_inline bool page_flag(u64 page, u32 bit)
{
	return flag_in(kread_u64(page), bit);
}

/* The number of pages of FOLIO, which has more than one. */
static __always_inline u64 large_pages(u64 folio)
{
	if (bpf_core_field_exists(struct folio, _nr_pages))
		return kread(folio, folio, _nr_pages);
	if (bpf_core_field_exists(struct folio, _folio_nr_pages))
		return kread(folio, folio, _folio_nr_pages);
	return kread(folio + bpf_core_type_size(struct page), page, compound_nr);
}

/* The number of pages of FOLIO, which has FLAGS. */
static __always_inline u64 pages_in(u64 folio, u64 flags)
{
	bool large = flag_in(flags, bpf_core_enum_value(enum pageflags, PG_head));

	return large ? large_pages(folio) : 1;
}

static __always_inline u64 folio_pages(u64 folio)
{
	return pages_in(folio, kread_u64(folio));
}

/* The flag of pages that move between a file and its device, as a mask. */
static __always_inline u64 moving_flag(bool written)
{
	return 1ULL << (written ? bpf_core_enum_value(enum pageflags, PG_writeback) :
				  bpf_core_enum_value(enum pageflags, PG_locked));
}

static __always_inline u64 folio_index(u64 folio)
{
	if (bpf_core_field_exists(struct folio, index))
		return kread(folio, folio, index);
	return kread(folio, page, index);
}

/* The head of the compound page that PAGE belongs to. A tail page holds the address of its head or,
 * since 7.0 or so where the size of struct page is a power of two, a mask to apply to its own
 * address. Bit 0 is set in both. */
static __always_inline u64 head_of(u64 page)
{
	u64 info = kread_u64(page + 8);

	if (!(info & 1))
		return page;
	return info > 0xffffffff00000000ULL ? page & info : info - 1;
}

/* The inode of the mapping of a page; 0 for anonymous memory, whose pointer has its low bits
 * set. */
static __always_inline u64 mapping_inode(u64 mapping)
{
	return !mapping || mapping & 3 ? 0 : kread(mapping, address_space, host);
}

static __always_inline u64 folio_inode(u64 folio)
{
	return mapping_inode(kread(folio, page, mapping));
}

/* The first words of a page, as they are in the kernel before 6.2. */
struct page_words {
	u64 flags, list[2], mapping, index;
};

/* Those of FOLIO, without the list. Where each read is a helper call, one for all. */
static __always_inline void read_page(struct page_words *ret, u64 folio)
{
	if (FROM_6_2) {
		const volatile void *words = kwords(folio);

		ret->flags = *(const volatile u64 *)words;
		ret->mapping = (u64)((const volatile struct page *)words)->mapping;
		ret->index = bpf_core_field_exists(struct folio, index) ?
				     ((const volatile struct folio *)words)->index :
				     ((const volatile struct page *)words)->index;
	} else {
		bpf_probe_read_kernel(ret, sizeof(*ret), (void *)folio);
	}
}

#define host(mapping) kread(mapping, address_space, host)

#endif
