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

#endif
