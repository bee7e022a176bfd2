// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Requests of block devices, from the moment a bio gets one to its completion. The request's
 * address is the key. A request's fields are read at completion; the map holds what is known only
 * before that. */
#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/context.h"
#include "bpf/counters.h"
#include "bpf/definitions.h"
#include "bpf/disk.h"
#include "bpf/filter.h"
#include "bpf/flight.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/pair.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

#define REQ_OP_FLUSH 2

/* Who submitted a bio, from the moment it gets a request until that request is inserted or issued,
 * which a kworker may do. LRU: a request may be given back without being issued. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct submitter);
} submitters SEC(".maps");

/* Who last asked a disk, by its queue, to flush its cache. The kernel makes a request without a bio
 * for the flush, possibly one for several callers. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct submitter);
} flushers SEC(".maps");

#define ASKS_FOR_FLUSH \
	(1ULL << bpf_core_enum_value(enum req_flag_bits, __REQ_PREFLUSH) | \
	 1ULL << bpf_core_enum_value(enum req_flag_bits, __REQ_FUA))

static __always_inline int note_submitter(u64 bio)
{
	struct submitter s = {};
	u64 queue;

	if (!bio || !current_submitter(&s))
		return 0;
	bpf_map_update_elem(&submitters, &bio, &s, BPF_ANY);
	if (kread(bio, bio, bi_opf) & ASKS_FOR_FLUSH) {
		queue = kread(bio_disk(bio), gendisk, queue);
		bpf_map_update_elem(&flushers, &queue, &s, BPF_ANY);
	}
	return 0;
}

PAIR("tp_btf/block_getrq", on_block_getrq, HOOK_BLOCK_GETRQ)
{
	return note_submitter(argument(ctx, 0));
}

SEC("tp_btf/block_getrq")
int on_block_getrq_old(u64 *ctx) /* until 5.10: the queue comes first */
{
	count_fired(HOOK_BLOCK_GETRQ);
	return note_submitter(argument(ctx, 1));
}

/* A bio merged at the front becomes the first of the request. */
PAIR("tp_btf/block_bio_frontmerge", on_block_frontmerge, HOOK_BLOCK_FRONTMERGE)
{
	return note_submitter(argument(ctx, 0));
}

SEC("tp_btf/block_bio_frontmerge")
int on_block_frontmerge_old(u64 *ctx) /* until 5.10: queue and request come first */
{
	count_fired(HOOK_BLOCK_FRONTMERGE);
	return note_submitter(argument(ctx, 2));
}

/* A FIELD of RQ that is a pointer: as task_pointer() says, the verifier must not trust it. */
#define request_pointer(rq, field) (FROM_6_2 ? kread((u64)(rq), request, field) : (u64)(rq)->field)

static __always_inline void fill_submitter(void *ctx, struct flight *f, struct request *rq)
{
	u64 bio = request_pointer(rq, bio), queue = request_pointer(rq, q);
	struct submitter *s = bio ? bpf_map_lookup_elem(&submitters, &bio) : 0;
	struct task_state *state;

	if (!s && (rq->cmd_flags & REQ_OP_MASK) == REQ_OP_FLUSH)
		s = bpf_map_lookup_elem(&flushers, &queue);
	if (s) {
		f->task = s->task;
		f->epoch = s->epoch;
		f->left_out = s->left_out;
		if (bio)
			bpf_map_delete_elem(&submitters, &bio);
		return;
	}
	/* A driver's own command: attributed to the current thread if that is known already and is
	 * surely the submitter. */
	state = in_own_call(ctx) ? current_state(false) : 0;
	if (!state) {
		f->left_out = owner_must_match();
		return;
	}
	f->left_out = state->left_out;
	f->task = state->id;
	f->epoch = state->epoch;
}

