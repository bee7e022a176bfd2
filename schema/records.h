/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The records that an engine delivers, whatever it is made of: definitions, and the events that
 * refer to them by 64-bit ids. A definition is delivered before the first event that uses it.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC, numbers are in the byte order of the machine. No kernel
 * header is needed: BPF programs include this file as well as user space. */
#ifndef IOTRC_RECORDS_H
#define IOTRC_RECORDS_H

#include "schema/types.h"

#define PATH_BYTES 4096 /* PATH_MAX, the terminating NUL included */
#define CMDLINE_BYTES 512
#define COMM_BYTES 16
#define FSTYPE_BYTES 16
#define UNIX_PATH_BYTES 108

enum record_type {
	REC_PATH = 1,
	REC_TASK,
	REC_FS,
	REC_FS_LONG,
	REC_BLOCK,
	REC_CONN,
	REC_CACHE,
	REC_FAULT,
	REC_DROP,
	REC_EPOLL,
	REC_SOCKOPT,
	REC_EXTENT,
	REC_FLOW,
};

/* ---- definitions ---- */

enum path_kind {
	PATH_NAMED,  /* path is absolute */
	PATH_SPECIAL /* path is the dentry's own name: pipe, socket, anonymous inode, memfd */
};

enum path_flags {
	PATH_DELETED = 1 << 0,  /* no longer reachable by this name */
	PATH_CUT = 1 << 1,      /* was longer than PATH_BYTES: path is the end of it */
	PATH_DETACHED = 1 << 2, /* below a mount that is not attached */
};

struct rec_path {
	u8 type, kind;
	u16 len; /* of path, without a NUL */
	u32 flags;
	u64 id, ino;
	u32 dev; /* the kernel's own dev_t: major << 20 | minor */
	u32 mode;
	char fs_type[FSTYPE_BYTES];
	char path[];
};

struct rec_task {
	u8 type, pad;
	u16 len; /* of cmdline; each argument ends in NUL */
	u32 pid, tid, ppid;
	u32 cmdline_cut; /* the arguments are longer than cmdline */
	u32 uid;         /* 1 + the real user's id; 0: unknown */
	u64 id, cgroup;
	char comm[COMM_BYTES];
	char cmdline[];
};

/* ---- events ---- */

/* The duration of a call whose beginning was not seen. */
#define DURATION_UNKNOWN (~0ULL)

/* Which call it was, for operations that several different calls perform. In the top byte of
 * rec_fs.flags. */
enum fs_kind {
	KIND_NONE,
	KIND_CHMOD,
	KIND_CHOWN,
	KIND_UTIMES,
	KIND_CHROOT,
	KIND_PIVOT_ROOT,
	KIND_FLOCK,
	KIND_FCNTL_LOCK, /* flags: the command; the type of lock, if FS_HAS_SIZE */
	KIND_CLOSE_RANGE,
	KIND_MOVE_MOUNT,
	KIND_OPEN_TREE,
	KIND_FSMOUNT,
	KIND_MOUNT_SETATTR, /* aux, aux2: attributes set and cleared */
	KIND_SETFLAGS,      /* FS_IOC_SETFLAGS; flags: FS_*_FL */
	KIND_FSSETXATTR,
	KIND_FILE_SETATTR,
	KIND_FSOPEN,
	KIND_FSCONFIG, /* flags: the command; requested: the source, then the option's name */
	KIND_FSPICK,
	KIND_OPEN_TREE_ATTR, /* as MOUNT_SETATTR */
};
#define KIND_SHIFT 24
#define LOCK_COMMAND 0xff
#define LOCK_TYPE_SHIFT 8 /* 16 bits */

