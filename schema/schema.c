// SPDX-License-Identifier: GPL-2.0-or-later
#include "schema/schema.h"

#include <errno.h>
#include <string.h>

#include "schema/fs_ops.h"
#include "schema/row_counts.h"

#define FS_OP_WORD(sym, name) name " "
#define WORDS_FS_OP FS_OPS(FS_OP_WORD)

/* Columns that several streams have. */
/* clang-format off */
#define TIMESTAMP(what) { "timestamp", COL_WALL, "", NULL, "Wall time of " what }
#define MONO(what)      { "mono_ns", COL_MONO, "ns", NULL, "CLOCK_MONOTONIC time of " what }
#define PID             { "pid", COL_UINT, "", NULL, "Process (thread group) id" }
#define TID             { "tid", COL_UINT, "", NULL, "Thread id" }
#define PPID            { "ppid", COL_UINT, "", NULL, "Process id of the parent" }
#define COMMAND         { "command", COL_TEXT, "", NULL, "Name of the thread, up to 15 bytes" }
#define CPU             { "cpu_id", COL_UINT, "", NULL, "CPU on which the event occurred" }
#define INODE           { "inode", COL_INODE, "", NULL, "Inode number" }
#define DEVICE_ID       { "device_id", COL_UINT, "", NULL, \
			  "dev_t, major << 20 | minor: the device of other streams is MAJOR:MINOR" }
#define IPVER           { "ipver", COL_WORD, "", "4 6", "IP version; empty for other families" }
#define SPORT           { "sport", COL_UINT, "", NULL, "Local or source port" }
#define DPORT           { "dport", COL_UINT, "", NULL, "Remote or destination port" }
#define RETURN_VALUE    { "return_value", COL_INT, "", NULL, \
			  "Value that the system call returned; the negative errno on failure" }
#define ERRNO           { "errno", COL_WORD, "", NULL, "Name of the error, such as ENOENT; empty on success" }
#define ARGS_FLAGS      { "flags", COL_FLAGS, "", NULL, \
			  "ARGS_LATE: a value that the call was given in memory could be read only " \
			  "when it had ended, and may have been changed until then" }

/* clang-format on */
#define FS_TIME "the operation's completion; it began duration_ns earlier"

static const struct column fs_columns[] = {
	TIMESTAMP(FS_TIME),
	{ "operation", COL_WORD, "", WORDS_FS_OP, "Operation" },
	PID,
	TID,
	COMMAND,
	{ "filename", COL_TEXT, "", NULL,
	  "Absolute path below the root directory of the process; 'old -> new' for two paths" },
	{ "size", COL_INT, "bytes", NULL,
	  "Requested: bytes to transfer, length of a mapping, new length for truncate; "
	  "negative above 2^63 - 1. For the sum of bytes transferred use bytes_completed" },
	{ "offset", COL_INT, "bytes", NULL, "Position in the file at which the transfer began" },
	{ "bytes_completed", COL_UINT, "bytes", NULL, "Bytes transferred; empty on failure",
	  "bytes moved" },
	INODE,
	{ "device", COL_DEVICE, "", NULL, "Device of the filesystem, major:minor" },
	{ "flags", COL_FLAGS, "", NULL, "Symbolic flags of the operation, or of the open file" },
	{ "duration_ns", COL_UINT, "ns", NULL, "From the start to the completion",
	  "time in calls; concurrent calls count separately" },
	RETURN_VALUE,
	ERRNO,
	{ "mmap_prot", COL_FLAGS, "", NULL, "PROT_* of a mapping" },
	{ "mmap_flags", COL_FLAGS, "", NULL, "MAP_* of a mapping" },
	{ "address", COL_ADDRESS, "", NULL, "Address of a mapping" },
	{ "cmdline", COL_TEXT, "", NULL,
	  "argv, separated by blanks; cut after 512 bytes, with '...'" },
	PPID,
	{ "container_id", COL_UINT, "", NULL, "cgroup v2 id of the process" },
	{ "fs_type", COL_WORD, "", NULL, "Filesystem type, by the kernel's name" },
	MONO(FS_TIME),
};

#define BLOCK_TIME "the request's completion"

