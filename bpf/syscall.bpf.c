/* SPDX-License-Identifier: GPL-2.0-only */
/* The system calls: a pair of programs on the raw tracepoints, driven by the tables that the
 * program has filled. On entry: who, what, which open file, and the time. On exit: the result, and
 * the one record that merges both. What a call's memory holds (paths, iovecs, addresses, struct
 * stat) is read on exit: by then the kernel has read it itself, so it is resident. */
#include "task.h"
#include "conn.h"
#include "vma.h"
#include "epoll.h"
#include "sockopt.h"
#include <bpf/bpf_tracing.h>

const volatile struct syscall_desc syscalls[MAX_SYSCALLS] = {};
const volatile struct syscall_desc syscalls_compat[MAX_SYSCALLS] = {};
/* The number, among those of 32-bit programs, of each call that socketcall() can be; 0: none that is recorded. */
const volatile __u16 socketcalls[MAX_SOCKETCALLS] = {};

#define AT_FDCWD -100
#define AT_EMPTY_PATH 0x1000
#define AT_REMOVEDIR 0x200
#define CLONE_THREAD 0x00010000
/* These are the same on x86 and arm64 (include/uapi/asm-generic/fcntl.h). */
#define O_WRONLY 01
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
#define RWF_APPEND 0x10
#define RWF_NOAPPEND 0x20
#define MAP_ANONYMOUS 0x20
#define MAX_IOVECS 1024 /* UIO_MAXIOV */
#define IOVEC_STEP 32
#define ASKED_MAX (2 * PATH_BYTES)

struct long_scratch {
	struct rec_fs_long rec;
	char asked[ASKED_MAX + PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct long_scratch);
} long_scratch SEC(".maps");

struct conn_scratch {
	struct rec_conn rec;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct conn_scratch);
} conn_scratch SEC(".maps");

/* ---- the calling convention ---- */

static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task_read(task, thread_info.status) & 2; /* TS_COMPAT */
#else
	return task_read(task, thread_info.flags) & (1 << 22); /* TIF_32BIT */
#endif
}

static __always_inline void load_args(struct task_state *state, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	if (state->compat) {
		state->args[0] = (u32)regs->bx;
		state->args[1] = (u32)regs->cx;
		state->args[2] = (u32)regs->dx;
		state->args[3] = (u32)regs->si;
		state->args[4] = (u32)regs->di;
		state->args[5] = (u32)regs->bp;
		return;
	}
	state->args[0] = regs->di;
	state->args[1] = regs->si;
	state->args[2] = regs->dx;
	state->args[3] = regs->r10;
	state->args[4] = regs->r8;
	state->args[5] = regs->r9;
#else
	u64 i;

	state->args[0] = regs->orig_x0;
	for (i = 1; i < 6; i++)
		state->args[i] = regs->regs[i];
	if (state->compat)
		for (i = 0; i < 6; i++)
			state->args[i] = (u32)state->args[i];
#endif
}

static __always_inline const volatile struct syscall_desc *describe(u32 nr, bool compat)
{
	if (nr >= MAX_SYSCALLS)
		return 0;
	return compat ? &syscalls_compat[nr] : &syscalls[nr];
}

/* PLACE is an ARG(), or 0: the argument there, or 0. */
static __always_inline u64 arg(const struct task_state *state, u8 place)
{
	return state->args[(place - 1) & 7];
}

/* The same of an argument that may come in HALVES. */
static __always_inline u64 arg_long_long(const struct task_state *state, u8 place, bool halves)
{
	u64 v = arg(state, place);

	if (halves)
		v = (u32)v | arg(state, place + 1) << 32;
	return v;
}

/* ---- entry ---- */

#define NO_ROOM ((u64)-1)

/* The id of the directory that a path is relative to: of the descriptor at PLACE, or the current one. 0 when that
 * is no open file, NO_ROOM when its definition found none. */
static __noinline u64 base_of(struct task_state *state, u32 place)
{
	struct task_struct *task = current_task();
	s32 dirfd = AT_FDCWD;
	u64 file, id;

	if (!state)
		return NO_ROOM;
	if (place)
		dirfd = arg(state, place);
	if (dirfd == AT_FDCWD) {
		u64 fs = kread(task, task_struct, fs);
		u64 dentry = kread(fs, fs_struct, pwd.dentry);

		id = path_id(state->recent, dentry, kread(fs, fs_struct, pwd.mnt), kread(dentry, dentry, d_inode));
	} else {
		file = task_file(task, dirfd);
		if (!file)
			return 0;
		id = file_path_id(state->recent, file);
	}
	return id ? id : NO_ROOM;
}

enum verdict { VERDICT_TRACE, VERDICT_FILTERED, VERDICT_LOST, VERDICT_IGNORE, VERDICT_SHED };

/* In aio.h, which needs what is below. */
static enum verdict enter_aio(struct task_state *state, u32 submits);
static int exit_aio(struct task_state *state, u32 submits);

/* Finds out what FILE is, and keeps it in KNOWN. */
static __noinline enum verdict meet_file(struct task_state *state, struct known_file *known, u64 file)
{
	u64 dentry, inode;

	if (!state || !known)
		return VERDICT_LOST;
	inode = kread(file, file, f_inode);
	if (!file_in_scope(inode)) {
		state->file = 0;
		return VERDICT_FILTERED;
	}
	dentry = kread(file, file, f_path.dentry);
	known->names = names_epoch;
	known->jiffies = bpf_jiffies64();
	known->hash_len = kread(dentry, dentry, d_name.hash_len);
	state->path = file_path_id(state->recent, file);
	known->file = file;
	known->dentry = dentry;
	known->mount = kread(file, file, f_path.mnt);
	known->ino = kread(inode, inode, i_ino);
	known->id = state->path;
	return state->path ? VERDICT_TRACE : VERDICT_LOST;
}

