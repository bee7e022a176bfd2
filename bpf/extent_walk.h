/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Walks over the content of a request: its bios, their pieces of memory, and the folios in them.
 * Contiguous parts of one file become one row. The state is in a map, because functions that are
 * verified once accept only numbers before 5.12. */
#ifndef IOTRC_BPF_EXTENT_WALK_H
#define IOTRC_BPF_EXTENT_WALK_H

#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/extent_bio.h"
#include "bpf/extent_name.h"
#include "bpf/extent_owner.h"
#include "bpf/extent_seen.h"
#include "bpf/folio.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "schema/records.h"
#include "schema/streams.h"

#define EXTENT_ROWS_MAX 256 /* of a request; the rest is one row of kind unknown */
#define ALIKE_MAX 16        /* folios per call of add_alike() */
#define PIECE_STEP 16       /* times ALIKE_MAX folios, or one, per call of add_folios() */
#define PIECE_CALLS 1024    /* such calls per bio */
#define WALKS 4             /* one for a thread, others for interrupts and preempting threads */

/* A contiguous run. It ends where the walk is. */
struct run {
	u64 at;     /* its first byte on the device */
	u64 inode;  /* address, 0: none */
	u64 offset; /* in the file, or EXTENT_NO_OFFSET */
	u64 owner;  /* key of owners */
	u64 age;    /* ns since the oldest page was made dirty; 0: unknown */
	u32 fs_dev; /* where there is no inode */
	u8 kind, cause, reason, pad;
};

/* A piece of memory: the content of struct bio_vec. */
struct piece {
	u64 page;
	union {
		struct {
			u32 bytes, offset;
		};
		u64 sizes;
	};
};

/* The part of a bio that is still to be walked over. */
struct rest {
	u64 vec, done;           /* the next piece of memory, and its bytes that came before */
	u64 left;                /* bytes from there on */
	struct piece piece;      /* the current one */
	u64 page, offset, bytes; /* what is left of it */
};

/* The file of the last page. */
struct page_file {
	u64 mapping, inode; /* addresses */
	u32 format;         /* S_IFREG, ... */
};

/* Which folios continue the run: those that move between the same file and its device, and follow
 * in the file, up to a page. */
struct likeness {
	u64 until;      /* this page; 0: none continues the run */
	u64 dirty_hash; /* of the pages before it, in a write */
};

struct walk {
	u32 busy;
	u32 dev, op, opf;
	u64 ns, request_id;
	u64 begin, at; /* the first and the next byte on the device */
	u64 rows;
	u64 moving;      /* mask: the flag of pages that move between a file and its device */
	bool by_request; /* false: the device makes no requests */
	bool noted;      /* the bio has a note */
	struct bio_note note;
	struct rest rest;
	struct page_words words; /* of the next folio */
	struct page_file file;
	struct run run, next;
	struct likeness like;
	u64 named, path;       /* the inode whose path was looked up last */
	struct seen_file seen; /* and the overlay's file that it is a layer of */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALKS);
	__type(key, u32);
	__type(value, struct walk);
} walks SEC(".maps");

static __always_inline struct walk *walk_of(u32 slot)
{
	return bpf_map_lookup_elem(&walks, &slot);
}

static __always_inline bool take_walk(struct walk *w)
{
	if (FROM_6_2)
		return !__sync_val_compare_and_swap(&w->busy, 0, 1);
	if (w->busy)
		return false;
	w->busy = 1;
	return true;
}

/* Returns the number of a walk that is free on this CPU, or WALKS. */
static __always_inline u32 free_walk(void)
{
	u32 slot;

	for (slot = 0; slot < WALKS; slot++) {
		struct walk *w = walk_of(slot);

		if (w && take_walk(w))
			return slot;
	}
	return WALKS;
}

static __always_inline void fill_owner(struct rec_extent *rec, const struct owner *o)
{
	if (!o)
		return;
	rec->pid = o->pid;
	rec->tid = o->tid;
	rec->cgroup = o->cgroup;
	__builtin_memcpy(rec->comm, o->comm, sizeof(rec->comm));
}

