/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What happens when a thread or process ends, or takes a signal that may end it. */
#ifndef IOTRC_BPF_PROCESS_EXIT_H
#define IOTRC_BPF_PROCESS_EXIT_H

#include "bpf/abi.h"
#include "bpf/aio_end.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/filter.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/socket_end.h"
#include "bpf/syscall_restart.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/fs_ops.h"
#include "schema/records.h"
#include "schema/streams.h"

/* Processes whose end has been recorded, for kernels before 6.16. */
struct ended {
	u64 start_time;
	u64 tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct ended);
	__type(value, u8);
} exits_reported SEC(".maps");

/* 6.16 added group_dead. Before, the last thread is the one that finds no other alive; two threads
 * that end at once may both find that, so the first one to store the process is taken. */
static __always_inline bool is_last(struct task_struct *task, bool group_dead)
{
	struct ended key = {};
	u64 live;
	u8 yes = 1;

	if (cfg.exit_says_last && !cfg.raw_preemptible)
		return group_dead;
	live = kread(kread((u64)task, task_struct, signal), signal_struct, live.counter);
	if ((u32)live != 0)
		return false;
	key.tgid = task->tgid;
	key.start_time = kread(task_pointer(task, group_leader), task_struct, start_time);
	return bpf_map_update_elem(&exits_reported, &key, &yes, BPF_NOEXIST) == 0;
}

/* The status that wait() returns (wait_task_zombie() of kernel/exit.c): the exit code in bits 8 to
 * 15, a signal in bits 0 to 6. Until 5.16, if threads end one by one, the code is that of the first
 * thread. */
static __always_inline u32 exit_status(struct task_struct *task)
{
	u64 signal = kread((u64)task, task_struct, signal);

	if (kread(signal, signal_struct, flags) & SIGNAL_GROUP_EXIT)
		return kread(signal, signal_struct, group_exit_code);
	return kread(task_pointer(task, group_leader), task_struct, exit_code);
}

/* Whether a filter leaves out the current thread, which is ending. Its arguments can no longer be
 * read, so a definition of the previous epoch is still used. */
static __always_inline bool ending_left_out(struct task_state *state)
{
	if (!state->left_out && state->id && is_kept(state->epoch))
		return false;
	return task_refresh(state, current_task(), false) == WHOM_LEFT_OUT;
}

/* Whether the table of descriptors ends with the thread. It is the process's: the last thread
 * says so, unless another process shares it (CLONE_FILES); threads that have ended may still
 * hold it, or no longer. A thread may have one of its own (unshare()). */
static __always_inline bool ends_table(struct task_struct *task, bool last)
{
	u64 signal = kread((u64)task, task_struct, signal);
	u32 users = kread(kread((u64)task, task_struct, files), files_struct, count.counter);

	if (kread((u64)task, task_struct, flags) & PF_KTHREAD)
		return false;
	if (last)
		return users <= (u32)kread(signal, signal_struct, nr_threads);
	return users == 1 && kread(signal, signal_struct, live.counter);
}

/* A function of its own: the verifier goes through it once. */
__subprog int end_table(void)
{
	struct task_state *state = current_state(true);

	if (!state || ending_left_out(state) || !state->id)
		return 0;
	if (state->n_kept)
		settle_ends(false);
	end_sockets(ENDS_NOW);
	return 0;
}

/* Sends the row of the current process, whose last thread ends. A function of its own: programs
 * that call process_exit() have little stack. */
__noinline int send_exit(void)
{
	struct task_state *state = current_state(true);
	u64 now = bpf_ktime_get_ns(), flags;
	struct rec_fs *rec;

	if (state && ending_left_out(state)) {
		count_filtered(STREAM_FS);
		return 0;
	}
	if (!state || !state->id)
		return lose(STREAM_FS, now);
	if (leave_out_instant(STREAM_FS))
		return 0;
	rec = reserve(STREAM_FS, sizeof(*rec), now, &flags);
	if (!rec)
		return 0;
	rec->type = REC_FS;
	rec->op = FS_PROCESS_EXIT;
	rec->has = FS_HAS_FLAGS;
	rec->flags = exit_status(current_task());
	rec->ns = now;
	rec->duration = 0;
	rec->task = state->id;
	rec->path = rec->size = rec->offset = 0;
	rec->ret = 0;
	deliver(rec, flags);
	return 0;
}

static __always_inline int process_exit(struct task_struct *task, bool group_dead)
{
	bool last = is_last(task, group_dead);

	count_fired(HOOK_PROCESS_EXIT);
	send_held();
	if (cfg.nw_conn && ends_table(task, last))
		end_table();
	if (last && cfg.fs)
		aio_end_process();
	if (last && cfg.exit_rows)
		send_exit();
	return 0;
}

/* A thread takes a signal. If the signal ends the process, its memory is gone before the hook for
 * its end fires. For any other signal, the results are only read earlier than they would have
 * been. */
static __always_inline int take_signal(void)
{
	struct task_state *state = current_state(false);

	if (state && !state->left_out)
		aio_reap_process();
	return 0;
}

#endif