/* rec_fs.has: which fields are valid, and how the operation was requested. */
enum fs_has {
	FS_HAS_SIZE = 1 << 0,
	FS_HAS_OFFSET = 1 << 1,
	FS_HAS_BYTES = 1 << 2, /* ret counts bytes moved */
	FS_HAS_FLAGS = 1 << 3,
	FS_HAS_FILE_FLAGS = 1 << 4, /* flags are the O_* flags of the file */
	FS_AIO = 1 << 5,
	FS_IO_URING = 1 << 6,
	FS_ARGS_LATE = 1 << 7,   /* size, offset or flags could be read only after the call */
	FS_NO_RESULT = 1 << 8,   /* ret is unknown */
	FS_IN_PROGRESS = 1 << 9, /* the call has not ended: ns is when its state was read */
	FS_HAS_TOP = 1 << 10,    /* size is the top byte of flags, where the kind is */
};

/* rec_fs_long.has: which of the fields that only the long record has are valid. */
enum fs_long_has {
	LONG_HAS_ADDRESS = 1 << 0,
	LONG_HAS_PROT = 1 << 1,      /* aux and aux2: protection and flags of mmap() */
	LONG_HAS_INODE = 1 << 2,     /* ino, dev and mode of the file that the path reached */
	LONG_HAS_REQUESTED = 1 << 3, /* requested[] has a path */
	LONG_HAS_REQUESTED2 = 1 << 4,
	LONG_HAS_RWF = 1 << 5,     /* aux: RWF_* */
	LONG_LINK_TARGET = 1 << 6, /* the first path is the text of a symbolic link */
	LONG_TWO_FILES = 1 << 7,   /* from file path to file base2, both open */
	LONG_CONFINED = 1 << 8,    /* the path cannot leave base */
	LONG_READ_LATE = 1 << 9,   /* the path could be read only after the call */
	LONG_REPLACED = 1 << 10,   /* replaced: inode whose name the renamed file has taken */
	LONG_LAST_LINK = 1 << 11,  /* after an unlink the file has no other name */
	LONG_HAS_KIND = 1 << 12,   /* of a mount: flags begin with a kind */
	LONG_HAS_TYPE = 1 << 13,   /* fs_type is valid, even without an inode */
};

struct rec_fs {
	u8 type, op;
	u16 has; /* enum fs_has */
	u32 flags;
	u64 ns;       /* completion, CLOCK_MONOTONIC */
	u64 duration; /* ns */
	u64 task;     /* id of a rec_task */
	u64 path;     /* id of a rec_path, or 0 */
	s64 ret;
	u64 size, offset;
};

_Static_assert(sizeof(struct rec_fs) == 64, "a cache line");

struct rec_fs_long {
	struct rec_fs fs;
	u64 address;
	u32 aux, aux2;
	u64 ino;
	u32 dev, mode;   /* dev as in rec_path */
	u64 base, base2; /* ids of the directories that the paths are relative to, or 0 */
	u16 len, len2;   /* of the paths in requested, without NULs */
	u16 skip, skip2; /* bytes at the start of each that base and base2 stand for */
	u32 has;         /* enum fs_long_has */
	u64 replaced;
	char fs_type[FSTYPE_BYTES]; /* type of dev; empty if unknown */
	char requested[];           /* the paths, one after the other */
};

enum conn_event {
	CONN_SOCKET_CREATE,
	CONN_BIND,
	CONN_LISTEN,
	CONN_ACCEPT,
	CONN_CONNECT,
	CONN_SHUTDOWN,
	CONN_CLOSE,
};

#define FAMILY_UNIX 1 /* AF_UNIX, on each system that records come from */

/* The two ends of a socket. Addresses are in network byte order, ports in that of the machine. */
struct conn_ends {
	u16 family, sock_type;
	u16 sport, dport;
	u8 has_local,
		has_remote; /* for AF_UNIX the length of the path, whose first byte may be NUL */
	/* The family of an end that a call gave, if the socket has another one; otherwise 0. The
	 * address is then in un, as the bytes of ip or as a path. */
	u8 given;
	u8 late; /* the end that a call gave could be read only after the call */
	u8 pad[4];
	union {
		struct {
			u8 local[16], remote[16];
		} ip;
		struct {
			char local[UNIX_PATH_BYTES], remote[UNIX_PATH_BYTES];
		} un;
	};
};

