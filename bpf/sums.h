/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With cfg.sums nothing is sent: each record is added to sums here, per CPU, and user space reads
 * the sums. So no load can make them wrong. */
#ifndef IOTRC_BPF_SUMS_H
#define IOTRC_BPF_SUMS_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "schema/buckets.h"
#include "schema/fs_ops.h"
#include "schema/records.h"
#include "schema/streams.h"

extern void bpf_preempt_disable(void) __ksym __weak; /* 6.10 */
extern void bpf_preempt_enable(void) __ksym __weak;

/* The indexes of groups. Preallocated, as all maps here: programs on perf events may use no other
 * hash. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SUMS_MAX);
	__type(key, struct sum_key);
	__type(value, u32);
} sum_groups SEC(".maps");

/* The same of groups with a file. What there is no room for is added to the group without its
 * file. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SUM_FILES_MAX);
	__type(key, struct sum_key);
	__type(value, u32);
} sum_files SEC(".maps");

/* Indexes that no group has. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, SUMS_MAX + SUM_FILES_MAX);
	__type(value, u32);
} sum_free SEC(".maps");

/* By index. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SUM_INDEXES);
	__type(key, u32);
	__type(value, struct sum_value);
} sums SEC(".maps");

/* The times of some groups, by CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SUM_PLACES);
	__type(key, u32);
	__type(value, struct sum_times);
} sum_times SEC(".maps");

/* The other times: looking one up in a hash takes a call a third of what the rest takes. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, SUM_BUCKETS_MAX);
	__type(key, struct sum_bucket);
	__type(value, u64);
} sum_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SUM_TASKS_MAX);
	__type(key, u64);
	__type(value, struct sum_task);
} sum_tasks SEC(".maps");

/* Records being filled in, one for each program that another one has interrupted on this CPU. The
 * longest is that of a connection. */
_Static_assert(sizeof(struct rec_flow) >= sizeof(struct rec_conn), "there is room for each record");
#define SUM_DEPTH 8 /* a power of two */
struct sum_rooms {
	u32 depth;
	u32 places; /* taken in sum_times */
	char records[SUM_DEPTH][sizeof(struct rec_flow)];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sum_rooms);
} sum_rooms SEC(".maps");

const volatile u64 no_count = 0; /* to copy */

/* Raised by user space when it has removed groups: what programs know of indexes is void. */
volatile u32 sums_epoch = 1;

/* Calls whose time found no room in sum_buckets: they are in all sums, but not in quantiles. */
u64 sum_buckets_full = 0;

/* Sums and arrays of times are those of a CPU: a thread must not move to another one in between. */
static __always_inline void sum_stay(void)
{
	if (cfg.raw_preemptible)
		bpf_preempt_disable();
}

static __always_inline void sum_go(void)
{
	if (cfg.raw_preemptible)
		bpf_preempt_enable();
}

/* Room for a record of any type with a fixed length, until sum_leave(). */
static __always_inline void *sum_enter(void)
{
	u32 zero = 0;
	struct sum_rooms *rooms;

	sum_stay();
	rooms = bpf_map_lookup_elem(&sum_rooms, &zero);
	if (rooms)
		return rooms->records[rooms->depth++ & (SUM_DEPTH - 1)];
	sum_go();
	return 0;
}

static __always_inline void sum_leave(void)
{
	u32 zero = 0;
	struct sum_rooms *rooms = bpf_map_lookup_elem(&sum_rooms, &zero);

	if (rooms)
		rooms->depth--;
	sum_go();
}

/* ---- adding ---- */

#define NS_PER_MINUTE 60000000000ULL

/* What sum_add() adds, packed into one number: a function takes at most five arguments. */
#define SUM_WHAT(stream, op, has_time, dev) \
	((u64)(stream) | (u64)(op) << 8 | (u64)(has_time) << 16 | (u64)(dev) << 32)
