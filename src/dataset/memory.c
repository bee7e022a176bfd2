// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/memory.h"

#include "dataset/writer.h"
#include "platform/cpus.h"

#define MIB (UINT64_C(1) << 20)
/* Memory needed at any load: the program with the kernel's types that it has read, a compressor per
 * stream (1.4 to 1.7 MiB each), the buffers that merge a snapshot's sorted runs (16 MiB), small
 * maps, and the overhead of maps. */
#define FIXED (56 * MIB)
#define LEAST_TO_DIVIDE (20 * MIB)
/* Scratch memory of the BPF programs, and a stack of free events; MEMORY_LRU_KEPT entries of each
 * LRU map, which are 1,100 bytes together. */
#define PER_CPU (64 * UINT64_C(1024) + MEMORY_LRU_KEPT * 1100)

#define RING_MIN (256u << 10)
#define RING_MAX (16u << 20) /* 100 ms of a CPU that does nothing but the fastest call */
#define DEFINITIONS_MAX (8u << 20)
#define SENT_BYTES 80 /* an entry of an LRU hash map with a key of 8 bytes, value of 4 */
#define SENT_MAX (1u << 20)
#define QUEUE_MAX 8192
/* Bytes per request in flight, with the overhead of maps: 128 for a block request
 * (bpf/block.bpf.c), 184 for a connection (connect.h), 256 for a request of io_uring, 72 more for
 * one of kernel AIO, or 80 for one without a row (uring.bpf.c); one in four of those takes 536 more
 * (uring_conn.h), and one in sixteen 8272 more (uring_paths). As many sockets as in uring_conn.h
 * may be closing, 376 each (socket_end.h). A TCP connection takes 120 with nw_flow (flow.h). */
#define URING_CONN_SHARE 4
#define URING_PATHS_SHARE 16
#define IN_FLIGHT_BYTES \
	(128 + 184 + 256 + 72 + 80 + 120 + (536 + 376) / URING_CONN_SHARE + \
	 8272 / URING_PATHS_SHARE)
#define IN_FLIGHT_MAX \
	65536 /* more than the tags of any queue of a large host, or the ports of an address */
/* Of a bio until it is in a request, with --lineage (bpf/extent_bio.h): one for each page that
 * waits to be swapped out, so more than there are requests. */
#define BIO_NOTE_BYTES 160
#define BIO_NOTES_MAX (1u << 20)
#define FLOW_SOCKET_BYTES 400 /* a UDP or unix socket with nw_flow (bpf/flow_socket.h) */
/* A place for a dirty page, which has two (bpf/extent_owner.h); only with --lineage. They use the
 * share of the threads, which most kernels keep in no table. */
#define DIRTY_PAGE_BYTES 8
#define DIRTY_PAGES_MIN (1u << 12)
#define DIRTY_PAGES_MAX (1u << 24)
#define THREAD_BYTES 1632
#define THREADS_MAX 65536
#define PATH_BYTES_MEAN 150 /* minimum; below it, the number of entries is the bound */
#define TASK_BYTES_MEAN 150

/* Returns the largest power of two up to N, between LEAST and MOST (powers of two). */
static uint32_t power_of_two(uint64_t n, uint32_t least, uint32_t most)
{
	uint32_t p = most;

	while (p > least && p > n)
		p /= 2;
	return p;
}

static uint64_t at_most(uint64_t n, uint64_t most)
{
	return n < most ? n : most;
}

unsigned int memory__cpus(void)
{
	return cpus__possible();
}

static uint64_t fixed(unsigned int n_cpus)
{
	return FIXED + n_cpus * PER_CPU;
}

uint64_t memory__least(unsigned int n_cpus)
{
	return fixed(n_cpus) + LEAST_TO_DIVIDE;
}

void memory__plan(struct memory_plan *ret, uint64_t bytes, unsigned int n_cpus)
{
	uint64_t least = memory__least(n_cpus), rest, rings;

	if (!bytes)
		bytes = MEMORY_DEFAULT > least ? MEMORY_DEFAULT : least;
	rest = bytes - fixed(n_cpus);
	rings = rest / 64 * 21;
	ret->n_rings = rings / RING_MIN < n_cpus ? rings / RING_MIN : n_cpus;
	ret->lane_bytes = 0;
	if (rings / 2 / n_cpus >= RING_MIN) { /* each CPU has a lane in addition to its ring */
		rings /= 2;
		ret->lane_bytes = power_of_two(rings / n_cpus, RING_MIN, RING_MAX);
	}
	ret->ring_bytes = power_of_two(rings / ret->n_rings, RING_MIN, RING_MAX);
	ret->definitions_bytes = power_of_two(rest / 48, 1u << 16, DEFINITIONS_MAX);
	ret->paths_sent = at_most(rest / 24 / SENT_BYTES, SENT_MAX);
	ret->queue_chunks = at_most(rest / 64 * 11 / sizeof(struct chunk), QUEUE_MAX);
	/* Two generations; three quarters are for paths. */
	ret->paths_bytes = rest / 64 * 16 / 2 / 4 * 3;
	ret->tasks_bytes = rest / 64 * 16 / 2 / 4;
	ret->sort_bytes = rest / 24 / 9 * 8; /* the rest is for the order */
	ret->in_flight = at_most(rest / 16 / IN_FLIGHT_BYTES, IN_FLIGHT_MAX);
	ret->uring_conns = ret->in_flight / URING_CONN_SHARE;
	ret->uring_paths = ret->in_flight / URING_PATHS_SHARE;
	ret->bio_notes = at_most(rest / 64 / BIO_NOTE_BYTES, BIO_NOTES_MAX);
	ret->flow_sockets = at_most(rest / 64 / FLOW_SOCKET_BYTES, IN_FLIGHT_MAX);
	ret->dirty_pages =
		power_of_two(rest / 20 / DIRTY_PAGE_BYTES, DIRTY_PAGES_MIN, DIRTY_PAGES_MAX);
	ret->threads = at_most(rest / 20 / THREAD_BYTES, THREADS_MAX);
	ret->paths_max = ret->paths_bytes / PATH_BYTES_MEAN;
	ret->tasks_max = ret->tasks_bytes / TASK_BYTES_MEAN;
}

uint64_t memory__total(const struct memory_plan *p, unsigned int n_cpus)
{
	uint64_t threads = (uint64_t)p->threads * THREAD_BYTES;
	uint64_t dirty = (uint64_t)p->dirty_pages * DIRTY_PAGE_BYTES;

	return fixed(n_cpus) + (uint64_t)p->n_rings * (p->ring_bytes + p->lane_bytes) +
	       p->definitions_bytes + (uint64_t)p->paths_sent * SENT_BYTES +
	       (uint64_t)p->queue_chunks * sizeof(struct chunk) +
	       2 * (p->paths_bytes + p->tasks_bytes) + p->sort_bytes / 8 * 9 +
	       (uint64_t)p->in_flight * IN_FLIGHT_BYTES + (uint64_t)p->bio_notes * BIO_NOTE_BYTES +
	       (uint64_t)p->flow_sockets * FLOW_SOCKET_BYTES + (threads > dirty ? threads : dirty);
}