/* Whether the record has the whole union. */
#define conn_ends_whole(ends) ((ends)->family == FAMILY_UNIX || (ends)->given)

struct rec_conn {
	u8 type, op;
	u8 no_fd;   /* the socket is in a slot of a ring and has no descriptor */
	u8 no_args; /* the arguments could not be read: only the result is known */
	s32 fd;
	u64 ns, duration, task;
	s64 ret;
	u32 arg;               /* backlog, how, or the type given to socket() */
	u32 domain;            /* the domain given to socket() */
	struct conn_ends ends; /* the record ends after ip unless conn_ends_whole() */
};

enum poll_call {
	POLL_CREATE,
	POLL_CTL,
	POLL_WAIT,
	POLL_POLL,
	POLL_SELECT,
};

#define TIMEOUT_NEVER (-1LL)
#define TIMEOUT_UNKNOWN (-2LL)

struct rec_epoll {
	u8 type, op;
	u8 has_events;
	u8 no_args; /* the arguments could not be read: max is unknown */
	s32 fd;     /* of the epoll instance */
	u64 ns, duration, task;
	s64 ret;
	s64 timeout_ns; /* or TIMEOUT_* */
	s64 max;
	s32 target, operation;
	u32 events;
	u32 late; /* events could be read only after the call */
};

enum sockopt_call { SOCKOPT_SET, SOCKOPT_GET };

#define SOCKOPT_BYTES 32

struct rec_sockopt {
	u8 type, op;
	u8 no_args;  /* the arguments could not be read: only the result is known */
	u8 no_value; /* there is a value, which could not be read */
	s32 fd;
	u64 ns, task;
	s64 ret;
	s32 level, name;
	u32 len;  /* length of the whole value; 0 if there is none */
	u32 late; /* the value of a SET could be read only after the call */
	char value[SOCKOPT_BYTES];
};

struct rec_block {
	u8 type, pad0;
	u16 cpu;
	u32 bytes;
	u64 ns;                  /* completion */
	u64 insert_ns, issue_ns; /* 0 if not seen */
	u64 task;
	u64 sector, request_id;
	u32 dev;       /* as in rec_path */
	u32 cmd_flags; /* operation and flags, in the numbers of this kernel */
	s32 error;     /* blk_status_t; a negative errno until 5.10 */
	u32 is_bio;    /* it is a bio, of a device that makes no requests */
};

enum cache_event {
	CACHE_HIT,
	CACHE_MISS,
	CACHE_DIRTY,
	CACHE_WRITEBACK_START,
	CACHE_WRITEBACK_END,
	CACHE_EVICT,
	CACHE_INVALIDATE,
	CACHE_READAHEAD,
	CACHE_RECLAIM,
	CACHE_MISS_WRITE,
};

struct rec_cache {
	u8 type, event;
	u16 cpu;
	u32 dev; /* as in rec_path */
	u64 ns;
	u64 task; /* 0 if it happened in an interrupt */
	u64 ino, index;
	/* size of the folio or range, and how many of its pages the event is about */
	u32 pages, count;
	u64 request_id; /* of WRITEBACK_*: the request that carries the pages; 0: not known */
};

enum fault_access { FAULT_UNKNOWN, FAULT_READ, FAULT_WRITE };

struct rec_fault {
	u8 type, access, major, pad;
	u32 dev; /* as in rec_path */
	u64 ns, task;
	u64 ino, page, address;
};

enum drop_event { DROP_PACKET, DROP_RETRANSMIT };