/* Names the open file that FILE is, for the record to come. HINT tells the files of a thread apart. */
static __always_inline enum verdict take_file(struct task_state *state, u64 file, u32 hint)
{
	struct known_file *known = &state->known[hint % N_KNOWN_FILES];

	state->file = file;
	state->file_flags = kread(file, file, f_flags);
	if (!still_known(known, file))
		return meet_file(state, known, file);
	state->path = known->id;
	return VERDICT_TRACE;
}

static __always_inline bool is_socket(u64 file)
{
	return (kread(kread(file, file, f_inode), inode, i_mode) & S_IFMT) == S_IFSOCK;
}

static __always_inline enum verdict enter_fd(struct task_state *state, struct task_struct *task,
					     const volatile struct syscall_desc *d)
{
	s32 fd = arg(state, d->fd);
	u64 file = task_file(task, fd);
	bool closes = d->props & PROP_CLOSES, sockets_only = closes && !cfg.close_rows;

	if (!file)
		return sockets_only ? VERDICT_IGNORE : VERDICT_TRACE; /* a row that says EBADF */
	if (closes && is_socket(file)) {
		if (cfg.nw_conn) {
			state->is_socket = 1;
			ends_of_sock(&state->ends, sock_of(file));
		}
		if (!cfg.scope_all)
			return cfg.nw_conn ? VERDICT_TRACE : VERDICT_FILTERED;
	}
	if (sockets_only)
		return VERDICT_IGNORE;
	return take_file(state, file, fd);
}

/* Names two open files. A row needs one of them in scope; data may come from a pipe or go to a socket. */
static __noinline enum verdict take_two_files(struct task_state *state, u64 in, u64 out)
{
	if (!state)
		return VERDICT_LOST;
	if (!in && !out)
		return VERDICT_TRACE;
	if (!(in && file_in_scope(kread(in, file, f_inode))) &&
	    !(out && file_in_scope(kread(out, file, f_inode))))
		return VERDICT_FILTERED;
	state->file = in;
	if (in) {
		state->path = file_path_id(state->recent, in);
		if (!state->path)
			return VERDICT_LOST;
	}
	if (out) {
		state->base[1] = file_path_id(state->recent, out);
		if (!state->base[1])
			return VERDICT_LOST;
	}
	return VERDICT_TRACE;
}

/* The requests that share extents between files (include/uapi/linux/fs.h), made to look like a call
 * with the arguments (out, request, in, offset, size, whether there are offset and size). */
static __always_inline enum verdict enter_ioctl(struct task_state *state, struct task_struct *task)
{
	s64 range[3] = {}; /* of struct file_clone_range: src_fd, src_offset, src_length */
	s64 dest_fd = -1;
	u64 at = state->args[2];

	switch (state->args[1]) {
	case 0x40049409: /* FICLONE */
		state->args[5] = 0;
		break;
	case 0x4020940d: /* FICLONERANGE */
		state->args[5] = !bpf_probe_read_user(range, sizeof(range), (void *)at);
		state->args[2] = state->args[5] ? range[0] : -1;
		state->args[3] = range[1];
		state->args[4] = range[2];
		break;
	case 0xc0189436: /* FIDEDUPERANGE: the call's file is the source, and there may be several others */
		state->args[5] = !bpf_probe_read_user(range, 16, (void *)at);
		if (bpf_probe_read_user(&dest_fd, sizeof(dest_fd), (void *)(at + 24)))
			dest_fd = -1;
		state->args[2] = (u32)state->args[0];
		state->args[0] = dest_fd;
		state->args[3] = range[0];
		state->args[4] = range[1];
		break;
	default:
		return VERDICT_IGNORE;
	}
	return take_two_files(state, task_file(task, (s32)state->args[2]), task_file(task, (s32)state->args[0]));
}

#define F_GETLK 5
#define F_SETLKW 7
#define F_GETLK64 12 /* these three of 32-bit programs */
#define F_SETLKW64 14
#define F_OFD_GETLK 36
#define F_OFD_SETLKW 38
#if defined(__TARGET_ARCH_x86)
#define PACKED_FLOCK64 true /* i386 aligns 64 bits as it does 32 */
#else
#define PACKED_FLOCK64 false
#endif

/* fcntl's locks, their struct flock read now, since F_GETLK writes into it: args become (fd, command, type,
 * start, length, whether it could be read). */
static __always_inline enum verdict enter_fcntl(struct task_state *state, struct task_struct *task)
{
	u32 command = state->args[1];
	u64 at = state->args[2], file;
	struct {
		u16 type, whence;
		s32 v[6];
	} lock = {};
	bool narrow = state->compat && command <= F_SETLKW;
	bool packed = state->compat && !narrow && PACKED_FLOCK64;
	s64 start, len;

	if (!(command >= F_GETLK && command <= F_SETLKW) &&
	    !(command >= F_OFD_GETLK && command <= F_OFD_SETLKW) &&
	    !(state->compat && command >= F_GETLK64 && command <= F_SETLKW64))
		return VERDICT_IGNORE;
	state->args[5] = !bpf_probe_read_user(&lock, narrow ? 12 : packed ? 20 : 24, (void *)at);
	if (narrow) { /* struct compat_flock */
		start = lock.v[0];
		len = lock.v[1];
	} else if (packed) {
		start = (u32)lock.v[0] | (u64)lock.v[1] << 32;
		len = (u32)lock.v[2] | (u64)lock.v[3] << 32;
	} else {
		__builtin_memcpy(&start, &lock.v[1], 8);
		__builtin_memcpy(&len, &lock.v[3], 8);
	}
	if (state->compat && command >= F_GETLK64 && command <= F_SETLKW64)
		state->args[1] = command - F_GETLK64 + F_GETLK;
	state->args[2] = lock.type;
	state->args[3] = start;
	state->args[4] = len;
	file = task_file(task, (s32)state->args[0]);
	return file ? take_file(state, file, (s32)state->args[0]) : VERDICT_TRACE;
}

