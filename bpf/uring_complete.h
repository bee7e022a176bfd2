/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Completion of a request: the record that says what it did. */
#ifndef IOTRC_BPF_URING_COMPLETE_H
#define IOTRC_BPF_URING_COMPLETE_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/call_long.h"
#include "bpf/call_reached.h"
#include "bpf/call_short.h"
#include "bpf/call_stat.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "bpf/scope.h"
#include "bpf/task_state.h"
#include "bpf/uring_abi.h"
#include "bpf/uring_conn.h"
#include "bpf/uring_flight.h"
#include "bpf/uring_lost.h"
#include "schema/fs_ops.h"
#include "schema/records.h"
#include "schema/streams.h"

/* The file that the request acted on, or has opened; 0 if there is none. */
static __always_inline u64 completed_file(struct long_scratch *s, const struct uring_flight *f)
{
	u64 file = f->file, own;

	if (f->shape == SHAPE_OPEN) {
		file = s->rec.fs.ret < 0 ? 0 : task_file(current_task(), s->rec.fs.ret);
		if (file) {
			s->rec.has &= ~(LONG_HAS_REQUESTED | LONG_HAS_REQUESTED2);
			s->rec.len = s->rec.len2 = 0;
		}
	} else if (f->shape == SHAPE_FD && !(f->props & PROP_CLOSES)) {
		own = f->req ? kread(f->req, io_kiocb, file) : 0;
		if (own)
			file = own;
	}
	return file;
}

/* Adds the file that SPLICE writes to; returns whether one of both files is in scope. */
static __always_inline bool complete_splice(struct long_scratch *s, const struct uring_flight *f,
					    struct task_state *state, u64 inode)
{
	u64 out = f->req ? kread(f->req, io_kiocb, file) : f->out;

	s->rec.has |= LONG_TWO_FILES;
	if (!file_in_scope(inode) && !(out && file_in_scope(kread(out, file, f_inode))))
		return false;
	if (out)
		s->rec.base2 = file_path_id(state->recent, out);
	if (!is_regular(inode))
		s->rec.fs.has &= ~FS_HAS_OFFSET;
	return true;
}

/* Where the transfer began, if that is known only at completion. */
static __always_inline void complete_offset(struct rec_fs *rec, const struct uring_flight *f,
					    u64 file, u64 inode)
{
	u64 moved = rec->ret > 0 ? rec->ret : 0;

	if (!had_position(file, rec->ret))
		rec->has &= ~FS_HAS_OFFSET;
	if (f->at_position && is_regular(inode)) {
		rec->offset = kread(file, file, f_pos) - moved;
		rec->has |= FS_HAS_OFFSET;
	}
	if (rec->op == FS_WRITE && kread(file, file, f_flags) & O_APPEND && moved) {
		rec->offset = kread(inode, inode, i_size) - moved;
		rec->has |= FS_HAS_OFFSET;
	}
}

/* Completes the record in S with the file that the request had, or that it has opened. */
__subprog enum verdict complete_file(struct long_scratch *s, struct uring_flight *f)
{
	struct task_state *state = current_state(true);
	enum verdict verdict;
	u64 file, inode;

	if (!s || !f || !state)
		return VERDICT_LOST;
	file = completed_file(s, f);
	if (!file)
		return VERDICT_TRACE;
	inode = kread(file, file, f_inode);
	renew_recent(state, epoch);
	if (f->shape == SHAPE_TWO_FILES) {
		if (!complete_splice(s, f, state, inode))
			return VERDICT_FILTERED;
		s->rec.fs.path = file_path_id(state->recent, file);
		if (!s->rec.fs.path)
			return VERDICT_LOST;
	} else {
		verdict = find_name(state, file, f->hint, &s->rec.fs.path);
		if (verdict != VERDICT_TRACE)
			return verdict;
	}
	if (f->props & PROP_FILE_FLAGS) {
		s->rec.fs.flags = kread(file, file, f_flags);
		s->rec.fs.has |= FS_HAS_FILE_FLAGS;
	}
	complete_offset(&s->rec.fs, f, file, inode);
	return VERDICT_TRACE;
}

/* Adds the file that the paths of the request have reached. */
static __noinline int complete_reached(struct long_scratch *s, const struct uring_flight *f)
{
	struct task_state *call = get_uring_state();
	const volatile struct syscall_desc *d;

	if (!s || !f || !call || !s->rec.len || (s->rec.has & LONG_HAS_REQUESTED2 && !s->rec.len2))
		return 0;
	d = &uring_ops[f->opcode & (MAX_URING_OPS - 1)];
	__builtin_memcpy(&call->own.rec, &s->rec, sizeof(s->rec));
	call->path = 0;
	call->ret = s->rec.fs.ret;
	call->paths = PATHS_LONG;
	call->requested_has = s->rec.has;
	call->at_fd[0] = f->at_fd[0];
	call->at_fd[1] = f->at_fd[1];
	if (s->rec.has & LONG_HAS_INODE) {
		settle_device(call, f->follow);
	} else if (reach_last(call, d, f->follow)) {
		s->rec.has |= LONG_HAS_INODE;
	}
	fill_found(&s->rec, &call->own.rec);
	note_replaced(&s->rec);
	return 0;
}

