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
#define PIECE_STEP 64       /* folios per call of vec_pieces() */
#define PIECE_CALLS 512     /* such calls per bio, which has up to 256 pieces of memory */
#define WALKS 4             /* one for a thread, others for interrupts and preempting threads */

/* A contiguous run. */
struct run {
	u64 at; /* its first byte on the device */
	u64 bytes;
	u64 inode;  /* address, 0: none */
	u64 offset; /* in the file, or EXTENT_NO_OFFSET */
	u64 owner;  /* key of owners */
	u64 age;    /* ns since the oldest page was made dirty; 0: unknown */
	u32 fs_dev; /* where there is no inode */
	u8 kind, cause, reason, pad;
};

struct walk {
	u32 busy;
	u32 dev, op, opf;
	u64 ns, request_id;
	u64 at;      /* the next byte on the device */
	u64 covered; /* bytes of the request so far */
	u64 rows;
	u64 noted; /* the bio has a note */
	struct bio_note note;
	struct run run, next;
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

	if (!r || !r->bytes)
		return 0;
	o = bpf_map_lookup_elem(&owners, &r->owner);
	if (owner_filtered() && (!o || o->left_out)) {
		count_filtered(STREAM_EXTENT);
		r->bytes = 0;
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
		rec->bytes = r->bytes;
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
	r->bytes = 0;
	return 0;
}

static __always_inline bool extends(const struct run *r, const struct run *next)
{
	if (!r->bytes || r->at + r->bytes != next->at || r->inode != next->inode ||
	    r->owner != next->owner || r->kind != next->kind || r->cause != next->cause ||
	    r->reason != next->reason || r->fs_dev != next->fs_dev)
		return false;
	return r->offset == EXTENT_NO_OFFSET ? next->offset == EXTENT_NO_OFFSET :
					       r->offset + r->bytes == next->offset;
}

/* Adds w->next to the run, or begins a new one. Inlined: a chain of calls has at most eight frames,
 * and walk_some() is the last. */
static __always_inline void add_piece(u32 slot, struct walk *w)
{
	w->at += w->next.bytes;
	w->covered += w->next.bytes;
	if (extends(&w->run, &w->next)) {
		w->run.bytes += w->next.bytes;
		if (w->next.age > w->run.age)
			w->run.age = w->next.age;
		return;
	}
	send_run(slot);
	w->run = w->next;
}

static __always_inline void fresh_piece(struct walk *w, u64 bytes)
{
	__builtin_memset(&w->next, 0, sizeof(w->next));
	w->next.at = w->at;
	w->next.bytes = bytes;
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
	fresh_piece(w, bytes);
	w->next.cause = CAUSE_UNKNOWN;
	w->next.reason = reason;
	add_piece(slot, w);
}

static __always_inline void fill_dirtied(struct walk *w, u64 inode, u64 index)
{
	struct dirtied d = find_dirtied(inode, index, w->run.owner);

	w->next.owner = d.owner;
	w->next.age = d.owner ? dirty_age(d.entry, w->ns) : 0;
}

/* Whether somebody requested this page of a file that is read. Unless the request is for
 * read-ahead, somebody waits for it. What a thread of the kernel reads for one that is not known
 * here may have been requested. */
static __always_inline void fill_read(struct walk *w, struct run *p, u64 inode, u64 index)
{
	const struct bio_note *n = &w->note;
	bool known = w->noted && (n->wanted_inode == inode || !n->by_kernel);
	bool wanted = w->noted && n->wanted_inode == inode && index >= n->wanted_first &&
		      index <= n->wanted_last;
	bool ahead = w->opf & (1U << bpf_core_enum_value(enum req_flag_bits, __REQ_RAHEAD));

	if (wanted) {
		p->cause = n->faulted ? CAUSE_FAULT : CAUSE_READ;
	} else if (ahead && known && cfg.tells_reads) {
		p->kind = EXTENT_READAHEAD;
		p->cause = CAUSE_READAHEAD;
	} else if (ahead) {
		p->cause = CAUSE_UNKNOWN;
	}
}

static __always_inline bool of_swap(u64 head, bool moving)
{
	return moving && page_flag(head, bpf_core_enum_value(enum pageflags, PG_swapcache));
}

/* w->next is part of the folio HEAD of the page cache, from page INDEX on, at byte OFFSET of it. */
static __always_inline void fill_cached(struct walk *w, u64 head, u64 inode, u64 index, u64 offset)
{
	u32 format = inode_format(inode);
	struct run *p = &w->next;
	bool of_file = format == S_IFREG || format == S_IFLNK;

	p->kind = of_file ? EXTENT_DATA : EXTENT_METADATA;
	p->offset = index * cfg.page_size + offset;
	p->inode = inode;
	if (format == S_IFBLK)
		p->fs_dev = inode_dev(inode);
	if (w->opf & OP_WRITE)
		fill_dirtied(w, inode, folio_index(head));
	else if (of_file)
		fill_read(w, p, inode, index);
}

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

/* Only pages that move between a file and its device have the flag: O_DIRECT may use pages of
 * another file, or anonymous pages, as its buffer. */
static __always_inline bool is_moving(struct walk *w, u64 head)
{
	return w->opf & OP_WRITE ?
		       page_flag(head, bpf_core_enum_value(enum pageflags, PG_writeback)) :
		       page_flag(head, bpf_core_enum_value(enum pageflags, PG_locked));
}

/* Classifies the part of the folio HEAD that begins at page BEFORE of it. */
static __always_inline void classify(struct walk *w, u64 head, u64 before, u64 offset)
{
	u64 inode = folio_inode(head);
	bool moving = is_moving(w, head);
	struct run *p = &w->next;

	switch (w->noted ? w->note.maker : MAKER_OTHER) {
	case MAKER_JOURNAL:
		p->kind = EXTENT_JOURNAL;
		return;
	case MAKER_METADATA:
		p->kind = EXTENT_METADATA;
		return;
	case MAKER_SWAP:
		p->kind = EXTENT_SWAP;
		return;
	case MAKER_DIRECT:
	case MAKER_DEVICE:
		fill_direct(w);
		return;
	}
	if (inode && (moving || !is_regular(inode)))
		fill_cached(w, head, inode, folio_index(head) + before, offset);
	else if (!inode && of_swap(head, moving))
		p->kind = EXTENT_SWAP;
	else if (w->noted)
		p->reason = UNKNOWN_MEMORY;
	if (p->reason)
		p->cause = CAUSE_UNKNOWN;
}

/* BYTES are read, from OFFSET in page INDEX of INODE on. Returns how many of the first ones are
 * alike: all requested, or none. */
static __always_inline u64 until_edge(struct walk *w, u64 inode, u64 index, u64 offset, u64 bytes)
{
	const struct bio_note *n = &w->note;
	u64 edge = index < n->wanted_first ? n->wanted_first : n->wanted_last + 1, most;

	if (w->op != OP_READ || !w->noted || n->wanted_inode != inode || index >= edge)
		return bytes;
	most = (edge - index) * cfg.page_size - offset;
	return bytes > most ? most : bytes;
}

/* The next piece: at most LEFT bytes from OFFSET on in PAGE and the following pages of the same
 * folio. Returns its bytes. */
__noinline u64 page_piece(u32 slot, u64 page, u64 offset, u64 left)
{
	struct walk *w = walk_of(slot);
	u64 head = head_of(page), before, bytes;

	if (!w)
		return left;
	before = (page - head) / bpf_core_type_size(struct page);
	bytes = (folio_pages(head) - before) * cfg.page_size - offset;
	if (bytes > left || !bytes)
		bytes = left;
	bytes = until_edge(w, folio_inode(head), folio_index(head) + before, offset, bytes);
	if (w->rows >= EXTENT_ROWS_MAX) {
		add_unknown(slot, w, bytes, UNKNOWN_SEGMENTS);
		return bytes;
	}
	fresh_piece(w, bytes);
	classify(w, head, before, offset);
	add_piece(slot, w);
	return bytes;
}

/* Up to PIECE_STEP folios of the piece of memory VEC, from byte DONE on, at most LEFT bytes.
 * Returns their bytes. */
__noinline u64 vec_pieces(u32 slot, u64 vec, u64 done, u64 left)
{
	u64 offset = (u32)kread(vec, bio_vec, bv_offset) + done,
	    len = (u32)kread(vec, bio_vec, bv_len), bytes = 0;
	u64 page = kread(vec, bio_vec, bv_page);
	u64 i;

	len = len > done ? len - done : 0;
	if (len > left)
		len = left;
	if (!page)
		return 0;
	page += offset / cfg.page_size * bpf_core_type_size(struct page);
	offset %= cfg.page_size;
	for (i = 0; i < PIECE_STEP && bytes < len; i++) {
		u64 n = page_piece(slot, page, offset, len - bytes);

		bytes += n;
		page += (offset + n) / cfg.page_size * bpf_core_type_size(struct page);
		offset = (offset + n) % cfg.page_size;
	}
	return bytes;
}

/* All pieces of a bio that carries pages. */
static __always_inline void bio_pieces(u32 slot, struct walk *w, u64 bio)
{
	u64 vec = kread(bio, bio, bi_io_vec), left = (u32)kread(bio, bio, bi_iter.bi_size);
	u64 done = (u32)kread(bio, bio, bi_iter.bi_bvec_done), i;

	vec += (u32)kread(bio, bio, bi_iter.bi_idx) * bpf_core_type_size(struct bio_vec);
	for (i = 0; i < PIECE_CALLS && left; i++) {
		u64 n = vec_pieces(slot, vec, done, left);

		if (!n)
			break;
		left -= n;
		done += n;
		if (done >= (u32)kread(vec, bio_vec, bv_len)) {
			vec += bpf_core_type_size(struct bio_vec);
			done = 0;
		}
	}
	add_unknown(slot, w, left, UNKNOWN_SEGMENTS);
}

static __always_inline bool carries_pages(u32 op)
{
	return op == OP_READ || op == OP_WRITE;
}

/* One bio of a request; returns its bytes. */
__noinline u64 walk_bio(u32 slot, u64 bio)
{
	struct walk *w = walk_of(slot);
	u64 whole = whole_bio(bio), bytes = (u32)kread(bio, bio, bi_iter.bi_size);
	struct bio_note *note;

	if (!w)
		return 0;
	note = bpf_map_lookup_elem(&bio_notes, &whole);
	w->noted = note && note_covers(note, w->at);
	if (w->noted)
		w->note = *note;
	w->opf = kread(bio, bio, bi_opf);
	if (carries_pages(w->op))
		bio_pieces(slot, w, bio);
	else
		add_unknown(slot, w, bytes, UNKNOWN_OPERATION);
	return bytes;
}

/* Sends the last row of a request of BYTES, and ends the walk. */
__noinline int end_walk(u32 slot, u64 bytes)
{
	struct walk *w = walk_of(slot);

	if (!w)
		return 0;
	w->noted = 0;
	if (w->covered < bytes)
		add_unknown(slot, w, bytes - w->covered,
			    carries_pages(w->op) ? UNKNOWN_SEGMENTS : UNKNOWN_OPERATION);
	send_run(slot);
	w->busy = 0;
	return 0;
}

#endif
