/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of records, one row each: all that is to be known of them outside of their encoder. */
#ifndef IOTRC_RECORD_TYPES_H
#define IOTRC_RECORD_TYPES_H

#include "schema/records.h"
#include "schema/streams.h"

/* clang-format off */

/* X(type, the struct that it begins with, values of its second byte (0: any)) */
#define DEFINITION_TYPES(X) \
	X(REC_PATH, struct rec_path, PATH_SPECIAL + 1) \
	X(REC_TASK, struct rec_task, 0)

/* X(type, stream of its row, the struct that it begins with, bytes that it has at least, values of its
 * second byte (0: any), its encoder, whether its row never takes more than ROW_SHORT_MAX (rows/encode.h), where the ids of definitions
 * are, RECORD_IDS_MAX at most) */
#define AT(record, member) offsetof(struct record, member)
#define EVENT_TYPES(X) \
	X(REC_FS, STREAM_FS, struct rec_fs, sizeof(struct rec_fs), FS_OP_COUNT, fs, true, AT(rec_fs, task), AT(rec_fs, path)) \
	X(REC_FS_LONG, STREAM_FS, struct rec_fs_long, sizeof(struct rec_fs_long), FS_OP_COUNT, fs, false, AT(rec_fs, task), AT(rec_fs, path), AT(rec_fs_long, base), AT(rec_fs_long, base2)) \
	X(REC_BLOCK, STREAM_BLOCK, struct rec_block, sizeof(struct rec_block), 0, block, true, AT(rec_block, task)) \
	X(REC_CONN, STREAM_NW_CONN, struct rec_conn, offsetof(struct rec_conn, ends.un), CONN_CLOSE + 1, conn, true, AT(rec_conn, task)) \
	X(REC_CACHE, STREAM_CACHE, struct rec_cache, sizeof(struct rec_cache), CACHE_MISS_WRITE + 1, cache, true, AT(rec_cache, task)) \
	X(REC_FAULT, STREAM_PAGEFAULT, struct rec_fault, sizeof(struct rec_fault), FAULT_WRITE + 1, fault, true, AT(rec_fault, task)) \
	X(REC_DROP, STREAM_NW_DROP, struct rec_drop, sizeof(struct rec_drop), DROP_RETRANSMIT + 1, drop, true, AT(rec_drop, task)) \
	X(REC_EPOLL, STREAM_NW_EPOLL, struct rec_epoll, sizeof(struct rec_epoll), POLL_SELECT + 1, epoll, true, AT(rec_epoll, task)) \
	X(REC_SOCKOPT, STREAM_NW_SOCKOPT, struct rec_sockopt, sizeof(struct rec_sockopt), SOCKOPT_GET + 1, sockopt, true, AT(rec_sockopt, task))

/* clang-format on */

#define RECORD_TYPES_MAX 16
#define RECORD_IDS_MAX 4

#endif
