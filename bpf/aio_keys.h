/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes that have submitted requests of kernel AIO, and the requests in uring_flights that each
 * has submitted last: nothing else finds these when it ends. */
#ifndef IOTRC_BPF_AIO_KEYS_H
#define IOTRC_BPF_AIO_KEYS_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"

#define AIO_SLOTS 1024 /* more are rarely in progress in one process */

struct aio_slot {
	u64 process; /* address of the struct signal_struct, which exec() keeps */
	u64 n;       /* a slot; or AIO_SLOTS, for the number of slots used so far */
};

/* For each slot the key in uring_flights of a request, which may have completed since. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, struct aio_slot);
	__type(value, u64);
} aio_keys SEC(".maps");

/* Whether a request of kernel AIO has ever been in uring_flights. */
bool aio_hashed;

static __always_inline u64 aio_process(void)
{
	return kread(bpf_get_current_task(), task_struct, signal);
}

/* Notes that the current process submits requests. A function of its own, with a small stack. */
__noinline int aio_note_process(void)
{
	struct aio_slot slot = { .process = aio_process(), .n = AIO_SLOTS };
	struct task_state *state = current_state(false);
	u64 zero = 0;

	bpf_map_update_elem(&aio_keys, &slot, &zero, BPF_NOEXIST);
	if (state)
		state->noted = 1;
	return 0;
}

/* Stores the request KEY. If two threads submit at the same time, both may take the same slot, and
 * one request is not found later. */
__noinline int aio_note(u64 key)
{
	struct aio_slot slot = { .process = aio_process(), .n = AIO_SLOTS };
	u64 *submitted = bpf_map_lookup_elem(&aio_keys, &slot), *kept;

	if (!aio_hashed)
		aio_hashed = true;
	if (!submitted)
		return 0;
	slot.n = *submitted % AIO_SLOTS;
	(*submitted)++;
	kept = bpf_map_lookup_elem(&aio_keys, &slot);
	if (kept)
		*kept = key;
	else
		bpf_map_update_elem(&aio_keys, &slot, &key, BPF_ANY);
	return 0;
}

#endif