static __always_inline void fill_file(struct rec_extent *rec, struct walk *w, const struct run *r)
{
	u64 sb, format = r->inode ? inode_format(r->inode) : 0;

	rec->fs_dev = r->fs_dev;
	if (!r->inode || format == S_IFBLK)
		return;
	sb = kread(r->inode, inode, i_sb);
	rec->fs_dev = kread(sb, super_block, s_dev);
	rec->ino = kread(r->inode, inode, i_ino);
	bpf_probe_read_kernel_str(
		rec->fs_type, sizeof(rec->fs_type),
		(void *)kread(kread(sb, super_block, s_type), file_system_type, name));
	rec->path = w->path;
	rec->seen_dev = w->seen.dev;
	rec->seen_ino = w->seen.ino;
	if (is_kept(w->seen.epoch))
		rec->seen_path = w->seen.path;
}

/* Looks up the names of the file of R. */
static __always_inline void name_file(struct walk *w, const struct run *r)
{
	struct seen_file *seen = seen_file_of(r->inode);

	w->named = r->inode;
	w->path = inode_path(r->inode);
	if (seen)
		w->seen = *seen;
	else
		__builtin_memset(&w->seen, 0, sizeof(w->seen));
}

/* Sends the row of the current run, if there is one. */
__noinline int send_run(u32 slot)
{
	struct walk *w = walk_of(slot);
	struct run *r = w ? &w->run : 0;
	struct rec_extent *rec;
	struct owner *o;
	u64 flags;

	if (!r || r->at == w->at)
		return 0;
	o = bpf_map_lookup_elem(&owners, &r->owner);
	if (owner_filtered() && (!o || o->left_out)) {
		count_filtered(STREAM_EXTENT);
		return 0;
	}
	if (r->inode && w->named != r->inode)
		name_file(w, r);
	w->rows++;
	rec = reserve(STREAM_EXTENT, sizeof(*rec), w->ns, &flags);
	if (rec) {
		__builtin_memset(rec, 0, sizeof(*rec));
		rec->type = REC_EXTENT;
		rec->kind = r->kind;
		rec->cause = r->cause;
		rec->reason = r->reason;
		rec->bytes = w->at - r->at;
		rec->ns = w->ns;
		rec->request_id = w->request_id;
		rec->sector = r->at / 512;
		rec->offset = r->offset;
		rec->age = r->age ? r->age : EXTENT_NO_AGE;
		rec->dev = w->dev;
		rec->op = w->op;
		fill_owner(rec, o);
		fill_file(rec, w, r);
		deliver(rec, flags);
	}
	return 0;
}

/* Whether w->next continues the run. */
static __always_inline bool extends(struct walk *w)
{
	const struct run *r = &w->run, *next = &w->next;

	if (r->at == w->at || r->inode != next->inode || r->owner != next->owner ||
	    r->kind != next->kind || r->cause != next->cause || r->reason != next->reason ||
	    r->fs_dev != next->fs_dev)
		return false;
	return r->offset == EXTENT_NO_OFFSET ? next->offset == EXTENT_NO_OFFSET :
					       r->offset + w->at - r->at == next->offset;
}

/* Adds w->next, BYTES, to the run, or begins a new one. Inlined: a chain of calls has at most eight
 * frames, and walk_some() is the last. */
static __always_inline void add_piece(u32 slot, struct walk *w, u64 bytes)
{
	if (extends(w)) {
		if (w->next.age > w->run.age)
			w->run.age = w->next.age;
	} else {
		send_run(slot);
		w->run = w->next;
	}
	w->at += bytes;
}

static __always_inline void fresh_piece(struct walk *w)
{
	__builtin_memset(&w->next, 0, sizeof(w->next));
	w->next.at = w->at;
	w->next.offset = EXTENT_NO_OFFSET;
	w->next.owner = w->noted ? w->note.owner : 0;
	w->next.cause = w->noted ? w->note.cause : CAUSE_UNKNOWN;
	w->next.reason = w->noted ? UNKNOWN_NOT : UNKNOWN_SUBMISSION;
}

/* Adds BYTES of the request about which nothing is known, because of REASON. */
static __always_inline void add_unknown(u32 slot, struct walk *w, u64 bytes, u32 reason)
{
	if (!bytes)
		return;
	fresh_piece(w);
	w->next.cause = CAUSE_UNKNOWN;
	w->next.reason = reason;
	w->like.until = 0;
	add_piece(slot, w, bytes);
}

/* ---- bios whose maker tells all ---- */

static __always_inline void fill_direct(struct walk *w)
{
	struct run *p = &w->next;

	p->kind = EXTENT_DIRECT;
	p->cause = CAUSE_DIRECT;
	p->inode = w->note.inode;
	if (!p->inode)
		p->fs_dev = w->dev;
	if (w->note.offset != EXTENT_NO_OFFSET)
		p->offset = w->note.offset + w->at - w->note.sector * 512;
}

