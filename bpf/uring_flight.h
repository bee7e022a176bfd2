/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests of io_uring and kernel AIO between their submission and their completion. */
#ifndef IOTRC_BPF_URING_FLIGHT_H
#define IOTRC_BPF_URING_FLIGHT_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_fill.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "bpf/uring_abi.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

volatile struct syscall_desc uring_ops[MAX_URING_OPS] = {};

/* A request being submitted. */
struct uring_request {
	u64 req;    /* address of the struct io_kiocb; 0 if no tracepoint tells it */
	u64 key;    /* key by which the completion finds it */
	u64 many;   /* key in uring_many of a request that completes more than once, or 0 */
	u32 direct; /* slot of the ring's own table instead of a descriptor, counted from 1; or 0 */
	u32 quiet;  /* no tracepoint reports its success */
};

/* A request between submission and completion. Its record is filled as far as possible. What most
 * requests need is at the beginning: the rest is left alone if the flight is simple. */
struct uring_flight {
	u64 req;  /* 0 for kernel AIO, and if no tracepoint tells it */
	u64 file; /* file at submission; 0 for a registered file, which REQ has */
	u64 who;  /* process and thread that submitted it */
	u32 shape, props;
	u32 epoch;      /* in which the definitions that REC refers to were sent */
	u32 hint;       /* its descriptor, or slot, to find the file's name by */
	u8 opcode;      /* IORING_OP_* */
	u8 at_position; /* the offset is the position of the file */
	u8 quiet;       /* no tracepoint reports its success */
	u8 has_paths;   /* uring_paths has its paths */
	u8 follow;      /* follows a symbolic link at the end of the path */
	u8 simple;      /* its row is a struct rec_fs, and it completes once */
	u8 in_place;    /* it is in uring_places */
	u8 pad;
	s32 at_fd[2]; /* the directories that the paths are relative to */
	struct rec_fs_long rec;
	u64 out;  /* file that SPLICE writes to, as FILE */
	u64 many; /* key in uring_many, or 0 */
};
#define SIMPLE_FLIGHT (offsetof(struct uring_flight, rec) + sizeof(struct rec_fs))

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, u64);
	__type(value, struct uring_flight);
} uring_flights SEC(".maps");

/* Places for requests in flight, each of which has one of its own: writing there is cheaper than
 * having the hash allocate, copy and free an entry. A request whose place is taken goes into the
 * hash. Only where a program can tell whether it has exchanged a word (5.12). */
#define URING_PLACES (FROM_6_2 ? 2048 : 1)
struct uring_place {
	u64 key; /* of the request; PLACE_FREE or PLACE_TAKEN */
	struct uring_flight flight;
} __attribute__((aligned(64)));

enum { PLACE_FREE, PLACE_TAKEN };

/* Mappable, so that places begin with a cache line. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, URING_PLACES);
	__type(key, u32);
	__type(value, struct uring_place);
} uring_places SEC(".maps");

/* The paths of a request in flight. */
struct uring_paths {
	char text[2 * PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256); /* resized by user space */
	__type(key, u64);
	__type(value, struct uring_paths);
} uring_paths SEC(".maps");

/* Requests that complete more than once (multishot accept and read), keyed by their ring and
 * user_data: the tracepoint for these completions does not name the request (io_req_post_cqe() of
 * io_uring/io_uring.c). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u64);
} uring_many SEC(".maps");

/* The arguments of the request being submitted, in the form of a system call. */
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

/* The place of the request KEY: the address of a struct io_kiocb, of 256 bytes, or a hash. */
static __always_inline struct uring_place *place_of(u64 key)
{
	u32 at = key >> 8 & (URING_PLACES - 1);

	return FROM_6_2 ? bpf_map_lookup_elem(&uring_places, &at) : 0;
}

static __always_inline struct uring_flight *find_flight(u64 key)
{
	struct uring_place *place = place_of(key);

	if (place && place->key == key)
		return &place->flight;
	return bpf_map_lookup_elem(&uring_flights, &key);
}

/* The same for a request of kernel AIO, of which several threads may see the result. Only one of
 * them gets it, and has to end it, if it is in a place. */
static __always_inline struct uring_flight *take_flight(u64 key)
{
	struct uring_place *place = place_of(key);

	if (place && place->key == key)
		return __sync_bool_compare_and_swap(&place->key, key, PLACE_TAKEN) ?
			       &place->flight :
			       0;
	return bpf_map_lookup_elem(&uring_flights, &key);
}

/* Keeps F, which is the scratch, as request KEY. Returns 0 or a negative errno. */
static __always_inline long store_flight(u64 key, struct uring_flight *f)
{
	struct uring_place *place = place_of(key);

	f->simple = f->shape == SHAPE_FD && !f->rec.has && !f->many;
	f->in_place = place && (place->key == key ||
				__sync_bool_compare_and_swap(&place->key, PLACE_FREE, key));
	if (!place || !f->in_place)
		return bpf_map_update_elem(&uring_flights, &key, f, BPF_ANY);
	if (f->simple)
		__builtin_memcpy(&place->flight, f, SIMPLE_FLIGHT);
	else
		__builtin_memcpy(&place->flight, f, sizeof(*f));
	return 0;
}

