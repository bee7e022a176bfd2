/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Disks, and the threads that submit to them. */
#ifndef IOTRC_BPF_DISK_H
#define IOTRC_BPF_DISK_H

#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

#define REQ_OP_MASK 0xffULL /* include/linux/blk_types.h: REQ_OP_BITS is 8 */
#define OP_READ 0
#define OP_WRITE 1 /* each operation that moves data to the device has this bit */

static __always_inline u64 bio_disk(u64 bio)
{
	if (bpf_core_field_exists(struct bio, bi_disk))
		return kread(bio, bio, bi_disk);
	return kread(kread(bio, bio, bi_bdev), block_device, bd_disk);
}

static __always_inline u32 disk_dev(u64 disk)
{
	return (u32)kread(disk, gendisk, major) << 20 | (u32)kread(disk, gendisk, first_minor);
}

static __always_inline u32 request_dev(u64 rq)
{
	if (bpf_core_field_exists(struct request, rq_disk))
		return disk_dev(kread(rq, request, rq_disk));
	return disk_dev(kread(kread(rq, request, q), request_queue, disk));
}

struct submitter {
	u64 task;
	u32 left_out;
	u32 epoch; /* in which the definition of TASK was sent */
};

/* Returns false if the thread's state could not be stored: the submitter is unknown then. */
static __always_inline bool current_submitter(struct submitter *ret)
{
	struct task_state *state = current_state(true);
	enum whom whom;

	if (!state)
		return false;
	whom = task_refresh(state, current_task(), false);
	ret->left_out = whom == WHOM_LEFT_OUT;
	ret->task = whom == WHOM_KNOWN ? state->id : 0;
	ret->epoch = state->epoch;
	return true;
}

/* A record of what completed at NOW on the device DEV, with ERROR; the rest of it is 0. NULL if
 * there is no room for it: then it counts as lost. */
static __always_inline struct rec_block *reserve_block(u64 now, u32 dev, s32 error, u64 *ret_flags)
{
	struct rec_block *rec = reserve(STREAM_BLOCK, sizeof(*rec), now, ret_flags);

	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->type = REC_BLOCK;
	rec->cpu = bpf_get_smp_processor_id();
	rec->ns = now;
	rec->dev = dev;
	rec->error = error;
	return rec;
}

#endif
