/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who did it: the identity of a thread, and its definition. */
#ifndef IOTRC_BPF_TASK_H
#define IOTRC_BPF_TASK_H

#include "bpf/cfg.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/filter.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/sums.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"

struct task_scratch {
	struct rec_task head;
	char cmdline[2 * CMDLINE_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct task_scratch);
} task_scratch SEC(".maps");

/* The real user. Where each read takes a call it is read only if its credentials are others. */
static __always_inline u32 user_of(const struct task_state *state)
{
	return FROM_6_2 ? state->uid : kread(state->cred, cred, uid.val);
}

static __always_inline bool task_send(struct task_state *state, u64 task)
{
	u64 mm = kread(task, task_struct, mm), start, len = 0;
	u32 zero = 0, now_epoch = epoch;
	struct task_scratch *s = bpf_map_lookup_elem(&task_scratch, &zero);

	if (!s || !state)
		return false;
	s->head.cmdline_cut = 0;
	/* Only arguments of its own process can be read. */
	if (mm && mm == kread((u64)bpf_get_current_task(), task_struct, mm)) {
		start = kread(mm, mm_struct, arg_start);
		len = kread(mm, mm_struct, arg_end) - start;
		if (len > CMDLINE_BYTES) {
			len = CMDLINE_BYTES;
			s->head.cmdline_cut = 1;
		}
		if (uread(s->cmdline, opaque(len) & (2 * CMDLINE_BYTES - 1), start))
			len = 0;
	}
	s->head.type = REC_TASK;
	s->head.len = len;
	s->head.pid = kread(task, task_struct, tgid);
	s->head.tid = kread(task, task_struct, pid);
	s->head.ppid = state->ppid;
	s->head.uid = user_of(state) + 1;
	s->head.id = next_id();
	s->head.cgroup = state->cgroup;
	__builtin_memcpy(s->head.comm, state->comm, sizeof(s->head.comm));
	if (bpf_ringbuf_output(&definitions, s,
			       sizeof(s->head) + (opaque(len) & (2 * CMDLINE_BYTES - 1)),
			       definition_flags()))
		return false;
	state->id = s->head.id;
	renew_recent(state, now_epoch);
	state->epoch = now_epoch;
	return true;
}

/* Notes who TASK is, for sums. */
static __always_inline bool task_note(struct task_state *state, u64 task)
{
	struct sum_task who = { .cgroup = state->cgroup,
				.uid = user_of(state),
				.ppid = state->ppid };

	__builtin_memcpy(who.comm, state->comm, sizeof(who.comm));
	state->id = (u64)kread(task, task_struct, tgid) << 32 | kread(task, task_struct, pid);
	bpf_map_update_elem(&sum_tasks, &state->id, &who, BPF_ANY);
	state->epoch = state->sent_epoch = epoch;
	__builtin_memset(state->groups, 0, sizeof(state->groups));
	return true;
}

/* Sends the definition of TASK. Returns false if the ring is full. */
__subprog bool task_define(struct task_state *state, u64 task)
{
	bool sent;

	if (cfg.sums)
		return state && task_note(state, task);

	/* Programs on raw tracepoints can be preempted there, but the scratch belongs to the
	 * CPU. */
	if (cfg.raw_preemptible)
		bpf_preempt_disable();
	sent = task_send(state, task);
	if (cfg.raw_preemptible)
		bpf_preempt_enable();
	return sent;
}

enum whom { WHOM_LEFT_OUT, WHOM_KNOWN, WHOM_LOST };

static __always_inline u64 task_comm(const struct task_struct *task, u32 at)
{
	if (has_task_storage())
		return eight_bytes_at(&task->comm[at]);
	return kread_u64(kaddr((u64)task, task_struct, comm) + at);
}

/* Whether a thread that was left out may be in a cgroup that was added since. Only such a thread is
 * always looked at as a whole. */
static __always_inline bool cgroups_added(const struct task_state *state)
{
	return cfg.adds_cgroups && state->cgroups_epoch != cgroups_epoch;
}

/* Whether records, groups of sums or filters depend on who a thread is, besides its lineage. */
static __always_inline bool identity_matters(void)
{
	return !cfg.sums || cfg.n_commands || cfg.n_excluded || cfg.n_uids || cfg.by_cgroup ||
	       cfg.sums & (SUM_BY_PROCESS | SUM_BY_COMMAND | SUM_BY_CONTAINER | SUM_BY_USER);
}

/* Brings the identity of TASK up to date: names, parents, cgroups and users change. TASK is what
 * current_task() has returned, or the thread that the current one works for. AGAIN forces a new
 * definition (after exec() the arguments differ). */
static __always_inline enum whom task_refresh(struct task_state *state, struct task_struct *task,
					      bool again)
{
	u64 comm0, comm1, css_set, parent, jiffies, cgroup, cred;
	u32 ppid, uid = 0;

	/* Before the values are read, which then need no stack. */
	if (!identity_matters() && state->epoch == epoch && !again)
		return state->left_out ? WHOM_LEFT_OUT : WHOM_KNOWN;
	comm0 = task_comm(task, 0);
	comm1 = task_comm(task, 8);
	css_set = task_pointer(task, cgroups);
	parent = task_pointer(task, real_parent);
	jiffies = bpf_jiffies64();
	cred = task_pointer(task, real_cred);
	/* Within one jiffy the same pointers mean the same objects: memory is not reused so
	 * fast. */
	if (state->jiffies == jiffies && state->css_set == css_set && state->parent == parent &&
	    state->comm[0] == comm0 && state->comm[1] == comm1 && state->cred == cred &&
	    state->epoch == epoch && !again)
		return state->left_out ? WHOM_LEFT_OUT : WHOM_KNOWN;
	/* What is stored at once needs no stack. */
	state->jiffies = jiffies;
	if (FROM_6_2)
		state->cred = cred;
	css_set = kread(task, task_struct, cgroups);
	state->css_set = css_set;
	parent = kread(task, task_struct, real_parent);
	state->parent = parent;
	cgroup = kread(kread(kread(css_set, css_set, dfl_cgrp), cgroup, kn), kernfs_node, id);
	ppid = kread(parent, task_struct, tgid);
	if (FROM_6_2)
		uid = kread(kread(task, task_struct, real_cred), cred, uid.val);
	if (state->comm[0] != comm0 || state->comm[1] != comm1 || state->cgroup != cgroup ||
	    state->ppid != ppid || (FROM_6_2 ? state->uid != uid : state->cred != cred) ||
	    state->lineage == LINEAGE_UNKNOWN || again || cgroups_added(state)) {
		state->comm[0] = comm0;
		state->comm[1] = comm1;
		state->cgroup = cgroup;
		state->ppid = ppid;
		if (FROM_6_2)
			state->uid = uid;
		else
			state->cred = cred;
		if (state->lineage == LINEAGE_UNKNOWN)
			state->lineage = find_lineage(task_address(task));
		if (cfg.adds_cgroups)
			state->cgroups_epoch = cgroups_epoch;
		state->left_out = left_out(state, task_address(task));
		state->epoch = 0;
	}
	if (state->left_out)
		return WHOM_LEFT_OUT;
	if (state->epoch != epoch && !task_define(state, task_address(task)))
		return WHOM_LOST;
	return WHOM_KNOWN;
}

#endif
