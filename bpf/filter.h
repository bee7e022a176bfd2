/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filters that depend only on the thread: processes, commands, users, cgroups. */
#ifndef IOTRC_BPF_FILTER_H
#define IOTRC_BPF_FILTER_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"

#define LINEAGE_DEPTH 24

/* Read by user space. */
volatile struct filters_met filters_met = {};

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
		for (j = 0; j < MAX_FILTERED && j < cfg.n_pids; j++)
			if (tgid == cfg.pids[j])
				return LINEAGE_FOLLOWED;
		if (tgid <= 1)
			break;
		task = kread(task, task_struct, real_parent);
	}
	return LINEAGE_OTHER;
}

/* The second half of a name. Before 5.17 setting a shorter name left the rest of the old one after
 * the NUL. */
static __always_inline u64 rest_of_name(u64 comm0, u64 comm1)
{
	return until_nul(comm0) >> 56 ? until_nul(comm1) : 0;
}

static __always_inline bool is_name(const volatile char *name, u64 comm0, u64 comm1)
{
	return comm0 == *(u64 *)&name[0] && comm1 == *(u64 *)&name[8];
}

/* Whether a thread with the name COMM0, COMM1 is one of --command's. */
static __always_inline bool is_command(u64 comm0, u64 comm1)
{
	u64 i;

	comm1 = rest_of_name(comm0, comm1);
	comm0 = until_nul(comm0);
	for (i = 0; i < MAX_FILTERED && i < cfg.n_commands; i++)
		if (is_name(cfg.commands[i], comm0, comm1))
			return true;
	return false;
}

/* The same as a function that the verifier goes through once. */
__noinline bool command_wanted(u64 comm0, u64 comm1)
{
	return is_command(comm0, comm1);
}

__noinline bool command_excluded(u64 comm0, u64 comm1)
{
	u64 i;

	comm1 = rest_of_name(comm0, comm1);
	comm0 = until_nul(comm0);
	for (i = 0; i < MAX_FILTERED && i < cfg.n_excluded; i++)
		if (is_name(cfg.excluded[i], comm0, comm1)) {
			filters_met.excluded[i] = 1;
			return true;
		}
	return false;
}

/* Whether TASK, a thread, or one of its ancestors has a name of --command's now. Later a fork
 * passes the answer on. It calls no function: the chain of calls that leads here is long. */
__noinline bool descends_from_command(u64 task)
{
	u64 i, comm;

	for (i = 0; i < LINEAGE_DEPTH; i++) {
		comm = kaddr(task, task_struct, comm);
		if (is_command(kread_u64(comm), kread_u64(comm + 8)))
			return true;
		if ((u32)kread(task, task_struct, tgid) <= 1)
			break;
		task = kread(task, task_struct, real_parent);
	}
	return false;
}

#define CGROUP_DEPTH 32

/* Written by user space, which then raises cgroups_epoch. */
volatile u64 added_cgroups[ADDED_CGROUPS] = {};
volatile u32 cgroups_epoch = 0;

static __always_inline bool is_added(u64 id)
{
	for (u32 i = 0; i < ADDED_PROBES; i++)
		if (id == added_cgroups[added_cgroup_at(id, i)])
			return true;
	return false;
}

static __always_inline bool is_cgroup(u64 id)
{
	u64 i;

	for (i = 0; i < MAX_FILTERED && i < cfg.n_cgroups; i++)
		if (id == cfg.cgroups[i]) {
			filters_met.cgroups[i] = 1;
			return true;
		}
	return cfg.adds_cgroups && is_added(id);
}

/* Whether CGROUP, a struct cgroup, is one of --cgroup's or below one. */
__noinline bool in_cgroup(u64 cgroup)
{
	u64 level;

	for (level = 0; level < CGROUP_DEPTH && cgroup; level++) {
		if (is_cgroup(kread(kread(cgroup, cgroup, kn), kernfs_node, id)))
			return true;
		cgroup = kread(kread(cgroup, cgroup, self.parent), cgroup_subsys_state, cgroup);
	}
	return false;
}

__noinline bool user_wanted(u32 uid)
{
	u64 i;

	for (i = 0; i < MAX_FILTERED && i < cfg.n_uids; i++)
		if (uid == cfg.uids[i]) {
			filters_met.uids[i] = 1;
			return true;
		}
	return false;
}

/* Whether the thread at address TASK is one of --command's or, with --follow, was started by
 * one. */
static __always_inline bool of_command(struct task_state *state, u64 task)
{
	if (!cfg.follow)
		return command_wanted(state->comm[0], state->comm[1]);
	if (state->follows == FOLLOWS_UNKNOWN)
		state->follows = descends_from_command(task) ? FOLLOWS : FOLLOWS_NOT;
	if (state->follows != FOLLOWS && command_wanted(state->comm[0], state->comm[1]))
		state->follows = FOLLOWS;
	return state->follows == FOLLOWS;
}

static __always_inline bool left_out(struct task_state *state, u64 task)
{
	if (state->lineage == LINEAGE_OWN)
		return true;
	if (cfg.n_pids && state->lineage != LINEAGE_FOLLOWED)
		return true;
	if (cfg.n_commands && !of_command(state, task))
		return true;
	if (cfg.n_excluded && command_excluded(state->comm[0], state->comm[1]))
		return true;
	if (cfg.n_uids && !user_wanted(kread(state->cred, cred, uid.val)))
		return true;
	return cfg.by_cgroup && !in_cgroup(kread(state->css_set, css_set, dfl_cgrp));
}

/* The same for any thread TASK as it is now; the answer is not remembered. */
__noinline bool leaves_out(u64 task)
{
	u64 comm = kaddr(task, task_struct, comm), comm0 = kread_u64(comm),
	    comm1 = kread_u64(comm + 8);
	u32 lineage = find_lineage(task);

	if (lineage == LINEAGE_OWN || (cfg.n_pids && lineage != LINEAGE_FOLLOWED))
		return true;
	if (cfg.n_commands &&
	    !(cfg.follow ? descends_from_command(task) : command_wanted(comm0, comm1)))
		return true;
	if (cfg.n_excluded && command_excluded(comm0, comm1))
		return true;
	if (cfg.n_uids && !user_wanted(kread(kread(task, task_struct, real_cred), cred, uid.val)))
		return true;
	return cfg.by_cgroup &&
	       !in_cgroup(kread(kread(task, task_struct, cgroups), css_set, dfl_cgrp));
}

/* Whether a thread must be one of those given, so that an unknown one is left out. */
static __always_inline bool owner_must_match(void)
{
	return cfg.n_pids || cfg.n_commands || cfg.by_cgroup || cfg.n_uids;
}

/* Whether a filter of threads is given. */
static __always_inline bool owner_filtered(void)
{
	return owner_must_match() || cfg.n_excluded;
}

#endif
