/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Activity over time: counts of each channel in equal spans of time, and durations as counts in a
 * grid of time and latency. Spans double when more time is needed. */
#ifndef IOTRC_TIMELINE_H
#define IOTRC_TIMELINE_H

#include <stdint.h>

/* X(SYMBOL, name in the page): the counted items. The first ones are also kinds of rows. */
/* clang-format off */
#define ROW_CHANNELS(X) \
	X(FS_READ, fs_read) X(FS_WRITE, fs_write) X(FS_COPY, fs_copy) X(FS_SYNC, fs_sync) \
	X(FS_OPEN, fs_open) X(FS_META, fs_meta) X(FS_MAP, fs_map) X(FS_PROCESS, fs_process) \
	X(BLOCK_READ, block_read) X(BLOCK_WRITE, block_write) X(BLOCK_OTHER, block_other) \
	X(CONN_CONNECT, conn_connect) X(CONN_ACCEPT, conn_accept) X(CONN_OTHER, conn_other) \
	X(EPOLL, epoll) \
	X(CACHE_HIT, cache_hit) X(CACHE_MISS, cache_miss) X(CACHE_NEW, cache_new) \
	X(CACHE_DIRTY, cache_dirty) X(CACHE_WRITEBACK, cache_writeback) \
	X(CACHE_READAHEAD, cache_readahead) X(CACHE_EVICT, cache_evict) X(CACHE_OTHER, cache_other) \
	X(FAULT_MAJOR, fault_major) X(FAULT_MINOR, fault_minor) \
	X(SOCKOPT, sockopt) X(DROP, drop) X(RETRANSMIT, retransmit)
#define OTHER_CHANNELS(X) \
	X(FS_BYTES_READ, fs_bytes_read) X(FS_BYTES_WRITTEN, fs_bytes_written) \
	X(FS_BYTES_COPIED, fs_bytes_copied) X(FS_FAILED, fs_failed) \
	X(BLOCK_BYTES_READ, block_bytes_read) X(BLOCK_BYTES_WRITTEN, block_bytes_written) \
	X(BLOCK_FAILED, block_failed) X(CONN_FAILED, conn_failed) X(LOST, lost) \
	X(EXTENT_DATA, extent_data) X(EXTENT_DIRECT, extent_direct) \
	X(EXTENT_METADATA, extent_metadata) X(EXTENT_JOURNAL, extent_journal) \
	X(EXTENT_SWAP, extent_swap) X(EXTENT_UNKNOWN, extent_unknown)
/* clang-format on */

#define CHANNEL_NUMBER(symbol, name) CHANNEL_##symbol,
enum channel {
	ROW_CHANNELS(CHANNEL_NUMBER) CHANNEL_ROWS,
	CHANNEL_BEFORE_OTHERS = CHANNEL_ROWS - 1,
	OTHER_CHANNELS(CHANNEL_NUMBER) CHANNEL_COUNT
};
#undef CHANNEL_NUMBER

extern const char *const channel_names[CHANNEL_COUNT];

/* The channels up to EPOLL have grids: calls and requests with durations. */
#define TIMELINE_GRIDS (CHANNEL_EPOLL + 1)

#define TIMELINE_BINS 1024
/* Number of bins of a grid's column. */
#define TIMELINE_GRID_BINS 4
#define TIMELINE_COLUMNS (TIMELINE_BINS / TIMELINE_GRID_BINS)
/* Two rows of a grid for each power of two, from 2^TIMELINE_LOW ns on. */
#define TIMELINE_LOW 7
#define TIMELINE_ROWS 60

struct timeline {
	uint64_t origin_ns, width_ns; /* CLOCK_MONOTONIC: of bin 0, and of a bin */
	uint64_t bins[TIMELINE_BINS][CHANNEL_COUNT];
	uint32_t grids[TIMELINE_GRIDS][TIMELINE_COLUMNS][TIMELINE_ROWS];
};

/* Prepares T, which must be zeroed, for a session that began at ORIGIN_NS and ends no earlier than
 * END_NS, as far as known. The width of a bin is 1, 2 or 5 times a power of 10. */
void timeline__begin(struct timeline *t, uint64_t origin_ns, uint64_t end_ns);

/* Returns the bin of MONO_NS; bins are made wider if necessary. Times before the origin belong to
 * the first bin. */
unsigned int timeline__bin(struct timeline *t, uint64_t mono_ns);

/* Returns the row of a grid for NS. */
unsigned int timeline__row(uint64_t ns);

/* Adds FROM, which has the same origin and initial width, and may be changed. */
void timeline__merge(struct timeline *t, struct timeline *from);

#endif