static const struct column block_columns[] = {
	TIMESTAMP(BLOCK_TIME),
	/* The kernel's own names, which kernels add to: an open list. */
	{ "operation", COL_WORD, "", NULL, "Base operation: read, write, flush, discard..." },
	PID,
	TID,
	COMMAND,
	{ "sector", COL_UINT, "512 bytes", NULL, "First sector, in units of 512 bytes" },
	{ "size", COL_UINT, "bytes", NULL, "Bytes of the request",
	  "bytes requested from devices, failed requests included" },
	{ "latency_ms", COL_FLOAT, "ms", NULL, "From the first issue to completion",
	  "time in devices; concurrent requests count separately" },
	{ "device", COL_DEVICE, "", NULL, "The disk, major:minor" },
	{ "flags", COL_FLAGS, "", NULL,
	  "sync|meta|ahead|prio|fua|preflush|background|nowait..., error=ERRNO on failure" },
	CPU,
	PPID,
	{ "queue_latency_ms", COL_FLOAT, "ms", NULL, "From insertion into the queue to issue",
	  "time in queues; concurrent requests count separately" },
	{ "command_flags", COL_FLAGS, "", NULL, "REQ_* flags" },
	{ "operation_code", COL_WORD, "", NULL, "REQ_OP_* code" },
	{ "request_id", COL_UINT, "", NULL, "Number of the request, unique within the session" },
	MONO(BLOCK_TIME),
};

static const struct column nw_conn_columns[] = {
	TIMESTAMP("the call's completion"),
	{ "event_type", COL_WORD, "", "SOCKET_CREATE BIND LISTEN ACCEPT CONNECT SHUTDOWN CLOSE",
	  "What was done" },
	PID,
	TID,
	COMMAND,
	{ "domain", COL_WORD, "", NULL, "AF_* address family" },
	{ "sock_type", COL_FLAGS, "", NULL, "SOCK_* type" },
	IPVER,
	{ "local_addr", COL_TEXT, "", NULL, "Local address; the path for AF_UNIX" },
	{ "remote_addr", COL_TEXT, "", NULL, "Address of the peer; the path for AF_UNIX" },
	SPORT,
	DPORT,
	{ "fd", COL_INT, "", NULL, "File descriptor of the socket" },
	{ "backlog", COL_INT, "", NULL, "Backlog passed to listen" },
	{ "shutdown_how", COL_WORD, "", "SHUT_RD SHUT_WR SHUT_RDWR",
	  "Direction that was shut down" },
	{ "latency_ns", COL_UINT, "ns", NULL, "From the start of the call to its completion",
	  "time in calls; concurrent calls count separately" },
	RETURN_VALUE,
	ARGS_FLAGS,
	MONO("the call's completion"),
};

static const struct column nw_epoll_columns[] = {
	TIMESTAMP("the call's completion"),
	{ "event_type", COL_WORD, "", "EPOLL_CREATE EPOLL_CTL EPOLL_WAIT POLL SELECT",
	  "What was done" },
	PID,
	TID,
	COMMAND,
	{ "epoll_fd", COL_INT, "", NULL, "File descriptor of the epoll instance" },
	{ "target_fd", COL_INT, "", NULL,
	  "File descriptor added, modified or removed by epoll_ctl" },
	{ "operation", COL_WORD, "", "EPOLL_CTL_ADD EPOLL_CTL_MOD EPOLL_CTL_DEL",
	  "Operation of epoll_ctl" },
	{ "event_mask", COL_FLAGS, "", NULL, "Requested EPOLL* events" },
	{ "max_events", COL_INT, "", NULL,
	  "Maximum number of events to return, or number of descriptors polled" },
	{ "ready_count", COL_INT, "", NULL, "Number of events or descriptors that were ready" },
	{ "timeout_ms", COL_FLOAT, "ms", NULL, "Requested timeout; -1 waits without limit" },
	{ "latency_ns", COL_UINT, "ns", NULL, "From the start of the call to its completion",
	  "time in calls; concurrent calls count separately" },
	RETURN_VALUE,
	ERRNO,
	ARGS_FLAGS,
	MONO("the call's completion"),
};

static const struct column nw_sockopt_columns[] = {
	TIMESTAMP("the call's completion"),
	{ "event_type", COL_WORD, "", "SET GET", "setsockopt or getsockopt" },
	PID,
	COMMAND,
	{ "fd", COL_INT, "", NULL, "File descriptor of the socket" },
	{ "level", COL_WORD, "", NULL, "SOL_* or IPPROTO_* level" },
	{ "option_name", COL_WORD, "", NULL, "Name of the option" },
	{ "optval", COL_TEXT, "", NULL, "Value set or returned" },
	RETURN_VALUE,
	ERRNO,
	TID,
	ARGS_FLAGS,
	MONO("the call's completion"),
};

