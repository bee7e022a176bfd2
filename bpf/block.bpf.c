/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of block devices, each from the moment a bio got it to its completion, keyed by the
 * request itself. A request's fields are read at completion; the map keeps what is known only on the way. */
#include "task.h"
#include <bpf/bpf_tracing.h>

#define REQ_OP_MASK 0xffULL /* include/linux/blk_types.h: REQ_OP_BITS is 8 */
#define MAX_IN_FLIGHT 65536 /* requests; more than any queue's tags on a large host */

struct flight {
	u64 insert_ns, issue_ns;
	u64 task, request_id;
	u64 sector;
	u32 done, left_out;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_IN_FLIGHT);
	__type(key, u64);
	__type(value, struct flight);
} in_flight SEC(".maps");

struct submitter {
	u64 task;
	u32 left_out, pad;
};

/* Who submitted a bio, from when it was given a request until that is inserted or issued,
 * perhaps by a kworker. LRU: a request may be given back unissued. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct submitter);
} submitters SEC(".maps");

static __always_inline void note_submitter(u64 bio)
{
	struct task_state *state = current_state(true);
	struct submitter s = {};

	if (!state)
		return;
	s.left_out = task_refresh(state, false) == WHOM_LEFT_OUT;
	s.task = state->id;
	bpf_map_update_elem(&submitters, &bio, &s, BPF_ANY);
}

SEC("tp_btf/block_getrq")
int BPF_PROG(on_block_getrq, struct bio *bio)
{
	count_fired(HOOK_BLOCK_GETRQ);
	if (bio)
		note_submitter((u64)bio);
	return 0;
}

/* A bio merged in front becomes the request's first. */
SEC("tp_btf/block_bio_frontmerge")
int BPF_PROG(on_block_frontmerge, struct bio *bio)
{
	count_fired(HOOK_BLOCK_FRONTMERGE);
	if (bio)
		note_submitter((u64)bio);
	return 0;
}

static __always_inline void fill_submitter(struct flight *f, u64 bio)
{
	struct submitter *s = bio ? bpf_map_lookup_elem(&submitters, &bio) : 0;
	struct task_state *state;

	if (s) {
		f->task = s->task;
		f->left_out = s->left_out;
		bpf_map_delete_elem(&submitters, &bio);
		return;
	}
	/* A flush, or a command of a driver: made by whoever runs. This may be an interrupt, in
	 * which nothing can be defined: only a thread that is known already is named. */
	state = current_state(false);
	if (!state)
		return;
	f->left_out = state->left_out;
	if (state->epoch + 1 >= epoch)
		f->task = state->id;
}

static __always_inline void on_the_way(struct request *rq, bool issue)
{
	u64 key = (u64)rq, now = bpf_ktime_get_ns();
	struct flight *f = bpf_map_lookup_elem(&in_flight, &key);
	u64 bio = (u64)rq->bio;

	if (!f) {
		struct flight fresh = { .request_id = next_id() };

		fill_submitter(&fresh, bio);
		bpf_map_update_elem(&in_flight, &key, &fresh, BPF_ANY);
		f = bpf_map_lookup_elem(&in_flight, &key);
		if (!f)
			return; /* the map is full: the completion is a row without latencies */
	}
	if (!issue) {
		if (!f->insert_ns)
			f->insert_ns = now;
		return;
	}
	/* From the first issue on, whatever is requeued. */
	if (!f->issue_ns)
		f->issue_ns = now;
	/* Completion in parts moves it, and merging is over by now. */
	f->sector = rq->__sector;
	f->done = 0;
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(on_block_insert, struct request *rq)
{
	count_fired(HOOK_BLOCK_INSERT);
	on_the_way(rq, false);
	return 0;
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(on_block_issue, struct request *rq)
{
	count_fired(HOOK_BLOCK_ISSUE);
	on_the_way(rq, true);
	return 0;
}

static __always_inline u32 request_dev(struct request *rq)
{
	u64 disk;

	if (bpf_core_field_exists(struct request, rq_disk))
		disk = kread((u64)rq, request, rq_disk);
	else
		disk = kread(kread((u64)rq, request, q), request_queue, disk);
	return (u32)kread(disk, gendisk, major) << 20 | (u32)kread(disk, gendisk, first_minor);
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(on_block_complete, struct request *rq, u32 error, unsigned int bytes)
{
	u64 key = (u64)rq, now = bpf_ktime_get_ns(), seen;
	struct flight *f = bpf_map_lookup_elem(&in_flight, &key), unissued = {};
	struct cpu_slot *slot;
	struct rec_block *rec;
	u64 bio = (u64)rq->bio;
	void *ring;
	u32 cpu;

	count_fired(HOOK_BLOCK_COMPLETE);
	/* Completed in parts: fired before the part is taken off __data_len. */
	if (bytes < rq->__data_len) {
		if (f)
			f->done += bytes;
		return 0;
	}
	/* A bio without data that asks for a flush: the flush is a request of its own, and this one
	 * is complete without having been issued. */
	if (!f && bio) {
		fill_submitter(&unissued, bio);
		unissued.request_id = next_id();
		unissued.sector = rq->__sector;
		f = &unissued;
	}
	if (f && f->left_out) {
		count_filtered(STREAM_BLOCK);
		goto out;
	}
	slot = cpu_slot(&cpu);
	seen = count_seen(slot, STREAM_BLOCK);
	ring = bpf_map_lookup_elem(&rings, &cpu);
	rec = ring ? bpf_ringbuf_reserve(ring, sizeof(*rec), 0) : 0;
	if (!rec) {
		count_lost(slot, STREAM_BLOCK, now);
		goto out;
	}
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->type = REC_BLOCK;
	rec->cpu = cpu;
	rec->ns = now;
	rec->error = error;
	rec->dev = request_dev(rq);
	/* The machinery of flushes takes off a request's flags what it has done; its bio has them still. */
	rec->cmd_flags = rq->cmd_flags;
	if (bio)
		rec->cmd_flags |= kread(bio, bio, bi_opf) & ~REQ_OP_MASK;
	rec->sector = rq->__sector;
	rec->bytes = bytes;
	if (f) {
		rec->insert_ns = f->insert_ns;
		rec->issue_ns = f->issue_ns;
		rec->task = f->task;
		rec->request_id = f->request_id;
		rec->sector = f->sector;
		rec->bytes = f->done + bytes;
	} else {
		rec->request_id = next_id();
	}
	bpf_ringbuf_submit(rec, submit_flags(ring, seen));
out:
	if (f && f != &unissued)
		bpf_map_delete_elem(&in_flight, &key);
	return 0;
}