/* Fills w->next if what made the bio tells what all of it is. Its pages say nothing then: O_DIRECT
 * may use pages of another file, or anonymous pages, as its buffer. */
static __always_inline bool fill_by_maker(struct walk *w)
{
	fresh_piece(w);
	switch (w->noted ? w->note.maker : MAKER_OTHER) {
	case MAKER_JOURNAL:
		w->next.kind = EXTENT_JOURNAL;
		return true;
	case MAKER_METADATA:
		w->next.kind = EXTENT_METADATA;
		return true;
	case MAKER_SWAP:
		w->next.kind = EXTENT_SWAP;
		return true;
	case MAKER_DIRECT:
	case MAKER_DEVICE:
		fill_direct(w);
		return true;
	}
	return false;
}

/* ---- other bios: their pages tell ---- */

static __always_inline void fill_dirtied(struct walk *w, u64 inode, u64 index)
{
	struct dirtied d = find_dirtied(inode, index, w->run.owner);

	w->next.owner = d.owner;
	w->next.age = d.owner ? dirty_age(d.entry, w->ns) : 0;
	w->like.dirty_hash = dirty_hash(inode, index);
	w->like.until = dirty_block_end(index);
}

/* Whether somebody requested this page of a file that is read. Unless the request is for
 * read-ahead, somebody waits for it. What a thread of the kernel reads for one that is not known
 * here may have been requested. */
static __always_inline void fill_read(struct walk *w, u64 inode, u64 index)
{
	const struct bio_note *n = &w->note;
	bool known = w->noted && (n->wanted_inode == inode || !n->by_kernel);
	bool wanted = w->noted && n->wanted_inode == inode && index >= n->wanted_first &&
		      index <= n->wanted_last;
	bool ahead = w->opf & (1U << bpf_core_enum_value(enum req_flag_bits, __REQ_RAHEAD));

	if (wanted) {
		w->next.cause = n->faulted ? CAUSE_FAULT : CAUSE_READ;
	} else if (ahead && known && cfg.tells_reads) {
		w->next.kind = EXTENT_READAHEAD;
		w->next.cause = CAUSE_READAHEAD;
	} else if (ahead) {
		w->next.cause = CAUSE_UNKNOWN;
	}
}

#define NO_EDGE (1ULL << 62) /* no file has so many pages */

/* The page before which all pages of INODE from INDEX on are alike: all requested, or none. */
static __always_inline u64 wanted_edge(struct walk *w, u64 inode, u64 index)
{
	const struct bio_note *n = &w->note;

	if (!w->noted || n->wanted_inode != inode || index > n->wanted_last)
		return NO_EDGE;
	return index < n->wanted_first ? n->wanted_first : n->wanted_last + 1;
}

/* Finds the file of MAPPING, which as a rule is that of the page before. */
static __always_inline void find_file(struct page_file *f, u64 mapping)
{
	if (f->mapping == mapping)
		return;
	f->mapping = mapping;
	f->inode = mapping_inode(mapping);
	f->format = f->inode ? inode_format(f->inode) : 0;
}

/* w->next is part of the folio of w->words, in the page cache, from page INDEX of the file on. */
static __always_inline void fill_cached(struct walk *w, u64 index)
{
	u64 inode = w->file.inode;
	u32 format = w->file.format;
	struct run *p = &w->next;
	bool of_file = format == S_IFREG || format == S_IFLNK;

	p->kind = of_file ? EXTENT_DATA : EXTENT_METADATA;
	p->offset = (index << cfg.page_shift) + w->rest.offset;
	p->inode = inode;
	if (format == S_IFBLK)
		p->fs_dev = inode_dev(inode);
	if (w->opf & OP_WRITE) {
		fill_dirtied(w, inode, w->words.index);
		return;
	}
	if (of_file)
		fill_read(w, inode, index);
	w->like.until = wanted_edge(w, inode, index);
}

static __always_inline void fill_by_folio(struct walk *w, u64 index)
{
	bool moving = w->words.flags & w->moving;

	fresh_piece(w);
	w->like.until = 0;
	if (w->file.inode && (moving || w->file.format != S_IFREG))
		fill_cached(w, index);
	else if (!w->file.inode && moving &&
		 flag_in(w->words.flags, bpf_core_enum_value(enum pageflags, PG_swapcache)))
		w->next.kind = EXTENT_SWAP;
	else if (w->noted)
		w->next.reason = UNKNOWN_MEMORY;
	if (w->next.reason)
		w->next.cause = CAUSE_UNKNOWN;
}

