/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Owners of pages: the threads that made them dirty, and when. */
#ifndef IOTRC_BPF_EXTENT_OWNER_H
#define IOTRC_BPF_EXTENT_OWNER_H

#include "bpf/abi.h"
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

/* The key is a hash of the content, without the bits DIRTY_SINCE. LRU: an owner is needed until its
 * last page has been written. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct owner);
} owners SEC(".maps");

#define DIRTY_SHIFT 20
#define DIRTY_SINCE ((1ULL << 28) - 1) /* three days, then it begins again */

/* The places of pages of a file that are neighbours: less memory to fetch, and one look-up for many
 * pages. */
struct dirty_block {
	u64 places[DIRTY_BLOCK];
};

/* Pages that were made dirty. An entry is the key of the owner ^ the hash of the page, and in the
 * bits DIRTY_SINCE when, ns >> DIRTY_SHIFT. A folio has that of its first page. Each page has two
 * places, and both are written without reading them: waiting until their cache lines have been
 * fetched would take longer than all the rest. So a page is forgotten when others have taken both
 * places; read as its own, their entries give keys of nobody. No hook reports that a page is clean
 * again. A page that is written was made dirty after its inode got its address, so an entry is
 * never taken for another file's. (BPF_F_MMAPABLE lets the array begin with a page of memory.) */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8); /* resized by user space: a power of two */
	__type(key, u32);
	__type(value, struct dirty_block);
} dirty_pages SEC(".maps");

const volatile u32 dirty_blocks_mask = 7;

static __always_inline bool same_owner(const struct owner *a, const struct owner *b)
{
	return a->pid == b->pid && a->tid == b->tid && a->cgroup == b->cgroup &&
	       a->comm[0] == b->comm[0] && a->comm[1] == b->comm[1] && a->left_out == b->left_out;
}

#define KEY_TRIES 4

/* The key of O, which is added to owners if necessary; 0: others have all that it may have. */
static __always_inline u64 key_of(const struct owner *o)
{
	u64 id = mix(mix(mix(mix((u64)o->pid << 32 | o->tid, o->comm[0]), o->comm[1]), o->cgroup),
		     o->left_out);
	u32 i;

	for (i = 0; i < KEY_TRIES; i++) {
		u64 key = (id = mix(id, i)) & ~DIRTY_SINCE;
		struct owner *known = bpf_map_lookup_elem(&owners, &key);

		if (known && !same_owner(known, o))
			continue;
		if (!known)
			bpf_map_update_elem(&owners, &key, o, BPF_ANY);
		return key;
	}
	return 0;
}

