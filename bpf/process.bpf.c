// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes: what a fork passes on to the child, and the row for the end of a process. fork() and
 * exec() themselves are recorded as system calls. */
#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/current.h"
#include "bpf/filter.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/pair.h"
#include "bpf/process_exit.h"
#include "bpf/task_state.h"

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

PAIR("tp_btf/signal_deliver", on_signal, HOOK_SIGNAL)
{
	return take_signal();
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