#define SUM_SIZE(size) ((u64)(size) << 24)
#define SUM_IS_TIMED (1ULL << 16)
#define SUM_IS_WAIT (1ULL << 17)
#define SUM_IS_CALL (1ULL << 18)   /* RESULT is what a call returned */
#define SUM_HAS_BYTES (1ULL << 19) /* … and counts bytes */
/* It completes a call added before: the amount was written, or was sent again. */
#define SUM_IS_WRITTEN (1ULL << 20)
#define SUM_IS_AGAIN (1ULL << 21)
/* Without SUM_IS_CALL, RESULT is an error and an amount below 2^48. */
#define SUM_RESULT(error, amount) ((u64)(error) << 48 | (u64)(amount))
#define SUM_AMOUNT(result) ((result) & ((1ULL << 48) - 1))
#define SUM_ERROR(result) ((s32)((s64)(result) >> 48))

static __always_inline u32 sum_error(u64 what, u64 result)
{
	return what & SUM_IS_CALL ? error_of(result) : SUM_ERROR(result);
}

static __always_inline u64 sum_amount(u64 what, u64 result)
{
	if (what & SUM_IS_CALL)
		return what & SUM_HAS_BYTES && (s64)result > 0 ? result : 0;
	return SUM_AMOUNT(result);
}

/* Whether the amount was written: by write() and its kin, or by a request (op_is_write(),
 * include/linux/blk_types.h). */
static __always_inline bool sum_is_write(u64 what)
{
	u8 stream = what, op = what >> 8;

	return stream == STREAM_FS ? op == FS_WRITE : stream == STREAM_BLOCK && op & 1;
}

/* The bits of WHAT that make the group of a record. */
static __always_inline u64 sum_kind(u64 what)
{
	u64 bits = 0xff; /* the stream */

	if (cfg.sums & SUM_BY_OPERATION)
		bits |= 0xff00;
	if (cfg.sums & SUM_BY_SIZE)
		bits |= SUM_SIZE(0xff);
	if (cfg.sums & (SUM_BY_DEVICE | SUM_BY_FILE))
		bits |= 0xffffffffULL << 32;
	return what & bits;
}

static __always_inline u32 sum_minute(u64 ns)
{
	return cfg.sums & SUM_BY_MINUTE ? (ns + cfg.wall_ns) / NS_PER_MINUTE : 0;
}

static __always_inline void fill_key(struct sum_key *key, u64 what, u32 error, u64 file,
				     const u64 *task)
{
	struct sum_task *who;
	u64 kind = sum_kind(what);

	key->stream = kind;
	key->op = kind >> 8;
	key->size = kind >> 24;
	key->dev = kind >> 32;
	if (cfg.sums & SUM_BY_FILE)
		key->file = file;
	if (cfg.sums & SUM_BY_ERRNO)
		key->error = error;
	if (cfg.sums & SUM_BY_MINUTE)
		key->minute = sum_minute(bpf_ktime_get_ns());
	if (cfg.sums & SUM_BY_PROCESS)
		key->pid = *task >> 32;
	if (!(cfg.sums & (SUM_BY_COMMAND | SUM_BY_CONTAINER | SUM_BY_USER)))
		return;
	who = bpf_map_lookup_elem(&sum_tasks, task);
	if (!who)
		return;
	if (cfg.sums & SUM_BY_COMMAND)
		__builtin_memcpy(key->comm, who->comm, sizeof(key->comm));
	if (cfg.sums & SUM_BY_CONTAINER)
		key->cgroup = who->cgroup;
	if (cfg.sums & SUM_BY_USER)
		key->uid = who->uid + 1ULL;
}

/* Returns the index of the group KEY, which is made if it is new; SUM_NONE if there is no room. */
static __always_inline u32 group_in(void *groups, const struct sum_key *key)
{
	u32 *known = bpf_map_lookup_elem(groups, key), index = SUM_NONE;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&sum_free, &index))
		return SUM_NONE;
	if (!bpf_map_update_elem(groups, key, &index, BPF_NOEXIST))
		return index;
	bpf_map_push_elem(&sum_free, &index, BPF_ANY);
	known = bpf_map_lookup_elem(groups, key); /* another CPU may have made it */
	return known ? *known : SUM_NONE;
}

