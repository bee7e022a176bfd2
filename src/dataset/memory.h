/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --memory is spent on. The plan holds at any load: each part has its bound, and what doesn't
 * fit is counted as lost, not kept. Outside of it are 1 KiB a live thread of the machine, which
 * kernels from 5.11 on keep with the thread, and the pages of the program and its libraries. */
#ifndef IOTRC_MEMORY_H
#define IOTRC_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define MEMORY_DEFAULT (UINT64_C(256) << 20)

struct memory_plan {
	unsigned int n_rings;       /* of events: as many as CPUs, or less and shared */
	uint32_t ring_bytes;        /* of each, a power of two */
	uint32_t lane_bytes;        /* of a CPU's lane, where there are such; 0: no room for them */
	uint32_t definitions_bytes; /* of the ring of definitions, a power of two */
	uint32_t paths_sent;        /* paths that the kernel remembers having sent */
	uint32_t queue_chunks;      /* rows on their way to the disk */
	size_t paths_bytes, tasks_bytes; /* a generation of each dictionary; two are kept */
	size_t paths_max, tasks_max;     /* … in entries */
	size_t sort_bytes;               /* records of a snapshot that are sorted at once */
	/* requests of one kind that are under way: block's, io_uring's, connections */
	uint32_t in_flight;
	uint32_t uring_conns; /* those of io_uring's that are about sockets */
	uint32_t uring_asked; /* … that name paths, which are kept as asked for */
	uint32_t threads;     /* whose doings are kept in a table: up to 5.10 */
};

/* The CPUs that this machine may ever have, at least 1. */
unsigned int memory__cpus(void);

/* The least that --memory may be with so many CPUs. */
uint64_t memory__least(unsigned int n_cpus);

/* Divides BYTES, at least memory__least(); 0: the default, or the least where that is more. */
void memory__plan(struct memory_plan *ret, uint64_t bytes, unsigned int n_cpus);

/* What the parts of PLAN add up to, with what doesn't depend on it. */
uint64_t memory__total(const struct memory_plan *plan, unsigned int n_cpus);

#endif
