/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* With cfg.sums nothing is sent: each record is added to sums here, per CPU, and user space reads
 * the sums. So no load can make them wrong. */
#ifndef IOTRC_BPF_SUMS_H
#define IOTRC_BPF_SUMS_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/hash.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "schema/buckets.h"
#include "schema/fs_ops.h"
#include "schema/records.h"
#include "schema/streams.h"

extern void bpf_preempt_disable(void) __ksym __weak; /* 6.10 */
extern void bpf_preempt_enable(void) __ksym __weak;

/* Preallocated, as all maps here: programs on perf events may use no other hash. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, SUMS_MAX);
	__type(key, struct sum_key);
	__type(value, struct sum_value);
} sums SEC(".maps");

/* The sums by file. A record for which there is no room is added to SUMS, without its file. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, SUM_FILES_MAX);
	__type(key, struct sum_key);
	__type(value, struct sum_value);
} sum_files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, SUM_BUCKETS_MAX);
	__type(key, struct sum_bucket);
	__type(value, u64);
} sum_buckets SEC(".maps");

/* With SUMS_OPS(), the sums of fs: looking them up in a hash costs a call more than the rest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SUM_OPS);
	__type(key, u32);
	__type(value, struct sum_op);
} sum_ops SEC(".maps");

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
	u32 depth, pad;
	char records[SUM_DEPTH][sizeof(struct rec_flow)];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sum_rooms);
} sum_rooms SEC(".maps");

/* To copy: too large for the stack. */
const volatile struct sum_value no_sum = {};
const volatile u64 no_count = 0;

/* Calls whose time found no room in sum_buckets: they are in all sums, but not in quantiles. */
u64 sum_buckets_full = 0;

/* Room for a record of any type with a fixed length, until sum_leave(). */
static __always_inline void *sum_enter(void)
{
	u32 zero = 0;
	struct sum_rooms *rooms;

	if (cfg.raw_preemptible)
		bpf_preempt_disable();
	rooms = bpf_map_lookup_elem(&sum_rooms, &zero);
	if (rooms)
		return rooms->records[rooms->depth++ & (SUM_DEPTH - 1)];
	if (cfg.raw_preemptible)
		bpf_preempt_enable();
	return 0;
}

static __always_inline void sum_leave(void)
{
	u32 zero = 0;
	struct sum_rooms *rooms = bpf_map_lookup_elem(&sum_rooms, &zero);

	if (rooms)
		rooms->depth--;
	if (cfg.raw_preemptible)
		bpf_preempt_enable();
}

/* ---- adding ---- */

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

static __always_inline void fill_key(struct sum_key *key, u64 what, u32 error, u64 file, u64 task)
{
	struct sum_task *who;

	key->stream = what;
	if (cfg.sums & SUM_BY_OPERATION)
		key->op = what >> 8;
	if (cfg.sums & SUM_BY_SIZE)
		key->size = what >> 24;
	if (cfg.sums & SUM_BY_FILE)
		key->file = file;
	if (cfg.sums & (SUM_BY_DEVICE | SUM_BY_FILE))
		key->dev = what >> 32;
	if (cfg.sums & SUM_BY_ERRNO)
		key->error = error;
	if (cfg.sums & SUM_BY_PROCESS)
		key->pid = task >> 32;
	if (!(cfg.sums & (SUM_BY_COMMAND | SUM_BY_CONTAINER | SUM_BY_USER)))
		return;
	who = bpf_map_lookup_elem(&sum_tasks, &task);
	if (!who)
		return;
	if (cfg.sums & SUM_BY_COMMAND)
		__builtin_memcpy(key->comm, who->comm, sizeof(key->comm));
	if (cfg.sums & SUM_BY_CONTAINER)
		key->cgroup = who->cgroup;
	if (cfg.sums & SUM_BY_USER)
		key->uid = who->uid + 1ULL;
}

static __always_inline u64 hash_key(const struct sum_key *key)
{
	const u64 *words = (const u64 *)key;
	u64 hash = 0;

	for (u32 i = 0; i < sizeof(*key) / 8; i++)
		hash = mix(hash, words[i]);
	return hash;
}

static __always_inline struct sum_value *sum_in(void *map, struct sum_key *key)
{
	struct sum_value *sum = bpf_map_lookup_elem(map, key);

	if (sum)
		return sum;
	bpf_map_update_elem(map, key, (const void *)&no_sum, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, key);
}