struct rec_drop {
	u8 type, event;
	u8 ipver, proto; /* 0 if there is no IP header */
	u32 skb_len;
	u64 ns;
	u64 task;         /* 0 if it happened in an interrupt */
	u32 reason;       /* enum skb_drop_reason */
	u16 sport, dport; /* in host byte order; 0 if the protocol or this fragment has none */
	u8 has_reason, tcp_state, pad[6];
	u8 src[16], dst[16];
};

/* Why there is a row of a connection, or of a UDP or unix socket. */
enum flow_event {
	FLOW_END,      /* it has ended */
	FLOW_ROTATION, /* it lives, and new files begin */
	FLOW_STOP,     /* it lives, and the recording ends */
};

#define FLOW_NO_RTT (~0u)

/* A TCP connection, with all that it has moved since it began; or a UDP or unix socket, with what
 * it has moved since the recording began, in datagrams instead of segments. It names its owner
 * itself, not by a rec_task: the process may have ended long before. */
struct rec_flow {
	u8 type, event;
	u8 proto; /* IPPROTO_*; 0: a unix socket */
	u8 state; /* TCP_*: of FLOW_END the last one before TCP_CLOSE; 0 if it is not TCP */
	s32 error;
	u64 ns;
	/* for a socket since it first moved something; DURATION_UNKNOWN: it began before the
	 * recording */
	u64 duration;
	u64 bytes_sent, bytes_received; /* of data, each byte once */
	u64 segments_sent, segments_received;
	u32 retransmits;
	u32 srtt_us;    /* 0: not measured */
	u32 min_rtt_us; /* FLOW_NO_RTT: not measured */
	u32 pid, tid;   /* 0: not known */
	u32 socket;     /* its inode; 0: a connection */
	u64 cgroup;     /* of the owner */
	char comm[COMM_BYTES];
	struct conn_ends ends;
};

/* What a part of a block request is (docs/lineage.md). */
enum extent_kind {
	EXTENT_UNKNOWN,
	EXTENT_DATA,
	EXTENT_DIRECT,
	EXTENT_METADATA,
	EXTENT_JOURNAL,
	EXTENT_SWAP,
	EXTENT_READAHEAD,
};

/* Why a part is EXTENT_UNKNOWN; of UNKNOWN_SUBMISSION, or why only its submitter is not known. Of
 * UNKNOWN_NAME, which no record has: user space finds that a part of a file has no name. */
enum extent_reason {
	UNKNOWN_NOT,
	UNKNOWN_OPERATION,  /* neither a read nor a write: it carries no pages */
	UNKNOWN_MEMORY,     /* the memory is not of the page cache, and its maker is not known */
	UNKNOWN_SEGMENTS,   /* more parts than are followed */
	UNKNOWN_SUBMISSION, /* before the recording began, or its note found no room */
	UNKNOWN_NAME,       /* the kernel had no name of the file any more, or it found no room */
	UNKNOWN_REASONS
};

enum extent_cause {
	CAUSE_UNKNOWN,
	CAUSE_FSYNC,
	CAUSE_SYNC,
	CAUSE_MSYNC,
	CAUSE_EXPIRY,
	CAUSE_BACKGROUND,
	CAUSE_MEMORY,
	CAUSE_DIRECT,
	CAUSE_O_SYNC,
	CAUSE_READAHEAD,
	CAUSE_FAULT,
	CAUSE_READ,
	CAUSE_TRUNCATE,
	CAUSE_UNMOUNT,
	CAUSES
};

#define EXTENT_NO_AGE (~0ULL)
#define EXTENT_NO_OFFSET (~0ULL)

/* A contiguous run of one file in a block request. It names its owner itself, not by a rec_task:
 * the thread that dirtied a page may have ended long before the page is written. */
