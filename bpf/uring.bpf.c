/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations that come through io_uring: from the submission of a request to its completion,
 * wherever that runs (inline, io-wq, SQPOLL). What is asked for is read from the submission queue entry,
 * which is the same on every kernel (include/uapi/linux/io_uring.h), and then treated as a system
 * call's arguments are; see src/uring.def. */
#ifndef IOTRC_URING
#define IOTRC_URING

#include "context.h"
#include <bpf/bpf_tracing.h>

#define CQE_F_MORE (1 << 1)
#include "uring_conn.h"

#define MAX_URING_OPS 64
#define SETUP_SQE128 (1 << 10)
#define SETUP_NO_SQARRAY (1 << 16)
#define SQE_FIXED_FILE (1 << 0)
#define SQE_CQE_SKIP_SUCCESS (1 << 6) /* since 5.17 */
#define FSYNC_DATASYNC (1 << 0)
#define SPLICE_FD_IN_FIXED (1U << 31)
#define IORING_OP_FSYNC 3
#define IORING_OP_ACCEPT 13
#define ACCEPT_MULTISHOT (1 << 0) /* of ioprio; since 5.19 */
#define IORING_OP_OPENAT 18
#define IORING_OP_CLOSE 19
#define IORING_OP_OPENAT2 28
#define IORING_OP_SETXATTR 42
#define IORING_OP_GETXATTR 44
#define IORING_OP_SOCKET 45
#define IORING_OP_READ_MULTISHOT 49

const volatile struct syscall_desc uring_ops[MAX_URING_OPS] = {};

/* Some request was one whose success no tracepoint tells of. */
volatile __u32 uring_quiet = 0;

/* Whether a completion has been told of whose request isn't known (overflow()). */
volatile __u32 uring_overflown = 0;

struct sqe {
	u8 opcode, flags;
	u16 ioprio;
	s32 fd;
	u64 off, addr;
	u32 len, op_flags;
	u64 user_data;
	u16 buf_index, personality;
	s32 file_index;
	u64 addr3;
};

/* A request between submission and completion, its record as far as it can be filled. */
struct uring_flight {
	struct rec_fs_long rec;
	u64 file;              /* as it was at submission; 0 for a registered one, where REQ has it */
	u64 out;               /* what SPLICE writes to, likewise */
	u64 req;               /* 0 of kernel AIO, and where no tracepoint tells it */
	u32 shape, props;
	u32 at_position;       /* offset is the file's position */
	u32 quiet;             /* its success isn't told of by a tracepoint */
	u64 many;              /* key in uring_many, or 0 */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* by the program to its own measure */
	__type(key, u64);
	__type(value, struct uring_flight);
} uring_flights SEC(".maps");

/* The paths that those which have some were given. */
struct uring_asked {
	char text[2 * PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256); /* by the program to its own measure */
	__type(key, u64);
	__type(value, struct uring_asked);
} uring_asked SEC(".maps");

/* Requests in flight that will be no row, by the program's number, and how many: where completions don't name
 * their request each has to be known. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* by the program to its own measure */
	__type(key, u64);
	__type(value, u32);
} uring_rowless SEC(".maps");

/* The arguments of the request being submitted, as if of a system call. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct task_state);
} uring_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct uring_flight);
} uring_scratch SEC(".maps");

/* The address of the entry that was submitted last. */
static __always_inline u64 sqe_of(u64 ctx)
{
	u32 entries = kread(ctx, io_ring_ctx, sq_entries), flags = kread(ctx, io_ring_ctx, flags);
	u32 at = ((u32)kread(ctx, io_ring_ctx, cached_sq_head) - 1) & (entries - 1);
	u64 array = kread(ctx, io_ring_ctx, sq_array);

	if (!(flags & SETUP_NO_SQARRAY) && array)
		at = (u32)kread_u64(array + at * 4) & (entries - 1);
	if (flags & SETUP_SQE128)
		at *= 2;
	return kread(ctx, io_ring_ctx, sq_sqes) + (u64)at * 64;
}

/* For completions that don't name their request, until 5.17 and of those that have many: the submitter's
 * own number has to do. */
static __always_inline u64 user_key(u64 ctx, u64 user_data)
{
	return mix(ctx, user_data);
}

/* Whom the current thread submits for: until 5.11 IORING_SETUP_SQPOLL's was the kernel's own, on the submitter's
 * files. */