static const struct column nw_drop_columns[] = {
	TIMESTAMP("the event"),
	{ "event_type", COL_WORD, "", "PACKET_DROP TCP_RETRANSMIT", "What happened" },
	PID,
	COMMAND,
	{ "proto", COL_WORD, "", NULL, "Transport protocol" },
	IPVER,
	{ "src_addr", COL_TEXT, "", NULL, "Source address" },
	{ "dst_addr", COL_TEXT, "", NULL, "Destination address" },
	SPORT,
	DPORT,
	{ "skb_len", COL_UINT, "bytes", NULL, "Length of the packet",
	  "bytes dropped or retransmitted" },
	{ "drop_reason", COL_UINT, "", NULL, "Drop reason, by the kernel's number" },
	{ "tcp_state", COL_WORD, "", NULL, "TCP_* state of the socket" },
	MONO("the event"),
};

#define FLOW_TIME "the end of the connection or socket, or the look at it"

static const struct column nw_flow_columns[] = {
	TIMESTAMP(FLOW_TIME),
	{ "event_type", COL_WORD, "", "END ROTATION STOP",
	  "Why there is a row: the connection or socket has ended; or it lives, and new files begin, or "
	  "the recording ends. Each has one row END or STOP" },
	PID,
	TID,
	COMMAND,
	{ "proto", COL_WORD, "", "TCP UDP UNIX_STREAM UNIX_DGRAM UNIX_SEQPACKET", "Protocol" },
	IPVER,
	{ "local_addr", COL_TEXT, "", NULL, "Local address" },
	{ "remote_addr", COL_TEXT, "", NULL, "Address of the peer" },
	SPORT,
	DPORT,
	{ "bytes_sent", COL_UINT, "bytes", NULL,
	  "Data sent since the connection began, each byte once; by other sockets than TCP's since the "
	  "recording began",
	  "bytes sent, of END and STOP rows" },
	{ "bytes_received", COL_UINT, "bytes", NULL, "Data received, likewise",
	  "bytes received, of END and STOP rows" },
	{ "segments_sent", COL_UINT, "", NULL,
	  "Segments sent, with retransmits and those without data; of other protocols datagrams" },
	{ "segments_received", COL_UINT, "", NULL, "Segments received, likewise" },
	{ "retransmits", COL_UINT, "", NULL, "Segments sent again" },
	{ "srtt_us", COL_UINT, "us", NULL,
	  "Smoothed round-trip time; empty if it was never measured" },
	{ "min_rtt_us", COL_UINT, "us", NULL, "Least round-trip time of the last minutes" },
	{ "duration_ns", COL_UINT, "ns", NULL,
	  "Since the connection was asked for or accepted by the kernel, empty if that was before the "
	  "recording; since another socket than TCP's moved something first",
	  "time of connections" },
	{ "state", COL_WORD, "", NULL, "TCP_* state; in END rows the last one before TCP_CLOSE" },
	{ "container_id", COL_UINT, "", NULL, "cgroup v2 id of the process" },
	MONO(FLOW_TIME),
};

static const struct column cache_columns[] = {
	TIMESTAMP("the event"),
	PID,
	COMMAND,
	{ "event_type", COL_WORD, "",
	  "HIT MISS MISS_WRITE DIRTY WRITEBACK_START WRITEBACK_END EVICT INVALIDATE READAHEAD RECLAIM",
	  "What happened to the pages" },
	INODE,
	{ "page_index", COL_UINT, "pages", NULL, "First page, relative to the start of the file" },
	{ "size_pages", COL_UINT, "pages", NULL, "Pages of the folio or range" },
	CPU,
	DEVICE_ID,
	{ "count", COL_UINT, "", NULL, "Number of pages that the event concerns", "pages" },
	{ "request_id", COL_UINT, "", NULL,
	  "Of WRITEBACK_START and _END: number of the request, as in block, where it is known" },
	MONO("the event"),
};

static const struct column pagefault_columns[] = {
	TIMESTAMP("the fault"),
	PID,
	TID,
	COMMAND,
	{ "fault_type", COL_WORD, "", "READ WRITE", "Access that caused the fault" },
	{ "severity", COL_WORD, "", "MAJOR MINOR", "MAJOR if the page was read from storage" },
	INODE,
	{ "offset_pages", COL_UINT, "pages", NULL, "Page of the file that was accessed" },
	{ "address", COL_ADDRESS, "", NULL, "Address that was accessed" },
	DEVICE_ID,
	MONO("the fault"),
};

