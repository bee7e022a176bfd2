/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The streams, by number. Shared by the BPF programs and the program; the names, columns and
 * descriptions belonging to these numbers are in schema/schema.c. */
#ifndef IOTRC_STREAMS_H
#define IOTRC_STREAMS_H

enum stream {
	STREAM_FS,
	STREAM_BLOCK,
	STREAM_NW_CONN,
	STREAM_NW_EPOLL,
	STREAM_NW_SOCKOPT,
	STREAM_NW_DROP,
	STREAM_CACHE,
	STREAM_PAGEFAULT,
	/* Streams up to here are fed by the kernel through rings. */
	STREAM_CAPTURED,
	STREAM_LOST = STREAM_CAPTURED,
	STREAM_PROCESS,
	STREAM_FILESYSTEM,
	STREAM_COUNT
};

/* Streams with a row for each call or page, of which a busy process makes a million a second.
 * Buffers that all streams share keep some room that these don't get: where they overflow, the few
 * rows of the others (block requests, connections) are still there. */
#define BULK_STREAMS \
	(1u << STREAM_FS | 1u << STREAM_NW_EPOLL | 1u << STREAM_CACHE | 1u << STREAM_PAGEFAULT)

#endif
