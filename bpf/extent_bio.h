/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who made a bio, and what is known about it at its submission, because another thread may issue it
 * later. */
#ifndef IOTRC_BPF_EXTENT_BIO_H
#define IOTRC_BPF_EXTENT_BIO_H

#include "bpf/abi.h"
#include "bpf/disk.h"
#include "bpf/extent_cause.h"
#include "bpf/extent_held.h"
#include "bpf/extent_owner.h"
#include "bpf/folio.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"

#define CHAINED_MAX 4

/* The bio that BIO was split off. */
static __always_inline u64 whole_bio(u64 bio)
{
	u64 i;

	for (i = 0; i < CHAINED_MAX; i++) {
		if (maker_of_function(kread(bio, bio, bi_end_io)) != MAKER_CHAIN)
			break;
		bio = kread(bio, bio, bi_private);
	}
	return bio;
}

/* For a bio of buffers, the buffer decides. */
static __always_inline u32 maker_of(u64 bio)
{
	u32 maker = maker_of_function(kread(bio, bio, bi_end_io));

	if (maker != MAKER_BUFFERS || !bpf_core_field_exists(struct buffer_head, b_end_io))
		return maker;
	return maker_of_function(kread(kread(bio, bio, bi_private), buffer_head, b_end_io));
}

struct bio_note {
	u64 sector;                                  /* of the bio's first byte */
	u64 owner;                                   /* key in owners of the submitting thread */
	u64 inode, offset;                           /* O_DIRECT: the file and the offset in it */
	u64 wanted_inode, wanted_first, wanted_last; /* pages that a read or a fault requests */
	u32 cause;                                   /* of what it writes */
	u32 faulted;                                 /* a fault requests them */
	u32 maker, bytes;                            /* at sector */
	u32 by_kernel;                               /* a thread of the kernel submits it */
	u32 may_be_held; /* it will be submitted once more, perhaps by another thread */
	u32 left;        /* bytes that no request has carried yet */
};

/* An entry is removed when requests have carried the whole bio. LRU: a bio may end without having
 * been in a request, and no tracepoint tells that. So an entry may be that of an earlier bio at the
 * same address: see note_covers(). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, u64);
	__type(value, struct bio_note);
} bio_notes SEC(".maps");

/* The transfer adds the size of a bio after its submission; until 6.19, before. */
static __always_inline void note_direct(struct bio_note *n, u64 bio)
{
	u64 dio = kread(bio, bio, bi_private), iocb;

	if (!bpf_core_field_exists(struct iomap_dio, iocb))
		return;
	iocb = kread(dio, iomap_dio, iocb);
	n->inode = host(kread(kread(iocb, kiocb, ki_filp), file, f_mapping));
	n->offset = kread(iocb, kiocb, ki_pos) + kread(dio, iomap_dio, size);
	if (!cfg.dio_counts_late)
		n->offset -= (u32)kread(bio, bio, bi_iter.bi_size);
}

/* For a transfer of the block device itself: the offset on it. */
static __always_inline void note_device(struct bio_note *n, u64 bio)
{
	u64 first = 0;

	if (bpf_core_field_exists(struct bio, bi_bdev) &&
	    bpf_core_field_exists(struct block_device, bd_start_sect))
		first = kread(kread(bio, bio, bi_bdev), block_device, bd_start_sect);
	n->offset = (n->sector - first) * 512;
}

static __always_inline void note_wanted(struct bio_note *n, u64 bio)
{
	struct task_state *state = current_state(false);
	u64 page = kread(kread(bio, bio, bi_io_vec), bio_vec, bv_page), inode;

	if (!state)
		return;
	inode = page ? folio_inode(head_of(page)) : 0;
	if (inode)
		note_seen(state, inode, FILE_READ);
	n->wanted_inode = state->demand.inode;
	n->wanted_first = state->demand.first;
	n->wanted_last = state->demand.last;
	n->faulted = state->demand.fault;
}

/* Whether byte AT of the device is one of the bio that N was made for. */
static __always_inline bool note_covers(const struct bio_note *n, u64 at)
{
	u64 begin = n->sector * 512;

	return at >= begin && at - begin < n->bytes;
}

/* Whether a note of BYTES at SECTOR is about what is left of the bio that N was made for, which
 * was too large for one request. */
static __always_inline bool is_rest_of(const struct bio_note *n, u64 sector, u32 bytes)
{
	return note_covers(n, sector * 512) && n->sector * 512 + n->bytes == sector * 512 + bytes;
}

/* Whether EARLIER is about the very bio that N is about, which was held back meanwhile. */
static __always_inline bool was_held(struct bio_note *earlier, const struct bio_note *n)
{
	if (!earlier->may_be_held || earlier->sector != n->sector || earlier->bytes != n->bytes)
		return false;
	earlier->may_be_held = 0;
	return true;
}

/* A global function, so that its stack is not part of the walk's. */
__noinline int note_bio(u64 bio, u32 may_be_held)
{
	struct bio_note n = { .offset = EXTENT_NO_OFFSET, .may_be_held = may_be_held }, *earlier;
	bool held = submits_held();

	n.bytes = kread(bio, bio, bi_iter.bi_size);
	n.sector = kread(bio, bio, bi_iter.bi_sector);
	if (!n.bytes || (held && may_be_held)) /* until 5.18 the worker passes the limit, too */
		return 0;
	earlier = bpf_map_lookup_elem(&bio_notes, &bio);
	if (earlier && n.sector != earlier->sector && is_rest_of(earlier, n.sector, n.bytes))
		return 0;
	if (earlier && held && was_held(earlier, &n))
		return 0;
	n.left = n.bytes;
	n.by_kernel = !!(task_read(current_task(), flags) & PF_KTHREAD);
	n.owner = held ? 0 : owner_of(current_state(true));
	n.maker = maker_of(bio);
	if (held) {
		n.cause = CAUSE_UNKNOWN;
	} else if (kread(bio, bio, bi_opf) & OP_WRITE) {
		n.cause = cause_of_write();
	} else {
		n.cause = cause_of_call() == CAUSE_FAULT ? CAUSE_FAULT : CAUSE_READ;
		note_wanted(&n, bio);
	}
	if (n.maker == MAKER_DIRECT)
		note_direct(&n, bio);
	else if (n.maker == MAKER_DEVICE)
		note_device(&n, bio);
	bpf_map_update_elem(&bio_notes, &bio, &n, BPF_ANY);
	return 0;
}

/* A request carries BYTES of the bio WHOLE, which N is about. A note that is used up must not stay:
 * it has been looked up, so the LRU would rather evict those of bios that still wait for a request.
 * A device that makes no requests may pass the same bio on: its note stays. */
static __always_inline void use_note(struct bio_note *n, u64 whole, u64 bytes)
{
	if (bytes < n->left)
		n->left -= bytes;
	else
		bpf_map_delete_elem(&bio_notes, &whole);
}

#endif
