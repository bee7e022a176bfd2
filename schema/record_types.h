/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of records: which stream an event's row is in, and the struct that it begins with. */
#ifndef IOTRC_RECORD_TYPES_H
#define IOTRC_RECORD_TYPES_H

#include "schema/records.h"
#include "schema/streams.h"

/* clang-format off */
#define DEFINITION_TYPES(X) \
	X(REC_PATH, struct rec_path) \
	X(REC_TASK, struct rec_task)
#define EVENT_TYPES(X) \
	X(REC_FS, STREAM_FS, struct rec_fs) \
	X(REC_FS_LONG, STREAM_FS, struct rec_fs_long) \
	X(REC_BLOCK, STREAM_BLOCK, struct rec_block) \
	X(REC_CONN, STREAM_NW_CONN, struct rec_conn) \
	X(REC_CACHE, STREAM_CACHE, struct rec_cache) \
	X(REC_FAULT, STREAM_PAGEFAULT, struct rec_fault) \
	X(REC_DROP, STREAM_NW_DROP, struct rec_drop) \
	X(REC_EPOLL, STREAM_NW_EPOLL, struct rec_epoll) \
	X(REC_SOCKOPT, STREAM_NW_SOCKOPT, struct rec_sockopt)
/* clang-format on */

#define RECORD_TYPES_MAX 16

#endif
