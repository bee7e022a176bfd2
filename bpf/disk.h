/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Disks, and the threads that submit to them. */
#ifndef IOTRC_BPF_DISK_H
#define IOTRC_BPF_DISK_H

#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task.h"
#include "bpf/task_state.h"

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

struct submitter {
	u64 task;
	u32 left_out, pad;
};

/* Returns false if the thread's state could not be stored: the submitter is unknown then. */
static __always_inline bool current_submitter(struct submitter *ret)
{
	struct task_state *state = current_state(true);

	if (!state)
		return false;
	ret->left_out = task_refresh(state, current_task(), false) == WHOM_LEFT_OUT;
	ret->task = state->id;
	return true;
}

#endif
