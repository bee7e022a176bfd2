/* SPDX-License-Identifier: GPL-2.0-only */
/* The page cache. What each event means, and from where each kernel tells of it: docs/cache.md.
 *
 * Whether a page that comes into the cache was wanted (MISS) or only expected (READAHEAD), and
 * whether a page wanted was there (HIT), is known by what the thread is about: its struct demand
 * holds the pages that a read or a fault wants, noted when the kernel asks for read-ahead on its
 * behalf, and those that this read-ahead is to bring. */
#include "context.h"
#include "pair.h"
#include <bpf/bpf_tracing.h>

#define PF_MEMALLOC 0x800 /* include/linux/sched.h: allocates in order to free */

/* ---- folios: until 5.15 a compound page ---- */

/* The first word of a page is its flags, whatever its type is called. */
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

/* The inode whose page it is; 0 for anonymous memory, which marks the pointer. */
static __always_inline u64 folio_inode(u64 folio)
{
	u64 mapping = kread(folio, page, mapping);

	return !mapping || mapping & 3 ? 0 : kread(mapping, address_space, host);
}

/* Of a disk's own pages the disk, not the filesystem that all disks' inodes are of. */
static __always_inline u32 inode_dev(u64 inode)
{
	if ((kread(inode, inode, i_mode) & S_IFMT) == S_IFBLK)
		return kread(inode, inode, i_rdev);
	return kread(kread(inode, inode, i_sb), super_block, s_dev);
}

/* ---- rows ---- */

/* One row: COUNT pages from INDEX on, of PAGES that belong together. */
__noinline int cache_row(u64 inode, u64 index, u64 count, u64 pages, u32 event)
{
	u64 now = bpf_ktime_get_ns(), task = 0, flags;
	struct rec_cache *rec;

	if (event == CACHE_WRITEBACK_END ? !nobodys(STREAM_CACHE) : !whose(STREAM_CACHE, &task))
		return 0;
	rec = reserve(STREAM_CACHE, sizeof(*rec), now, &flags);
	if (!rec)
		return 0;
	rec->type = REC_CACHE;
	rec->event = event;
	rec->cpu = bpf_get_smp_processor_id();
	rec->dev = inode ? inode_dev(inode) : 0;
	rec->ns = now;
	rec->task = task;
	rec->ino = inode ? kread(inode, inode, i_ino) : 0;
	rec->index = index;
	rec->pages = pages;
	rec->count = count;
	bpf_ringbuf_submit(rec, flags);
	return 0;
}

#define SAMPLE_PAGES 512 /* of the largest folio with pages of 4 KiB */

__noinline int cache_sample(u64 inode, u64 file, u64 index, u32 event)
{
	if (mix(file, index) % (cfg.cache_sample ?: 1))
		count_filtered(STREAM_CACHE);
	else
		cache_row(inode, index, 1, 1, event);
	return 0;
}

/* Sampling keeps or drops a page in all its events, so ranges are told page by page. */
__noinline int cache_samples(u64 inode, u64 index, u64 count, u32 event)
{
	u64 file = mix(inode_dev(inode), kread(inode, inode, i_ino));
	u64 i;

	for (i = 0; i < SAMPLE_PAGES; i++) {
		if (i >= count)
			break;
		cache_sample(inode, file, index + i, event);
	}
	return 0;
}

static __always_inline void tell(u64 inode, u64 index, u64 count, u64 pages, u32 event)
{
	if (!inode || !count)
		return;
	if (cfg.cache_sample > 1)
		cache_samples(inode, index, count, event);
	else
		cache_row(inode, index, count, pages, event);
}

/* ---- what lies in the cache: the inode's tree of pages, read as it lies ---- */

#define XA_LEVELS 7 /* 11 for all 64 bits; 42 are enough for files of 16 EiB */
#define BATCH_FOLIOS 31 /* of filemap_read(): PAGEVEC_SIZE, 31 since 6.11 and 15 before */

/* An entry of an xarray: a page, or by its lowest bits a value, a node or a reference to the first of
 * the slots that a large folio takes (include/linux/xarray.h). */