struct rec_extent {
	u8 type, kind;
	u8 cause, reason;
	u32 bytes;
	u64 ns; /* the request's issue */
	u64 request_id;
	u64 sector;
	u64 path; /* id of a rec_path, or 0 */
	u64 ino;  /* 0: no file is known */
	u64 offset;
	u64 age;                 /* ns since the oldest page was dirtied */
	u64 cgroup;              /* of the owner */
	u32 pid, tid;            /* 0: not known */
	u32 dev, fs_dev;         /* as in rec_path; fs_dev 0: no file system is known */
	u32 op;                  /* REQ_OP_*, in the numbers of this kernel */
	u32 seen_dev;            /* 0: the file is not known to be the layer of an overlay's */
	u64 seen_path, seen_ino; /* of the overlay's */
	char comm[COMM_BYTES];
	char fs_type[FSTYPE_BYTES];
};

/* ---- the types, one row each: everything about them that is needed outside their encoders ---- */

/* clang-format off */

/* X(type, the struct that it begins with, values of its second byte (0: any)) */
#define DEFINITION_TYPES(X) \
	X(REC_PATH, struct rec_path, PATH_SPECIAL + 1) \
	X(REC_TASK, struct rec_task, 0)

/* X(type, stream of its row, the struct that it begins with, its minimum size in bytes, values of
 * its second byte (0: any), its encoder, whether its row never takes more than ROW_SHORT_MAX
 * (rows/encode.h), where the ids of definitions are in it, RECORD_IDS_MAX at most). Only for user
 * space: it needs <stddef.h>. */
#define RECORD_AT(record, member) offsetof(struct record, member)
#define EVENT_TYPES(X) \
	X(REC_FS, STREAM_FS, struct rec_fs, sizeof(struct rec_fs), FS_OP_COUNT, fs, true, RECORD_AT(rec_fs, task), RECORD_AT(rec_fs, path)) \
	X(REC_FS_LONG, STREAM_FS, struct rec_fs_long, sizeof(struct rec_fs_long), FS_OP_COUNT, fs, false, RECORD_AT(rec_fs, task), RECORD_AT(rec_fs, path), RECORD_AT(rec_fs_long, base), RECORD_AT(rec_fs_long, base2)) \
	X(REC_BLOCK, STREAM_BLOCK, struct rec_block, sizeof(struct rec_block), 0, block, true, RECORD_AT(rec_block, task)) \
	X(REC_CONN, STREAM_NW_CONN, struct rec_conn, offsetof(struct rec_conn, ends.un), CONN_CLOSE + 1, conn, true, RECORD_AT(rec_conn, task)) \
	X(REC_CACHE, STREAM_CACHE, struct rec_cache, sizeof(struct rec_cache), CACHE_MISS_WRITE + 1, cache, true, RECORD_AT(rec_cache, task)) \
	X(REC_FAULT, STREAM_PAGEFAULT, struct rec_fault, sizeof(struct rec_fault), FAULT_WRITE + 1, fault, true, RECORD_AT(rec_fault, task)) \
	X(REC_DROP, STREAM_NW_DROP, struct rec_drop, sizeof(struct rec_drop), DROP_RETRANSMIT + 1, drop, true, RECORD_AT(rec_drop, task)) \
	X(REC_EPOLL, STREAM_NW_EPOLL, struct rec_epoll, sizeof(struct rec_epoll), POLL_SELECT + 1, epoll, true, RECORD_AT(rec_epoll, task)) \
	X(REC_SOCKOPT, STREAM_NW_SOCKOPT, struct rec_sockopt, sizeof(struct rec_sockopt), SOCKOPT_GET + 1, sockopt, true, RECORD_AT(rec_sockopt, task)) \
	X(REC_EXTENT, STREAM_EXTENT, struct rec_extent, sizeof(struct rec_extent), EXTENT_READAHEAD + 1, extent, true, RECORD_AT(rec_extent, path), RECORD_AT(rec_extent, seen_path)) \
	X(REC_FLOW, STREAM_NW_FLOW, struct rec_flow, sizeof(struct rec_flow), FLOW_STOP + 1, flow, true)

/* clang-format on */

#define RECORD_TYPES_MAX 16
#define RECORD_IDS_MAX 4

#endif