static __always_inline struct task_struct *submitter(u64 ctx)
{
	struct task_struct *task = current_task();

	if (bpf_core_field_exists(((struct io_ring_ctx___until_5_11 *)0)->sqo_task) &&
	    kread(task_address(task), task_struct, flags) & PF_KTHREAD)
		return (void *)kread(ctx, io_ring_ctx___until_5_11, sqo_task);
	return task;
}

/* The request that is being submitted, where the tracepoint doesn't give it (until 5.13): the last that was
 * taken of those at hand (io_alloc_req() of fs/io_uring.c). Until 5.11 these are out of reach: 0. */
static __always_inline u64 taken_request(u64 ctx, u8 opcode)
{
	u64 req;

	if (!bpf_core_field_exists(((struct io_ring_ctx___until_5_15 *)0)->submit_state.reqs))
		return 0;
	req = kread_u64(kaddr(ctx, io_ring_ctx___until_5_15, submit_state.reqs) +
			8 * kread(ctx, io_ring_ctx___until_5_15, submit_state.free_reqs));
	return kread(req, io_kiocb, ctx) == ctx && kread(req, io_kiocb, opcode) == opcode ? req : 0;
}

/* Whether a 32-bit program has made the ring: its iovecs are of 32 bits. */
static __always_inline bool is_narrow(u64 ctx)
{
	if (bpf_core_field_exists(((struct io_ring_ctx *)0)->int_flags))
		return kread(ctx, io_ring_ctx, int_flags) & cfg.uring_narrow;
	return BPF_CORE_READ_BITFIELD_PROBED((struct io_ring_ctx___with_bits *)ctx, compat);
}

static __always_inline void take_arguments(struct task_state *state, const struct sqe *sqe)
{
	state->args[0] = (s64)sqe->fd;
	state->args[1] = sqe->addr;
	state->args[2] = sqe->len;
	state->args[3] = sqe->off;
	state->args[4] = sqe->op_flags;
	state->args[5] = sqe->opcode == IORING_OP_SETXATTR || sqe->opcode == IORING_OP_GETXATTR ?
				 sqe->addr3 : (u64)(s64)sqe->file_index;
}

static __always_inline struct uring_flight *get_uring_scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&uring_scratch, &zero);
}

static __always_inline struct task_state *get_uring_state(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&uring_state, &zero);
}

/* Fills the flight in the scratch as far as the arguments in uring_state go. A global function, as those below:
 * the verifier goes through it once. */