static __always_inline u64 xa_entry(u64 inode, u64 index)
{
	u64 mapping = kread(inode, inode, i_mapping);
	u64 entry = kread(mapping, address_space, i_pages.xa_head);
	bool top = true;
	u64 i;

	for (i = 0; i < XA_LEVELS; i++) {
		u64 node = entry - 2, shift, slot;

		if ((entry & 3) != 2 || entry <= 4096)
			return top && index ? 0 : entry; /* a lone page is in the place of the root */
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

/* The first page after the folio that has page INDEX of the inode's, 0 where it isn't in the cache. */
__noinline u64 cached_until(u64 inode, u64 index)
{
	u64 folio = xa_entry(inode, index), first;

	if (!folio || folio & 3)
		return 0;
	first = folio_index(folio);
	return index - first < folio_pages(folio) ? first + folio_pages(folio) : 0;
}

/* How many of the pages FIRST to LAST are there, up to the first folio that isn't (WHOLE: all of
 * those that are). Large folios are counted as far as they reach into the range. */
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

/* ---- what is wanted ---- */

static __always_inline struct demand *demand_of(bool create)
{
	struct task_state *state = current_state(create);

	return state ? &state->demand : 0;
}

#define NOTHING (~0ULL)

/* Whether INDEX is a place that the read last told of may have come to. Where tracepoints can be
 * preempted (7.x) the kernel may have passed over one in between. */
static __always_inline bool goes_on(const struct demand *d, u64 inode, u64 index)
{
	return d->inode == inode && index > d->read_first && index <= d->read_last;
}

/* Read-ahead for N pages wanted from INDEX on. SYNC: because the first isn't there. */
static __always_inline int wanted(u64 inode, u64 index, u64 n, bool sync)
{
	struct demand *d = demand_of(true);

	if (!d || (d->fault && d->inode == inode && d->first == index))
		return 0;
	if (sync && !cfg.reads_whole && !goes_on(d, inode, index))
		d->missed = 0;
	d->fault = 0;
	d->asked = 1;
	d->inode = inode;
	d->first = index;
	d->last = index + n - 1;
	return 0;
}

/* A read-ahead of N pages from INDEX on begins. */
static __always_inline int ahead(u64 inode, u64 index, u64 n)
{
	struct demand *d = demand_of(true);

	if (!d)
		return 0;
	d->ahead_inode = inode;
	d->ahead_first = index;
	d->ahead_last = index + n - 1;
	return 0;
}

/* A read of the pages FIRST to LAST goes on to FIRST, and the first PAGES are there. Kernels with the
 * tracepoint say so before each batch that is copied, the first of which may be of one page that had
 * to be waited for: what has been told of isn't told again. */
static __always_inline int read_found(u64 inode, u64 first, u64 last, u64 pages)
{
	struct demand *d = demand_of(true);
	u64 begin = first, end = first + pages, missed;

	if (!d)
		return 0;
	if (!cfg.reads_whole && goes_on(d, inode, first) && d->read_last == last) {
		begin = d->next;
	} else {
		if (!d->asked)
			d->missed = 0;
		d->read_first = first;
		d->read_last = last;
		d->next = first;
	}
	pages = end > begin ? end - begin : 0;
	missed = d->missed < pages ? d->missed : pages;
	d->missed = cfg.reads_whole ? 0 : d->missed - missed;
	if (end > d->next)
		d->next = end;
	d->inode = inode;
	d->asked = d->fault = 0;
	if (end > last)
		d->first = d->last = NOTHING;
	tell(inode, begin, pages - missed, pages, CACHE_HIT);
	return 0;
}

/* A fault wants page INDEX. */
static __always_inline int fault_begun(u64 inode, u64 index)
{
	struct demand *d = demand_of(true);

	if (!d)
		return 0;
	d->inode = inode;
	d->first = d->last = index;
	d->fault = 1;
	if (cached_until(inode, index))
		tell(inode, index, 1, 1, CACHE_HIT);
	return 0;
}

/* One fault has mapped those of the pages FIRST to LAST that were there (fault-around). */
static __always_inline int fault_mapped(u64 inode, u64 first, u64 last)
{
	u64 n = cached_pages(inode, first, last, 1);

	if (cfg.cache_sample > 1)
		n = last - first + 1; /* each page has its own chance */
	tell(inode, first, n, last - first + 1, CACHE_HIT);
	return 0;
}

/* ---- pages come ---- */

static __always_inline u64 at_least(u64 a, u64 b)
{
	return a > b ? a : b;
}

static __always_inline u64 at_most(u64 a, u64 b)
{
	return a < b ? a : b;
}

static __always_inline bool inside(u64 index, u64 first, u64 last)
{
	return index >= first && index <= last;
}

PAIR("tp_btf/mm_filemap_add_to_page_cache", on_cache_add, HOOK_CACHE_ADD)
{
	u64 folio = ctx[0], inode = folio_inode(folio), index = folio_index(folio);
	u64 pages = folio_pages(folio), end = index + pages, first, after;
	struct demand *d = demand_of(false);

	if (d && d->inode == inode && d->first != NOTHING) {
		first = at_least(index, d->first);
		after = at_most(end, d->last + 1);
		if (first < after) { /* a large folio may bring more than is wanted */
			tell(inode, index, first - index, pages, CACHE_READAHEAD);
			tell(inode, first, after - first, pages, CACHE_MISS);
			tell(inode, after, end - after, pages, CACHE_READAHEAD);
			d->missed += after - first;
			return 0;
		}
	}
	if (d && d->ahead_inode == inode && inside(index, d->ahead_first, d->ahead_last))
		tell(inode, index, pages, pages, CACHE_READAHEAD);
	else /* for a write, or for want of read-ahead */
		tell(inode, index, pages, pages, CACHE_MISS);
	return 0;
}

#define host(mapping) kread(mapping, address_space, host)

static __always_inline u64 ra_inode(u64 ractl)
{
	return host(kread(ractl, readahead_control, mapping));
}

static __always_inline u64 ra_index(u64 ractl)
{
	return kread(ractl, readahead_control, _index);
}

PAIR("tp_btf/page_cache_sync_ra", on_sync_ra, HOOK_CACHE_SYNC_RA) /* since 6.16 or so, like the three that follow */
{
	return wanted(argument(ctx, 0), ctx[1], ctx[3], true);
}

PAIR("tp_btf/page_cache_async_ra", on_async_ra, HOOK_CACHE_ASYNC_RA)
{
	return wanted(argument(ctx, 0), ctx[1], ctx[3], false);
}

PAIR("tp_btf/page_cache_ra_unbounded", on_ra, HOOK_CACHE_RA)
{
	return ahead(argument(ctx, 0), ctx[1], ctx[2]);
}

PAIR("tp_btf/page_cache_ra_order", on_ra_order, HOOK_CACHE_RA_ORDER)
{
	u64 ra = argument(ctx, 2);

	return ahead(argument(ctx, 0), ctx[1], (u32)kread(ra, file_ra_state, size));
}

SEC("fentry/page_cache_sync_ra")
int on_sync_ra_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_SYNC_RA);
	return wanted(ra_inode(ractl), ra_index(ractl), ctx[1], true);
}

