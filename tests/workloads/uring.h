/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_uring by its system calls, one request at a time or a chain. strace cannot see what goes
 * through a ring, so the program prints which rows it makes: JSON, one per line. */
#ifndef IOTRC_URING_H
#define IOTRC_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>

#include "workload.h"

/* Newer than some headers (linux-libc-dev of 6.1); the kernel is asked what it supports. */
#define OP_READ_MULTISHOT 49
#define OP_FTRUNCATE 55
#define OP_READV_FIXED 60
#define OP_WRITEV_FIXED 61

struct ring {
	int fd;
	unsigned int *sq_head, *sq_tail, *sq_mask, *sq_flags, *sq_array, *cq_head, *cq_tail,
		*cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int tail;        /* prepared requests; the kernel may take those up to *sq_tail */
	unsigned char known[256]; /* by opcode */
	int polled;
	unsigned int features; /* IORING_FEAT_* */
};

#ifndef URING_SETUP /* compat.c has another way */
#define URING_SETUP(entries, params) SYS(io_uring_setup, entries, params)
#endif

/* 0, or -1 if the kernel has no io_uring (or not this kind). */
static inline int ring__new(struct ring *r, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 50 };
	struct {
		struct io_uring_probe head;
		struct io_uring_probe_op ops[256];
	} probe = { 0 };
	char *sq, *cq;

	memset(r, 0, sizeof(*r));
	r->fd = URING_SETUP(64, &p);
	if (r->fd < 0)
		return -1;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof(*r->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqes == MAP_FAILED)
		exit(95);
	r->sq_head = (unsigned int *)(sq + p.sq_off.head);
	r->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	r->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	r->sq_flags = (unsigned int *)(sq + p.sq_off.flags);
	r->sq_array = (unsigned int *)(sq + p.sq_off.array);
	r->cq_head = (unsigned int *)(cq + p.cq_off.head);
	r->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	r->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	r->polled = flags & IORING_SETUP_SQPOLL;
	r->features = p.features;
	OK(SYS(io_uring_register, r->fd, IORING_REGISTER_PROBE, &probe, 256));
	for (int i = 0; i < probe.head.ops_len; i++)
		r->known[probe.ops[i].op] = !!(probe.ops[i].flags & IO_URING_OP_SUPPORTED);
	return 0;
}

static inline struct io_uring_sqe *ring__next(struct ring *r, int op, int fd)
{
	unsigned int i = r->tail++ & *r->sq_mask;
	struct io_uring_sqe *sqe = &r->sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	r->sq_array[i] = i;
	return sqe;
}

/* The same with a buffer or a path at ADDR. */
static inline struct io_uring_sqe *ring__ask(struct ring *r, int op, int fd, const void *addr,
					     unsigned int len, uint64_t off)
{
	struct io_uring_sqe *sqe = ring__next(r, op, fd);

	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->off = off;
	return sqe;
}

/* Passes the requests prepared since the last time to the kernel, all at once: a polling thread
 * takes what it sees, and a chain of which it sees only a part ends there. */
static inline void ring__publish(struct ring *r)
{
	__atomic_store_n(r->sq_tail, r->tail, __ATOMIC_RELEASE);
}

/* Submits the N requests prepared since the last time and waits for as many completions. */
static inline void ring__go(struct ring *r, unsigned int n)
{
	unsigned int flags = IORING_ENTER_GETEVENTS;

	ring__publish(r);
	if (r->polled) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(r->sq_flags, __ATOMIC_RELAXED) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	do
		OK(SYS(io_uring_enter, r->fd, r->polled || n == 0 ? 0 : n, n, flags, 0L, 0L));
	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) - *r->cq_head < n);
}

/* Waits for one completion of what has been submitted already. */
static inline int ring__wait(struct ring *r)
{
	OK(SYS(io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, 0L, 0L));
	return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) != *r->cq_head;
}

/* The next completion; USER_DATA identifies its request. */
static inline int ring__take(struct ring *r, uint64_t *ret_user_data, unsigned int *ret_flags)
{
	struct io_uring_cqe *cqe = &r->cqes[*r->cq_head & *r->cq_mask];
	int res = cqe->res;

	if (ret_user_data)
		*ret_user_data = cqe->user_data;
	if (ret_flags)
		*ret_flags = cqe->flags;
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return res;
}

/* One request, until its completion. */
static inline int ring__one(struct ring *r)
{
	ring__go(r, 1);
	return ring__take(r, NULL, NULL);
}

/* ---- what is printed ---- */

static char reported_cwd[4096];

/* NULL for none, otherwise a name below the initial current directory or an absolute one. */
static inline void tell_path(const char *path)
{
	if (!path)
		printf("\"\"");
	else if (*path == '/' || *path == '=') /* =text: as it is */
		printf("\"%s\"", path + (*path == '='));
	else
		printf("\"%s%s%s\"", reported_cwd, *path ? "/" : "", path);
}

#define NONE INT64_MIN /* an empty field */

/* Prints the row that OPERATION on PATH (-> PATH2) makes; RES is its result. BYTES: the operation
 * moves data. FLAGS: the words beside IO_URING. */
static inline void tell_as(const char *kind, const char *operation, const char *path,
			   const char *path2, int64_t size, int64_t offset, int bytes,
			   const char *flags, int res)
{
	if (!*reported_cwd && !getcwd(reported_cwd, sizeof(reported_cwd)))
		exit(94);
	printf("{\"operation\": \"%s\", \"path\": ", operation);
	if (path2) {
		printf("[");
		tell_path(path);
		printf(", ");
		tell_path(path2);
		printf("]");
	} else {
		tell_path(path);
	}
	if (size != NONE)
		printf(", \"size\": \"%jd\"", (intmax_t)size);
	if (offset != NONE)
		printf(", \"offset\": \"%jd\"", (intmax_t)offset);
	if (bytes && res >= 0)
		printf(", \"bytes\": \"%d\"", res);
	printf(", \"ret\": \"%d\", \"flags\": \"%s%s%s\"", res, flags, *flags && *kind ? "|" : "",
	       kind);
	if (res < 0)
		printf(", \"errno\": \"%s\"", strerrorname_np(-res));
	puts("}");
}

#define tell(...) tell_as("IO_URING", __VA_ARGS__)

#endif
