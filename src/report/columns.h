/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The columns that a report reads, looked up by name in the schema. */
#ifndef IOTRC_REPORT_COLUMNS_H
#define IOTRC_REPORT_COLUMNS_H

#include "schema/schema.h"

/* clang-format off */
#define REPORT_COLUMNS(X) \
	X(FS, operation) X(FS, pid) X(FS, tid) X(FS, command) X(FS, filename) X(FS, offset) \
	X(FS, bytes_completed) X(FS, device) X(FS, duration_ns) X(FS, return_value) X(FS, errno) \
	X(FS, cmdline) X(FS, ppid) X(FS, container_id) X(FS, fs_type) X(FS, mono_ns) \
	X(BLOCK, operation) X(BLOCK, pid) X(BLOCK, tid) X(BLOCK, command) X(BLOCK, sector) \
	X(BLOCK, size) X(BLOCK, latency_ms) X(BLOCK, device) X(BLOCK, flags) X(BLOCK, request_id) \
	X(BLOCK, mono_ns) \
	X(NW_CONN, event_type) X(NW_CONN, pid) X(NW_CONN, tid) X(NW_CONN, command) \
	X(NW_CONN, remote_addr) X(NW_CONN, sport) X(NW_CONN, dport) X(NW_CONN, latency_ns) \
	X(NW_CONN, return_value) X(NW_CONN, mono_ns) \
	X(NW_EPOLL, event_type) X(NW_EPOLL, pid) X(NW_EPOLL, tid) X(NW_EPOLL, latency_ns) \
	X(NW_EPOLL, errno) X(NW_EPOLL, command) X(NW_EPOLL, mono_ns) \
	X(NW_SOCKOPT, event_type) X(NW_SOCKOPT, pid) X(NW_SOCKOPT, tid) X(NW_SOCKOPT, errno) \
	X(NW_SOCKOPT, command) X(NW_SOCKOPT, mono_ns) \
	X(NW_DROP, event_type) X(NW_DROP, pid) X(NW_DROP, skb_len) X(NW_DROP, mono_ns) \
	X(CACHE, event_type) X(CACHE, pid) X(CACHE, cpu_id) X(CACHE, page_index) X(CACHE, count) \
	X(CACHE, device_id) X(CACHE, mono_ns) \
	X(PAGEFAULT, severity) X(PAGEFAULT, pid) X(PAGEFAULT, tid) X(PAGEFAULT, offset_pages) \
	X(PAGEFAULT, device_id) X(PAGEFAULT, mono_ns) \
	X(EXTENT, operation) X(EXTENT, size) X(EXTENT, kind) X(EXTENT, filename) \
	X(EXTENT, overlay_filename) X(EXTENT, command) X(EXTENT, cause) X(EXTENT, age_ms) \
	X(EXTENT, mono_ns) \
	X(LOST, count) X(LOST, cause) X(LOST, mono_ns) \
	X(PROCESS, pid) X(PROCESS, name) X(PROCESS, cmdline) X(PROCESS, mono_ns)
/* clang-format on */

#define COLUMN_NUMBER(stream, name) stream##_##name,
enum report_column { REPORT_COLUMNS(COLUMN_NUMBER) REPORT_COLUMN_COUNT };
#undef COLUMN_NUMBER

/* The index of each in a row; after columns__find(). */
extern unsigned char report_columns[REPORT_COLUMN_COUNT];

/* Looks them up; can be called again. */
void columns__find(void);

/* The field NAME of a row of STREAM. */
#define FIELD(fields, stream, name) (&(fields)[report_columns[stream##_##name]])

#endif