/* Returns the key of the current thread, and adds it to owners if necessary. */
__noinline u64 add_owner(void)
{
	struct task_struct *task = current_task();
	struct task_state *state = current_state(true);
	u64 who = bpf_get_current_pid_tgid(), key;
	struct owner o = { .comm = { task_comm(task, 0), task_comm(task, 8) },
			   .cgroup = bpf_get_current_cgroup_id(),
			   .pid = who >> 32,
			   .tid = who };
	struct known_owner *k;

	if (owner_filtered())
		o.left_out = !state || task_refresh(state, task, false) == WHOM_LEFT_OUT;
	key = key_of(&o);
	if (!state)
		return key;
	k = &state->owner;
	k->key = key;
	k->jiffies = bpf_jiffies64();
	k->comm[0] = o.comm[0];
	k->comm[1] = o.comm[1];
	k->css_set = task_number(task, cgroups);
	k->since = bpf_ktime_get_ns() >> DIRTY_SHIFT;
	k->seen_inode = 0;
	return key;
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

/* The hash of a page for its first place. Mixed twice: inodes and pages are similar numbers. */
static __always_inline u64 dirty_hash(u64 inode, u64 index)
{
	return mix(mix(inode, 1), index / DIRTY_BLOCK);
}

/* The first page after INDEX that has another hash. */
static __always_inline u64 dirty_block_end(u64 index)
{
	return (index / DIRTY_BLOCK + 1) * DIRTY_BLOCK;
}

/* The hash of the same page for its second place. */
static __always_inline u64 second_hash(u64 hash)
{
	return mix(hash, 1);
}

static __always_inline struct dirty_block *dirty_block(u64 hash)
{
	u32 at = hash / DIRTY_BLOCK & dirty_blocks_mask;

	return bpf_map_lookup_elem(&dirty_pages, &at);
}

/* The place of the page INDEX, which has HASH, in BLOCK. Most files are small: the hash decides
 * where the first page of a file is. */
static __always_inline u64 *dirty_place(struct dirty_block *block, u64 hash, u64 index)
{
	return &block->places[(hash + index) & (DIRTY_BLOCK - 1)];
}

/* An entry, and of which owner it is. */
struct dirtied {
	u64 entry, owner; /* 0: none */
};

/* The owner in ENTRY if that was stored with HASH, or 0. KNOWN is an owner. */
static __always_inline u64 owner_in(u64 entry, u64 hash, u64 known)
{
	u64 key = entry ? (entry ^ hash) & ~DIRTY_SINCE : 0;

	return !key || key == known || bpf_map_lookup_elem(&owners, &key) ? key : 0;
}

/* What the place of HASH says of the page INDEX. */
static __always_inline struct dirtied read_dirtied(u64 hash, u64 index, u64 known)
{
	struct dirty_block *block = dirty_block(hash);
	struct dirtied d = { .entry = block ? *dirty_place(block, hash, index) : 0 };

	d.owner = owner_in(d.entry, hash, known);
	return d;
}

/* Who made the page INDEX of INODE dirty, perhaps the owner KNOWN. */
static __always_inline struct dirtied find_dirtied(u64 inode, u64 index, u64 known)
{
	u64 hash = dirty_hash(inode, index);
	struct dirtied d = read_dirtied(hash, index, known);

	return d.owner ? d : read_dirtied(second_hash(hash), index, known);
}

#define MOMENT 1000 /* about a second */

/* The time in ns since the page of ENTRY was made dirty, at least 1. NS is now, or a moment ago. */
static __always_inline u64 dirty_age(u64 entry, u64 ns)
{
	u64 age = ((ns >> DIRTY_SHIFT) - entry) & DIRTY_SINCE;

	if (age > DIRTY_SINCE - MOMENT) /* it was made dirty again meanwhile */
		age = 0;
	return age << DIRTY_SHIFT | (ns & ((1ULL << DIRTY_SHIFT) - 1)) | 1;
}

/* The entries from FIRST to FIRST + SPAN. */
struct entry_range {
	u64 first, span;
};

/* Those of pages with HASH that OWNER made dirty, none longer than AGE before NS. Returns false if
 * these are not a span of numbers. */
static __always_inline bool younger(struct entry_range *ret, u64 hash, u64 owner, u64 age, u64 ns)
{
	u64 now = ns >> DIRTY_SHIFT & DIRTY_SINCE, ticks = age >> DIRTY_SHIFT;

	ret->first = ((hash ^ owner) & ~DIRTY_SINCE) + now - ticks;
	ret->span = ticks + MOMENT; /* they may have been made dirty again meanwhile */
	return owner && ticks <= now;
}

static __always_inline bool in_range(u64 entry, const struct entry_range *entries)
{
	return entry - entries->first <= entries->span;
}

static __always_inline void set_dirtied(u64 hash, u64 index, u64 owner, u64 since)
{
	struct dirty_block *block = dirty_block(hash);

	if (block)
		*dirty_place(block, hash, index) = ((owner ^ hash) & ~DIRTY_SINCE) | since;
}

/* Notes who makes the pages of FOLIO dirty. Pages that a flusher could not write, and makes dirty
 * again, keep their owner. The time is exact to a jiffy: reading the clock would take a third of
 * the time. */
static __always_inline int folio_dirtied(u64 folio)
{
	u64 inode = folio_inode(folio), index = folio_index(folio), hash, owner, since;
	struct task_state *state;

	if (!inode)
		return 0;
	state = current_state(true);
	if (state && state->writeback && find_dirtied(inode, index, 0).owner)
		return 0;
	owner = owner_of(state);
	since = (state ? state->owner.since : bpf_ktime_get_ns() >> DIRTY_SHIFT) & DIRTY_SINCE;
	hash = dirty_hash(inode, index);
	set_dirtied(hash, index, owner, since);
	set_dirtied(second_hash(hash), index, owner, since);
	note_seen(state, inode, FILE_WRITTEN);
	return 0;
}

#endif