/* Some calls of i386 take a pointer to their arguments, which may be fewer than six, and what is behind them
 * out of reach. */
static __always_inline bool args_at(struct task_state *state, u64 at)
{
	u32 value;
	u64 i;

	for (i = 0; i < 6; i++) {
		value = 0;
		if (bpf_probe_read_user(&value, sizeof(value), (void *)(at + i * sizeof(value))) && !i)
			return false;
		state->args[i] = value;
	}
	return true;
}

/* A socketcall() is the call that its first argument says from here on, with the arguments where the second points. */
static __noinline bool become_socketcall(struct task_state *state)
{
	u64 call;

	if (!state)
		return false;
	call = state->args[0];
	if (call >= MAX_SOCKETCALLS)
		return false;
	state->nr = socketcalls[call];
	return args_at(state, state->args[1]);
}

/* Anonymous memory that processes share has a file too, inside the kernel, called "dev/zero". */
static __always_inline bool is_shared_memory(u64 file)
{
	u64 dentry = kread(file, file, f_path.dentry);

	return is_special(kread(file, file, f_inode)) &&
	       kread(dentry, dentry, d_name.hash_len) >> 32 == 8 &&
	       kread_u64(kread(dentry, dentry, d_name.name)) == 0x6f72657a2f766564ULL;
}

/* The calls that are rare enough to look up the thread a second time. A global function: the verifier
 * goes through it once, and apart from the rest. */
__noinline int enter_rare(void)
{
	struct task_struct *task = current_task();
	u64 file;
	const volatile struct syscall_desc *d;
	struct task_state *state = current_state(false);

	if (!state)
		return VERDICT_LOST;
	d = describe(state->nr, state->compat);
	if (!d)
		return VERDICT_IGNORE;
	switch (d->shape) {
	case SHAPE_MMAP:
		if (d->props & PROP_ARGS_AT && !args_at(state, state->args[0]))
			return VERDICT_FILTERED;
		if ((state->args[3] & MAP_ANONYMOUS) || (s32)arg(state, d->fd) < 0)
			return VERDICT_IGNORE;
		return enter_fd(state, task, d);
	case SHAPE_RANGE:
		file = mapped_file(state->args[0]);
		if (file && is_shared_memory(file))
			return VERDICT_IGNORE;
		return file ? take_file(state, file, 0) : VERDICT_IGNORE;
	case SHAPE_PATH:
		if (d->props & PROP_BASE_FIRST) {
			state->base[0] = base_of(state, d->fd);
			if (d->path2)
				state->base[1] = base_of(state, d->fd2);
		}
		return VERDICT_TRACE;
	case SHAPE_FORK:
		if (!(d->props & PROP_CLONE3) && arg(state, d->flags) & CLONE_THREAD)
			return VERDICT_IGNORE;
		return VERDICT_TRACE;
	case SHAPE_TWO_FILES:
		return take_two_files(state, task_file(task, (s32)arg(state, d->fd)),
				      task_file(task, (s32)arg(state, d->fd2)));
	case SHAPE_IOCTL:
		return enter_ioctl(state, task);
	case SHAPE_FCNTL:
		return enter_fcntl(state, task);
	case SHAPE_AIO:
		return enter_aio(state, d->path);
	case SHAPE_EPOLL:
		if (d->props & PROP_ARGS_AT && !args_at(state, state->args[0]))
			return VERDICT_FILTERED;
		if (d->kind)
			state->base[0] = timeout_ns(state, arg(state, d->aux), d->kind);
		return VERDICT_TRACE;
	}
	return VERDICT_TRACE;
}

static __always_inline enum verdict enter(struct task_state *state, struct task_struct *task,
					  const volatile struct syscall_desc *d)
{
	if (d->shape == SHAPE_FD)
		return enter_fd(state, task, d);
	if (d->shape == SHAPE_OPEN || d->shape == SHAPE_EXEC || d->shape == SHAPE_CONN ||
	    (d->shape == SHAPE_PATH && !(d->props & PROP_BASE_FIRST)))
		return VERDICT_TRACE;
	return enter_rare();
}

static __always_inline bool is_shed(const volatile struct syscall_desc *d)
{
	u64 ops = shed_ops;

	return ops && d->stream == STREAM_FS && ops >> (d->op & 63) & 1;
}

/* include/trace/events/syscalls.h */
struct raw_syscall {
	u64 common;
	long nr;
	unsigned long args[6]; /* of sys_exit the result alone */
};

/* Older kernels refuse a load by way of a pointer into the context: volatile keeps the compiler from
 * making one. */
static __always_inline void copy_args(struct task_state *state, const volatile struct raw_syscall *ctx)
{
	state->args[0] = ctx->args[0];
	state->args[1] = ctx->args[1];
	state->args[2] = ctx->args[2];
	state->args[3] = ctx->args[3];
	state->args[4] = ctx->args[4];
	state->args[5] = ctx->args[5];
}

static __always_inline void read_args(struct task_state *state, u64 regs)
{
#if defined(__TARGET_ARCH_x86)
	state->args[0] = state->compat ? (u32)kread(regs, pt_regs, bx) : kread(regs, pt_regs, di);
	state->args[1] = state->compat ? (u32)kread(regs, pt_regs, cx) : kread(regs, pt_regs, si);
	state->args[2] = state->compat ? (u32)kread(regs, pt_regs, dx) : kread(regs, pt_regs, dx);
	state->args[3] = state->compat ? (u32)kread(regs, pt_regs, si) : kread(regs, pt_regs, r10);
	state->args[4] = state->compat ? (u32)kread(regs, pt_regs, di) : kread(regs, pt_regs, r8);
	state->args[5] = state->compat ? (u32)kread(regs, pt_regs, bp) : kread(regs, pt_regs, r9);
#endif
}