static __always_inline void on_the_way(void *ctx, struct request *rq, bool issue)
{
	u64 key = (u64)rq, now = bpf_ktime_get_ns();
	struct flight *f = bpf_map_lookup_elem(&in_flight, &key);

	if (!f || f->start_ns != rq->start_time_ns) {
		struct flight fresh = { .request_id = next_id(), .start_ns = rq->start_time_ns };

		fill_submitter(ctx, &fresh, rq);
		bpf_map_update_elem(&in_flight, &key, &fresh, BPF_ANY);
		f = bpf_map_lookup_elem(&in_flight, &key);
		if (!f)
			return; /* the map is full: the completion is recorded without latencies */
	}
	if (!issue) {
		if (!f->insert_ns)
			f->insert_ns = now;
		return;
	}
	/* A requeued request keeps the time of its first issue. */
	if (!f->issue_ns)
		f->issue_ns = now;
	/* Merging changes the sector until the request is issued, completion in parts
	 * afterwards. */
	if (!f->done)
		f->sector = rq->__sector;
}

PAIR("tp_btf/block_rq_insert", on_block_insert, HOOK_BLOCK_INSERT)
{
	on_the_way(ctx, (struct request *)ctx[0], false);
	return 0;
}

PAIR("tp_btf/block_rq_issue", on_block_issue, HOOK_BLOCK_ISSUE)
{
	on_the_way(ctx, (struct request *)ctx[0], true);
	return 0;
}

/* One step of the sequence flush, data, flush, which a request goes through on a disk that cannot
 * do it itself (block/blk-flush.c). At the end of the sequence the request completes once more,
 * with no bytes. */
static __always_inline bool is_step(struct request *rq)
{
	return (rq->cmd_flags & REQ_OP_MASK) != REQ_OP_FLUSH && rq->rq_flags & cfg.flush_seq;
}

/* What was noted about the request before its completion: F, or NULL if nothing was. BYTES are
 * those of the last part. */
static __always_inline void fill_flight(struct rec_block *rec, const struct flight *f, u32 bytes)
{
	if (f) {
		rec->insert_ns = f->insert_ns;
		rec->issue_ns = f->issue_ns;
		rec->task = is_kept(f->epoch) ? f->task : 0;
		rec->request_id = f->request_id;
		rec->sector = f->sector;
		rec->bytes = f->done + bytes;
	} else {
		rec->request_id = next_id();
	}
}

PAIR("tp_btf/block_rq_complete", on_block_complete, HOOK_BLOCK_COMPLETE)
{
	struct request *rq = (struct request *)ctx[0];
	s32 error = ctx[1];
	u32 bytes = ctx[2];
	u64 key = (u64)rq, now = bpf_ktime_get_ns(), flags;
	struct flight *f = bpf_map_lookup_elem(&in_flight, &key), unissued = {};
	u64 bio = request_pointer(rq, bio);
	struct rec_block *rec;

	/* A part is completed: the tracepoint fires before the part is subtracted from
	 * __data_len. */
	if (bytes < rq->__data_len || is_step(rq)) {
		if (f)
			f->done += bytes;
		return 0;
	}
	/* A bio without data that asks for a flush: the flush is a request of its own, and this
	 * request completes without having been issued. */
	if (!f && bio) {
		fill_submitter(ctx, &unissued, rq);
		unissued.request_id = next_id();
		unissued.sector = rq->__sector;
		f = &unissued;
	}
	if (f ? f->left_out : owner_must_match()) {
		count_filtered(STREAM_BLOCK);
		goto out;
	}
	if (leave_out_ended(STREAM_BLOCK, error,
			    f && f->issue_ns ? now - f->issue_ns : DURATION_UNKNOWN))
		goto out;
	rec = reserve_block(now, request_dev(key), error, &flags);
	if (!rec)
		goto out;
	/* The flush machinery clears the request's flags for steps already done; the bio still has
	 * them. */
	rec->cmd_flags = rq->cmd_flags;
	if (bio)
		rec->cmd_flags |= kread(bio, bio, bi_opf) & ~REQ_OP_MASK;
	rec->sector = rq->__sector;
	rec->bytes = bytes;
	fill_flight(rec, f, bytes);
	deliver(rec, flags);
out:
	if (f && f != &unissued)
		bpf_map_delete_elem(&in_flight, &key);
	return 0;
}