/* The bytes of what is left of the piece of memory that are in the next PAGES of a folio. */
static __always_inline u64 bytes_in(const struct rest *r, u64 pages)
{
	u64 bytes = (pages << cfg.page_shift) - r->offset;

	return bytes && bytes < r->bytes ? bytes : r->bytes;
}

/* Adds what is in the next folio, as far as it is alike. Returns its bytes. */
__noinline u64 add_folio(u32 slot)
{
	struct walk *w = walk_of(slot);
	u64 head, before = 0, index, pages, bytes;

	if (!w)
		return 0;
	head = head_of(w->rest.page);
	read_page(&w->words, head);
	find_file(&w->file, w->words.mapping);
	if (w->rest.page != head)
		before = (w->rest.page - head) / bpf_core_type_size(struct page);
	index = w->words.index + before;
	pages = pages_in(head, w->words.flags) - before;
	if (w->rows >= EXTENT_ROWS_MAX) {
		bytes = bytes_in(&w->rest, pages);
		add_unknown(slot, w, bytes, UNKNOWN_SEGMENTS);
		return bytes;
	}
	fill_by_folio(w, index);
	if (w->op == OP_READ && w->like.until && pages > w->like.until - index)
		pages = w->like.until - index;
	bytes = bytes_in(&w->rest, pages);
	add_piece(slot, w, bytes);
	return bytes;
}

/* Reads the struct bio_vec at VEC. */
static __always_inline void read_vec(struct piece *ret, u64 vec)
{
	if (FROM_6_2) {
		const volatile u64 *words = kwords(vec);

		ret->page = words[0];
		ret->sizes = words[1];
	} else {
		bpf_probe_read_kernel(ret, sizeof(*ret), (void *)vec);
	}
}

/* Goes on to the next piece of memory. Returns false if there is none. */
static __always_inline bool next_vec(struct rest *r)
{
	u64 offset, bytes;

	read_vec(&r->piece, r->vec);
	offset = r->piece.offset + r->done;
	bytes = r->piece.bytes > r->done ? r->piece.bytes - r->done : 0;
	r->vec += bpf_core_type_size(struct bio_vec);
	r->done = 0;
	r->page = r->piece.page + (offset >> cfg.page_shift) * bpf_core_type_size(struct page);
	r->offset = offset & (PAGE_BYTES - 1);
	r->bytes = bytes < r->left ? bytes : r->left;
	r->left -= r->bytes;
	return r->piece.page && r->bytes;
}

/* Goes BYTES further in the piece of memory. */
static __always_inline void pass(struct rest *r, u64 bytes)
{
	u64 offset = r->offset + bytes;

	r->page += (offset >> cfg.page_shift) * bpf_core_type_size(struct page);
	r->offset = offset & (PAGE_BYTES - 1);
	r->bytes -= bytes;
}

/* Adds the next folios as long as they simply continue the run, and make it no older: as a rule,
 * all that a bio has. So this loop is what a large request costs. What it compares is in local
 * variables, and it has few branches: the verifier goes through each in each turn. A page that has
 * the mapping of a file is no tail of a folio. A piece of memory that is not whole pages is left to
 * next_vec(). Returns the number of pages. */