__noinline int prepare_flight(u32 opcode)
{
	const volatile struct syscall_desc *d = &uring_ops[opcode & (MAX_URING_OPS - 1)];
	struct uring_flight *f = get_uring_scratch();
	struct task_state *state = get_uring_state();
	struct task_struct *task = current_task();

	if (!f || !state)
		return 0;
	f->req = f->out = f->many = f->quiet = 0;
	if (d->shape == SHAPE_FD && !state->is_socket)
		state->file = task_file(task, (s32)arg(state, d->fd));
	f->file = state->file;
	if (state->file)
		state->file_flags = kread(state->file, file, f_flags);
	fill(&f->rec.fs, state, d);
	f->rec.fs.type = REC_FS_LONG;
	f->rec.fs.has |= FS_IO_URING;
	f->rec.fs.ns = state->enter_ns;
	f->rec.len = f->rec.len2 = 0;
	f->rec.address = f->rec.ino = 0;
	f->rec.aux = f->rec.aux2 = f->rec.dev = f->rec.mode = 0;
	f->rec.base = f->rec.base2 = 0;
	fill_extent(&f->rec.fs, state, d);
	f->shape = d->shape;
	f->at_position = 0;
	if (d->props & PROP_SEQUENTIAL) {
		/* -1 means the position, where it is at the end; an append is where the file ended. */
		f->at_position = state->args[3] == (u64)-1;
		if (f->at_position)
			f->rec.fs.has &= ~FS_HAS_OFFSET;
	}
	if (d->props & PROP_RWF) {
		f->rec.aux = arg(state, d->aux);
		f->rec.fs.has |= FS_HAS_RWF;
	}
	if (opcode == IORING_OP_FSYNC && state->args[4] & FSYNC_DATASYNC)
		f->rec.fs.op = FS_FDATASYNC;
	return 0;
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
	s->rec.fs.has = 0;
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
	f->rec.fs.has |= s->rec.fs.has;
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

/* A request with IOSQE_CQE_SKIP_SUCCESS passes no tracepoint when it succeeds: the functions where it
 * ends tell (on_uring_flush). Where they can't be hooked, that it has is known when its memory has become
 * another's: its row is lost. One that found the queue full was counted then. */
__noinline int miss_quiet(u64 key)
{
	struct uring_flight *f = bpf_map_lookup_elem(&uring_flights, &key);
	struct uring_conn *c = bpf_map_lookup_elem(&uring_conns, &key);

	if (f && (f->quiet || uring_overflown)) {
		if (f->quiet && f->shape != SHAPE_NONE)
			lose(STREAM_FS, bpf_ktime_get_ns());
		bpf_map_delete_elem(&uring_flights, &key);
		bpf_map_delete_elem(&uring_asked, &key);
	}
	if (c && (c->quiet || uring_overflown)) {
		if (c->quiet)
			lose(STREAM_NW_CONN, bpf_ktime_get_ns());
		bpf_map_delete_elem(&uring_conns, &key);
	}
	return 0;
}

/* Where completions don't name their request, nothing tells those in flight apart to which the program has given
 * the same number: none of them will be a row, and each counts as lost. Whether KEY is such a number. */
__noinline int mix_up(u64 key)
{
	struct uring_flight *f = bpf_map_lookup_elem(&uring_flights, &key);
	struct uring_conn *c = bpf_map_lookup_elem(&uring_conns, &key);
	u32 *rowless = bpf_map_lookup_elem(&uring_rowless, &key), two = 2;
	bool other = false;

	if (rowless) {
		++*rowless;
		return 1;
	}
	if (f) {
		other = true;
		if (f->shape != SHAPE_NONE)
			lose(STREAM_FS, bpf_ktime_get_ns());
	}
	if (c) {
		other = true;
		lose(STREAM_NW_CONN, bpf_ktime_get_ns());
	}
	if (!other)
		return 0;
	bpf_map_delete_elem(&uring_flights, &key);
	bpf_map_delete_elem(&uring_asked, &key);
	bpf_map_delete_elem(&uring_conns, &key);
	bpf_map_update_elem(&uring_rowless, &key, &two, BPF_ANY);
	return 1;
}

/* Whether a completion is no row's. */
static __always_inline bool was_rowless(u64 key, u32 cqe_flags)
{
	u32 *rowless = bpf_map_lookup_elem(&uring_rowless, &key);

	if (!rowless)
		return false;
	names_epoch++; /* it may have changed names */
	if (!(cqe_flags & CQE_F_MORE) && !--*rowless)
		bpf_map_delete_elem(&uring_rowless, &key);
	return true;
}

/* Returns whether it is kept until its completion. */
static __noinline int submit(u64 ctx, u64 req)
{
	struct task_struct *task = submitter(ctx);
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
	direct = opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2 || opcode == IORING_OP_CLOSE ||
				 opcode == IORING_OP_ACCEPT || opcode == IORING_OP_SOCKET ?
			 sqe.file_index : 0;
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
	many = opcode == IORING_OP_READ_MULTISHOT || (opcode == IORING_OP_ACCEPT && sqe.ioprio & ACCEPT_MULTISHOT) ?
		       user_key(ctx, sqe.user_data) : 0;
	if (d->props & PROP_CLOSES) {
		file = direct ? slot_file(ctx, direct - 1) : task_file(current_task(), sqe.fd);
		call->file = direct ? file : 0;
		closes_socket = cfg.nw_conn && file && is_socket(file);
		if (!closes_socket && !cfg.close_rows)
			return 0;
	}
	if (verdict == VERDICT_TRACE && (closes_socket || d->shape == SHAPE_CONN)) {
		struct conn_request rq = {
			.req = req, .key = key, .many = many, .direct = direct, .quiet = quiet,
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
			f->rec.fs.has |= FS_HAS_ADDRESS;
		} else if (d->shape == SHAPE_TWO_FILES) {
			if (!req)
				f->out = call->is_socket ? call->file : task_file(current_task(), sqe.fd);
			f->file = call->args[4] & SPLICE_FD_IN_FIXED ? slot_file(ctx, call->args[5]) :
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
		u64 sqe = sqe_of(ctx), key = user_key(ctx, kread_u64(sqe + offsetof(struct sqe, user_data)));
		u32 one = 1;

		if (!(kread_u64(sqe) >> 8 & SQE_CQE_SKIP_SUCCESS)) /* of the flags */
			bpf_map_update_elem(&uring_rowless, &key, &one, BPF_NOEXIST);
	}
	return 0;
}

/* Names the file that the request had, or that it has opened. */
static __noinline enum verdict complete_file(struct long_scratch *s, struct uring_flight *f)
{
	struct task_state *state = current_state(true);
	struct task_struct *task = current_task();
	u64 file, inode;

	if (!s || !f || !state)
		return VERDICT_LOST;
	file = f->file;
	if (f->shape == SHAPE_OPEN) {
		if (s->rec.fs.ret < 0)
			return VERDICT_TRACE;
		file = task_file(task, s->rec.fs.ret);
		if (!file)
			return VERDICT_TRACE;
		s->rec.fs.has &= ~(FS_HAS_ASKED | FS_HAS_ASKED2);
		s->rec.len = s->rec.len2 = 0;
	} else if (f->shape == SHAPE_FD && !(f->props & PROP_CLOSES)) {
		u64 own = f->req ? kread(f->req, io_kiocb, file) : 0;

		if (own)
			file = own;
	}
	if (!file)
		return VERDICT_TRACE;
	inode = kread(file, file, f_inode);
	if (f->shape == SHAPE_TWO_FILES) {
		u64 out = f->req ? kread(f->req, io_kiocb, file) : f->out;

		s->rec.fs.has |= FS_TWO_FILES;
		if (!file_in_scope(inode) && !(out && file_in_scope(kread(out, file, f_inode))))
			return VERDICT_FILTERED;
		if (out)
			s->rec.base2 = file_path_id(state->recent, out);
		if ((kread(inode, inode, i_mode) & S_IFMT) != S_IFREG)
			s->rec.fs.has &= ~FS_HAS_OFFSET;
	} else if (!file_in_scope(inode)) {
		return VERDICT_FILTERED;
	}
	s->rec.fs.path = file_path_id(state->recent, file);
	if (!s->rec.fs.path)
		return VERDICT_LOST;
	if (f->props & PROP_FILE_FLAGS) {
		s->rec.fs.flags = kread(file, file, f_flags);
		s->rec.fs.has |= FS_HAS_FILE_FLAGS;
	}
	if (!had_position(file, s->rec.fs.ret))
		s->rec.fs.has &= ~FS_HAS_OFFSET;
	if (f->at_position && (kread(inode, inode, i_mode) & S_IFMT) == S_IFREG) {
		s->rec.fs.offset = kread(file, file, f_pos) - (s->rec.fs.ret > 0 ? s->rec.fs.ret : 0);
		s->rec.fs.has |= FS_HAS_OFFSET;
	}
	if (s->rec.fs.op == FS_WRITE && kread(file, file, f_flags) & O_APPEND && s->rec.fs.ret > 0) {
		s->rec.fs.has |= FS_HAS_OFFSET;
		s->rec.fs.offset = kread(inode, inode, i_size) - s->rec.fs.ret;
	}
	return VERDICT_TRACE;
}

/* NAMED: its file was named on submission, and may be gone by now. */
static __always_inline int complete(u64 key, s32 res, u32 cqe_flags, bool named)
{
	struct uring_flight *f = bpf_map_lookup_elem(&uring_flights, &key);
	struct long_scratch *s = get_long_scratch();
	struct uring_asked *asked;
	enum verdict verdict;

	if (!named && cfg.nw_conn && (!f || f->props & PROP_CLOSES))
		conn_complete(key, res, cqe_flags);
	if (!f)
		return 0;
	if (f->props & PROP_NAMES && res >= 0)
		names_epoch++;
	if (f->shape == SHAPE_NONE || !s)
		goto out;
	__builtin_memcpy(&s->rec, &f->rec, sizeof(s->rec));
	s->rec.fs.ns = bpf_ktime_get_ns();
	s->rec.fs.duration = s->rec.fs.ns - f->rec.fs.ns;
	s->rec.fs.ret = res;
	if (s->rec.len || s->rec.len2) {
		asked = bpf_map_lookup_elem(&uring_asked, &key);
		if (asked)
			bpf_probe_read_kernel(s->rec.asked, sizeof(asked->text), asked->text);
	}
	if (f->props & PROP_STATX && res == 0 && read_stat(&s->rec, f->rec.address, PROP_STATX, false) &&
	    !mode_in_scope(s->rec.mode)) {
		count_filtered(STREAM_FS);
		goto out;
	}
	verdict = named ? VERDICT_TRACE : complete_file(s, f);
	if (verdict == VERDICT_FILTERED)
		count_filtered(STREAM_FS);
	else if (verdict == VERDICT_LOST)
		lose(STREAM_FS, bpf_ktime_get_ns());
	else
		send_long(s, s->rec.fs.ns);
out:
	if (!(cqe_flags & CQE_F_MORE)) {
		u64 many = f->many;

		if (many)
			bpf_map_delete_elem(&uring_many, &many);
		bpf_map_delete_elem(&uring_flights, &key);
		bpf_map_delete_elem(&uring_asked, &key);
	}
	return 0;
}

__noinline int on_complete(u64 key, s32 res, u32 cqe_flags)
{
	if (cfg.uring_nameless && was_rowless(key, cqe_flags))
		return 0;
	return complete(key, res, cqe_flags, false);
}

/* Of kernel AIO. A function of its own, since it is reached by many calls: up to 6.1 their stacks may
 * have 512 bytes together. */
__noinline int on_complete_named(u64 key, s32 res)
{
	return complete(key, res, 0, true);
}

/* Of request REQ, or, where that isn't said, of the one that MANY stands for; false: there is no such. */
static __always_inline bool answer(u64 req, u64 many, s32 res, u32 cqe_flags)
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
	answer(req, many, res, cqe_flags);
	return 0;
}

/* A request has ended. That it is one with IOSQE_CQE_SKIP_SUCCESS its flags say still (REQ_F_CQE_SKIP is the
 * same bit): a failure takes that from them, and passes io_uring_complete (req_set_fail() of
 * io_uring/io_uring.h). One that is to be made again (since 6.15) hasn't ended. */
static __always_inline void end_quiet(u64 req, s32 res)
{
	u64 flags = kread(req, io_kiocb, flags), key = req;

	if (bpf_core_field_exists(((struct io_kiocb___until_5_18 *)0)->user_data) && cfg.uring_nameless)
		key = user_key(kread(req, io_kiocb, ctx), kread(req, io_kiocb___until_5_18, user_data));
	if (flags & SQE_CQE_SKIP_SUCCESS && !(flags & cfg.uring_reissue))
		on_complete(key, res, 0);
}

static __always_inline s32 result_of(u64 req)
{
	if (bpf_core_field_exists(((struct io_kiocb___until_5_18 *)0)->result))
		return kread(req, io_kiocb___until_5_18, result);
	return kread(req, io_kiocb, cqe.res);
}

#define FLUSH_MAX 1024 /* requests of one flush, before the rest is left to miss_quiet(), or lost */

/* What puts the completions of all requests that have ended by now into the ring, or leaves them out. */
SEC("fentry/__io_submit_flush_completions") /* since 5.16 */
int BPF_PROG(on_uring_flush, struct io_ring_ctx *ring)
{
	u64 node, comp_list = kaddr(0, io_kiocb, comp_list);

	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_FLUSH);
	node = kread((u64)argument(ctx, 0), io_ring_ctx, submit_state.compl_reqs.first);
	for (u64 i = 0; node && i < FLUSH_MAX; i++) {
		end_quiet(node - comp_list, result_of(node - comp_list));
		node = kread(node, io_wq_work_node, next);
	}
	return 0;
}

