/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of a program that has requests of kernel AIO in progress: by exit, by a signal or by
 * exec().
 *
 * Results that it never fetched are in its rings as long as its memory exists: they are read on
 * entry of the call, or when the signal is taken. The kernel waits for requests that complete later
 * (exit_aio() of fs/aio.c), when the rings are gone: the results of those are unknown. */
#ifndef IOTRC_BPF_AIO_END_H
#define IOTRC_BPF_AIO_END_H

#include "bpf/aio.h"
#include "bpf/aio_keys.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/uring_complete.h"

#define AIO_CONTEXTS 64 /* contexts looked at per process */

/* Reads the results in context number N of TABLE. */
__noinline int aio_reap_context(u64 table, u64 n)
{
	u64 context = kread_u64(kaddr(table, kioctx_table, table) + n * sizeof(u64));

	if (context)
		aio_reap_all(kread(context, kioctx, user_id));
	return 0;
}

/* Reads the results in all contexts of the current process. */
__noinline int aio_reap_process(void)
{
	u64 table, nr, i;

	if (!bpf_core_type_exists(struct kioctx_table)) /* a kernel without AIO */
		return 0;
	table = kread(kread(bpf_get_current_task(), task_struct, mm), mm_struct, ioctx_table);
	if (!table)
		return 0;
	nr = kread(table, kioctx_table, nr);
	for (i = 0; i < AIO_CONTEXTS && i < nr; i++)
		aio_reap_context(table, i);
	return 0;
}

/* Forgets request number N of the current process, and records it if it was still in progress. */
__noinline int aio_give_up(u32 n)
{
	struct aio_slot slot = { .process = aio_process(), .n = n };
	u64 *kept = bpf_map_lookup_elem(&aio_keys, &slot), key;

	if (!kept)
		return 0;
	key = *kept;
	bpf_map_delete_elem(&aio_keys, &slot);
	return complete_unreported(key);
}

__noinline int aio_give_up_some(u32 from, u32 to)
{
	u64 i;

	for (i = 0; i < AIO_STEP && from + i < to; i++)
		aio_give_up(from + i);
	return 0;
}

/* The same for its requests in AIO_STEP places from number FROM on. */
__noinline int aio_give_up_places(u32 from)
{
	u64 process = bpf_get_current_pid_tgid() >> 32, i;

	for (i = 0; i < AIO_STEP; i++) {
		u32 at = from + i;
		struct uring_place *place = bpf_map_lookup_elem(&uring_places, &at);
		struct uring_flight *f;

		if (!place)
			break;
		f = &place->flight;
		if (place->key > PLACE_TAKEN && f->shape == SHAPE_FD && f->rec.fs.has & FS_AIO &&
		    f->who >> 32 == process)
			complete_unreported(place->key);
	}
	return 0;
}

/* The memory of the current process is gone, or belongs to another program: requests that have not
 * completed will not be seen. */
__noinline int aio_end_process(void)
{
	struct aio_slot slot = { .process = aio_process(), .n = AIO_SLOTS };
	u64 *submitted = bpf_map_lookup_elem(&aio_keys, &slot), n, i;
	struct task_state *state = current_state(false);

	if (!submitted)
		return 0;
	n = *submitted < AIO_SLOTS ? *submitted : AIO_SLOTS;
	bpf_map_delete_elem(&aio_keys, &slot);
	if (state)
		state->noted = 0;
	for (i = 0; i < AIO_SLOTS / AIO_STEP && i * AIO_STEP < n; i++)
		aio_give_up_some(i * AIO_STEP, n);
	for (i = 0; FROM_6_2 && i < URING_PLACES / AIO_STEP; i++)
		aio_give_up_places(i * AIO_STEP);
	return 0;
}

#endif
