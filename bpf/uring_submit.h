/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Submission of a request: what it is about, and whether it is recorded. */
#ifndef IOTRC_BPF_URING_SUBMIT_H
#define IOTRC_BPF_URING_SUBMIT_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_long.h"
#include "bpf/call_paths.h"
#include "bpf/call_reached.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/scope.h"
#include "bpf/socket.h"
#include "bpf/task_state.h"
#include "bpf/uring_abi.h"
#include "bpf/uring_conn.h"
#include "bpf/uring_flight.h"
#include "bpf/uring_lost.h"
#include "bpf/uring_ring.h"
#include "bpf/vma.h"
#include "schema/records.h"
#include "schema/streams.h"

static __always_inline void take_arguments(struct task_state *state, const struct sqe *sqe)
{
	state->args[0] = (s64)sqe->fd;
	state->args[1] = sqe->addr;
	state->args[2] = sqe->len;
	state->args[3] = sqe->off;
	state->args[4] = sqe->op_flags;
	state->args[5] = sqe->opcode == IORING_OP_SETXATTR || sqe->opcode == IORING_OP_GETXATTR ?
				 sqe->addr3 :
				 (u64)(s64)sqe->file_index;
}

__noinline int submit_paths(u32 opcode, u64 key)
{
	const volatile struct syscall_desc *d = &uring_ops[opcode & (MAX_URING_OPS - 1)];
	struct uring_flight *f = get_uring_scratch();
	struct task_state *state = get_uring_state();
	struct long_scratch *s = get_long_scratch();
	struct rec_fs_long *rec;
	enum path_answer answer;

	if (!s || !f || !state)
		return VERDICT_LOST;
	fetch_paths(state, d);
	answer = place_paths(state, d, false);
	if (answer == PATH_OF_FILE) {
		if (state->at_fd[0] == AT_FDCWD)
			f->rec.fs.path = base_at(state, AT_FDCWD);
		else
			f->file = task_file(current_task(), state->at_fd[0]);
		return f->rec.fs.path == NOT_DEFINED ? VERDICT_LOST : VERDICT_TRACE;
	}
	if (answer == PATH_LOST)
		return VERDICT_LOST;
	rec = &state->own.rec;
	rec->ino = rec->replaced = 0;
	if (d->props & PROP_REACH_FIRST) {
		reach_first(state, d);
		fill_found(&f->rec, rec);
	}
	f->follow = follows(state, d);
	f->at_fd[0] = state->at_fd[0];
	f->at_fd[1] = state->at_fd[1];
	f->rec.has |= state->requested_has;
	f->rec.base = rec->base;
	f->rec.base2 = rec->base2;
	f->rec.len = rec->len;
	f->rec.len2 = rec->len2;
	f->rec.skip = rec->skip;
	f->rec.skip2 = rec->skip2;
	if (state->paths != PATHS_LONG)
		bpf_probe_read_kernel(s->rec.requested, sizeof(state->own.requested),
				      state->own.requested);
	if (bpf_map_update_elem(&uring_paths, &key, s->rec.requested, BPF_ANY))
		return VERDICT_LOST;
	f->has_paths = 1;
	return VERDICT_TRACE;
}

/* The file is named now: it will be gone at completion. */
__noinline int submit_close(void)
{
	struct uring_flight *f = get_uring_scratch();
	struct task_state *state = get_uring_state();

	if (!f || !state || !f->file)
		return VERDICT_TRACE;
	if (!file_in_scope(kread(f->file, file, f_inode)))
		return VERDICT_FILTERED;
	f->rec.fs.path = file_path_id(state->recent, f->file);
	f->file = 0;
	return f->rec.fs.path ? VERDICT_TRACE : VERDICT_LOST;
}

static __always_inline u32 direct_slot(const struct sqe *sqe)
{
	switch (sqe->opcode) {
	case IORING_OP_OPENAT:
	case IORING_OP_OPENAT2:
	case IORING_OP_CLOSE:
	case IORING_OP_ACCEPT:
	case IORING_OP_SOCKET:
		return sqe->file_index;
	}
	return 0;
}