SEC("fentry/page_cache_sync_ra")
int on_sync_ra_function_old(u64 *ctx) /* until 5.17, with the file's state as argument */
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_SYNC_RA);
	return wanted(ra_inode(ractl), ra_index(ractl), ctx[2], true);
}

SEC("fentry/page_cache_async_ra")
int on_async_ra_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_ASYNC_RA);
	return wanted(ra_inode(ractl), ra_index(ractl), ctx[2], false);
}

SEC("fentry/page_cache_async_ra")
int on_async_ra_function_old(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_ASYNC_RA);
	return wanted(ra_inode(ractl), ra_index(ractl), ctx[3], false);
}

SEC("fentry/page_cache_ra_unbounded")
int on_ra_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_RA);
	return ahead(ra_inode(ractl), ra_index(ractl), ctx[1]);
}

SEC("fentry/page_cache_ra_order")
int on_ra_order_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0), ra = argument(ctx, 1);

	count_fired(HOOK_CACHE_RA_ORDER);
	return ahead(ra_inode(ractl), ra_index(ractl), (u32)kread(ra, file_ra_state, size));
}

/* ---- pages are found ---- */

/* LAST is the read's last page; until 6.13 or so, the one after it. */
PAIR("tp_btf/mm_filemap_get_pages", on_cache_read, HOOK_CACHE_READ)
{
	u64 inode = host(argument(ctx, 0)), first = ctx[1], last = ctx[2];

	return read_found(inode, first, last, cached_pages(inode, first, last, 0));
}

static __always_inline int read_returned(u64 iocb, s64 before, s64 ret)
{
	u64 end = kread(iocb, kiocb, ki_pos), first, pages;

	struct demand *d;

	count_fired(HOOK_CACHE_READ);
	if (ret <= before) {
		d = demand_of(false);
		if (d)
			d->missed = 0;
		return 0;
	}
	first = (end - (ret - before)) / cfg.page_size;
	pages = (end - 1) / cfg.page_size + 1 - first;
	return read_found(host(kread(kread(iocb, kiocb, ki_filp), file, f_mapping)), first,
			 first + pages - 1, pages);
}

