// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which bytes of which file each block request carries, and whose they are; see docs/lineage.md. */
#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/disk.h"
#include "bpf/extent_bio.h"
#include "bpf/extent_cause.h"
#include "bpf/extent_owner.h"
#include "bpf/extent_walk.h"
#include "bpf/flight.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/pair.h"

#define BIOS_MAX 1024 /* of a request */

/* Begins a walk; returns its number, or WALKS, after counting a loss. SECTOR is its first. */
static __always_inline u32 begin_walk(u32 dev, u32 op, u64 sector, u64 request_id, bool by_request)
{
	u32 slot = free_walk();
	struct walk *w = walk_of(slot);

	if (!w) {
		lose(STREAM_EXTENT, bpf_ktime_get_ns());
		return WALKS;
	}
	w->dev = dev;
	w->op = op & REQ_OP_MASK;
	w->ns = bpf_ktime_get_ns();
	w->request_id = request_id;
	w->begin = w->at = w->run.at = sector * 512;
	w->by_request = by_request;
	w->moving = moving_flag(w->op & OP_WRITE);
	w->rows = w->named = w->path = 0;
	w->file.mapping = w->file.inode = 0;
	return slot;
}

/* The bio of a device that makes no requests contains everything. */
static __always_inline void whole_walk(u64 bio)
{
	struct bio_flight *f = bpf_map_lookup_elem(&bios_in_flight, &bio);
	u64 id = f ? f->request_id : next_id();
	u32 slot;

	if (f && f->left_out) {
		count_filtered(STREAM_EXTENT);
		return;
	}
	slot = begin_walk(disk_dev(bio_disk(bio)), kread(bio, bio, bi_opf),
			  kread(bio, bio, bi_iter.bi_sector), id, false);
	if (slot >= WALKS)
		return;
	walk_bio(slot, bio);
	end_walk(slot, 0);
}

static __always_inline int bio_submitted(u64 bio)
{
	note_bio(bio, false);
	if (!kread(kread(bio_disk(bio), gendisk, queue), request_queue, mq_ops))
		whole_walk(bio);
	return 0;
}

PAIR("tp_btf/block_bio_queue", on_extent_bio, HOOK_EXTENT_BIO)
{
	return bio_submitted(argument(ctx, 0));
}

SEC("tp_btf/block_bio_queue")
int on_extent_bio_old(u64 *ctx) /* until 5.10: the queue comes first */
{
	count_fired(HOOK_EXTENT_BIO);
	return bio_submitted(argument(ctx, 1));
}

/* Called for a bio that a limit may hold back; until 5.18 or so for every bio. */
static __always_inline int bio_limited(u64 bio)
{
	count_fired(HOOK_EXTENT_LIMIT);
	note_bio(bio, true);
	return 0;
}

SEC("fentry/__blk_throtl_bio")
int on_extent_limit(u64 *ctx)
{
	return bio_limited(argument(ctx, 0));
}

SEC("fentry/blk_throtl_bio")
int on_extent_limit_old(u64 *ctx)
{
	return bio_limited(argument(ctx, 0));
}

/* Attached after the program of the stream block, which numbers the request. */
PAIR("tp_btf/block_rq_issue", on_extent_issue, HOOK_EXTENT_ISSUE)
{
	u64 rq = argument(ctx, 0), bio = kread(rq, request, bio), i;
	struct flight *f = bpf_map_lookup_elem(&in_flight, &rq);
	u32 bytes = (u32)kread(rq, request, __data_len), slot;

	if (!bytes || (f && f->sent)) /* a flush; or it is issued again */
		return 0;
	if (f)
		f->sent = 1;
	if (f && f->left_out) {
		count_filtered(STREAM_EXTENT);
		return 0;
	}
	slot = begin_walk(request_dev(rq), kread(rq, request, cmd_flags),
			  kread(rq, request, __sector), f ? f->request_id : next_id(), true);
	if (slot >= WALKS)
		return 0;
	for (i = 0; i < BIOS_MAX && bio; i++) {
		walk_bio(slot, bio);
		bio = kread(bio, bio, bi_next);
	}
	end_walk(slot, bytes);
	return 0;
}

PAIR("tp_btf/writeback_dirty_folio", on_extent_dirty, HOOK_EXTENT_DIRTY)
{
	return folio_dirtied(ctx[0]);
}

PAIR("tp_btf/writeback_dirty_page", on_extent_dirty_page, HOOK_EXTENT_DIRTY) /* until 5.17 */
{
	return folio_dirtied(ctx[0]);
}

PAIR("tp_btf/writeback_queue", on_extent_work, HOOK_EXTENT_WORK)
{
	return work_queued(argument(ctx, 1));
}

PAIR("tp_btf/writeback_start", on_extent_work_begin, HOOK_EXTENT_WORK_BEGIN)
{
	return work_begun(argument(ctx, 1));
}

PAIR("tp_btf/writeback_written", on_extent_work_end, HOOK_EXTENT_WORK_END)
{
	return work_ended();
}