/* Forgets the request KEY, which is F. Returns false if another thread has. */
static __always_inline bool end_flight(u64 key, const struct uring_flight *f)
{
	struct uring_place *place;
	u64 many = f->simple ? 0 : f->many;

	if (f->has_paths)
		bpf_map_delete_elem(&uring_paths, &key);
	if (many)
		bpf_map_delete_elem(&uring_many, &many);
	if (!f->in_place)
		return !bpf_map_delete_elem(&uring_flights, &key);
	place = place_of(key);
	if (place) /* after all that was read of it */
		__sync_lock_test_and_set(&place->key, PLACE_FREE);
	return true;
}

/* Sends the definition of the thread WHO again, which user space has forgotten. Returns its id; 0
 * if WHO is not the current thread, whose definition alone can be sent. A global function: the
 * verifier goes through it once. */
__noinline u64 submitter_again(u64 who)
{
	struct task_state *state = current_state(false);

	if (!state || bpf_get_current_pid_tgid() != who ||
	    task_refresh(state, current_task(), false) != WHOM_KNOWN)
		return 0;
	return state->id;
}

/* Brings what F refers to up to date. DEEP: the chain of calls has no frame left for
 * submitter_again(): the thread has a definition only if one was sent for another call. */
static __always_inline void renew_flight(struct uring_flight *f, bool deep)
{
	struct task_state *state;

	if (is_kept(f->epoch))
		return;
	if (deep) {
		state = bpf_get_current_pid_tgid() == f->who ? current_state(false) : 0;
		f->rec.fs.task = state && is_kept(state->epoch) ? state->id : 0;
	} else {
		f->rec.fs.task = submitter_again(f->who);
	}
	f->rec.fs.path = f->rec.base = f->rec.base2 = 0;
	f->epoch = epoch;
}

/* Prepares CALL, which is in uring_state, for a new request by the thread of STATE. */
static __always_inline void begin_request(struct task_state *call, const struct task_state *state)
{
	__builtin_memset(call->recent, 0, sizeof(call->recent));
	call->id = state->id;
	call->epoch = state->epoch;
	call->file = call->path = call->base[0] = call->base[1] = 0;
	call->file_flags = 0;
	call->ret = 0;
	call->is_socket = call->has_given = call->has_how = call->copied = call->found = 0;
	call->enter_ns = call->exit_ns = bpf_ktime_get_ns();
}

/* Fills the flight in the scratch from the arguments in uring_state. Global: the verifier goes
 * through it once. */
__noinline int prepare_flight(u32 opcode)
{
	const volatile struct syscall_desc *d = &uring_ops[opcode & (MAX_URING_OPS - 1)];
	struct uring_flight *f = get_uring_scratch();
	struct task_state *state = get_uring_state();
	struct task_struct *task = current_task();

	if (!f || !state)
		return 0;
	f->req = f->out = f->many = 0;
	f->quiet = f->has_paths = f->in_place = 0;
	f->who = bpf_get_current_pid_tgid();
	f->epoch = state->epoch;
	if (d->shape == SHAPE_FD && !state->is_socket)
		state->file = task_file(task, (s32)arg(state, d->fd));
	f->file = state->file;
	f->hint = arg(state, d->fd);
	if (state->file)
		state->file_flags = kread(state->file, file, f_flags);
	fill(&f->rec.fs, state, d);
	f->rec.fs.type = REC_FS_LONG;
	f->rec.fs.has |= FS_IO_URING;
	f->rec.fs.ns = state->enter_ns;
	f->rec.has = 0;
	f->rec.len = f->rec.len2 = 0;
	f->rec.address = f->rec.ino = 0;
	f->rec.aux2 = f->rec.dev = f->rec.mode = 0;
	f->rec.base = f->rec.base2 = 0;
	f->rec.skip = f->rec.skip2 = 0;
	f->rec.fs_type[0] = 0;
	read_given(state, d);
	fill_extent(&f->rec.fs, state, d);
	f->shape = d->shape;
	f->at_position = 0;
	if (d->props & PROP_SEQUENTIAL) {
		/* -1 means the position of the file, which is read at completion. */
		f->at_position = state->args[3] == (u64)-1;
		if (f->at_position)
			f->rec.fs.has &= ~FS_HAS_OFFSET;
	}
	f->rec.aux = d->props & PROP_RWF ? arg(state, d->aux) : 0;
	if (f->rec.aux)
		f->rec.has |= LONG_HAS_RWF;
	if (opcode == IORING_OP_FSYNC && state->args[4] & FSYNC_DATASYNC)
		f->rec.fs.op = FS_FDATASYNC;
	return 0;
}

#endif
