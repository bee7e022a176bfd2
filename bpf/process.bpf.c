// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes: what a fork passes on to the child, and the row for the end of a process. fork() and
 * exec() themselves are recorded as system calls. */
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
#include "bpf/pair.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/socket_end.h"
#include "bpf/syscall_restart.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/fs_ops.h"
#include "schema/records.h"
#include "schema/streams.h"

/* Brings up to date whether the current thread, a parent in FROM, belongs to --command: it may have
 * got its name since its last call. */
static __always_inline void follow_fork(struct task_state *from)
{
	u64 task = bpf_get_current_task(), comm = kaddr(task, task_struct, comm);

	if (from->follows == FOLLOWS_UNKNOWN)
		from->follows = descends_from_command(task) ? FOLLOWS : FOLLOWS_NOT;
	else if (from->follows != FOLLOWS && command_wanted(kread_u64(comm), kread_u64(comm + 8)))
		from->follows = FOLLOWS;
}

PAIR("tp_btf/sched_process_fork", on_process_fork, HOOK_PROCESS_FORK)
{
	struct task_struct *parent = (struct task_struct *)ctx[0],
			   *child = (struct task_struct *)ctx[1];
	struct task_state *from = state_of(parent, true), *to;

	if (!from)
		return 0;
	if (kread((u64)child, task_struct, tgid) != kread((u64)parent, task_struct, tgid))
		from->child = kread((u64)child, task_struct, pid);
	if (from->lineage == LINEAGE_UNKNOWN)
		from->lineage = find_lineage((u64)bpf_get_current_task()); /* which is the parent */
	if (cfg.follow)
		follow_fork(from);
	/* A child of any other process finds out when it first does something. */
	if (from->lineage == LINEAGE_OTHER && from->follows != FOLLOWS)
		return 0;
	to = state_of(child, true);
	if (to) {
		to->lineage = from->lineage;
		to->follows = from->follows;
	}
	return 0;
}

/* On kernels that do not free the state together with the task. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_process_free, struct task_struct *task)
{
	u64 key = (u64)task;

	count_fired(HOOK_PROCESS_FREE);
	bpf_map_delete_elem(&task_states_by_task, &key);
	return 0;
}

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

static __always_inline int process_exit(struct task_struct *task, bool group_dead)
{
	u64 now, flags;
	struct task_state *state;
	struct rec_fs *rec;
	bool last = is_last(task, group_dead);

	count_fired(HOOK_PROCESS_EXIT);
	send_held();
	if (cfg.nw_conn && ends_table(task, last))
		end_table();
	if (last && cfg.fs)
		aio_end_process();
	if (!last || !cfg.exit_rows)
		return 0;
	state = current_state(true);
	now = bpf_ktime_get_ns();
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
	rec->flags = exit_status(task);
	rec->ns = now;
	rec->duration = 0;
	rec->task = state->id;
	rec->path = rec->size = rec->offset = 0;
	rec->ret = 0;
	deliver(rec, flags);
	return 0;
}

/* A thread takes a signal. If the signal ends the process, its memory is gone before the hook for
 * its end fires. For any other signal, the results are only read earlier than they would have
 * been. */
PAIR("tp_btf/signal_deliver", on_signal, HOOK_SIGNAL)
{
	struct task_state *state = current_state(false);

	if (state && !state->left_out)
		aio_reap_process();
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_process_exit, struct task_struct *task)
{
	return process_exit(task, false);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_process_exit_last, struct task_struct *task, bool group_dead)
{
	return process_exit(task, group_dead);
}

SEC("tp/sched/sched_process_exit")
int on_process_exit_classic(void *ctx)
{
	return has_task_storage() ? process_exit(bpf_get_current_task_btf(), false) : 0;
}
