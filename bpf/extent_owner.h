/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Owners of pages: the threads that made them dirty, and when. */
#ifndef IOTRC_BPF_EXTENT_OWNER_H
#define IOTRC_BPF_EXTENT_OWNER_H

#include "bpf/cfg.h"
#include "bpf/context.h"
#include "bpf/current.h"
#include "bpf/extent_seen.h"
#include "bpf/filter.h"
#include "bpf/folio.h"
#include "bpf/hash.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task.h"
#include "bpf/task_state.h"

struct owner {
	u64 cgroup, comm[2];
	u32 pid, tid;
	u32 left_out, pad;
};

/* The key is a hash of the content. LRU: an owner is needed until its last page has been
 * written. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct owner);
} owners SEC(".maps");

#define GROUP_PAGES 4
#define DIRTY_SHIFT 20

/* Adjacent pages of a file, in one cache line: who made them dirty, and when. CPUs write it without
 * a lock, and may mix up two groups: owners are stored so that those of another group match no
 * key. */
struct dirty_group {
	u64 tag;                /* group_tag(), 0: none */
	u64 owner[GROUP_PAGES]; /* keys of owners ^ tag, 0: none. Of a folio at its first page */
	u32 since[GROUP_PAGES]; /* ns >> DIRTY_SHIFT */
	u32 newest;             /* of since */
	u32 dirty;              /* a bit for each page that has not been written since */
};

#define GROUP_WAYS 2

/* The groups of one hash bucket. */
struct dirty_set {
	struct dirty_group way[GROUP_WAYS];
};
_Static_assert(sizeof(struct dirty_set) == 128, "two cache lines");

/* The oldest group is overwritten where there is no room. No hook reports that a page is clean
 * again. A page that is written was made dirty after its inode got its address, so an entry is
 * never taken for another file's. (BPF_F_MMAPABLE lets it begin with a page of memory.) */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096); /* resized by user space: a power of two */
	__type(key, u32);
	__type(value, struct dirty_set);
} dirty_sets SEC(".maps");

const volatile u32 dirty_sets_mask = 4095;

/* Returns the key of the current thread, and adds it to owners if necessary. */
__noinline u64 add_owner(void)
{
	struct task_struct *task = current_task();
	struct task_state *state = current_state(true);
	u64 who = bpf_get_current_pid_tgid(), id;
	struct owner o = { .comm = { task_comm(task, 0), task_comm(task, 8) },
			   .cgroup = bpf_get_current_cgroup_id(),
			   .pid = who >> 32,
			   .tid = who };
	struct known_owner *k;

	if (owner_filtered())
		o.left_out = !state || task_refresh(state, task, false) == WHOM_LEFT_OUT;
	id = mix(mix(mix(mix(who, o.comm[0]), o.comm[1]), o.cgroup), o.left_out) | 1;
	if (!bpf_map_lookup_elem(&owners, &id))
		bpf_map_update_elem(&owners, &id, &o, BPF_ANY);
	if (!state)
		return id;
	k = &state->owner;
	k->key = id;
	k->jiffies = bpf_jiffies64();
	k->comm[0] = o.comm[0];
	k->comm[1] = o.comm[1];
	k->css_set = task_number(task, cgroups);
	k->since = bpf_ktime_get_ns() >> DIRTY_SHIFT;
	k->seen_inode = 0;
	return id;
}

/* Returns the key of the current thread, whose state is STATE (or NULL). Within one jiffy the same
 * pointers mean the same objects, as in task_refresh(). */
static __always_inline u64 owner_of(struct task_state *state)
{
	struct task_struct *task = current_task();
	struct known_owner *k = state ? &state->owner : 0;

	if (k && k->key && k->jiffies == bpf_jiffies64() && k->comm[0] == task_comm(task, 0) &&
	    k->comm[1] == task_comm(task, 8) && k->css_set == task_number(task, cgroups))
		return k->key;
	return add_owner();
}

#define RUN_GROUPS 16 /* groups of a file that are neighbours in the map: less memory to fetch */

/* Mixed twice: inodes and pages are similar numbers. */
static __always_inline u64 group_tag(u64 inode, u64 index)
{
	return mix(mix(inode, 1), index / GROUP_PAGES) | 1;
}

static __always_inline struct dirty_set *dirty_set_of(u64 inode, u64 index)
{
	u64 group = index / GROUP_PAGES;
	u32 at = (mix(mix(inode, 1), group / RUN_GROUPS) + group % RUN_GROUPS) & dirty_sets_mask;

	return bpf_map_lookup_elem(&dirty_sets, &at);
}

/* The group with TAG in S, or NULL. */
static __always_inline struct dirty_group *find_group(struct dirty_set *s, u64 tag)
{
	if (s->way[0].tag == tag)
		return &s->way[0];
	return s->way[1].tag == tag ? &s->way[1] : 0;
}

/* A place in S for the group with TAG. */
static __always_inline struct dirty_group *take_group(struct dirty_set *s, u64 tag)
{
	struct dirty_group *g = &s->way[0];

	if (g->dirty && (!s->way[1].dirty || s->way[1].newest < g->newest))
		g = &s->way[1];
	__builtin_memset(g, 0, sizeof(*g));
	g->tag = tag;
	return g;
}

/* Notes who makes the pages of FOLIO dirty. Pages that a flusher could not write, and makes dirty
 * again, keep their owner. The time is exact to a jiffy: reading the clock would take a third of
 * the time. */
static __always_inline int folio_dirtied(u64 folio)
{
	u64 inode = folio_inode(folio), index = folio_index(folio), tag;
	u32 page = index % GROUP_PAGES;
	struct task_state *state;
	struct dirty_group *g;
	struct dirty_set *s;

	s = inode ? dirty_set_of(inode, index) : 0;
	if (!s)
		return 0;
	tag = group_tag(inode, index);
	state = current_state(true);
	g = find_group(s, tag);
	if (g && g->owner[page] && state && state->writeback)
		return 0;
	if (!g)
		g = take_group(s, tag);
	g->owner[page] = owner_of(state) ^ tag;
	g->since[page] = g->newest = state ? state->owner.since : bpf_ktime_get_ns() >> DIRTY_SHIFT;
	g->dirty |= 1U << page;
	note_seen(state, inode, FILE_WRITTEN);
	return 0;
}

#endif
