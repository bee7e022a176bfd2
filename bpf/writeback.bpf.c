// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writeback of the page cache. No tracepoint names the pages; they are found in the bios that carry
 * them. */
#include "bpf/abi.h"
#include "bpf/cache_row.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/disk.h"
#include "bpf/flight.h"
#include "bpf/folio.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/pair.h"
#include "schema/records.h"
#include "schema/streams.h"

#define BIO_CLONED 1 /* include/linux/blk_types.h: shares the pages of another bio */
#define VEC_STEP 64  /* folios per call of vec_pages() */
/* such calls; a bio has up to 256 pieces (include/linux/bio.h: BIO_MAX_VECS) */
#define BIO_STEPS_MAX 512
#define REQUEST_BIOS_MAX 1024

/* Sends an event for the folio at PAGE, of which the bio has LEFT bytes from OFFSET on; returns the
 * number of pages passed. Only pages under writeback count: an O_DIRECT write may use a mapping of
 * a file as its buffer. If the buffers are smaller than a page, several bios carry it: the one with
 * its beginning counts. */
__noinline u64 bio_folio(u64 page, u64 offset, u64 left, u32 event, u64 request_id)
{
	u64 head = head_of(page), inode = folio_inode(head);
	u64 before = (page - head) / bpf_core_type_size(struct page);
	u64 pages = (offset + left + PAGE_BYTES - 1) >> cfg.page_shift, rest;

	rest = folio_pages(head) - before;
	if (pages > rest)
		pages = rest;
	if (!pages || pages > rest)
		pages = 1;
	if (inode && !offset && page_flag(head, bpf_core_enum_value(enum pageflags, PG_writeback)))
		send_carried(inode, folio_index(head) + before, pages, pages, event, request_id);
	return pages;
}

/* Goes through up to VEC_STEP folios of one piece of contiguous memory, from byte DONE on. Returns
 * the byte it got to, 0 at the end. */
__noinline u64 vec_pages(u64 vec, u64 done, u32 event, u64 request_id)
{
	u64 offset = (u32)kread(vec, bio_vec, bv_offset) + done,
	    len = (u32)kread(vec, bio_vec, bv_len);
	u64 page = kread(vec, bio_vec, bv_page);
	u64 i;

	if (!page)
		return 0;
	page += (offset >> cfg.page_shift) * bpf_core_type_size(struct page);
	offset &= PAGE_BYTES - 1;
	for (i = 0; i < VEC_STEP && done < len; i++) {
		u64 pages = bio_folio(page, offset, len - done, event, request_id);

		done += (pages << cfg.page_shift) - offset;
		page += pages * bpf_core_type_size(struct page);
		offset = 0;
	}
	return done < len ? done : 0;
}

__noinline int bio_pages(u64 bio, u32 event, u64 request_id)
{
	u32 opf = kread(bio, bio, bi_opf), n_vecs = (u16)kread(bio, bio, bi_vcnt), at = 0;
	u64 vecs = kread(bio, bio, bi_io_vec), done = 0, i;

	if (!(opf & OP_WRITE) || kread(bio, bio, bi_flags) >> BIO_CLONED & 1)
		return 0;
	for (i = 0; i < BIO_STEPS_MAX && at < n_vecs; i++) {
		done = vec_pages(vecs + at * bpf_core_type_size(struct bio_vec), done, event,
				 request_id);
		/* Adds one if done is 0, without a branch: the verifier would follow both ways,
		 * each time. */
		at += (done - 1) >> 63;
	}
	if (at < n_vecs)
		lose(STREAM_CACHE, bpf_ktime_get_ns());
	return 0;
}

/* The number that the stream block gives to a bio of a device that makes no requests. One that
 * becomes a request, or part of one, has none at its submission: 0. */
static __always_inline u64 bio_id(u64 bio)
{
	struct bio_flight *f = bpf_map_lookup_elem(&bios_in_flight, &bio);

	if (!f || kread(kread(bio_disk(bio), gendisk, queue), request_queue, mq_ops))
		return 0;
	return f->request_id;
}

PAIR("tp_btf/block_bio_queue", on_cache_bio_queue, HOOK_CACHE_WRITEBACK_START)
{
	u64 bio = argument(ctx, 0);

	return bio_pages(bio, CACHE_WRITEBACK_START, bio_id(bio));
}

SEC("tp_btf/block_bio_queue")
int on_cache_bio_queue_old(u64 *ctx) /* until 5.10: the queue comes first */
{
	u64 bio = argument(ctx, 1);

	count_fired(HOOK_CACHE_WRITEBACK_START);
	return bio_pages(bio, CACHE_WRITEBACK_START, bio_id(bio));
}

/* Whether the first part of BIO has been split off, into another request: which of its pages this
 * request carries is not followed. */
static __always_inline bool is_rest(u64 bio)
{
	return kread(bio, bio, bi_iter.bi_idx) || kread(bio, bio, bi_iter.bi_bvec_done);
}

/* The bios of a request of which BYTES have been completed. The tracepoint for the completion of
 * a bio fires only if no request was made of it (blk_update_request() clears
 * BIO_TRACE_COMPLETION). Attached before the program of the stream block, which forgets the
 * request; so is the next one. */
PAIR("tp_btf/block_rq_complete", on_cache_rq_complete, HOOK_CACHE_WRITEBACK_END)
{
	u64 rq = argument(ctx, 0), bio = kread(rq, request, bio);
	struct flight *f = bpf_map_lookup_elem(&in_flight, &rq);
	u64 request_id = f ? f->request_id : 0;
	u32 left = ctx[2];
	u64 i;

	for (i = 0; i < REQUEST_BIOS_MAX && bio; i++) {
		u32 size = kread(bio, bio, bi_iter.bi_size);

		if (size > left)
			break;
		left -= size;
		bio_pages(bio, CACHE_WRITEBACK_END, is_rest(bio) ? 0 : request_id);
		bio = kread(bio, bio, bi_next);
	}
	return 0;
}

PAIR("tp_btf/block_bio_complete", on_cache_bio_complete, HOOK_CACHE_BIO_END)
{
	u64 bio = argument(ctx, 1);

	return bio_pages(bio, CACHE_WRITEBACK_END, bio_id(bio));
}
