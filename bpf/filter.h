/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filters that depend only on the thread: processes, commands, cgroup. */
#ifndef IOTRC_BPF_FILTER_H
#define IOTRC_BPF_FILTER_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"

#define LINEAGE_DEPTH 24

/* Walks up the ancestors of a thread that is new. Later a fork passes the answer on, so that a
 * descendant whose parents have died is still recognized. Global: the verifier goes through it
 * once. */
__noinline u32 find_lineage(u64 task)
{
	u64 i;

	for (i = 0; i < LINEAGE_DEPTH; i++) {
		u32 tgid = kread(task, task_struct, tgid);
		u64 j;

		if (tgid == cfg.own_pid)
			return LINEAGE_OWN;
		for (j = 0; j < MAX_PIDS && j < cfg.n_pids; j++)
			if (tgid == cfg.pids[j])
				return LINEAGE_FOLLOWED;
		if (tgid <= 1)
			break;
		task = kread(task, task_struct, real_parent);
	}
	return LINEAGE_OTHER;
}

/* Eight characters, with all after a NUL cleared. */
static __always_inline u64 until_nul(u64 text)
{
	u64 nuls = (text - 0x0101010101010101ULL) & ~text & 0x8080808080808080ULL;

	return nuls ? text & (((nuls & -nuls) >> 7) - 1) : text;
}

static __always_inline bool command_wanted(const struct task_state *state)
{
	/* Before 5.17 setting a shorter name left the rest of the old one after the NUL. */
	u64 comm0 = until_nul(state->comm[0]);
	u64 comm1 = comm0 >> 56 ? until_nul(state->comm[1]) : 0;
	u64 i;

	for (i = 0; i < MAX_COMMANDS && i < cfg.n_commands; i++)
		if (comm0 == *(u64 *)&cfg.commands[i][0] && comm1 == *(u64 *)&cfg.commands[i][8])
			return true;
	return false;
}

#define CGROUP_DEPTH 32

static __always_inline bool in_cgroup(void)
{
	u64 level;

	for (level = 0; level < CGROUP_DEPTH; level++)
		if (bpf_get_current_ancestor_cgroup_id(level) == cfg.cgroup)
			return true;
	return false;
}

static __always_inline bool left_out(const struct task_state *state)
{
	if (state->lineage == LINEAGE_OWN)
		return true;
	if (cfg.n_pids && state->lineage != LINEAGE_FOLLOWED)
		return true;
	if (cfg.n_commands && !command_wanted(state))
		return true;
	return cfg.cgroup && !in_cgroup();
}

#endif