/* From the raw tracepoint with the arguments in REGS, from the CLASSIC one, or from the call's own
 * function with registers AT that address. */
static __always_inline int sys_enter(long nr, struct pt_regs *regs, struct raw_syscall *classic, u64 at)
{
	struct task_struct *task = current_task();
	bool compat = is_compat(task);
	const volatile struct syscall_desc *d = describe(nr, compat);
	struct task_state *state;
	enum verdict verdict;
	bool traced, renames;

	if (!d)
		return 0;
	traced = d->shape != SHAPE_NONE;
	renames = d->props & PROP_NAMES;
	if (!traced && !renames)
		return 0;
	state = current_state_of(task, true);
	if (!state)
		return lose(d->stream, bpf_ktime_get_ns());
	state->armed = 0;
	state->nr = nr;
	state->compat = compat;
	state->stream = d->stream & 7;
	state->file = state->path = state->is_socket = 0;
	state->base[0] = state->base[1] = 0;
	state->renames = renames;
	if (!traced)
		return 0;
	if (classic)
		copy_args(state, classic);
	else if (at)
		read_args(state, at);
	else
		load_args(state, regs);
	if (compat && d->shape == SHAPE_SOCKETCALL) {
		d = become_socketcall(state) ? describe(state->nr, true) : 0;
		if (!d || d->shape == SHAPE_NONE)
			return 0;
		state->stream = d->stream & 7;
	}
	switch (task_refresh(state, task, false)) {
	case WHOM_LEFT_OUT:
		verdict = VERDICT_FILTERED;
		break;
	case WHOM_LOST:
		verdict = VERDICT_LOST;
		break;
	default:
		verdict = is_shed(d) ? VERDICT_SHED : enter(state, task, d);
	}
	if (verdict == VERDICT_TRACE) {
		state->armed = 1;
		state->enter_ns = bpf_ktime_get_ns();
	} else if (verdict == VERDICT_FILTERED) {
		count_filtered(state->stream);
	} else if (verdict == VERDICT_LOST) {
		lose(state->stream, bpf_ktime_get_ns());
	} else if (verdict == VERDICT_SHED) {
		count_shed(STREAM_FS);
	}
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	return sys_enter(nr, regs, 0, 0);
}

SEC("tp/raw_syscalls/sys_enter")
int on_sys_enter_classic(struct raw_syscall *ctx)
{
	return sys_enter(ctx->nr, 0, ctx, 0);
}

/* A system call's own function: x86-64's all take the registers that the call was made with. */
SEC("kprobe.multi/sys_*")
int on_sys_enter_function(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return sys_enter(kread(ctx->di, pt_regs, orig_ax), 0, 0, ctx->di);
#else
	return 0;
#endif
}

/* ---- exit ---- */

/* What the call's own arguments say: built aside, and written once. */
static __always_inline void fill(struct rec_fs *rec, const struct task_state *state,
				 const volatile struct syscall_desc *d)
{
	u32 props = d->props, flags = 0;
	u16 has = (props & PROP_BYTES ? FS_HAS_BYTES : 0);
	u8 op = d->op, kind = d->kind;

	if (props & PROP_FILE_FLAGS) {
		if (state->file) {
			flags = state->file_flags;
			has |= FS_HAS_FILE_FLAGS;
		}
	} else if (d->flags) {
		flags = arg(state, d->flags);
		has |= FS_HAS_FLAGS;
		if (props & PROP_REMOVEDIR && flags & AT_REMOVEDIR)
			op = FS_RMDIR;
	} else if (props & PROP_CREAT) {
		flags = O_WRONLY | O_CREAT | O_TRUNC;
		has |= FS_HAS_FLAGS;
	} else if (props & PROP_OPEN_HOW) {
		u64 how = 0;

		if (!bpf_probe_read_user(&how, sizeof(how), (void *)arg(state, d->aux)))
			has |= FS_HAS_FLAGS;
		flags = how;
	}
	if (kind) {
		flags |= (u32)kind << KIND_SHIFT;
		has |= FS_HAS_FLAGS;
	}
	rec->type = REC_FS;
	rec->op = op;
	rec->has = has;
	rec->flags = flags;
	rec->ns = state->exit_ns;
	rec->duration = state->exit_ns - state->enter_ns;
	rec->task = state->id;
	rec->path = state->path;
	rec->ret = state->ret;
	rec->size = rec->offset = 0;
}

/* The sum of the lengths of the first N, but IOVEC_STEP at most; all ones when they can't be read. */
__noinline u64 sum_some_iovecs(u64 at, u32 n, u32 compat)
{
	u64 sum = 0, pair[2], i;

	for (i = 0; i < IOVEC_STEP && i < n; i++) {
		if (compat) {
			if (bpf_probe_read_user(pair, 8, (void *)(at + i * 8)))
				return -1;
			sum += pair[0] >> 32;
		} else {
			if (bpf_probe_read_user(pair, 16, (void *)(at + i * 16)))
				return -1;
			sum += pair[1];
		}
	}
	return sum;
}

/* What readv and its kin were asked for; all ones when that can't be read. Global functions: the verifier
 * goes once through the rounds of either's loop, instead of through MAX_IOVECS. */