SEC("fexit/filemap_read") /* 5.12 on */
int on_cache_read_function(u64 *ctx)
{
	return read_returned(argument(ctx, 0), ctx[2], ctx[3]);
}

SEC("fexit/generic_file_buffered_read")
int on_cache_read_function_old(u64 *ctx)
{
	return read_returned(argument(ctx, 0), ctx[2], ctx[3]);
}

PAIR("tp_btf/mm_filemap_fault", on_cache_fault, HOOK_CACHE_FAULT) /* since 6.11, like the next */
{
	return fault_begun(host(argument(ctx, 0)), ctx[1]);
}

PAIR("tp_btf/mm_filemap_map_pages", on_cache_map, HOOK_CACHE_MAP)
{
	return fault_mapped(host(argument(ctx, 0)), ctx[1], ctx[2]);
}

static __always_inline u64 vmf_inode(u64 vmf)
{
	u64 vma = kread(vmf, vm_fault, vma);

	return host(kread(kread(vma, vm_area_struct, vm_file), file, f_mapping));
}

SEC("fentry/filemap_fault")
int on_cache_fault_function(u64 *ctx)
{
	u64 vmf = argument(ctx, 0);

	count_fired(HOOK_CACHE_FAULT);
	return fault_begun(vmf_inode(vmf), kread(vmf, vm_fault, pgoff));
}

SEC("fentry/filemap_map_pages")
int on_cache_map_function(u64 *ctx)
{
	count_fired(HOOK_CACHE_MAP);
	return fault_mapped(vmf_inode(argument(ctx, 0)), ctx[1], ctx[2]);
}

/* ---- pages change, and go ---- */