/* Returns the index of the group KEY. If there is no room for it, that of the group without the
 * file; if there is no room for that either, that of all others of the stream. */
static __always_inline u32 find_group(struct sum_key *key)
{
	u32 index;

	if (cfg.sums & SUM_BY_FILE && key->file) {
		index = group_in(&sum_files, key);
		if (index != SUM_NONE)
			return index;
		key->file = 0;
		if (!(cfg.sums & SUM_BY_DEVICE))
			key->dev = 0;
	}
	index = group_in(&sum_groups, key);
	return index != SUM_NONE ? index : key->stream & (STREAM_SLOTS - 1);
}

static __always_inline void add_to_times(u32 place, u64 time, enum stream stream)
{
	struct sum_times *times = bpf_map_lookup_elem(&sum_times, &place);
	u32 bucket = buckets__of(time);

	if (times && bucket < BUCKET_COUNT)
		count(&times->n[bucket], stream);
}

static __always_inline void add_to_bucket(u32 group, bool wait, u64 time, enum stream stream)
{
	struct sum_bucket key = { .group = group, .bucket = buckets__of(time), .wait = wait };
	u64 *n = bpf_map_lookup_elem(&sum_buckets, &key);

	if (!n) {
		bpf_map_update_elem(&sum_buckets, &key, (const void *)&no_count, BPF_NOEXIST);
		n = bpf_map_lookup_elem(&sum_buckets, &key);
	}
	if (n)
		count(n, stream);
	else
		__sync_fetch_and_add(&sum_buckets_full, 1);
}

/* Takes an array for the times of the group at INDEX, whose sum is SUM, if it has had enough calls.
 * Not where an interrupt could take the same one. */
static __always_inline void take_place(struct sum_value *sum, u32 index, enum stream stream)
{
	u32 zero = 0, place;
	struct sum_rooms *rooms = bpf_map_lookup_elem(&sum_rooms, &zero);
	struct sum_times *times;

	if (!rooms || INTERRUPT_STREAMS >> stream & 1 || index < STREAM_SLOTS)
		return;
	place = rooms->places;
	if (place >= SUM_PLACES || sum->time.n < SUM_PLACE_CALLS(place))
		return;
	times = bpf_map_lookup_elem(&sum_times, &place);
	if (!times)
		return;
	rooms->places = place + 1;
	times->group = index;
	sum->place = place + 1;
}

static __always_inline void add_time(struct sum_time *t, u64 time, enum stream stream)
{
	if (!t->n || time < t->min)
		t->min = time;
	if (time > t->max)
		t->max = time;
	count(&t->n, stream);
	count_some(&t->ns, stream, time);
}

/* Adds to SUM, but not to the buckets of its times. */
static __always_inline void add_to(struct sum_value *sum, u64 what, u64 result, u64 time)
{
	enum stream stream = what & (STREAM_SLOTS - 1);
	bool wait = what & SUM_IS_WAIT;
	u64 amount = sum_amount(what, result);

	if (what & SUM_IS_TIMED)
		add_time(wait ? &sum->wait : &sum->time, time, stream);
	if (wait)
		return;
	if (what & (SUM_IS_WRITTEN | SUM_IS_AGAIN)) {
		count_some(what & SUM_IS_AGAIN ? &sum->again : &sum->written, stream, amount);
		return;
	}
	count(&sum->calls, stream);
	if (sum_error(what, result))
		count(&sum->errors, stream);
	if (amount)
		count_some(&sum->amount, stream, amount);
	if (amount && sum_is_write(what))
		count_some(&sum->written, stream, amount);
}

/* Adds to the group at INDEX, if it has an array for its times. To be inlined where WHAT is mostly
 * known; sum_add_at() does the rest. */