#define EXTENT_TIME "the request's issue to the device"

static const struct column extent_columns[] = {
	TIMESTAMP(EXTENT_TIME),
	{ "request_id", COL_UINT, "", NULL, "Number of the request, as in block" },
	{ "device", COL_DEVICE, "", NULL, "The disk, major:minor" },
	{ "sector", COL_UINT, "512 bytes", NULL, "First sector, in units of 512 bytes" },
	{ "size", COL_UINT, "bytes", NULL, "Bytes of this part of the request",
	  "bytes requested from devices, failed requests included" },
	/* The kernel's own names, as in block. */
	{ "operation", COL_WORD, "", NULL, "Base operation: read, write, discard..." },
	{ "kind", COL_WORD, "", "data direct metadata journal swap readahead unknown",
	  "What the bytes are" },
	{ "filename", COL_TEXT, "", NULL,
	  "Absolute path of the file, in the first mount namespace if it is mounted there; empty if "
	  "the kernel had no name of it any more (extent_unknown.name of the manifest)" },
	INODE,
	{ "fs_device", COL_DEVICE, "", NULL,
	  "Device of the filesystem, major:minor, as device in fs" },
	{ "offset", COL_INT, "bytes", NULL, "Position of the first byte in the file" },
	{ "pid", COL_UINT, "", NULL,
	  "Process id of the owner: who asked for it, or made the pages dirty" },
	{ "tid", COL_UINT, "", NULL, "Thread id of the owner" },
	{ "command", COL_TEXT, "", NULL, "Name of the owner's thread, up to 15 bytes" },
	{ "container_id", COL_UINT, "", NULL, "cgroup v2 id of the owner, at that time" },
	{ "age_ms", COL_FLOAT, "ms", NULL, "Since the oldest of these pages was made dirty" },
	{ "cause", COL_WORD, "",
	  "fsync sync msync dirty_expiry background_threshold memory_pressure O_DIRECT O_SYNC "
	  "readahead fault read truncate unmount",
	  "Why the request was made; empty if that is not known" },
	{ "fs_type", COL_WORD, "", NULL, "Filesystem type, by the kernel's name" },
	{ "overlay_filename", COL_TEXT, "", NULL,
	  "Of a layer's file on overlayfs: path of the file as the process saw it" },
	{ "overlay_inode", COL_UINT, "", NULL, "Inode number of that file, as in fs" },
	{ "overlay_device", COL_DEVICE, "", NULL, "Device of that file, as in fs" },
	MONO(EXTENT_TIME),
};

#define STREAM_WORD(symbol, key, ...) #key " "
static const struct column lost_columns[] = {
	TIMESTAMP("the end of the span"),
	{ "stream", COL_WORD, "", CAPTURED_STREAMS(STREAM_WORD) OTHER_STREAMS(STREAM_WORD),
	  "Stream whose rows were lost" },
	{ "cause", COL_WORD, "", "ring queue disk shed compression missed",
	  "Where rows were lost: ring (the kernel's buffers), queue (to the writer), or disk. With "
	  "--on-overload=lighten: shed (rows dropped deliberately), compression (no rows lost, "
	  "streams other than fs compressed less). missed: events for which no program ran; not in "
	  "the counts of rows" },
	{ "count", COL_UINT, "rows", NULL, "Rows lost in this span; events for missed",
	  "rows lost; events for missed" },
	{ "from_mono_ns", COL_UINT, "ns", NULL, "Start of the span, CLOCK_MONOTONIC" },
	{ "to_mono_ns", COL_UINT, "ns", NULL, "End of the span, CLOCK_MONOTONIC" },
	{ "cpu_id", COL_UINT, "", NULL,
	  "CPU whose ring was full, or that dropped rows; empty for other causes" },
	MONO("the end of the span"),
};