/* What ends a request by itself, as workers (io-wq) do. */
SEC("fentry/io_req_complete_post") /* 6.0 and 6.1: then no longer what all workers call */
int BPF_PROG(on_uring_post, struct io_kiocb *req)
{
	u64 done = argument(ctx, 0);

	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_WORK);
	end_quiet(done, result_of(done));
	return 0;
}

SEC("fentry/io_req_complete_post") /* until 5.19 */
int BPF_PROG(on_uring_post_result, struct io_kiocb *req, s32 res)
{
	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_WORK);
	end_quiet(argument(ctx, 0), argument(ctx, 1));
	return 0;
}

/* A worker is done with a request, and has ended it if the reference is the last: the flush would follow,
 * when the submitter's turn comes. */
SEC("fentry/io_wq_free_work") /* since 5.11 */
int BPF_PROG(on_uring_work, struct io_wq_work *work)
{
	u64 req = (u64)argument(ctx, 0) - kaddr(0, io_kiocb, work);

	if (!uring_quiet)
		return 0;
	count_fired(HOOK_URING_WORK);
	if (kread(req, io_kiocb, refs.counter) == 1)
		end_quiet(req, result_of(req));
	return 0;
}

#define PF_IO_WORKER 0x10 /* include/linux/sched.h */

enum alike { ALIKE_NOT, ALIKE_UNKNOWN, ALIKE_KNOWN };

