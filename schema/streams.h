/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The streams: number, key, what the wall time of a row is, description. Shared by the BPF programs
 * and the program. The columns are in schema/schema.c. */
#ifndef IOTRC_STREAMS_H
#define IOTRC_STREAMS_H

/* clang-format off */

/* X(SYMBOL, key, what the wall time is, description) of the streams that an engine captures. A
 * stream's key is also its directory and the prefix of its file names. */
#define CAPTURED_STREAMS(X) \
	X(FS, fs, "completion of the operation", "File operations at the system call boundary") \
	X(BLOCK, block, "completion of the request", "Requests to block devices") \
	X(NW_CONN, nw_conn, "completion of the call", "Sockets: creation, connection, end") \
	X(NW_EPOLL, nw_epoll, "completion of the call", "Waiting for file descriptors: epoll, poll, select") \
	X(NW_SOCKOPT, nw_sockopt, "completion of the call", "Socket options set and read") \
	X(NW_DROP, nw_drop, "the event", "Packets dropped and TCP segments retransmitted") \
	X(NW_FLOW, nw_flow, "the end of the connection or socket, or the look at it", "TCP connections, UDP and unix sockets: what each has moved") \
	X(CACHE, cache, "the event", "The page cache: hits, misses, writeback, eviction") \
	X(PAGEFAULT, pagefault, "the fault", "Page faults on mapped files") \
	X(EXTENT, extent, "issue of the request", "Which bytes of which file each block request carries, and whose")

#define OTHER_STREAMS(X) \
	X(LOST, lost, "end of the span", "Spans in which rows of a stream were lost, and why") \
	X(PROCESS, process, "the snapshot", "Snapshots of all processes") \
	X(FILESYSTEM, filesystem_snapshot, "examination of the file", "Snapshots of the files on real filesystems")

/* clang-format on */

#define STREAM_NUMBER(symbol, ...) STREAM_##symbol,
enum stream {
	CAPTURED_STREAMS(STREAM_NUMBER) STREAM_CAPTURED,
	/* This repeats the last number, so that the following ones continue without a gap. */
	STREAM_BEFORE_OTHERS = STREAM_CAPTURED - 1,
	OTHER_STREAMS(STREAM_NUMBER) STREAM_COUNT
};
#undef STREAM_NUMBER

/* Streams with a row for each call or page: a busy process makes a million a second. Buffers shared
 * by all streams keep some room that these streams cannot use, so that when they overflow, the few
 * rows of the others (block requests, connections) are not lost. */
#define BULK_STREAMS \
	(1u << STREAM_FS | 1u << STREAM_NW_EPOLL | 1u << STREAM_CACHE | 1u << STREAM_PAGEFAULT)

#endif