/* Returns the sum of KEY. If there is no room for it, the sum without the file; if there is no room
 * for that either, the sum of all others of the stream, which user space has created. */
static __always_inline struct sum_value *find_sum(struct sum_key *key)
{
	struct sum_value *sum;

	if (cfg.sums & SUM_BY_FILE && key->file) {
		sum = sum_in(&sum_files, key);
		if (sum)
			return sum;
		key->file = 0;
		if (!(cfg.sums & SUM_BY_DEVICE))
			key->dev = 0;
	}
	sum = sum_in(&sums, key);
	if (sum)
		return sum;
	*key = (struct sum_key){ .stream = key->stream, .others = 1 };
	return bpf_map_lookup_elem(&sums, key);
}

static __always_inline void add_to_bucket(u64 id, bool wait, u64 time, enum stream stream)
{
	struct sum_bucket key = { .id = id, .bucket = buckets__of(time), .wait = wait };
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

/* Adds to the sum of KEY. */
static __always_inline void add_to_group(struct sum_key *key, u64 what, u64 result, u64 time)
{
	struct sum_value *sum = find_sum(key);

	if (!sum)
		return;
	if (!FROM_6_2 || !sum->id) /* of this CPU */
		sum->id = hash_key(key);
	if (what & SUM_IS_TIMED && !(cfg.sums & SUM_NO_QUANTILES))
		add_to_bucket(sum->id, what & SUM_IS_WAIT, time, what & (STREAM_SLOTS - 1));
	add_to(sum, what, result, time);
}

/* Adds a call of fs to the sum of its operation. */
static __always_inline void add_to_op(u64 what, u64 result, u64 time)
{
	u32 op = cfg.sums & SUM_BY_OPERATION ? what >> 8 & (SUM_OPS - 1) : 0, bucket;
	struct sum_op *sum = bpf_map_lookup_elem(&sum_ops, &op);

	if (!sum)
		return;
	add_to(&sum->sum, what, result, time);
	if (!(what & SUM_IS_TIMED) || cfg.sums & SUM_NO_QUANTILES)
		return;
	bucket = buckets__of(time);
	if (bucket < BUCKET_COUNT)
		count(&sum->times[bucket], STREAM_FS);
}

/* Adds one call, or (SUM_IS_WAIT) the time that it waited before. FILE is that of a key, TASK that
 * of a record. A global function: the verifier goes through it once. The key is not on the stack,
 * where it would be too much for the longest chain of calls on kernels before 6.2. */
__noinline int sum_add(u64 what, u64 result, u64 time, u64 file, u64 task)
{
	struct sum_key *key;

	/* Kernels until 6.7 verify a global function that is never called, too, and without sums
	 * there are no maps for it. */
	if (!cfg.sums)
		return 0;
	if (SUMS_OPS(cfg.sums) && (u8)what == STREAM_FS) {
		add_to_op(what, result, time);
		return 0;
	}
	key = sum_enter();
	if (!key)
		return 0;
	__builtin_memset(key, 0, sizeof(*key));
	key->stream = what;
	fill_key(key, what, sum_error(what, result), file, task);
	add_to_group(key, what, result, time);
	sum_leave();
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

/* FILE and DEV are those of a key. */
static __always_inline void sum_fs(const struct rec_fs *rec, u64 file, u32 dev)
{
	bool timed = rec->duration != DURATION_UNKNOWN;
	u32 size = cfg.sums & SUM_BY_SIZE && rec->has & FS_HAS_SIZE ? size_class(rec->size) : 0;

	sum_add(SUM_WHAT(STREAM_FS, rec->op, timed, dev) | SUM_SIZE(size) | SUM_IS_CALL |
			(rec->has & FS_HAS_BYTES ? SUM_HAS_BYTES : 0),
		rec->ret, rec->duration, file, rec->task);
}

/* Sums up a call of fs by its operation alone. */
static __always_inline void sum_call(u8 op, bool has_bytes, s64 ret, u64 duration)
{
	sum_add(SUM_WHAT(STREAM_FS, op, duration != DURATION_UNKNOWN, 0) | SUM_IS_CALL |
			(has_bytes ? SUM_HAS_BYTES : 0),
		ret, duration, 0, 0);
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
		sum_fs(rec, ((const struct rec_fs *)rec)->path, 0);
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
