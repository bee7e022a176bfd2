// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Bios of block devices that make no requests: device-mapper, md, zram, brd, pmem. */
#include "bpf/abi.h"
#include "bpf/counters.h"
#include "bpf/definitions.h"
#include "bpf/disk.h"
#include "bpf/flight.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/pair.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "schema/records.h"
#include "schema/streams.h"

static __always_inline int bio_queued(u64 bio)
{
	struct bio_flight f = {};
	struct submitter s = {};
	u64 disk = bio_disk(bio);

	if (kread(kread(disk, gendisk, queue), request_queue, mq_ops))
		return 0;
	current_submitter(&s);
	f.start_ns = bpf_ktime_get_ns();
	f.task = s.task;
	f.left_out = s.left_out;
	f.epoch = s.epoch;
	f.request_id = next_id();
	f.sector = kread(bio, bio, bi_iter.bi_sector);
	f.bytes = kread(bio, bio, bi_iter.bi_size);
	f.cmd_flags = kread(bio, bio, bi_opf);
	f.dev = disk_dev(disk);
	bpf_map_update_elem(&bios_in_flight, &bio, &f, BPF_ANY);
	return 0;
}

PAIR("tp_btf/block_bio_queue", on_bio_queue, HOOK_BIO_QUEUE)
{
	return bio_queued(argument(ctx, 0));
}

SEC("tp_btf/block_bio_queue")
int on_bio_queue_old(u64 *ctx) /* until 5.10: the queue comes first */
{
	count_fired(HOOK_BIO_QUEUE);
	return bio_queued(argument(ctx, 1));
}

/* Parts that a driver has split off complete as well; only what was queued is a row. */
PAIR("tp_btf/block_bio_complete", on_bio_complete, HOOK_BIO_COMPLETE)
{
	u64 bio = argument(ctx, 1), now = bpf_ktime_get_ns(), flags;
	struct bio_flight *f = bpf_map_lookup_elem(&bios_in_flight, &bio);
	struct rec_block *rec;

	if (!f)
		return 0;
	if (f->left_out) {
		count_filtered(STREAM_BLOCK);
		goto out;
	}
	if (leave_out_ended(STREAM_BLOCK, (u8)kread(bio, bio, bi_status), now - f->start_ns))
		goto out;
	rec = reserve_block(now, f->dev, (u8)kread(bio, bio, bi_status), &flags);
	if (!rec)
		goto out;
	rec->is_bio = 1;
	rec->issue_ns = f->start_ns;
	rec->cmd_flags = f->cmd_flags;
	rec->sector = f->sector;
	rec->bytes = f->bytes;
	rec->task = is_kept(f->epoch) ? f->task : 0;
	rec->request_id = f->request_id;
	deliver(rec, flags);
out:
	bpf_map_delete_elem(&bios_in_flight, &bio);
	return 0;
}
