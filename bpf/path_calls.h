/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that take paths. */
#ifndef IOTRC_BPF_PATH_CALLS_H
#define IOTRC_BPF_PATH_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/call_long.h"
#include "bpf/call_paths.h"
#include "bpf/call_stat.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/scope.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/types.h"

/* Calls that change names: their directories are resolved on entry, while the names still hold. */
static __always_inline enum verdict enter_path(struct task_state *state,
					       const volatile struct syscall_desc *d)
{
	if (!(d->props & PROP_BASE_FIRST))
		return VERDICT_TRACE;
	state->base[0] = base_of(state, d->fd);
	if (d->path2)
		state->base[1] = base_of(state, d->fd2);
	return VERDICT_TRACE;
}

/* The size and flags of struct xattr_args, which the *xattrat() calls take. */
static __always_inline void fill_xattr_args(struct rec_fs *rec, u64 args)
{
	u32 size_flags[2];

	if (uread(size_flags, 8, args + 8))
		return;
	rec->size = size_flags[0];
	rec->flags = size_flags[1];
	rec->has |= FS_HAS_SIZE | FS_HAS_FLAGS;
}

/* A call without a path is about the file of its descriptor, or about the current directory. */
static __always_inline enum verdict name_file(struct long_scratch *s, struct task_state *state,
					      s32 fd)
{
	enum verdict verdict;
	u64 file;

	s->rec.has &= ~LONG_HAS_ASKED;
	if (fd == AT_FDCWD) {
		s->rec.fs.path = base_of(state, 0);
		return s->rec.fs.path == NO_ROOM ? VERDICT_LOST : VERDICT_TRACE;
	}
	file = task_file(current_task(), fd);
	verdict = file ? take_file(state, file, fd) : VERDICT_TRACE;
	s->rec.fs.path = state->path;
	return verdict;
}

static __noinline int emit_path(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();
	enum verdict verdict = VERDICT_TRACE;
	enum path_answer answer;

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	fill_extent(&s->rec.fs, state, d);
	if (d->at != d->flags)
		s->rec.aux = arg(state, d->at);
	if (d->props & PROP_OPEN_HOW) {
		u64 how = 0;

		uread(&how, sizeof(how), arg(state, d->aux));
		s->rec.aux = how >> 32;
	}
	if (d->props & PROP_XATTR_ARGS)
		fill_xattr_args(&s->rec.fs, arg(state, d->aux));
	if (state->ret == 0 && d->props & (PROP_STAT | PROP_STAT64 | PROP_STATX) &&
	    read_stat(&s->rec, arg(state, d->aux), d->props, state->compat) &&
	    !mode_in_scope(s->rec.mode)) {
		count_filtered(STREAM_FS);
		return 0;
	}
	answer = read_paths(s, state, d);
	if (answer == PATH_LOST)
		verdict = VERDICT_LOST;
	else if (answer == PATH_OF_FILE)
		verdict = name_file(s, state, arg(state, d->fd));
	if (verdict == VERDICT_TRACE)
		send_long(s, state->exit_ns);
	else
		count_verdict(verdict, STREAM_FS);
	return 0;
}

static __noinline enum remains exit_open(struct task_state *state,
					 const volatile struct syscall_desc *d)
{
	u64 file;
	enum verdict verdict;

	if (!state || !d)
		return REMAINS_NONE;
	file = state->ret < 0 ? 0 : task_file(current_task(), state->ret);
	if (!file) /* failed, or closed by another thread already */
		return REMAINS_PATH;
	verdict = take_file(state, file, state->ret);
	count_verdict(verdict, STREAM_FS);
	return verdict == VERDICT_TRACE ? REMAINS_SHORT : REMAINS_NONE;
}

#endif