__noinline u64 sum_iovecs(u64 at, u32 n, u32 compat)
{
	u64 sum = 0, some, i;

	if (n > MAX_IOVECS)
		return -1;
	for (i = 0; i < MAX_IOVECS && i < n; i += IOVEC_STEP) {
		some = sum_some_iovecs(at + i * (compat ? 8 : 16), n - i, compat);
		if (some == (u64)-1)
			return some;
		sum += some;
	}
	return sum;
}

/* Pipes, sockets and most devices have no place that data comes from; a directory's position is a number that
 * only its filesystem can read. */
static __always_inline bool has_position(u64 file)
{
	u32 format = kread(kread(file, file, f_inode), inode, i_mode) & S_IFMT;

	return format == S_IFREG || format == S_IFBLK;
}

/* Of what was read or written; the others in the usual scope are directories, where that fails. */
static __always_inline bool had_position(u64 file, s64 ret)
{
	return (!cfg.scope_all && ret >= 0) || has_position(file);
}

static __always_inline bool appends(const struct task_state *state, const volatile struct syscall_desc *d)
{
	u32 rwf = d->props & PROP_RWF ? arg(state, d->aux) : 0;

	return d->op == FS_WRITE && state->file &&
	       (rwf & RWF_APPEND || (state->file_flags & O_APPEND && !(rwf & RWF_NOAPPEND)));
}

/* How much was asked for, and where the transfer began. Read on exit, when the place is certain: on entry
 * a call still has to wait for its turn on a shared position, and an append for the end of the
 * file. Afterwards the position stands behind what was moved. */
static __always_inline void fill_extent(struct rec_fs *rec, struct task_state *state,
					const volatile struct syscall_desc *d)
{
	s64 moved = state->ret > 0 ? state->ret : 0;
	u8 size_at = d->size, offset_at = d->offset;
	u32 props = d->props;
	u64 offset = 0;
	u16 has = 0;

	if (props & PROP_IOVEC) {
		rec->size = sum_iovecs(arg(state, size_at), arg(state, size_at + 1), state->compat);
		if (rec->size != (u64)-1)
			has = FS_HAS_SIZE;
	} else if (size_at) {
		rec->size = arg_long_long(state, size_at, props & PROP_HILO_SIZE);
		has = FS_HAS_SIZE;
	}
	if (offset_at && props & PROP_OFFSET_AT && arg(state, offset_at)) {
		if (!bpf_probe_read_user(&offset, props & PROP_OFFSET_32 ? 4 : 8, (void *)arg(state, offset_at)))
			has |= FS_HAS_OFFSET;
		offset -= moved;
		goto out;
	}
	if (offset_at && !(props & PROP_OFFSET_AT)) {
		offset = props & PROP_PGOFF ? arg(state, offset_at) << 12 :
					      arg_long_long(state, offset_at, props & PROP_HILO);
		/* preadv2 and pwritev2 take -1 for the file position. */
		if (!(props & PROP_SEQUENTIAL && offset == (u64)-1)) {
			if (!appends(state, d)) {
				has |= FS_HAS_OFFSET;
			} else if (moved) { /* Linux appends whatever offset is given */
				offset = kread(kread(state->file, file, f_inode), inode, i_size) - moved;
				has |= FS_HAS_OFFSET;
			}
			goto out;
		}
	}
	if (props & PROP_SEQUENTIAL && state->file && had_position(state->file, state->ret) &&
	    (moved || !appends(state, d))) {
		offset = kread(state->file, file, f_pos) - moved;
		has |= FS_HAS_OFFSET;
	}
out:
	rec->offset = offset;
	rec->has |= has;
}

/* A record of fixed length goes straight to where the program reads it; one that can't counts as lost. */
static __always_inline void emit_short(struct task_state *state, const volatile struct syscall_desc *d)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);
	void *ring = 0;
	struct rec_fs *rec;
	u64 seen = count_seen(slot, STREAM_FS);

	if (cfg.lane_records) {
		rec = lane_room(slot, cpu);
	} else {
		ring = bpf_map_lookup_elem(&rings, &cpu);
		rec = ring ? bpf_ringbuf_reserve(ring, sizeof(*rec), 0) : 0;
	}
	if (!rec) {
		count_lost(slot, STREAM_FS, state->exit_ns);
		return;
	}
	fill(rec, state, d);
	fill_extent(rec, state, d);
	if (cfg.lane_records)
		lane_put(slot, cpu, seen);
	else
		bpf_ringbuf_submit(rec, submit_flags(ring, seen));
}

/* The same, for the calls that are made less often: the hot path's stack is not theirs. */
static __noinline int emit_short_apart(struct task_state *state, const volatile struct syscall_desc *d)
{
	if (state && d)
		emit_short(state, d);
	return 0;
}

static __always_inline void output(void *rec, u32 size, enum stream stream, u64 now)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	u64 seen = count_seen(slot, stream);

	if (!ring || bpf_ringbuf_output(ring, rec, size, submit_flags(ring, seen)))
		count_lost(slot, stream, now);
}

/* The structures that a stat call may fill, and where each has what is read of it: dev and ino of 64 bits, or
 * narrow ones of 32; of the mode the low 16 are enough. */
enum stat_form { STAT_NATIVE, STAT_NARROW, STAT_WIDE, STAT_X };

struct stat_places {
	u32 dev, ino, mode;
};

static const struct stat_places stat_places[] = {
#if defined(__TARGET_ARCH_x86)
	[STAT_NATIVE] = { 0, 8, 24 },
	[STAT_WIDE] = { 0, 88, 16 },   /* struct stat64 of i386 */
#else
	[STAT_NATIVE] = { 0, 8, 16 },
	[STAT_WIDE] = { 0, 96, 16 },   /* … of arm */
#endif
	[STAT_NARROW] = { 0, 4, 8 },   /* struct stat of both */
	[STAT_X] = { 136, 32, 28 },
};