/* Whether the request of a completion with USER_DATA and RES can be REQ, and is one in flight. */
__noinline u32 alike(u64 req, u64 user_data, s32 res)
{
	if (kread(req, io_kiocb, cqe.user_data) != user_data || (s32)kread(req, io_kiocb, cqe.res) != res)
		return ALIKE_NOT;
	return bpf_map_lookup_elem(&uring_flights, &req) || bpf_map_lookup_elem(&uring_conns, &req) ? ALIKE_KNOWN :
												  ALIKE_UNKNOWN;
}

#define FLUSH_STEP 32 /* requests that one function's loop goes through, for the verifier's sake */

/* Of the next of a ring's requests that have ended, from the node in the scratch on: keeps there the one that the
 * completion can be of. Returns whether there is no more to look for. */
__noinline u32 look_at_ended(u64 user_data, s32 res)
{
	struct uring_flight *f = get_uring_scratch();
	u64 i;
	u32 is;

	if (!f)
		return 1;
	for (i = 0; i < FLUSH_STEP && f->file; i++) {
		u64 req = f->file - kaddr(0, io_kiocb, comp_list);

		is = alike(req, user_data, res);
		if (is != ALIKE_NOT)
			f->req = req;
		if (is == ALIKE_KNOWN)
			return 1;
		f->file = kread(f->file, io_wq_work_node, next);
	}
	return !f->file;
}