__noinline int add_alike(u32 slot)
{
	struct walk *w = walk_of(slot);
	struct entry_range entries = { .span = -1ULL }; /* for reads: any */
	u64 page, pages_left, vec, left, index, end, hash, mapping, moving, head, next, i;
	u64 shift = cfg.page_shift, page_bytes = 1ULL << shift;
	u64 uneven = ~0xffffffffULL | (page_bytes - 1); /* sizes that are not whole pages */
	struct dirty_block *block;

	if (!w || !w->like.until || w->rest.offset || w->rest.done)
		return 0;
	next = w->run.offset + w->at - w->run.at;
	hash = w->like.dirty_hash;
	block = dirty_block(hash);
	if (!block || (next | w->rest.bytes) & (page_bytes - 1) ||
	    (w->opf & OP_WRITE && !younger(&entries, hash, w->run.owner, w->run.age, w->ns)))
		return 0;
	page = w->rest.page;
	pages_left = w->rest.bytes >> shift;
	vec = w->rest.vec;
	left = w->rest.bytes + w->rest.left;
	mapping = w->file.mapping;
	moving = w->moving;
	head = 1ULL << bpf_core_enum_value(enum pageflags, PG_head);
	next >>= shift;
	index = next;
	end = next + (left >> shift);
	if (end > w->like.until)
		end = w->like.until;
	for (i = 0; i < ALIKE_MAX; i++) {
		struct page_words words;
		u64 pages = 1;

		if (!pages_left) {
			struct piece piece;

			if (index == end)
				break;
			read_vec(&piece, vec);
			if ((piece.sizes - page_bytes) & uneven)
				break;
			page = piece.page;
			pages_left = piece.sizes >> shift;
			vec += bpf_core_type_size(struct bio_vec);
		}
		read_page(&words, page);
		if (words.flags & head)
			pages = large_pages(page);
		if ((words.mapping ^ mapping) | (words.index ^ index) | (~words.flags & moving) |
		    ((end - index - pages) | (pages_left - pages)) >> 63)
			break;
		if (!in_range(*dirty_place(block, hash, index), &entries))
			break;
		index += pages;
		pages_left -= pages;
		page += pages * bpf_core_type_size(struct page);
	}
	left -= (index - next) << shift;
	w->rest.page = page;
	w->rest.vec = vec;
	w->rest.bytes = pages_left << shift;
	if (w->rest.bytes > left) /* the bio ends within the piece */
		w->rest.bytes = left;
	w->rest.left = left - w->rest.bytes;
	w->at += (index - next) << shift;
	return index - next;
}

/* Adds folios of a bio. Returns 0 at its end. */
__noinline int add_folios(u32 slot)
{
	struct walk *w = walk_of(slot);
	u64 i;

	if (!w)
		return 0;
	for (i = 0; i < PIECE_STEP; i++) {
		if (add_alike(slot))
			continue;
		if (!w->rest.bytes && !next_vec(&w->rest))
			return 0;
		pass(&w->rest, add_folio(slot));
	}
	return 1;
}

/* Adds all pieces of a bio that carries pages. */
static __always_inline void add_pages(u32 slot, struct walk *w, u64 bio)
{
	struct rest *r = &w->rest;
	u64 i;

	r->vec = kread(bio, bio, bi_io_vec) +
		 (u32)kread(bio, bio, bi_iter.bi_idx) * bpf_core_type_size(struct bio_vec);
	r->done = (u32)kread(bio, bio, bi_iter.bi_bvec_done);
	r->left = (u32)kread(bio, bio, bi_iter.bi_size);
	r->bytes = 0;
	for (i = 0; i < PIECE_CALLS; i++)
		if (!add_folios(slot))
			break;
	add_unknown(slot, w, r->bytes + r->left, UNKNOWN_SEGMENTS);
}

static __always_inline bool carries_pages(u32 op)
{
	return op == OP_READ || op == OP_WRITE;
}

/* Looks up what is known about BIO, of which BYTES are walked over. */
static __always_inline void find_note(struct walk *w, u64 bio, u64 bytes)
{
	u64 whole = whole_bio(bio);
	struct bio_note *note = bpf_map_lookup_elem(&bio_notes, &whole);

	w->noted = note && note_covers(note, w->at);
	if (!w->noted)
		return;
	w->note = *note;
	if (w->by_request)
		use_note(note, whole, bytes);
}

/* Walks over one bio. */
__noinline int walk_bio(u32 slot, u64 bio)
{
	struct walk *w = walk_of(slot);
	u64 bytes = (u32)kread(bio, bio, bi_iter.bi_size);

	if (!w)
		return 0;
	find_note(w, bio, bytes);
	w->opf = kread(bio, bio, bi_opf);
	w->like.until = 0;
	if (!carries_pages(w->op))
		add_unknown(slot, w, bytes, UNKNOWN_OPERATION);
	else if (w->rows >= EXTENT_ROWS_MAX)
		add_unknown(slot, w, bytes, UNKNOWN_SEGMENTS);
	else if (fill_by_maker(w))
		add_piece(slot, w, bytes);
	else
		add_pages(slot, w, bio);
	return 0;
}

/* Sends the last row of a request of BYTES, and ends the walk. */
__noinline int end_walk(u32 slot, u64 bytes)
{
	struct walk *w = walk_of(slot);
	u64 covered;

	if (!w)
		return 0;
	w->noted = false;
	covered = w->at - w->begin;
	if (covered < bytes)
		add_unknown(slot, w, bytes - covered,
			    carries_pages(w->op) ? UNKNOWN_SEGMENTS : UNKNOWN_OPERATION);
	send_run(slot);
	w->busy = 0;
	return 0;
}

#endif