/* Sends the record in S. Kernel AIO is NAMED: its results are read in system calls. Other requests
 * could end in an interrupt until 6.1, and no lane is written there. */
static __always_inline void send_ended(struct long_scratch *s, bool named)
{
	if (s->rec.has) {
		send_long(s, s->rec.fs.ns);
		return;
	}
	s->rec.fs.type = REC_FS;
	if (named || FROM_6_2)
		send_short(&s->rec.fs);
	else
		output(&s->rec.fs, sizeof(s->rec.fs), STREAM_FS, s->rec.fs.ns);
}

/* Copies what is known of F into S, and adds the time. DEEP as for renew_flight(). */
static __always_inline void take_record(struct long_scratch *s, struct uring_flight *f, bool deep)
{
	renew_flight(f, deep);
	if (f->simple) {
		__builtin_memcpy(&s->rec.fs, &f->rec.fs, sizeof(s->rec.fs));
		s->rec.has = 0;
	} else {
		__builtin_memcpy(&s->rec, &f->rec, sizeof(s->rec));
	}
	s->rec.fs.ns = bpf_ktime_get_ns();
	s->rec.fs.duration = s->rec.fs.ns - f->rec.fs.ns;
}

/* NAMED: the file was named on submission, and may be gone by now. */
static __always_inline int complete(u64 key, s32 res, u32 cqe_flags, bool named)
{
	struct uring_flight *f = named ? take_flight(key) : find_flight(key);
	struct long_scratch *s = get_long_scratch();
	struct uring_paths *paths;
	enum verdict verdict;

	if (!named && cfg.nw_conn && (!f || f->props & PROP_CLOSES))
		conn_complete(key, res, cqe_flags);
	if (!f)
		return 0;
	if (f->props & PROP_NAMES && res >= 0)
		names_epoch++;
	if (f->shape == SHAPE_NONE || !s)
		goto out;
	take_record(s, f, named);
	s->rec.fs.ret = res;
	if (f->has_paths) {
		paths = bpf_map_lookup_elem(&uring_paths, &key);
		if (paths)
			bpf_probe_read_kernel(s->rec.requested, sizeof(paths->text), paths->text);
	}
	if (f->props & PROP_STATX && res == 0 &&
	    read_stat(&s->rec, f->rec.address, PROP_STATX, false) && !mode_in_scope(s->rec.mode)) {
		count_filtered(STREAM_FS);
		goto out;
	}
	if (named && f->at_position && res <= 0) /* where it would have appended is unknown */
		s->rec.fs.has &= ~FS_HAS_OFFSET;
	verdict = named ? VERDICT_TRACE : complete_file(s, f);
	if (!named && verdict == VERDICT_TRACE && s->rec.has & LONG_HAS_REQUESTED &&
	    !s->rec.fs.path)
		complete_reached(s, f);
	if (verdict == VERDICT_TRACE)
		send_ended(s, named);
	else
		count_verdict(verdict, STREAM_FS);
out:
	if (!(cqe_flags & CQE_F_MORE))
		end_flight(key, f);
	return 0;
}

__noinline int on_complete(u64 key, s32 res, u32 cqe_flags)
{
	if (cfg.uring_nameless && was_rowless(key, cqe_flags))
		return 0;
	return complete(key, res, cqe_flags, false);
}

/* For kernel AIO. A function of its own, since the chain of calls that leads here is long: up to
 * 6.1 all their stacks together are limited to 512 bytes. */
__noinline int on_complete_named(u64 key, s32 res)
{
	return complete(key, res, 0, true);
}

/* Records a request of kernel AIO whose result nobody was told. */
__noinline int complete_unreported(u64 key)
{
	struct uring_flight *f = take_flight(key);
	struct long_scratch *s = get_long_scratch();

	if (!f || !s)
		return 0;
	take_record(s, f, true);
	s->rec.fs.ret = 0;
	s->rec.fs.has |= FS_NO_RESULT;
	if (f->at_position) /* where it would have appended is unknown */
		s->rec.fs.has &= ~FS_HAS_OFFSET;
	if (end_flight(key, f))
		send_ended(s, true);
	return 0;
}

/* Completes the request REQ or, if the tracepoint does not name it (0), the one stored under MANY.
 * Returns false if there is none. */
static __always_inline bool complete_request(u64 req, u64 many, s32 res, u32 cqe_flags)
{
	u64 *key = req ? &req : bpf_map_lookup_elem(&uring_many, &many);

	if (!key)
		return false;
	on_complete(*key, res, cqe_flags);
	return true;
}

static __always_inline int on_answer(u64 req, u64 many, s32 res, u32 cqe_flags)
{
	count_fired(HOOK_URING_COMPLETE);
	complete_request(req, many, res, cqe_flags);
	return 0;
}

#endif