static __always_inline bool add_fast(u32 index, u64 what, u64 result, u64 time)
{
	struct sum_value *sum;
	bool has_place;

	if (cfg.sums & SUM_NO_QUANTILES || !(what & SUM_IS_TIMED))
		return false;
	sum_stay();
	sum = bpf_map_lookup_elem(&sums, &index);
	has_place = sum && sum->place;
	if (has_place) {
		add_to(sum, what, result, time);
		add_to_times(sum->place - 1, time, what & (STREAM_SLOTS - 1));
	}
	sum_go();
	return has_place;
}

/* Adds to SUM, that of the group at INDEX. */
static __always_inline void add_at(struct sum_value *sum, u32 index, u64 what, u64 result, u64 time)
{
	enum stream stream = what & (STREAM_SLOTS - 1);
	bool wait = what & SUM_IS_WAIT;

	add_to(sum, what, result, time);
	if (!(what & SUM_IS_TIMED) || cfg.sums & SUM_NO_QUANTILES)
		return;
	if (sum->place && !wait)
		add_to_times(sum->place - 1, time, stream);
	else
		add_to_bucket(index, wait, time, stream);
}

/* What is to be added. Not on the stack, where it would be too much for the longest chain of calls
 * on kernels before 6.2. */
struct sum_new {
	struct sum_key key;
	u64 what, result, time, task;
};
_Static_assert(sizeof(struct sum_new) <= sizeof(struct rec_flow), "a room for a record has it");

/* Adds one call, or (SUM_IS_WAIT) the time that it waited before. FILE is that of a key, TASK that
 * of a record. Returns the index of its group. A global function: the verifier goes through it
 * once. */
__noinline u32 sum_add(u64 what, u64 result, u64 time, u64 file, u64 task)
{
	struct sum_value *sum;
	struct sum_new *new;
	u32 index;

	/* Kernels until 6.7 verify a global function that is never called, too, and without sums
	 * there are no maps for it. */
	if (!cfg.sums)
		return SUM_NONE;
	new = sum_enter();
	if (!new)
		return SUM_NONE;
	new->what = what;
	new->result = result;
	new->time = time;
	new->task = task;
	__builtin_memset(&new->key, 0, sizeof(new->key));
	fill_key(&new->key, what, sum_error(what, result), file, &new->task);
	asm volatile("" ::: "memory"); /* read again, rather than kept on the stack */
	index = find_group(&new->key);
	sum = bpf_map_lookup_elem(&sums, &index);
	if (sum)
		add_at(sum, index, new->what, new->result, new->time);
	sum_leave();
	return index;
}

/* The same for a call whose group is known. */
__noinline int sum_add_at(u32 index, u64 what, u64 result, u64 time)
{
	struct sum_value *sum;

	if (!cfg.sums)
		return 0;
	sum_stay();
	sum = bpf_map_lookup_elem(&sums, &index);
	if (sum) {
		add_at(sum, index, what, result, time);
		if (!sum->place && !(cfg.sums & SUM_NO_QUANTILES))
			take_place(sum, index, what & (STREAM_SLOTS - 1));
	}
	sum_go();
	return 0;
}

/* ---- what is added of a record ---- */

/* The class of SIZE, see sum_key.size. A global function, so that it has a stack frame of its
 * own. */
__noinline int size_class(u64 size)
{
	u32 n = 1;

	if ((s64)size < 0)
		return 0;
	for (u32 step = 32; step; step /= 2)
		if (size >> step) {
			size >>= step;
			n += step;
		}
	return n + (size != 0);
}

/* What sum_add() adds of REC. DEV is that of a key. */
static __always_inline u64 sum_what(const struct rec_fs *rec, u32 dev)
{
	bool timed = rec->duration != DURATION_UNKNOWN;
	u32 size = cfg.sums & SUM_BY_SIZE && rec->has & FS_HAS_SIZE ? size_class(rec->size) : 0;

	return SUM_WHAT(STREAM_FS, rec->op, timed, dev) | SUM_SIZE(size) | SUM_IS_CALL |
	       (rec->has & FS_HAS_BYTES ? SUM_HAS_BYTES : 0);
}

