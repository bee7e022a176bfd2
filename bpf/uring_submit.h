/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Submission of a request: what it is about, and whether it is recorded. */
#ifndef IOTRC_BPF_URING_SUBMIT_H
#define IOTRC_BPF_URING_SUBMIT_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_long.h"
#include "bpf/call_paths.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/scope.h"
#include "bpf/socket.h"
#include "bpf/task.h"
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
	enum path_answer answer;
	s32 fd;

	if (!s || !f || !state)
		return VERDICT_LOST;
	s->rec.has = 0;
	answer = read_paths(s, state, d);
	if (answer == PATH_OF_FILE) {
		fd = arg(state, d->fd);
		if (fd == AT_FDCWD)
			f->rec.fs.path = base_of(state, 0);
		else
			f->file = task_file(current_task(), fd);
		return f->rec.fs.path == NO_ROOM ? VERDICT_LOST : VERDICT_TRACE;
	}
	if (answer == PATH_LOST)
		return VERDICT_LOST;
	f->rec.has |= s->rec.has;
	f->rec.base = s->rec.base;
	f->rec.base2 = s->rec.base2;
	f->rec.len = s->rec.len;
	f->rec.len2 = s->rec.len2;
	if (bpf_map_update_elem(&uring_asked, &key, s->rec.asked, BPF_ANY))
		return VERDICT_LOST;
	return VERDICT_TRACE;
}

/* The file will be gone by the time of completion. */
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

/* Returns whether it is kept until its completion. */
static __noinline int submit(u64 ctx, u64 req)
{
	struct task_struct *task = submitting_task(ctx);
	struct task_state *state = state_of(task, true), *call;
	const volatile struct syscall_desc *d;
	struct uring_flight *f;
	struct sqe sqe;
	u64 file, key;
	u32 opcode;
	enum verdict verdict = VERDICT_TRACE;
	bool quiet, closes_socket = false;
	u32 direct;
	u64 many;

	if (bpf_probe_read_kernel(&sqe, sizeof(sqe), (void *)sqe_of(ctx)))
		return 0;
	key = cfg.uring_nameless ? user_key(ctx, sqe.user_data) : req;
	if (uring_quiet || uring_overflown)
		miss_quiet(key);
	/* Not what is no operation, nor one of 128 bytes among others: that has none on files. */
	if (sqe.opcode >= MAX_URING_OPS || (req && sqe.opcode != kread(req, io_kiocb, opcode)))
		return 0;
	opcode = sqe.opcode & (MAX_URING_OPS - 1);
	d = &uring_ops[opcode];
	if (cfg.uring_nameless && mix_up(key)) {
		if (d->shape != SHAPE_NONE)
			lose(d->stream, bpf_ktime_get_ns());
		return 1;
	}
	if (d->shape == SHAPE_NONE && !(d->props & PROP_NAMES))
		return 0;
	quiet = sqe.flags & SQE_CQE_SKIP_SUCCESS;
	if (quiet)
		uring_quiet = 1;
	count_fired(HOOK_URING_SUBMIT);
	f = get_uring_scratch();
	call = get_uring_state();
	if (!state || !f || !call) {
		lose(d->stream, bpf_ktime_get_ns());
		return 0;
	}
	switch (task_refresh(state, task, false)) {
	case WHOM_LEFT_OUT:
		verdict = VERDICT_FILTERED;
		break;
	case WHOM_LOST:
		verdict = VERDICT_LOST;
		break;
	default:
		break;
	}
	/* file_index: a slot of the ring's own table in the place of a descriptor. */
	direct = opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2 ||
				 opcode == IORING_OP_CLOSE || opcode == IORING_OP_ACCEPT ||
				 opcode == IORING_OP_SOCKET ?
			 sqe.file_index :
			 0;
	__builtin_memset(call->recent, 0, sizeof(call->recent));
	call->id = state->id;
	call->compat = is_narrow(ctx);
	call->file = call->path = call->base[0] = call->base[1] = 0;
	call->file_flags = 0;
	call->ret = 0;
	/* a registered file: no descriptor */
	call->is_socket = sqe.flags & SQE_FIXED_FILE || (direct && opcode == IORING_OP_CLOSE);
	call->enter_ns = call->exit_ns = bpf_ktime_get_ns();
	take_arguments(call, &sqe);
	if (!req && sqe.flags & SQE_FIXED_FILE)
		call->file = slot_file(ctx, sqe.fd);
	many = opcode == IORING_OP_READ_MULTISHOT ||
			       (opcode == IORING_OP_ACCEPT && sqe.ioprio & ACCEPT_MULTISHOT) ?
		       user_key(ctx, sqe.user_data) :
		       0;
	if (d->props & PROP_CLOSES) {
		file = direct ? slot_file(ctx, direct - 1) : task_file(current_task(), sqe.fd);
		call->file = direct ? file : 0;
		closes_socket = cfg.nw_conn && file && is_socket(file);
		if (!closes_socket && !cfg.close_rows)
			return 0;
	}
	if (verdict == VERDICT_TRACE && (closes_socket || d->shape == SHAPE_CONN)) {
		struct conn_request rq = {
			.req = req,
			.key = key,
			.many = many,
			.direct = direct,
			.quiet = quiet,
		};

		conn_submit(call, d, &rq);
		if (!closes_socket || !cfg.scope_all || !cfg.close_rows)
			return 1;
	}
	if (d->shape != SHAPE_NONE && verdict == VERDICT_TRACE) {
		prepare_flight(opcode);
		if (d->shape == SHAPE_RANGE) {
			file = mapped_file(call->args[1]);
			if (!file)
				return 0;
			f->file = file;
			f->rec.address = call->args[1];
			f->rec.has |= LONG_HAS_ADDRESS;
		} else if (d->shape == SHAPE_TWO_FILES) {
			if (!req)
				f->out = call->is_socket ? call->file :
							   task_file(current_task(), sqe.fd);
			f->file = call->args[4] & SPLICE_FD_IN_FIXED ?
					  slot_file(ctx, call->args[5]) :
					  task_file(current_task(), (s32)call->args[5]);
			f->at_position = call->args[1] == (u64)-1;
			if (f->at_position)
				f->rec.fs.has &= ~FS_HAS_OFFSET;
		} else if (d->props & PROP_CLOSES) {
			verdict = submit_close();
		} else if (d->path) {
			f->rec.address = arg(call, d->aux); /* of the struct statx */
			verdict = submit_paths(opcode, key);
		}
	}
	if (verdict == VERDICT_FILTERED || verdict == VERDICT_LOST) {
		if (verdict == VERDICT_FILTERED && d->shape != SHAPE_NONE)
			count_filtered(d->stream);
		if (verdict == VERDICT_LOST)
			lose(d->stream, bpf_ktime_get_ns());
		if (!(d->props & PROP_NAMES))
			return 0;
		f->shape = SHAPE_NONE;
	}
	if (d->shape == SHAPE_NONE)
		f->shape = SHAPE_NONE;
	else if (direct)
		f->shape = SHAPE_PATH; /* its result is no descriptor: the path stays as asked */
	f->req = req;
	f->props = d->props;
	f->quiet = quiet;
	if (quiet && f->props & PROP_NAMES)
		names_epoch++;
	f->many = opcode == IORING_OP_READ_MULTISHOT ? many : 0;
	if (f->many)
		bpf_map_update_elem(&uring_many, &many, &key, BPF_ANY);
	if (!bpf_map_update_elem(&uring_flights, &key, f, BPF_ANY))
		return 1;
	if (f->shape != SHAPE_NONE)
		lose(STREAM_FS, bpf_ktime_get_ns());
	return 0;
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
