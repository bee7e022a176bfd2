/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Owners of pages: the threads that made them dirty, and when. */
#ifndef IOTRC_BPF_EXTENT_OWNER_H
#define IOTRC_BPF_EXTENT_OWNER_H

#include "bpf/cfg.h"
#include "bpf/context.h"
#include "bpf/current.h"
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

#define CHUNK_PAGES 16

/* A folio has an entry at its first page. */
struct dirty_chunk {
	u64 owner[CHUNK_PAGES]; /* key of owners; 0: not known */
	u32 since[CHUNK_PAGES]; /* ns >> DIRTY_SHIFT */
};
#define DIRTY_SHIFT 20

struct chunk_key {
	u64 inode, chunk; /* an address, and an index of pages / CHUNK_PAGES */
};

/* LRU: no hook reports that a page is clean again. A page that is written was made dirty after its
 * inode got its address, so an entry is never taken for another file's. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, struct chunk_key);
	__type(value, struct dirty_chunk);
} dirty_chunks SEC(".maps");

static const struct dirty_chunk clean_chunk;

/* Returns the key of the current thread, which is added to owners if necessary. */
static __always_inline u64 current_owner(void)
{
	struct task_struct *task = current_task();
	u64 who = bpf_get_current_pid_tgid(), id;
	struct owner o = { .cgroup = bpf_get_current_cgroup_id(),
			   .comm = { task_comm(task, 0), task_comm(task, 8) },
			   .pid = who >> 32,
			   .tid = who };
	struct task_state *state;

	if (owner_filtered()) {
		state = current_state(true);
		o.left_out = !state || task_refresh(state, task, false) == WHOM_LEFT_OUT;
	}
	id = mix(mix(mix(mix(who, o.comm[0]), o.comm[1]), o.cgroup), o.left_out) | 1;
	if (!bpf_map_lookup_elem(&owners, &id))
		bpf_map_update_elem(&owners, &id, &o, BPF_ANY);
	return id;
}

static __always_inline struct dirty_chunk *chunk_of(u64 inode, u64 index)
{
	struct chunk_key key = { .inode = inode, .chunk = index / CHUNK_PAGES };

	return bpf_map_lookup_elem(&dirty_chunks, &key);
}

/* Notes who makes the pages of FOLIO dirty. Pages that a flusher could not write, and makes dirty
 * again, keep their owner. */
static __always_inline int folio_dirtied(u64 folio)
{
	u64 inode = folio_inode(folio), index = folio_index(folio);
	u32 slot = index % CHUNK_PAGES;
	struct chunk_key key = { .inode = inode, .chunk = index / CHUNK_PAGES };
	struct dirty_chunk *chunk;
	struct task_state *state;

	if (!inode)
		return 0;
	chunk = bpf_map_lookup_elem(&dirty_chunks, &key);
	if (!chunk) {
		bpf_map_update_elem(&dirty_chunks, &key, &clean_chunk, BPF_NOEXIST);
		chunk = bpf_map_lookup_elem(&dirty_chunks, &key);
		if (!chunk)
			return 0;
	}
	if (chunk->owner[slot]) {
		state = current_state(false);
		if (state && state->writeback)
			return 0;
	}
	chunk->owner[slot] = current_owner();
	chunk->since[slot] = bpf_ktime_get_ns() >> DIRTY_SHIFT;
	return 0;
}

#endif
