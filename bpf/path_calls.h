/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that take paths. */
#ifndef IOTRC_BPF_PATH_CALLS_H
#define IOTRC_BPF_PATH_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_copy.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/call_long.h"
#include "bpf/call_paths.h"
#include "bpf/call_reached.h"
#include "bpf/call_stat.h"
#include "bpf/call_sum.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/lane.h"
#include "bpf/mount.h"
#include "bpf/rings.h"
#include "bpf/scope.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

/* Keeps the long paths, which are in the scratch, until the call returns. */
__subprog int keep_long(struct task_state *state)
{
	struct long_scratch *s = get_long_scratch();
	u64 key = bpf_get_current_task();

	if (!state || !s)
		return 0;
	if (bpf_map_update_elem(&long_paths, &key, s->rec.requested, BPF_ANY))
		state->paths = PATHS_UNREAD; /* no room: they are read on exit */
	return 0;
}

static __always_inline void take_long(void)
{
	struct long_scratch *s = get_long_scratch();
	u64 key = bpf_get_current_task();
	struct long_paths *kept = bpf_map_lookup_elem(&long_paths, &key);

	if (!s || !kept)
		return;
	bpf_probe_read_kernel(s->rec.requested, sizeof(kept->text), kept->text);
	drop_long();
}

/* move_mount() of a mount that is attached nowhere yet: base[0] is that mount, if it is a
 * filesystem's root. */
__subprog int note_source(struct task_state *state)
{
	u64 file = state ? task_file(current_task(), state->at_fd[0]) : 0, mount, root;

	if (!file)
		return 0;
	mount = kread(file, file, f_path.mnt);
	root = kread(mount, vfsmount, mnt_root);
	if (is_detached(mount) && root == kread(root, dentry, d_parent))
		state->base[0] = mount - bpf_core_field_offset(struct mount, mnt);
	return 0;
}

/* Puts the source of that mount in place of its path, which is empty: "source -> target", as
 * mount(). A global function: the verifier goes through it once. */
__noinline int name_source(void)
{
	struct task_state *state = current_state(false);
	struct long_scratch *s = get_long_scratch();
	u32 len;
	long n;

	if (!state || !s || state->paths != PATHS_SHORT || state->own.rec.len)
		return 0;
	n = bpf_probe_read_kernel_str(s->rec.requested, SHORT_PATH,
				      (void *)kread(state->base[0], mount, mnt_devname));
	len = n > 1 ? (n - 1) & (SHORT_PATH - 1) : 0;
	bpf_probe_read_kernel(&s->rec.requested[len], SHORT_PATH, state->own.requested);
	bpf_probe_read_kernel(state->own.requested, sizeof(state->own.requested), s->rec.requested);
	state->own.rec.len = len;
	state->own.rec.skip = 0;
	state->own.rec.has |= LONG_LINK_TARGET;
	return 0;
}

/* Paths are read and resolved on entry: the names are still valid, and no other thread can have
 * changed the text. */
__subprog enum verdict enter_path(struct task_state *state, const volatile struct syscall_desc *d)
{
	enum path_answer answer = PATH_REQUESTED;
	enum verdict verdict = VERDICT_TRACE;

	if (!state || !d)
		return VERDICT_LOST;
	read_paths(state, d);
	answer = place_paths(state, d, true);
	if (answer == PATH_OF_FILE)
		verdict = place_file(state);
	else if (answer == PATH_REQUESTED && d->props & PROP_REACH_FIRST)
		reach_first(state, d);
	if (d->kind == KIND_MOVE_MOUNT && state->is_file)
		note_source(state);
	if (state->paths == PATHS_LONG)
		keep_long(state);
	return answer == PATH_LOST ? VERDICT_LOST : verdict;
}

/* open() and exec() tell on exit which file they have opened or run; their path matters only if
 * they fail. */
__subprog enum verdict enter_open(struct task_state *state, const volatile struct syscall_desc *d)
{
	if (!state || !d)
		return VERDICT_LOST;
	fetch_text(state, d);
	if (state->paths == PATHS_LONG)
		keep_long(state);
	return VERDICT_TRACE;
}

/* Reads on exit what could not be read on entry, or was read differently by the kernel. The
 * directories are those of the entry, unless the paths began with other ones then. */
static __always_inline void fetch_again(struct task_state *state,
					const volatile struct syscall_desc *d)
{
	struct rec_fs_long *rec = &state->own.rec;
	bool placed = d->shape == SHAPE_PATH,
	     late = !(state->copied & COPIED(0)) || (d->path2 && !(state->copied & COPIED(1)));
	u64 base = 0, base2 = 0;

	if (placed && state->paths != PATHS_UNREAD) {
		base = rec->skip ? 0 : rec->base;
		base2 = rec->skip2 ? 0 : rec->base2;
	}
	if (state->paths == PATHS_LONG)
		drop_long();
	if (placed)
		state->file = state->path = 0;
	if (!state->found)
		rec->ino = rec->replaced = 0;
	fetch_paths(state, d);
	if (needs_base(state) && !rec->skip)
		rec->base = base;
	if (needs_base2(state) && !rec->skip2)
		rec->base2 = base2;
	late |= placed &&
		((needs_base(state) && !rec->base) || (needs_base2(state) && !rec->base2));
	if (late && state->paths != PATHS_UNREAD)
		state->requested_has |= LONG_READ_LATE;
}