/* Which file a stat call has found, by its own answer. */
static __noinline bool read_stat(struct rec_fs_long *rec, u64 at, u32 props, bool compat)
{
	enum stat_form form = props & PROP_STATX ? STAT_X : props & PROP_STAT64 ? STAT_WIDE :
			      compat ? STAT_NARROW : STAT_NATIVE;
	const struct stat_places *p = &stat_places[form];
	u64 dev, ino;
	u16 mode;

	if (!rec || bpf_probe_read_user(&mode, sizeof(mode), (void *)(at + p->mode)) ||
	    bpf_probe_read_user(&ino, sizeof(ino), (void *)(at + p->ino)) ||
	    bpf_probe_read_user(&dev, sizeof(dev), (void *)(at + p->dev)))
		return false;
	rec->mode = mode;
	rec->ino = form == STAT_NARROW ? (u32)ino : ino;
	/* A major and a minor, or new_encode_dev() of include/linux/kdev_t.h */
	rec->dev = form == STAT_X ? (u32)dev << 20 | dev >> 32 :
				    ((dev >> 8) & 0xfff) << 20 | (dev & 0xff) | ((dev >> 12) & 0xfff00);
	rec->fs.has |= FS_HAS_INODE;
	return true;
}

/* Of what bpf_probe_read_user_str() returns: up to 6.12 it leaves out the NUL of an empty string. */
static __always_inline bool is_empty(long n)
{
	return n == 0 || n == 1;
}

enum path_answer { PATH_ASKED, PATH_OF_FILE, PATH_LOST };

/* Reads the paths a call was given; relative ones with the directory they start from. An empty one
 * under AT_EMPTY_PATH means the directory's file itself: PATH_OF_FILE, with its descriptor's place. */
static __always_inline enum path_answer read_paths(struct long_scratch *s, struct task_state *state,
					      const volatile struct syscall_desc *d)
{
	u32 len = 0, len2 = 0;
	bool is_fd;
	long n;

	if (!s || !state || !d)
		return PATH_LOST;
	s->rec.base = s->rec.base2 = 0;
	if (!d->path) /* open_by_handle_at */
		return PATH_ASKED;
	s->rec.fs.has |= FS_HAS_ASKED | (d->props & PROP_LINK_TARGET ? FS_LINK_TARGET : 0);
	n = bpf_probe_read_user_str(s->rec.asked, PATH_BYTES, (void *)arg(state, d->path));
	if (n > 0)
		len = (n - 1) & (PATH_BYTES - 1);
	is_fd = d->fd && ((is_empty(n) && (d->props & PROP_EMPTY_IS_FD ||
				      (d->at && arg(state, d->at) & AT_EMPTY_PATH))) ||
			  (!arg(state, d->path) && (d->props & PROP_NULL_IS_FD ||
						    (d->at && arg(state, d->at) & AT_EMPTY_PATH))));
	if (is_fd && !d->path2)
		return PATH_OF_FILE;
	if (is_fd || (len && s->rec.asked[0] != '/' && !(d->props & PROP_LINK_TARGET)))
		s->rec.base = state->base[0] ? state->base[0] : base_of(state, d->fd);
	/* mount() without a source: there is but the target. */
	if (d->props & PROP_LINK_TARGET && !arg(state, d->path)) {
		s->rec.fs.has &= ~FS_LINK_TARGET;
		n = bpf_probe_read_user_str(s->rec.asked, PATH_BYTES, (void *)arg(state, d->path2));
		if (n > 0)
			len = (n - 1) & (PATH_BYTES - 1);
		if (len && s->rec.asked[0] != '/')
			s->rec.base = state->base[1] ? state->base[1] : base_of(state, d->fd2);
	} else if (d->path2) {
		n = bpf_probe_read_user_str(&s->rec.asked[len], PATH_BYTES, (void *)arg(state, d->path2));
		s->rec.fs.has |= FS_HAS_ASKED2;
		if (n > 0)
			len2 = (n - 1) & (PATH_BYTES - 1);
		if (len2 ? s->rec.asked[len & (PATH_BYTES - 1)] != '/' : is_empty(n) && d->props & PROP_EMPTY_IS_FD)
			s->rec.base2 = state->base[1] ? state->base[1] : base_of(state, d->fd2);
	}
	s->rec.len = len;
	s->rec.len2 = len2;
	return s->rec.base == NO_ROOM || s->rec.base2 == NO_ROOM ? PATH_LOST : PATH_ASKED;
}

static __always_inline void prepare_long(struct long_scratch *s, struct task_state *state,
					 const volatile struct syscall_desc *d)
{
	fill(&s->rec.fs, state, d);
	s->rec.fs.type = REC_FS_LONG;
	s->rec.len = s->rec.len2 = 0;
	s->rec.address = s->rec.ino = 0;
	s->rec.aux = s->rec.aux2 = s->rec.dev = s->rec.mode = 0;
	s->rec.base = s->rec.base2 = 0;
}

static __always_inline void send_long(struct long_scratch *s, u64 now)
{
	u32 size = sizeof(s->rec) + s->rec.len + s->rec.len2;

	if (size > sizeof(s->rec) + ASKED_MAX)
		size = sizeof(s->rec) + ASKED_MAX;
	output(&s->rec, size, STREAM_FS, now);
}

static __always_inline struct long_scratch *get_long_scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&long_scratch, &zero);
}

