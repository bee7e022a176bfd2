/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Folios of the page cache. Until 5.15 they are compound pages. */
#ifndef IOTRC_BPF_FOLIO_H
#define IOTRC_BPF_FOLIO_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

/* The first word of a page holds its flags, whatever the type is called. */
static __always_inline bool page_flag(u64 page, u32 bit)
{
	return kread_u64(page) >> bit & 1;
}

static __always_inline u64 folio_pages(u64 folio)
{
	if (!page_flag(folio, bpf_core_enum_value(enum pageflags, PG_head)))
		return 1;
	if (bpf_core_field_exists(struct folio, _nr_pages))
		return kread(folio, folio, _nr_pages);
	if (bpf_core_field_exists(struct folio, _folio_nr_pages))
		return kread(folio, folio, _folio_nr_pages);
	return kread(folio + bpf_core_type_size(struct page), page, compound_nr);
}

static __always_inline u64 folio_index(u64 folio)
{
	if (bpf_core_field_exists(struct folio, index))
		return kread(folio, folio, index);
	return kread(folio, page, index);
}

/* The inode that the page belongs to; 0 for anonymous memory, whose pointer has its low bits
 * set. */
static __always_inline u64 folio_inode(u64 folio)
{
	u64 mapping = kread(folio, page, mapping);

	return !mapping || mapping & 3 ? 0 : kread(mapping, address_space, host);
}

#define host(mapping) kread(mapping, address_space, host)

#endif