/* Whose completion is being told of, among the requests of a ring that have ended by now; 0: of none of the first
 * FLUSH_MAX. What several have in common is all that a row says of their completion. */
static __always_inline u64 ended_request(u64 ring, u64 user_data, s32 res)
{
	struct uring_flight *f = get_uring_scratch();
	u64 i;

	if (!f)
		return 0;
	f->file = kread(ring, io_ring_ctx, submit_state.compl_reqs.first);
	f->req = 0;
	for (i = 0; i < FLUSH_MAX / FLUSH_STEP; i++)
		if (look_at_ended(user_data, res))
			break;
	return f->req;
}

/* A completion that finds the program's queue full waits for room there, and passes this tracepoint instead of
 * io_uring_complete, which doesn't say whose it is. The kernel is going through the requests that have ended
 * (__io_submit_flush_completions() of io_uring/io_uring.c), or it is one of those with many. What a worker
 * ends by itself (to 6.9) is in no list: it is lost, whatever it was about. Filters are asked about
 * the program's own thread; those of the kernel have other names. */
static __always_inline int overflow(u64 ring, u64 user_data, s32 res, u32 cqe_flags)
{
	struct task_state *state = current_state(true);
	struct task_struct *task = current_task();
	bool of_kernel = kread((u64)task, task_struct, flags) & PF_IO_WORKER; /* or the one that polls */
	bool worker = of_kernel && kread((u64)task, task_struct, worker_private);

	count_fired(HOOK_URING_OVERFLOW);
	if (!worker && answer(ended_request(ring, user_data, res), user_key(ring, user_data), res, cqe_flags))
		return 0;
	uring_overflown = 1;
	if (state && !of_kernel && task_refresh(state, task, false) == WHOM_LEFT_OUT)
		return 0;
	return lose(cfg.uring_stream, bpf_ktime_get_ns());
}

/* Until 5.17 nothing but its completion tells of a request that is refused on submission, and it comes before
 * the submission would have been told of: it is that of none in flight, but of the last. */
static __always_inline int maybe_refused(u64 ctx, u64 key, u64 user_data)
{
	if (!bpf_map_lookup_elem(&uring_flights, &key) && !bpf_map_lookup_elem(&uring_conns, &key) &&
	    !bpf_map_lookup_elem(&uring_rowless, &key) &&
	    kread_u64(sqe_of(ctx) + offsetof(struct sqe, user_data)) == user_data)
		on_submit(ctx, 0);
	return 0;
}

static __always_inline int on_nameless_answer(u64 ctx, u64 user_data, s32 res, u32 cqe_flags)
{
	u64 key = user_key(ctx, user_data);

	count_fired(HOOK_URING_COMPLETE);
	if (res < 0)
		maybe_refused(ctx, key, user_data);
	return on_complete(key, res, cqe_flags);
}