static __noinline int emit_path(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();
	struct task_struct *task = current_task();
	u64 file;
	enum verdict verdict;
	enum path_answer answer;

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	fill_extent(&s->rec.fs, state, d);
	if (d->at != d->flags)
		s->rec.aux = arg(state, d->at);
	if (d->props & PROP_XATTR_ARGS) {
		u32 size_flags[2];

		if (!bpf_probe_read_user(size_flags, 8, (void *)(arg(state, d->aux) + 8))) {
			s->rec.fs.size = size_flags[0];
			s->rec.fs.flags = size_flags[1];
			s->rec.fs.has |= FS_HAS_SIZE | FS_HAS_FLAGS;
		}
	}
	if (state->ret == 0 && d->props & (PROP_STAT | PROP_STAT64 | PROP_STATX) &&
	    read_stat(&s->rec, arg(state, d->aux), d->props, state->compat) && !mode_in_scope(s->rec.mode)) {
		count_filtered(STREAM_FS);
		return 0;
	}
	answer = read_paths(s, state, d);
	if (answer == PATH_LOST)
		return lose(STREAM_FS, state->exit_ns);
	if (answer == PATH_OF_FILE) {
		s32 fd = arg(state, d->fd);

		s->rec.fs.has &= ~FS_HAS_ASKED;
		if (fd == AT_FDCWD) {
			s->rec.fs.path = base_of(state, 0);
			if (s->rec.fs.path == NO_ROOM)
				return lose(STREAM_FS, state->exit_ns);
		} else {
			file = task_file(task, fd);
			verdict = file ? take_file(state, file, fd) : VERDICT_TRACE;
			if (verdict == VERDICT_FILTERED) {
				count_filtered(STREAM_FS);
				return 0;
			}
			if (verdict == VERDICT_LOST)
				return lose(STREAM_FS, state->exit_ns);
			s->rec.fs.path = state->path;
		}
	}
	send_long(s, state->exit_ns);
	return 0;
}

/* The record that remains to be made of a call. One place makes each kind: the verifier goes through it as
 * often as there are calls to it. */
enum remains { REMAINS_NONE, REMAINS_SHORT, REMAINS_PATH };

/* exec's row names the binary that runs now, and the arguments it was given; a failed one, what
 * was asked for. */
static __noinline enum remains exit_exec(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct task_struct *task = current_task();
	u64 exe;

	if (!state || !d)
		return REMAINS_NONE;
	if (state->ret < 0)
		return REMAINS_PATH;
	switch (task_refresh(state, task, true)) {
	case WHOM_LEFT_OUT:
		count_filtered(STREAM_FS);
		return REMAINS_NONE;
	case WHOM_LOST:
		lose(STREAM_FS, state->exit_ns);
		return REMAINS_NONE;
	default:
		exe = kread(kread(task, task_struct, mm), mm_struct, exe_file);
		if (exe)
			state->path = file_path_id(state->recent, exe);
		if (!state->path) {
			lose(STREAM_FS, state->exit_ns);
			return REMAINS_NONE;
		}
	}
	return REMAINS_SHORT;
}

static __noinline enum remains exit_open(struct task_state *state, const volatile struct syscall_desc *d)
{
	u64 file;
	enum verdict verdict;

	if (!state || !d)
		return REMAINS_NONE;
	file = state->ret < 0 ? 0 : task_file(current_task(), state->ret);
	if (!file) /* failed, or closed by another thread already */
		return REMAINS_PATH;
	verdict = take_file(state, file, state->ret);
	if (verdict == VERDICT_FILTERED)
		count_filtered(STREAM_FS);
	if (verdict == VERDICT_LOST)
		lose(STREAM_FS, state->exit_ns);
	return verdict == VERDICT_TRACE ? REMAINS_SHORT : REMAINS_NONE;
}

static __noinline int emit_mapping(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	fill_extent(&s->rec.fs, state, d);
	s->rec.fs.has |= FS_HAS_ADDRESS;
	if (d->shape == SHAPE_MMAP) {
		s->rec.address = state->ret >= 0 || state->ret < -4095 ? state->ret : 0;
		if (state->ret < 0 && state->ret >= -4095)
			s->rec.fs.has &= ~FS_HAS_ADDRESS;
		s->rec.aux = state->args[2];
		s->rec.aux2 = state->args[3];
		s->rec.fs.has |= FS_HAS_PROT;
	} else {
		s->rec.address = state->args[0];
	}
	send_long(s, state->exit_ns);
	return 0;
}

static __noinline int emit_two_files(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	s->rec.fs.has |= FS_TWO_FILES;
	s->rec.base2 = state->base[1];
	fill_extent(&s->rec.fs, state, d);
	if (d->shape == SHAPE_IOCTL) {
		s->rec.fs.offset = state->args[3];
		s->rec.fs.size = state->args[4];
		if (state->args[5])
			s->rec.fs.has |= FS_HAS_OFFSET | FS_HAS_SIZE;
	} else if (state->file && !has_position(state->file)) {
		if (state->ret > 0) /* whether it has moved on what it was given its own driver knows */
			s->rec.fs.has &= ~FS_HAS_OFFSET;
	} else if (state->file && !arg(state, d->offset)) {
		s->rec.fs.offset = kread(state->file, file, f_pos) - (state->ret > 0 ? state->ret : 0);
		s->rec.fs.has |= FS_HAS_OFFSET;
	}
	send_long(s, state->exit_ns);
	return 0;
}

/* close_range, sync; locks, whose arguments were prepared on entry; and reads and writes with RWF_*. */
static __noinline int emit_plain(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	if (d->shape == SHAPE_FCNTL) {
		s->rec.fs.flags |= state->args[1] & 0xff;
		if (state->args[5]) {
			s->rec.aux = state->args[2];
			s->rec.fs.offset = state->args[3];
			s->rec.fs.size = state->args[4];
			s->rec.fs.has |= FS_HAS_OFFSET | FS_HAS_SIZE;
		}
	} else if (d->props & PROP_RWF) {
		fill_extent(&s->rec.fs, state, d);
		s->rec.aux = arg(state, d->aux);
		s->rec.fs.has |= FS_HAS_RWF;
	}
	send_long(s, state->exit_ns);
	return 0;
}