/* Reads and resolves on exit what is still missing. */
__subprog enum verdict complete_paths(struct task_state *state,
				      const volatile struct syscall_desc *d)
{
	enum path_answer answer;
	bool again, lost;

	if (!state || !d)
		return VERDICT_LOST;
	again = state->copied & (COPIED(0) | COPIED(1));
	lost = state->copied & COPY_LOST;
	if (!again && state->paths == PATHS_TEXT)
		parse_text(state, d);
	again |= state->paths == PATHS_UNREAD;
	if (again)
		fetch_again(state, d);
	else if (state->paths == PATHS_LONG)
		take_long();
	drop_copies(state);
	if (lost)
		state->requested_has |= LONG_READ_LATE;
	if (!again && d->shape == SHAPE_PATH)
		return VERDICT_TRACE;
	answer = place_paths(state, d, false);
	if (answer == PATH_OF_FILE)
		return place_file(state);
	return answer == PATH_LOST ? VERDICT_LOST : VERDICT_TRACE;
}

static __always_inline int send_paths(struct task_state *state)
{
	struct long_scratch *s = get_long_scratch();
	u32 size;

	if (!state || !s)
		return 0;
	if (state->paths == PATHS_LONG)
		__builtin_memcpy(&s->rec, &state->own.rec, sizeof(s->rec));
	if (sums_reached(&state->own.rec))
		return sum_reached();
	if (cfg.sums) {
		sum_path(state);
		return 0;
	}
	if (state->paths == PATHS_LONG) {
		send_long(s, state->exit_ns);
		return 0;
	}
	size = sizeof(state->own.rec) + state->own.rec.len + state->own.rec.len2;
	if (size > sizeof(state->own))
		size = sizeof(state->own);
	if (cfg.lane_records) /* in place: most calls on paths come here */
		return lane_write(&state->own_places, size);
	output(&state->own, size, STREAM_FS, state->exit_ns);
	return 0;
}

/* Fills what the arguments say. */
static __always_inline void fill_arguments(struct rec_fs_long *rec, struct task_state *state,
					   const volatile struct syscall_desc *d)
{
	bool late = d->props & PROPS_HOW && !state->has_how;

	if (late)
		fetch_how(state, d);
	fill(&rec->fs, state, d);
	if (late && state->has_how)
		rec->fs.has |= FS_ARGS_LATE;
	rec->fs.type = REC_FS_LONG;
	rec->address = rec->aux = rec->aux2 = 0;
	if (state->found)
		state->requested_has &= ~LONG_LAST_LINK;
	if (state->found & FOUND_LAST_LINK)
		state->requested_has |= LONG_LAST_LINK;
	rec->has = state->requested_has;
	if (state->refused == REFUSED_PERHAPS)
		rec->has |= LONG_READ_LATE;
	fill_size(&rec->fs, state, d);
	if (d->op == FS_MOUNT && d->kind)
		rec->has |= LONG_HAS_KIND;
	if (d->at != d->flags)
		rec->aux = arg(state, d->at);
	if (only_checks(state, d)) {
		rec->fs.op = FS_ACCESS;
		rec->fs.flags = X_OK;
		rec->aux = arg(state, d->at);
	}
	if (d->props & PROP_OPEN_HOW)
		rec->aux = state->args[6] >> 32;
	if (d->props & PROP_MOUNT_ATTR) {
		rec->aux = state->args[6];
		rec->aux2 = state->args[6] >> 32;
	}
	if (d->props & PROP_XATTR_ARGS && state->has_how) {
		rec->fs.size = (u32)state->args[6];
		rec->fs.flags = state->args[6] >> 32;
		rec->fs.has |= FS_HAS_SIZE | FS_HAS_FLAGS;
	}
}

/* Fills the file that the path reached; returns false if that is out of scope. */
static __always_inline bool fill_reached(struct rec_fs_long *rec, struct task_state *state,
					 const volatile struct syscall_desc *d)
{
	if (d->props & (PROP_STAT | PROP_STAT64 | PROP_STATX)) {
		rec->fs_type[0] = 0;
		if (state->ret != 0 || state->refused ||
		    !read_stat(rec, arg(state, d->aux), d->props, state->compat))
			return true;
		settle_device(state, follows(state, d));
		return mode_in_scope(rec->mode);
	}
	if (!state->path && reach_last(state, d, follows(state, d)))
		rec->has |= LONG_HAS_INODE;
	note_replaced(rec);
	return true;
}

__subprog int emit_path(struct task_state *state, const volatile struct syscall_desc *d)
{
	enum verdict verdict;

	if (!state || !d)
		return 0;
	/* Mostly nothing is missing. */
	verdict = VERDICT_TRACE;
	if (state->paths != PATHS_SHORT || d->shape != SHAPE_PATH || state->copied)
		verdict = complete_paths(state, d);
	if (verdict == VERDICT_TRACE) {
		fill_arguments(&state->own.rec, state, d);
		if (fill_reached(&state->own.rec, state, d)) {
			if (state->base[0])
				name_source();
			return send_paths(state);
		}
		verdict = VERDICT_FILTERED;
	}
	count_verdict(verdict, STREAM_FS);
	return 0;
}

__subprog enum remains exit_open(struct task_state *state, const volatile struct syscall_desc *d)
{
	u64 file;
	enum verdict verdict;

	if (!state || !d)
		return REMAINS_NONE;
	file = state->ret < 0 ? 0 : task_file(current_task(), state->ret);
	if (!file) /* it failed, or another thread has closed it already */
		return REMAINS_PATH;
	drop_paths(state);
	verdict = take_file(state, file, state->ret);
	count_verdict(verdict, STREAM_FS);
	return verdict == VERDICT_TRACE ? REMAINS_SHORT : REMAINS_NONE;
}

#endif
