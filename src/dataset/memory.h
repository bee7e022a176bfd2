/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Divides the memory of --memory among its uses. The bounds hold at any load: rows for which there
 * is no space are counted as lost. Not included are 1 KiB per live thread of the machine, which
 * kernels from 5.11 on store with the thread, and the pages of the program and its libraries. */
#ifndef IOTRC_MEMORY_H
#define IOTRC_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define MEMORY_DEFAULT (UINT64_C(256) << 20)

/* Free entries of an LRU hash map that each CPU reserves for itself, before 6.16. Meanwhile the
 * others evict entries in use, even of a map that is almost empty (kernel/bpf/bpf_lru_list.c:
 * LOCAL_FREE_TARGET). So such a map has that many more for each CPU. */
#define MEMORY_LRU_KEPT 128

struct memory_plan {
	unsigned int n_rings;       /* rings of events: one per CPU, or fewer and shared */
	uint32_t ring_bytes;        /* bytes of each, a power of two */
	uint32_t lane_bytes;        /* bytes of a CPU's lane; 0: no lanes */
	uint32_t definitions_bytes; /* bytes of the ring of definitions, a power of two */
	uint32_t paths_sent;        /* entries in the kernel's table of paths already sent */
	uint32_t queue_chunks;      /* chunks of rows in flight to the disk */
	size_t paths_bytes,
		tasks_bytes;         /* bytes of a generation of each dictionary; there are two */
	size_t paths_max, tasks_max; /* the same in entries */
	size_t sort_bytes;           /* bytes of a snapshot's records sorted at once */
	/* requests of one kind in flight: block, io_uring, connections */
	uint32_t in_flight;
	uint32_t uring_conns;  /* io_uring requests on sockets */
	uint32_t uring_paths;  /* io_uring requests with paths, which are stored as passed */
	uint32_t flow_sockets; /* UDP and unix sockets, with nw_flow */
	uint32_t bio_notes;    /* bios that are not in a request yet, with --lineage */
	uint32_t dirty_pages;  /* places for dirty pages, with --lineage; a power of two */
	uint32_t threads;      /* threads whose state is in a table: up to 5.10 */
};

/* Number of CPUs that this machine can have, at least 1. */
unsigned int memory__cpus(void);

/* Minimum of --memory with CPUS CPUs, in bytes. */
uint64_t memory__least(unsigned int n_cpus);

/* Divides BYTES, at least memory__least(). 0: the default, or memory__least() if that is more. */
void memory__plan(struct memory_plan *ret, uint64_t bytes, unsigned int n_cpus);

/* Sum of the parts of PLAN and of the constant parts, in bytes. */
uint64_t memory__total(const struct memory_plan *plan, unsigned int n_cpus);

#endif