static __always_inline enum remains exit_fork(struct task_state *state, const volatile struct syscall_desc *d)
{
	u64 flags = 0;

	if (d->props & PROP_CLONE3)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)state->args[0]);
	return flags & CLONE_THREAD ? REMAINS_NONE : REMAINS_SHORT;
}

#include "connect.h"

static __noinline int emit_conn(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct task_struct *task = current_task();
	u64 file, sk = 0;
	u32 zero = 0, size = sizeof(struct rec_conn);
	struct conn_scratch *s = bpf_map_lookup_elem(&conn_scratch, &zero);
	struct rec_conn *rec;
	s64 fd;
	u8 op;

	if (!s || !state || !d)
		return 0;
	rec = &s->rec;
	op = state->is_socket ? CONN_CLOSE : d->op;
	fd = op == CONN_SOCKET_CREATE ? state->ret : (s32)arg(state, d->fd);
	rec->type = REC_CONN;
	rec->op = op;
	rec->no_fd = rec->pad = 0;
	rec->fd = fd;
	rec->ns = state->exit_ns;
	rec->duration = state->exit_ns - state->enter_ns;
	rec->task = state->id;
	rec->ret = state->ret;
	rec->arg = arg(state, d->aux);
	rec->domain = op == CONN_SOCKET_CREATE ? state->args[0] : 0;
	if (op == CONN_CLOSE) {
		__builtin_memcpy(&rec->ends, &state->ends, sizeof(rec->ends));
	} else {
		__builtin_memset(&rec->ends, 0, sizeof(rec->ends));
		/* Accepted: the new socket has both ends. */
		file = task_file(task, op == CONN_ACCEPT && state->ret >= 0 ? state->ret : fd);
		if (file && is_socket(file)) {
			sk = sock_of(file);
			ends_of_sock(&rec->ends, sk);
			if (op == CONN_CONNECT)
				end_from_address(&rec->ends, state->args[1], state->args[2], true, OF_USER);
			else if (op == CONN_BIND && state->ret < 0)
				end_from_address(&rec->ends, state->args[1], state->args[2], false, OF_USER);
		}
	}
	if (rec->ends.family != AF_UNIX)
		size -= sizeof(rec->ends.un) - sizeof(rec->ends.ip);
	output(rec, size, STREAM_NW_CONN, state->exit_ns);
	if (op == CONN_CONNECT)
		connect_returned(sk, state->ret);
	return 0;
}

/* As enter_rare(); what remains. */
__noinline int exit_rare(void)
{
	const volatile struct syscall_desc *d;
	struct task_state *state = current_state(false);

	if (!state)
		return 0;
	d = describe(state->nr, state->compat);
	if (!d)
		return 0;
	switch (d->shape) {
	case SHAPE_MMAP:
	case SHAPE_RANGE:
		emit_mapping(state, d);
		break;
	case SHAPE_TWO_FILES:
	case SHAPE_IOCTL:
		emit_two_files(state, d);
		break;
	case SHAPE_FD: /* with RWF_* */
	case SHAPE_PLAIN:
	case SHAPE_FCNTL:
		emit_plain(state, d);
		break;
	case SHAPE_AIO:
		exit_aio(state, d->path);
		break;
	case SHAPE_FORK:
		return exit_fork(state, d);
	case SHAPE_EXEC:
		return exit_exec(state, d);
	case SHAPE_EPOLL:
		emit_epoll(state, d, arg(state, d->fd), arg(state, d->size), arg(state, d->flags),
			   arg(state, d->fd2), arg(state, d->aux));
		break;
	case SHAPE_SOCKOPT:
		emit_sockopt(state, d);
		break;
	}
	return 0;
}

/* What a 32-bit call has returned: an error, or a number without a sign, as an address is. arm64 tells of both with
 * one (syscall_get_return_value() of arch/arm64/include/asm/syscall.h). */
static __always_inline s64 narrow_result(long ret)
{
	return (u32)ret >= (u32)-4095 ? (s64)(s32)ret : (s64)(u32)ret;
}

static __always_inline int sys_exit(long ret)
{
	const volatile struct syscall_desc *d;
	struct task_state *state = current_state(false);
	enum remains remains;

	if (!state)
		return 0;
	if (state->renames && ret >= 0)
		names_epoch++;
	state->renames = 0;
	if (!state->armed)
		return 0;
	state->exit_ns = bpf_ktime_get_ns();
	state->ret = state->compat ? narrow_result(ret) : ret;
	state->armed = 0;
	d = describe(state->nr, state->compat);
	if (!d)
		return 0;
	if (state->is_socket || d->shape == SHAPE_CONN) {
		emit_conn(state, d);
		if (!state->is_socket || !state->file)
			return 0;
	}
	if (d->shape == SHAPE_FD && !(d->props & PROP_RWF)) {
		emit_short(state, d);
		return 0;
	}
	if (d->shape == SHAPE_OPEN)
		remains = exit_open(state, d);
	else
		remains = d->shape == SHAPE_PATH ? REMAINS_PATH : exit_rare();
	if (remains == REMAINS_SHORT)
		emit_short_apart(state, d);
	else if (remains == REMAINS_PATH)
		emit_path(state, d);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	return sys_exit(ret);
}

SEC("tp/raw_syscalls/sys_exit")
int on_sys_exit_classic(struct raw_syscall *ctx)
{
	return sys_exit(ctx->args[0]);
}

SEC("kretprobe.multi/sys_*")
int on_sys_exit_function(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return sys_exit(ctx->ax);
#else
	return 0;
#endif
}