static __always_inline int dirtied(u64 folio)
{
	u64 pages = folio_pages(folio);

	count_fired(HOOK_CACHE_DIRTY);
	tell(folio_inode(folio), folio_index(folio), pages, pages, CACHE_DIRTY);
	return 0;
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(on_cache_dirty, void *folio)
{
	return dirtied((u64)folio);
}

SEC("tp_btf/writeback_dirty_page") /* until 5.17 or so */
int BPF_PROG(on_cache_dirty_page, void *page)
{
	return dirtied((u64)page);
}

/* Reclaim takes pages one by one, marking the thread as it does so; all else that takes them away
 * (truncate, unlink, drop_caches, fadvise, O_DIRECT) makes them invalid. */
SEC("tp_btf/mm_filemap_delete_from_page_cache")
int BPF_PROG(on_cache_delete, void *page)
{
	u64 folio = (u64)page, pages = folio_pages(folio), task = (u64)bpf_get_current_task();
	bool reclaim = kread(task, task_struct, reclaim_state) ||
		       kread(task, task_struct, flags) & PF_MEMALLOC;

	count_fired(HOOK_CACHE_DELETE);
	tell(folio_inode(folio), folio_index(folio), pages, pages,
	     reclaim ? CACHE_EVICT : CACHE_INVALIDATE);
	return 0;
}

/* A pass over a list of pages; which pages it freed, EVICT tells. */
SEC("tp_btf/mm_vmscan_lru_shrink_inactive")
int BPF_PROG(on_cache_reclaim, int node, unsigned long scanned, unsigned long reclaimed, void *stat,
	     int priority, int file)
{
	count_fired(HOOK_CACHE_RECLAIM);
	if (file && reclaimed)
		cache_row(0, 0, reclaimed, scanned, CACHE_RECLAIM);
	return 0;
}

SEC("tp_btf/mm_vmscan_reclaim_pages") /* madvise(MADV_PAGEOUT), since 6.18 or so */
int BPF_PROG(on_cache_pageout, int node, unsigned long scanned, unsigned long reclaimed)
{
	count_fired(HOOK_CACHE_PAGEOUT);
	if (reclaimed)
		cache_row(0, 0, reclaimed, scanned, CACHE_RECLAIM);
	return 0;
}

/* ---- writeback: no tracepoint tells of its pages, but the bios that carry them are told of ---- */

#define BIO_CLONED 1        /* include/linux/blk_types.h: shares the pages of another */
#define VEC_STEP 64         /* folios a call of vec_pages() */
#define BIO_STEPS_MAX 512   /* such calls; a bio has 256 pieces (include/linux/bio.h: BIO_MAX_VECS) */
#define REQUEST_BIOS_MAX 1024
#define OP_WRITE 1

/* Since 7.0 or so a tail page may hold a mask that its address is to be rounded down by (where the size of
 * struct page is a power of two), before that the address of its head; bit 0 is set in either. */
static __always_inline u64 head_of(u64 page)
{
	u64 info = kread_u64(page + 8);

	if (!(info & 1))
		return page;
	return info > 0xffffffff00000000ULL ? page & info : info - 1;
}

/* A row for the folio at PAGE, of which the bio has LEFT bytes from OFFSET on; gives the number of
 * pages gone through. Only what is under writeback is the page cache's own: the buffer of an O_DIRECT
 * write may be a file's mapping as well. Buffers smaller than a page make several bios of it: that
 * with its beginning counts. */
__noinline u64 bio_folio(u64 page, u64 offset, u64 left, u32 event)
{
	u64 head = head_of(page), inode = folio_inode(head);
	u64 before = (page - head) / bpf_core_type_size(struct page);
	u64 pages = (offset + left + cfg.page_size - 1) / cfg.page_size, rest;

	rest = folio_pages(head) - before;
	if (pages > rest)
		pages = rest;
	if (!pages || pages > rest)
		pages = 1;
	if (inode && !offset &&
	    page_flag(head, bpf_core_enum_value(enum pageflags, PG_writeback)))
		tell(inode, folio_index(head) + before, pages, pages, event);
	return pages;
}

/* Folios of one piece of contiguous memory from its byte DONE on, some at a time; gives how far it came, 0 at
 * the end. */
__noinline u64 vec_pages(u64 vec, u64 done, u32 event)
{
	u64 offset = (u32)kread(vec, bio_vec, bv_offset) + done, len = (u32)kread(vec, bio_vec, bv_len);
	u64 page = kread(vec, bio_vec, bv_page);
	u64 i;

	if (!page)
		return 0;
	page += offset / cfg.page_size * bpf_core_type_size(struct page);
	offset %= cfg.page_size;
	for (i = 0; i < VEC_STEP && done < len; i++) {
		u64 pages = bio_folio(page, offset, len - done, event);

		done += pages * cfg.page_size - offset;
		page += pages * bpf_core_type_size(struct page);
		offset = 0;
	}
	return done < len ? done : 0;
}

__noinline int bio_pages(u64 bio, u32 event)
{
	u32 opf = kread(bio, bio, bi_opf), n_vecs = (u16)kread(bio, bio, bi_vcnt), at = 0;
	u64 vecs = kread(bio, bio, bi_io_vec), done = 0, i;

	if (!(opf & OP_WRITE) || kread(bio, bio, bi_flags) >> BIO_CLONED & 1)
		return 0;
	for (i = 0; i < BIO_STEPS_MAX && at < n_vecs; i++) {
		done = vec_pages(vecs + at * bpf_core_type_size(struct bio_vec), done, event);
		at += (done - 1) >> 63; /* 1 when it is 0; of a branch the verifier would follow both ways, each time */
	}
	if (at < n_vecs)
		count_lost_event(STREAM_CACHE);
	return 0;
}

PAIR("tp_btf/block_bio_queue", on_cache_bio_queue, HOOK_CACHE_WRITEBACK_START)
{
	return bio_pages(argument(ctx, 0), CACHE_WRITEBACK_START);
}

SEC("tp_btf/block_bio_queue")
int on_cache_bio_queue_old(u64 *ctx) /* until 5.10: the queue comes first */
{
	count_fired(HOOK_CACHE_WRITEBACK_START);
	return bio_pages(argument(ctx, 1), CACHE_WRITEBACK_START);
}

/* The bios of a request that BYTES have been moved of. The tracepoint of a bio's completion is for
 * those that make no request (blk_update_request() clears BIO_TRACE_COMPLETION). */
PAIR("tp_btf/block_rq_complete", on_cache_rq_complete, HOOK_CACHE_WRITEBACK_END)
{
	u64 bio = kread(argument(ctx, 0), request, bio);
	u32 left = ctx[2];
	u64 i;

	for (i = 0; i < REQUEST_BIOS_MAX && bio; i++) {
		u32 size = kread(bio, bio, bi_iter.bi_size);

		if (size > left)
			break;
		left -= size;
		bio_pages(bio, CACHE_WRITEBACK_END);
		bio = kread(bio, bio, bi_next);
	}
	return 0;
}

PAIR("tp_btf/block_bio_complete", on_cache_bio_complete, HOOK_CACHE_BIO_END)
{
	return bio_pages(argument(ctx, 1), CACHE_WRITEBACK_END);
}