/* ---- the tracepoints, which every few versions are others ---- */

SEC("tp_btf/io_uring_cqe_overflow") /* since 5.19 */
int BPF_PROG(on_uring_overflow, u64 ring, u64 user_data, s32 res, u32 flags)
{
	return overflow(argument(ctx, 0), user_data, res, flags);
}

SEC("tp_btf/io_uring_submit_req") /* since 6.4 */
int BPF_PROG(on_uring_submit_req)
{
	u64 req = argument(ctx, 0);

	return on_submit(kread(req, io_kiocb, ctx), req);
}

SEC("tp_btf/io_uring_submit_sqe") /* 6.0 to 6.3 */
int BPF_PROG(on_uring_submit_sqe)
{
	u64 req = argument(ctx, 0);

	return on_submit(kread(req, io_kiocb, ctx), req);
}

/* What is wrong from the outset (a bad address, a name too long) is refused before it counts as
 * submitted, and then completed as everything else. */
SEC("tp_btf/io_uring_req_failed") /* since 6.0 */
int BPF_PROG(on_uring_refused)
{
	u64 req = argument(ctx, 1);

	return on_submit(kread(req, io_kiocb, ctx), req);
}

SEC("tp_btf/io_uring_req_failed") /* 5.18 and 5.19; before, it doesn't say of which ring: see maybe_refused() */
int BPF_PROG(on_uring_refused_old)
{
	return on_submit(argument(ctx, 1), argument(ctx, 2));
}

SEC("tp_btf/io_uring_submit_sqe") /* 5.14 to 5.19, and 5.10.162 on */
int BPF_PROG(on_uring_submit_old)
{
	return on_submit(argument(ctx, 0), argument(ctx, 1));
}

SEC("tp_btf/io_uring_submit_sqe") /* until 5.13 */
int BPF_PROG(on_uring_submit_opcode)
{
	u64 ring = argument(ctx, 0);

	return on_submit(ring, taken_request(ring, argument(ctx, 1)));
}

SEC("tp_btf/io_uring_complete") /* since 6.15 */
int BPF_PROG(on_uring_complete, struct io_ring_ctx *ring, u64 req, struct io_uring_cqe *cqe)
{
	return on_answer(req, user_key(argument(ctx, 0), cqe->user_data), cqe->res, cqe->flags);
}

SEC("tp_btf/io_uring_complete") /* 5.18 to 6.14 */
int BPF_PROG(on_uring_complete_args, u64 ring, u64 req, u64 user_data, int res, u32 flags)
{
	return on_answer(req, user_key(argument(ctx, 0), user_data), res, flags);
}

SEC("tp_btf/io_uring_complete") /* 5.13 to 5.17, and 5.10.162 on */
int BPF_PROG(on_uring_complete_nameless, u64 ring, u64 user_data, int res, u32 flags)
{
	return on_nameless_answer(argument(ctx, 0), user_data, res, flags);
}

SEC("tp_btf/io_uring_complete") /* until 5.12 */
int BPF_PROG(on_uring_complete_result, u64 ring, u64 user_data, int res)
{
	return on_nameless_answer(argument(ctx, 0), user_data, res, 0);
}

/* Where raw tracepoints can be preempted: the classic ones as they are there (7.2). */
struct uring_event {
	u64 common, ring, req, user_data;
	s32 res; /* of a completion alone */
	u32 flags;
};

SEC("tp/io_uring/io_uring_submit_req")
int on_uring_submit_classic(struct uring_event *e)
{
	return on_submit(e->ring, e->req);
}

SEC("tp/io_uring/io_uring_req_failed")
int on_uring_refused_classic(struct uring_event *e)
{
	return on_submit(e->ring, e->req);
}

struct uring_overflow_event {
	u64 common, ring, user_data;
	s32 res;
	u32 flags;
};

SEC("tp/io_uring/io_uring_cqe_overflow")
int on_uring_overflow_classic(struct uring_overflow_event *e)
{
	return overflow(e->ring, e->user_data, e->res, e->flags);
}

SEC("tp/io_uring/io_uring_complete")
int on_uring_complete_classic(struct uring_event *e)
{
	return on_answer(e->req, user_key(e->ring, e->user_data), e->res, e->flags);
}

#endif