static __always_inline bool completes_often(const struct sqe *sqe)
{
	return sqe->opcode == IORING_OP_READ_MULTISHOT ||
	       (sqe->opcode == IORING_OP_ACCEPT && sqe->ioprio & ACCEPT_MULTISHOT);
}

/* Puts the request into the form of a system call. is_socket: the file is a registered one, without
 * a descriptor. */
static __always_inline void take_request(struct task_state *call, const struct task_state *state,
					 u64 ctx, const struct sqe *sqe,
					 const struct uring_request *rq)
{
	begin_request(call, state);
	call->compat = is_narrow(ctx);
	call->is_socket =
		sqe->flags & SQE_FIXED_FILE || (rq->direct && sqe->opcode == IORING_OP_CLOSE);
	take_arguments(call, sqe);
	if (!rq->req && sqe->flags & SQE_FIXED_FILE)
		call->file = slot_file(ctx, sqe->fd);
}

/* Whether the request closes a socket, and that is recorded. */
static __always_inline bool closes_socket(struct task_state *call, u64 ctx, const struct sqe *sqe,
					  u32 direct)
{
	u64 file = direct ? slot_file(ctx, direct - 1) : task_file(current_task(), sqe->fd);

	call->file = direct ? file : 0;
	return cfg.nw_conn && file && is_socket(file);
}

static __always_inline enum verdict submit_range(struct uring_flight *f, u64 address)
{
	f->file = mapped_file(address);
	f->rec.address = address;
	f->rec.has |= LONG_HAS_ADDRESS;
	return f->file ? VERDICT_TRACE : VERDICT_IGNORE;
}

static __always_inline void submit_splice(struct uring_flight *f, const struct task_state *call,
					  u64 ctx, const struct sqe *sqe, u64 req)
{
	if (!req)
		f->out = call->is_socket ? call->file : task_file(current_task(), sqe->fd);
	f->file = call->args[4] & SPLICE_FD_IN_FIXED ?
			  slot_file(ctx, call->args[5]) :
			  task_file(current_task(), (s32)call->args[5]);
	f->at_position = call->args[1] == (u64)-1;
	if (f->at_position)
		f->rec.fs.has &= ~FS_HAS_OFFSET;
}

/* Keeps the flight until the request completes. Returns whether it could. */
static __always_inline int keep_flight(struct uring_flight *f, const struct uring_request *rq,
				       u32 opcode)
{
	u64 key = rq->key, many = opcode == IORING_OP_READ_MULTISHOT ? rq->many : 0;

	f->req = rq->req;
	f->props = uring_ops[opcode].props;
	f->opcode = opcode;
	f->quiet = rq->quiet;
	if (rq->quiet && f->props & PROP_NAMES)
		names_epoch++;
	f->many = many;
	f->in_place = 0;
	if ((!many || !bpf_map_update_elem(&uring_many, &many, &key, BPF_ANY)) &&
	    !store_flight(key, f))
		return 1;
	if (f->shape != SHAPE_NONE)
		lose(STREAM_FS, bpf_ktime_get_ns());
	end_flight(key, f);
	return 0;
}

/* Handles a request that is an operation of a stream, or may change names. Returns whether it is
 * kept until it completes. */
static __always_inline int submit_operation(u64 ctx, const struct sqe *sqe,
					    struct uring_request *rq, u32 opcode)
{
	const volatile struct syscall_desc *d = &uring_ops[opcode];
	struct task_struct *task = submitting_task(ctx);
	struct task_state *state = state_of(task, true), *call = get_uring_state();
	struct uring_flight *f = get_uring_scratch();
	enum verdict verdict;
	bool socket = false;

