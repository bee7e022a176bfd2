/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sums of calls on paths. */
#ifndef IOTRC_BPF_CALL_SUM_H
#define IOTRC_BPF_CALL_SUM_H

#include "bpf/call_group.h"
#include "bpf/call_long.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/hash.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "bpf/sums.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/sums.h"

/* Whether REC is to be summed up by the inode that its path led to: it has no rec_path. */
static __always_inline bool sums_reached(const struct rec_fs_long *rec)
{
	return cfg.sums & SUM_BY_FILE && !rec->fs.path && rec->has & LONG_HAS_INODE;
}

/* Sums up the call on a path of the thread with STATE, without a file or with one that it has
 * open. */
static __always_inline void sum_path(struct task_state *state)
{
	const struct rec_fs *rec = &state->own.rec.fs;
	u32 cpu;

	if (leave_out_ended(STREAM_FS, error_of(rec->ret), rec->duration))
		return;
	count_seen(cpu_slot(&cpu), STREAM_FS);
	sum_call(state, sum_what(rec, 0), rec->duration, rec->path);
}

/* Sums up the current thread's call on a path. The first record of an inode is sent among the
 * definitions, for its name, and before it is summed up: who sees the sum has the name. A global
 * function, with a stack frame of its own: the others are in long chains of calls. */
__noinline int sum_reached(void)
{
	struct task_state *state = current_state(false);
	struct long_scratch *s = get_long_scratch();
	u32 cpu, size, now_epoch = epoch, *sent;
	struct rec_fs_long *rec;
	u64 id;

	if (!state || !s || !cfg.sums)
		return 0;
	rec = state->paths == PATHS_LONG ? &s->rec : &state->own.rec;
	count_seen(cpu_slot(&cpu), STREAM_FS);
	id = mix(rec->ino, rec->dev);
	sent = bpf_map_lookup_elem(&paths_sent, &id);
	/* Long paths are not sent: the file then has no name in the sums. */
	if (state->paths != PATHS_LONG && !(sent && *sent == now_epoch)) {
		size = sizeof(*rec) + rec->len + rec->len2;
		if (size > sizeof(state->own))
			size = sizeof(state->own);
		if (!bpf_ringbuf_output(&definitions, &state->own, size, definition_flags()))
			bpf_map_update_elem(&paths_sent, &id, &now_epoch, BPF_ANY);
	}
	sum_call(state, sum_what(&rec->fs, rec->dev), rec->fs.duration, rec->ino);
	return 0;
}

#endif