/* Sums up REC, of any thread. */
static __always_inline void sum_fs(const struct rec_fs *rec)
{
	sum_add(sum_what(rec, 0), rec->ret, rec->duration, rec->path, rec->task);
}

static __always_inline void sum_conn(const struct rec_conn *rec)
{
	bool timed = rec->duration != DURATION_UNKNOWN;

	sum_add(SUM_WHAT(STREAM_NW_CONN, rec->op, timed, 0) | SUM_IS_CALL, rec->ret, rec->duration,
		0, rec->task);
}

static __always_inline void sum_block(const struct rec_block *rec)
{
	u32 op = rec->cmd_flags & 0xff, size = 0;
	bool issued = rec->issue_ns && rec->ns >= rec->issue_ns;
	u64 what;

	if (cfg.sums & SUM_BY_SIZE)
		size = size_class(rec->bytes);
	what = SUM_WHAT(STREAM_BLOCK, op, issued, rec->dev) | SUM_SIZE(size);
	sum_add(what, SUM_RESULT(rec->error, rec->bytes), rec->ns - rec->issue_ns, 0, rec->task);
	if (rec->insert_ns && rec->issue_ns >= rec->insert_ns)
		sum_add(what | SUM_IS_WAIT | SUM_IS_TIMED, SUM_RESULT(rec->error, 0),
			rec->issue_ns - rec->insert_ns, 0, rec->task);
}

static __always_inline void sum_flow(const struct rec_flow *rec)
{
	bool timed = rec->duration != DURATION_UNKNOWN;
	u64 task = (u64)rec->pid << 32 | rec->tid;
	u64 what = SUM_WHAT(STREAM_NW_FLOW, rec->event, 0, 0);

	sum_add(what | SUM_WHAT(0, 0, timed, 0),
		SUM_RESULT(rec->error, rec->bytes_sent + rec->bytes_received), rec->duration, 0,
		task);
	sum_add(what | SUM_IS_WRITTEN, SUM_RESULT(rec->error, rec->bytes_sent), 0, 0, task);
	sum_add(what | SUM_IS_AGAIN, SUM_RESULT(rec->error, rec->retransmits), 0, 0, task);
}

/* Sums up REC, of any type with a fixed length. */
static __always_inline void sum_record(const void *rec)
{
	const struct rec_epoll *epoll = rec;
	const struct rec_sockopt *sockopt = rec;
	const struct rec_cache *cache = rec;
	const struct rec_fault *fault = rec;
	const struct rec_drop *drop = rec;

	switch (*(const u8 *)rec) {
	case REC_FS:
		sum_fs(rec);
		break;
	case REC_BLOCK:
		sum_block(rec);
		break;
	case REC_CONN:
		sum_conn(rec);
		break;
	case REC_EPOLL:
		sum_add(SUM_WHAT(STREAM_NW_EPOLL, epoll->op, epoll->duration != DURATION_UNKNOWN,
				 0) |
				SUM_IS_CALL,
			epoll->ret, epoll->duration, 0, epoll->task);
		break;
	case REC_SOCKOPT:
		sum_add(SUM_WHAT(STREAM_NW_SOCKOPT, sockopt->op, 0, 0) | SUM_IS_CALL, sockopt->ret,
			0, 0, sockopt->task);
		break;
	case REC_CACHE:
		sum_add(SUM_WHAT(STREAM_CACHE, cache->event, 0, cache->dev),
			SUM_RESULT(0, cache->count), 0, cache->ino, cache->task);
		break;
	case REC_FAULT:
		sum_add(SUM_WHAT(STREAM_PAGEFAULT, fault->major, 0, fault->dev), 0, 0, fault->ino,
			fault->task);
		break;
	case REC_DROP:
		sum_add(SUM_WHAT(STREAM_NW_DROP, drop->event, 0, 0), SUM_RESULT(0, drop->skb_len),
			0, 0, drop->task);
		break;
	case REC_FLOW:
		sum_flow(rec);
		break;
	}
}

#endif