	if (!state || !f || !call)
		return lose(d->stream, bpf_ktime_get_ns());
	verdict = caller_verdict(state, task);
	take_request(call, state, ctx, sqe, rq);
	if (d->props & PROP_OPEN_HOW)
		fetch_how(call, d);
	if (d->props & PROP_CLOSES) {
		socket = closes_socket(call, ctx, sqe, rq->direct);
		if (!socket && !cfg.close_rows)
			return 0;
	}
	if (verdict == VERDICT_TRACE && (socket || d->shape == SHAPE_CONN)) {
		conn_submit(call, d, rq);
		if (!socket || !cfg.scope_all || !cfg.close_rows)
			return 1;
	}
	if (verdict == VERDICT_TRACE && d->shape != SHAPE_NONE) {
		prepare_flight(opcode);
		if (d->shape == SHAPE_RANGE) {
			verdict = submit_range(f, call->args[1]);
		} else if (d->shape == SHAPE_TWO_FILES) {
			submit_splice(f, call, ctx, sqe, rq->req);
		} else if (d->props & PROP_CLOSES) {
			verdict = submit_close();
		} else if (d->path) {
			f->rec.address = arg(call, d->aux); /* of the struct statx */
			verdict = submit_paths(opcode, rq->key);
		}
	}
	if (verdict == VERDICT_IGNORE)
		return 0;
	if (verdict == VERDICT_LOST || d->shape != SHAPE_NONE)
		count_verdict(verdict, d->stream);
	if (verdict != VERDICT_TRACE && !(d->props & PROP_NAMES))
		return 0;
	if (verdict != VERDICT_TRACE || d->shape == SHAPE_NONE)
		f->shape = SHAPE_NONE;
	else if (rq->direct)
		f->shape = SHAPE_PATH; /* the result is no descriptor: the path stays as given */
	return keep_flight(f, rq, opcode);
}

/* Reads the entry at address AT; returns whether it could. */
static __always_inline bool read_sqe(struct sqe *sqe, u64 at)
{
	const volatile u64 *from;
	u64 *to = (u64 *)sqe;

	if (!FROM_6_2)
		return !bpf_probe_read_kernel(sqe, sizeof(*sqe), (void *)at);
	from = kwords(at);
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
	to[4] = from[4];
	to[5] = from[5];
	to[6] = from[6];
	return true;
}

/* Returns whether the request is kept until it completes. */
__subprog int submit(u64 ctx, u64 req)
{
	struct uring_request rq = { .req = req };
	const volatile struct syscall_desc *d;
	struct sqe sqe;
	u32 opcode;

	if (!read_sqe(&sqe, sqe_of(ctx)))
		return 0;
	rq.key = cfg.uring_nameless ? user_key(ctx, sqe.user_data) : req;
	if (uring_quiet || uring_overflown)
		miss_quiet(rq.key);
	/* Skip unknown opcodes, and 128-byte SQEs in a mixed ring: neither is a file operation. */
	if (sqe.opcode >= OP_UNKNOWN_TO_AIO || (req && sqe.opcode != kread(req, io_kiocb, opcode)))
		return 0;
	opcode = opaque(sqe.opcode) & (MAX_URING_OPS - 1);
	d = &uring_ops[opcode];
	if (cfg.uring_nameless && is_ambiguous(rq.key)) {
		if (d->shape != SHAPE_NONE)
			lose(d->stream, bpf_ktime_get_ns());
		return 1;
	}
	if (d->shape == SHAPE_NONE && !(d->props & PROP_NAMES))
		return 0;
	rq.quiet = sqe.flags & SQE_CQE_SKIP_SUCCESS;
	if (rq.quiet)
		uring_quiet = 1;
	count_fired(HOOK_URING_SUBMIT);
	rq.direct = direct_slot(&sqe);
	rq.many = completes_often(&sqe) ? user_key(ctx, sqe.user_data) : 0;
	return submit_operation(ctx, &sqe, &rq, opcode);
}

static __always_inline int on_submit(u64 ctx, u64 req)
{
	if (!submit(ctx, req) && cfg.uring_nameless) {
		u64 sqe = sqe_of(ctx),
		    key = user_key(ctx, kread_u64(sqe + offsetof(struct sqe, user_data)));
		u32 one = 1;

		if (!(kread_u64(sqe) >> 8 & SQE_CQE_SKIP_SUCCESS)) /* of the flags */
			bpf_map_update_elem(&uring_rowless, &key, &one, BPF_NOEXIST);
	}
	return 0;
}

#endif
