// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/operation.h"

#include <string.h>

#include "platform/macros.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

static const char *const fs_operations[FS_OP_COUNT] = {
#define FS_OP_NAME(sym, text) [FS_##sym] = text,
	FS_OPS(FS_OP_NAME)
#undef FS_OP_NAME
};

static const char *const poll_events[] = {
	[POLL_CREATE] = "EPOLL_CREATE", [POLL_CTL] = "EPOLL_CTL", [POLL_WAIT] = "EPOLL_WAIT",
	[POLL_POLL] = "POLL",           [POLL_SELECT] = "SELECT",
};

static const char *const conn_events[] = {
	[CONN_SOCKET_CREATE] = "SOCKET_CREATE",
	[CONN_BIND] = "BIND",
	[CONN_LISTEN] = "LISTEN",
	[CONN_ACCEPT] = "ACCEPT",
	[CONN_CONNECT] = "CONNECT",
	[CONN_SHUTDOWN] = "SHUTDOWN",
	[CONN_CLOSE] = "CLOSE",
};

static const char *const drop_events[] = {
	[DROP_PACKET] = "PACKET_DROP",
	[DROP_RETRANSMIT] = "TCP_RETRANSMIT",
};

static const char *const flow_events[] = {
	[FLOW_END] = "END",
	[FLOW_ROTATION] = "ROTATION",
	[FLOW_STOP] = "STOP",
};

static const char *const cache_events[] = {
	[CACHE_HIT] = "HIT",
	[CACHE_MISS] = "MISS",
	[CACHE_MISS_WRITE] = "MISS_WRITE",
	[CACHE_DIRTY] = "DIRTY",
	[CACHE_WRITEBACK_START] = "WRITEBACK_START",
	[CACHE_WRITEBACK_END] = "WRITEBACK_END",
	[CACHE_EVICT] = "EVICT",
	[CACHE_INVALIDATE] = "INVALIDATE",
	[CACHE_READAHEAD] = "READAHEAD",
	[CACHE_RECLAIM] = "RECLAIM",
};

static const char *const sockopt_events[] = { [SOCKOPT_SET] = "SET", [SOCKOPT_GET] = "GET" };

static const char *const severities[] = { "MINOR", "MAJOR" };

static const struct {
	const char *const *words;
	unsigned int n;
} streams[STREAM_CAPTURED] = {
	[STREAM_FS] = { fs_operations, ARRAY_SIZE(fs_operations) },
	[STREAM_NW_CONN] = { conn_events, ARRAY_SIZE(conn_events) },
	[STREAM_NW_EPOLL] = { poll_events, ARRAY_SIZE(poll_events) },
	[STREAM_NW_SOCKOPT] = { sockopt_events, ARRAY_SIZE(sockopt_events) },
	[STREAM_NW_DROP] = { drop_events, ARRAY_SIZE(drop_events) },
	[STREAM_NW_FLOW] = { flow_events, ARRAY_SIZE(flow_events) },
	[STREAM_CACHE] = { cache_events, ARRAY_SIZE(cache_events) },
	[STREAM_PAGEFAULT] = { severities, ARRAY_SIZE(severities) },
};

const char *operation__name(enum stream stream, unsigned int op)
{
	return op < streams[stream].n ? streams[stream].words[op] : NULL;
}

int operation__find(const char *name, size_t len)
{
	for (int op = 1; op < FS_OP_COUNT; op++)
		if (strlen(fs_operations[op]) == len && !memcmp(fs_operations[op], name, len))
			return op;
	return -1;
}