static const struct column process_columns[] = {
	TIMESTAMP("the snapshot"),
	PID,
	{ "name", COL_TEXT, "", NULL, "Name of the process, up to 15 bytes" },
	{ "cmdline", COL_TEXT, "", NULL,
	  "argv, separated by blanks; cut after 512 bytes, with '...'" },
	{ "vms_kb", COL_UINT, "KiB", NULL, "Virtual memory" },
	{ "rss_kb", COL_UINT, "KiB", NULL, "Resident memory" },
	{ "creation_time", COL_WALL, "", NULL, "Wall time at which the process started" },
	{ "cpu_5s", COL_FLOAT, "% of one core", NULL, "CPU used over the last 5 seconds" },
	{ "cpu_2m", COL_FLOAT, "% of one core", NULL, "CPU used over the last 2 minutes" },
	{ "cpu_1h", COL_FLOAT, "% of one core", NULL, "CPU used over the last hour" },
	{ "status", COL_WORD, "",
	  "running sleeping disk-sleep stopped tracing-stop zombie dead idle", "State" },
	MONO("the snapshot"),
};

static const struct column filesystem_snapshot_columns[] = {
	{ "snapshot_timestamp", COL_WALL, "", NULL, "Wall time at which the file was examined" },
	{ "file_path", COL_TEXT, "", NULL, "Absolute path" },
	{ "size", COL_INT, "bytes", NULL,
	  "Size; -1 if the file has disappeared since the last snapshot" },
	{ "creation_time", COL_WALL, "", NULL, "Birth time, if the filesystem stores it" },
	{ "modification_time", COL_WALL, "", NULL, "Time of the last change of the content" },
	{ "access_time", COL_WALL, "", NULL, "Time of the last access" },
	{ "physical_size", COL_INT, "bytes", NULL, "Bytes allocated on the device" },
	INODE,
	{ "device", COL_DEVICE, "", NULL, "Device of the filesystem, major:minor" },
	{ "nlinks", COL_UINT, "", NULL, "Number of hard links" },
	{ "flags", COL_FLAGS, "", NULL, "Attributes of the file" },
	MONO("the examination"),
};

#define STREAM(symbol, key_, wall_, description_) \
	[STREAM_##symbol] = { .key = #key_, \
			      .subdir = #key_, \
			      .prefix = #key_, \
			      .description = description_, \
			      .wall_clock = wall_, \
			      .columns = key_##_columns, \
			      .n_columns = sizeof(key_##_columns) / sizeof(*(key_##_columns)) },
const struct stream_schema schema_streams[STREAM_COUNT] = { CAPTURED_STREAMS(STREAM)
								    OTHER_STREAMS(STREAM) };

const char *const schema_type_names[COL_TYPES] = {
	[COL_WALL] = "timestamp", [COL_MONO] = "uint64",     [COL_UINT] = "uint64",
	[COL_INODE] = "uint64",   [COL_INT] = "int64",       [COL_FLOAT] = "float",
	[COL_TEXT] = "text",      [COL_WORD] = "word",       [COL_FLAGS] = "flags",
	[COL_DEVICE] = "device",  [COL_ADDRESS] = "address",
};

int schema__find(const char *key)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		if (!strcmp(schema_streams[i].key, key))
			return i;
	return -ENOENT;
}

int schema__column(enum stream stream, const char *name, size_t len)
{
	const struct stream_schema *s = &schema_streams[stream];

	for (size_t i = 0; i < s->n_columns; i++)
		if (strlen(s->columns[i].name) == len && !memcmp(s->columns[i].name, name, len))
			return (int)i;
	return -1;
}

size_t schema__least_columns(enum stream stream)
{
	/* Columns that were added since the first version. */
	static const unsigned char added[STREAM_COUNT] = {
		[STREAM_CACHE] = 1,    [STREAM_EXTENT] = 3,     [STREAM_NW_CONN] = 1,
		[STREAM_NW_EPOLL] = 3, [STREAM_NW_SOCKOPT] = 3,
	};

	return schema_streams[stream].n_columns - added[stream];
}

size_t schema__column_of_field(enum stream stream, size_t n, size_t i)
{
	return i + 1 < n ? i : schema_streams[stream].n_columns - 1;
}

size_t schema__header_of(enum stream stream, size_t n, char *buf)
{
	const struct column *columns = schema_streams[stream].columns;
	char *p = buf;

	for (size_t i = 0; i < n; i++) {
		p = stpcpy(p, columns[schema__column_of_field(stream, n, i)].name);
		*p++ = i + 1 < n ? ',' : '\n';
	}
	return p - buf;
}

size_t schema__header(enum stream stream, char *buf)
{
	return schema__header_of(stream, schema_streams[stream].n_columns, buf);
}

const char *const lost_causes[LOST_CAUSES] = {
	[LOST_RING] = "ring",
	[LOST_QUEUE] = "queue",
	[LOST_DISK] = "disk",
	[LOST_SHED] = "shed",
};
