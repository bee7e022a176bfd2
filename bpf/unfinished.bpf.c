// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rows of the slow calls that are in progress when a recording ends, so that a hang is visible.
 * This is an iterator that user space runs then; it is attached to no hook. */
#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_fill.h"
#include "bpf/call_paths.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/definitions.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/path.h"
#include "bpf/results.h"
#include "bpf/syscall_table.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

_Static_assert(sizeof(struct own_record) == sizeof(struct rec_fs_long) + UNFINISHED_TEXT,
	       "as user space reads it");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct own_record);
} unfinished_scratch SEC(".maps");

/* The path as it was given, which is looked at only on exit otherwise; relative to the current
 * directory of TASK. The text is copied already. */
static __always_inline void place_text(struct rec_fs_long *rec, struct task_state *state,
				       const volatile struct syscall_desc *d, u64 task)
{
	s32 len = state->text_bytes - 1;
	u64 fs, dentry;

	if (len <= 0 || len >= SHORT_PATH)
		return;
	if (rec->requested[0] != '/') {
		if (d->fd && (s32)arg(state, d->fd) != AT_FDCWD)
			return;
		fs = kread(task, task_struct, fs);
		dentry = kread(fs, fs_struct, pwd.dentry);
		rec->base = path_id(state->recent, dentry, kread(fs, fs_struct, pwd.mnt),
				    kread(dentry, dentry, d_inode));
		if (!rec->base)
			return;
	}
	rec->len = len;
	rec->has = LONG_HAS_REQUESTED;
}

static __always_inline void place_requested(struct rec_fs_long *rec, struct task_state *state,
					    const volatile struct syscall_desc *d, u64 task)
{
	if (state->paths == PATHS_TEXT) {
		place_text(rec, state, d, task);
	} else if (state->paths == PATHS_SHORT && !state->path) {
		rec->base = state->own.rec.base == NOT_DEFINED ? 0 : state->own.rec.base;
		rec->base2 = state->own.rec.base2 == NOT_DEFINED ? 0 : state->own.rec.base2;
		rec->len = state->own.rec.len;
		rec->len2 = state->own.rec.len2;
		rec->skip = state->own.rec.skip;
		rec->skip2 = state->own.rec.skip2;
		rec->has = state->requested_has;
	}
}

/* Sends again what the call refers to, as renew_call(). The path is from the root of the current
 * process: if the thread has another, it would not be the one that was sent. */
static __always_inline void renew_unfinished(struct task_state *state, u64 task)
{
	if (!task_define(state, task))
		state->id = 0;
	if (state->path &&
	    (!state->file || file_path_id(state->recent, state->file) != state->path))
		state->path = 0;
	state->own.rec.base = state->own.rec.base2 = 0;
}

/* Writes a struct own_record for each thread that has been in a call on files for --slow. */
SEC("iter/task")
int tell_unfinished(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task_state *state = task ? state_of(task, false) : 0;
	const volatile struct syscall_desc *d;
	u64 now = bpf_ktime_get_ns(), at = as_number(task), since;
	u32 zero = 0, cpu;
	struct own_record *own = bpf_map_lookup_elem(&unfinished_scratch, &zero);

	if (!own || !state || !state->armed || state->stream != STREAM_FS)
		return 0;
	since = state->enter_ns;
	d = describe(state->nr, state->compat);
	if (!d || now < since || ended_left_out(false, now - since))
		return 0;
	__builtin_memset(&own->rec, 0, sizeof(own->rec));
	renew_recent(state, epoch);
	if (!is_kept(state->call_epoch))
		renew_unfinished(state, at);
	fill(&own->rec.fs, state, d);
	fill_size(&own->rec.fs, state, d);
	own->rec.fs.type = REC_FS_LONG;
	own->rec.fs.has |= FS_NO_RESULT | FS_IN_PROGRESS;
	own->rec.fs.ns = now;
	own->rec.fs.duration = now - since;
	own->rec.fs.ret = 0;
	if (d->shape == SHAPE_PATH || d->shape == SHAPE_OPEN || d->shape == SHAPE_EXEC) {
		bpf_probe_read_kernel(own->requested, sizeof(own->requested), state->own.requested);
		place_requested(&own->rec, state, d, at);
	}
	if (!bpf_seq_write(ctx->meta->seq, own, sizeof(*own)))
		count_seen(cpu_slot(&cpu), STREAM_FS);
	return 0;
}
