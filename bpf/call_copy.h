/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's own copies of the paths of a call. They are compared with what was read on entry:
 * another thread may have written something else there meanwhile, or it was not resident. Only what
 * differs is kept, which is rare.
 *
 * The programs that do this can be preempted, and then other programs run on that CPU: they use the
 * thread's own memory alone, and leave the evaluation to the exit of the call. */
#ifndef IOTRC_BPF_CALL_COPY_H
#define IOTRC_BPF_CALL_COPY_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_long.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

/* Paths longer than SHORT_PATH of calls in progress, by thread: one after the other. */
struct long_paths {
	char text[REQUESTED_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256); /* resized by user space */
	__type(key, u64);
	__type(value, struct long_paths);
} long_paths SEC(".maps");

/* Both paths of calls in progress with a path that the kernel has read differently, by thread. */
struct path_copies {
	char text[2][PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256); /* resized by user space */
	__type(key, u64);
	__type(value, struct path_copies);
} path_copies SEC(".maps");

/* Reads the first or the SECOND path of the call, which is at FROM, as uread_str(). */
static __always_inline long read_path(const struct task_state *state, char *to, const u32 capacity,
				      u64 from, u32 second)
{
	struct path_copies *copies;
	u64 key;

	if (!(state->copied & COPIED(second)))
		return uread_str(to, capacity, from);
	key = bpf_get_current_task();
	copies = bpf_map_lookup_elem(&path_copies, &key);
	return copies ? bpf_probe_read_kernel_str(to, capacity, copies->text[second]) : -1;
}

__subprog int drop_long(void)
{
	u64 key = bpf_get_current_task();

	bpf_map_delete_elem(&long_paths, &key);
	return 0;
}

static __always_inline void drop_copies(struct task_state *state)
{
	u64 key;

	if (!state->copied)
		return;
	key = bpf_get_current_task();
	bpf_map_delete_elem(&path_copies, &key);
	state->copied = 0;
}

/* Forgets what was kept of the paths of the call. */
static __always_inline void drop_paths(struct task_state *state)
{
	if (state->paths == PATHS_LONG)
		drop_long();
	drop_copies(state);
}

#define SAME_STEP 32 /* words per call of same_words() */

/* Whether the first N words at A and B are the same, at most SAME_STEP. */
__noinline int same_words(u64 a, u64 b, u64 n)
{
	u64 i;

	for (i = 0; i < SAME_STEP && i < n; i++)
		if (kread_u64(a + i * sizeof(u64)) != kread_u64(b + i * sizeof(u64)))
			return 0;
	return 1;
}

/* Whether the string at NAME is the LEN bytes at TEXT. Global functions: the verifier goes through
 * them once. */
__noinline int same_text(u64 name, u64 text, u64 len)
{
	u64 i, n = len / sizeof(u64), bytes = n * sizeof(u64);
	u64 end = kread_u64(name + bytes), rest = kread_u64(text + bytes);

	/* The last bytes, and NUL behind them. */
	rest &= (1ULL << (len & 7) * 8) - 1;
	end &= ~0ULL >> (7 - (len & 7)) * 8;
	if (end != rest)
		return 0;
	for (i = 0; i < PATH_BYTES / sizeof(u64) / SAME_STEP && i * SAME_STEP < n; i++)
		if (!same_words(name + i * SAME_STEP * sizeof(u64),
				text + i * SAME_STEP * sizeof(u64), n - i * SAME_STEP))
			return 0;
	return 1;
}

/* What was read of the first or SECOND path on entry: its address and length; 0 if nothing. */
struct read_text {
	u64 at;
	u32 len;
};

static __always_inline struct read_text text_read(const struct task_state *state, u32 second)
{
	const struct rec_fs_long *rec = &state->own.rec;
	u64 key = bpf_get_current_task();
	struct long_paths *kept;
	struct read_text ret = {};

	if (state->paths == PATHS_TEXT) {
		if (state->text_bytes < 0)
			return ret;
		ret.len = state->text_bytes ? state->text_bytes - 1 : 0;
		ret.at = as_number(state->own.requested);
		return ret;
	}
	if (state->paths == PATHS_SHORT) {
		ret.at = as_number(state->own.requested);
	} else if (state->paths == PATHS_LONG) {
		kept = bpf_map_lookup_elem(&long_paths, &key);
		if (kept)
			ret.at = as_number(kept->text);
	}
	if (ret.at) {
		ret.at += second ? rec->len : 0;
		ret.len = second ? rec->len2 : rec->len;
	}
	return ret;
}

/* Notes that the path differs from what was read, and is not known. */
static __always_inline int lose_copy(struct task_state *state)
{
	state->copied |= COPY_LOST;
	return 0;
}

/* Keeps NAME, the kernel's copy of the first or SECOND path, and what was read of the other one. */
__noinline int keep_copy(u64 name, u32 second)
{
	struct task_state *state = current_state(false);
	struct long_scratch *any = get_long_scratch(); /* to begin with: all of it is replaced */
	u64 key = bpf_get_current_task();
	struct path_copies *copies;
	struct read_text other;

	second &= 1;
	if (!state || !any)
		return 0;
	if (!state->copied && bpf_map_update_elem(&path_copies, &key, any->requested, BPF_ANY))
		return lose_copy(state);
	copies = bpf_map_lookup_elem(&path_copies, &key);
	if (!copies)
		return lose_copy(state);
	other = text_read(state, !second);
	if (!state->copied && other.at && state->paths != PATHS_TEXT) {
		/* Copies as much as there can be: up to 5.12 the verifier loses the bound of a
		 * length. */
		if (state->paths == PATHS_LONG)
			bpf_probe_read_kernel(copies->text[!second], PATH_BYTES, (void *)other.at);
		else
			bpf_probe_read_kernel(copies->text[!second], SHORT_PATH, (void *)other.at);
		copies->text[!second][other.len & (PATH_BYTES - 1)] = 0;
		state->copied = COPIED(!second);
	}
	bpf_probe_read_kernel_str(copies->text[second], PATH_BYTES, (void *)name);
	state->copied |= COPIED(second);
	return 0;
}

#endif
