/* SPDX-License-Identifier: GPL-2.0-only */
/* What travels from the kernel to the program: one definition for both sides.
 *
 * Definitions (REC_PATH, REC_TASK) go through a ring of their own; events, in rings per CPU, carry
 * their 64-bit ids. A definition is submitted before the first event that may use it, so a reader
 * that notes the ends of the event rings, drains the definitions, and only then reads the events
 * up to the noted ends finds every id known.
 *
 * Includer provides __u8 … __s64. */
#ifndef IOTRC_RECORDS_H
#define IOTRC_RECORDS_H

#include "schema/streams.h"

#define MAX_CPUS 512      /* slots of per-CPU counters and rings; CPUs beyond share them */
#define MAX_SYSCALLS 512  /* the largest table: x86-64 ends at 470 in Linux 6.18 */
#define MAX_SOCKETCALLS 32 /* include/uapi/linux/net.h ends at 20 */
#define PATH_BYTES 4096   /* PATH_MAX, the terminating NUL included */
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
};

/* ---- the table of system calls, filled by src/syscalls.c ---- */

/* An argument's place in struct syscall_desc: ARG(0) is the first; 0 says there is none. */
#define ARG(n) ((n) + 1)

enum syscall_shape {
	SHAPE_NONE,   /* not traced */
	SHAPE_FD,     /* acts on an open file */
	SHAPE_OPEN,   /* takes a path, returns an open file */
	SHAPE_PATH,   /* takes one or two paths */
	SHAPE_MMAP,
	SHAPE_RANGE,  /* acts on a range of addresses */
	SHAPE_PLAIN,  /* acts on no file in particular */
	SHAPE_TWO_FILES, /* moves data from the open file fd to the open file fd2 */
	SHAPE_IOCTL,  /* the requests that clone */
	SHAPE_FCNTL,  /* the commands that lock */
	SHAPE_AIO,    /* about a context of kernel AIO; with path, io_submit() */
	SHAPE_FORK,
	SHAPE_EXEC,
	SHAPE_CONN,   /* acts on a socket */
	SHAPE_EPOLL,  /* waits for open files, or says which */
	SHAPE_SOCKOPT,
	SHAPE_SOCKETCALL, /* one of many, which its first argument tells */
};

enum syscall_props {
	PROP_BYTES = 1 << 0,      /* the result is a number of bytes moved */
	PROP_SEQUENTIAL = 1 << 1, /* moves the file position */
	PROP_IOVEC = 1 << 2,      /* size is a pointer to iovecs, the next argument their number */
	PROP_HILO = 1 << 3,       /* offset is a low and a high half */
	PROP_PGOFF = 1 << 4,      /* offset counts pages of 4096 bytes (mmap2) */
	PROP_STAT = 1 << 5,       /* aux points to a struct stat that the kernel has filled */
	PROP_STATX = 1 << 6,      /* … a struct statx */
	PROP_BASE_FIRST = 1 << 7, /* changes names: the directory is resolved on entry */
	PROP_CLOSES = 1 << 8,     /* of a socket, too */
	PROP_CLONE3 = 1 << 9,     /* flags is a pointer to struct clone_args */
	PROP_FILE_FLAGS = 1 << 10, /* the row's flags are those the file was opened with */
	PROP_CREAT = 1 << 11,     /* creat(): flags are implied */
	PROP_RWF = 1 << 12,       /* aux holds RWF_* flags */
	PROP_LINK_TARGET = 1 << 13, /* the first path is text, not to be made absolute (symlink, mount) */
	PROP_OPEN_HOW = 1 << 14,  /* aux points to struct open_how, which begins with the flags */
	PROP_REMOVEDIR = 1 << 15, /* with AT_REMOVEDIR in flags it is rmdir */
	PROP_NAMES = 1 << 16,     /* may change the names of open files, whoever calls it */
	PROP_HILO_SIZE = 1 << 17, /* size is a low and a high half */
	PROP_NULL_IS_FD = 1 << 18, /* without a path it acts on fd */
	PROP_EMPTY_IS_FD = 1 << 19, /* with an empty path it acts on fd, AT_EMPTY_PATH or not */
	PROP_OFFSET_AT = 1 << 20, /* offset points to it, and has been moved on */
	PROP_OFFSET_32 = 1 << 21, /* … and has 32 bits */
	PROP_ARGS_AT = 1 << 22,   /* the one argument points to the arguments, 32 bits each */
	PROP_XATTR_ARGS = 1 << 23, /* aux points to struct xattr_args: size and flags */
	PROP_STAT64 = 1 << 24,    /* aux points to a 32-bit program's struct stat64 */
};

struct syscall_desc {
	__u8 shape, stream, op;
	__u8 fd;               /* the file, or the directory that path is relative to */
	__u8 path, fd2, path2;
	__u8 size, offset, flags, aux;
	__u8 at;               /* AT_* flags, where they are more than the row's flags */
	__u8 kind, pad[3];
	__u32 props;
};

/* Operations that several quite different calls perform say which; it travels in the top byte of the
 * record's flags. */
enum fs_kind {
	KIND_NONE,
	KIND_CHMOD,
	KIND_CHOWN,
	KIND_UTIMES,
	KIND_CHROOT,
	KIND_PIVOT_ROOT,
	KIND_FLOCK,
	KIND_FCNTL_LOCK,       /* flags: the command; aux: the type of lock, with FS_HAS_SIZE */
	KIND_CLOSE_RANGE,
	KIND_MOVE_MOUNT,
	/* What the timeout of a call that waits is: these never travel. */
	KIND_MILLISECONDS,
	KIND_TIMEVAL,
	KIND_TIMESPEC,
	KIND_TIMESPEC64,       /* … in 32-bit calls, too */
};
#define KIND_SHIFT 24

/* ---- definitions ---- */

enum path_kind {
	PATH_NAMED,  /* path is absolute */
	PATH_SPECIAL /* path is the dentry's own name: pipe, socket, anonymous inode, memfd */
};

enum path_flags {
	PATH_DELETED = 1 << 0,   /* no longer reachable by this name */
	PATH_CUT = 1 << 1,       /* longer than PATH_BYTES: the tail */
};

struct rec_path {
	__u8 type, kind;
	__u16 len;             /* of path, without a NUL */
	__u32 flags;
	__u64 id, ino;
	__u32 dev;             /* the kernel's own dev_t: major << 20 | minor */
	__u32 mode;
	char fs_type[FSTYPE_BYTES];
	char path[];
};

struct rec_task {
	__u8 type, pad;
	__u16 len;             /* of cmdline as read; the arguments end in NUL each */
	__u32 pid, tid, ppid;
	__u32 cmdline_cut;     /* there is more than was read */
	__u32 pad2;
	__u64 id, cgroup;
	char comm[COMM_BYTES];
	char cmdline[];
};

/* ---- events ---- */

enum fs_has {
	FS_HAS_SIZE = 1 << 0,
	FS_HAS_OFFSET = 1 << 1,
	FS_HAS_BYTES = 1 << 2,   /* ret counts bytes moved */
	FS_HAS_FLAGS = 1 << 3,
	FS_HAS_FILE_FLAGS = 1 << 4, /* flags are the file's O_* */
	FS_HAS_ADDRESS = 1 << 5,
	FS_HAS_PROT = 1 << 6,    /* aux, aux2: mmap's protection and flags */
	FS_HAS_INODE = 1 << 7,   /* ino, dev, mode from the call's own answer */
	FS_HAS_ASKED = 1 << 8,   /* the path(s) that were asked for follow */
	FS_HAS_ASKED2 = 1 << 9,
	FS_AIO = 1 << 10,
	FS_LINK_TARGET = 1 << 11, /* the first path is a symlink's text */
	FS_HAS_RWF = 1 << 12,    /* aux: RWF_* */
	FS_TWO_FILES = 1 << 13,  /* path -> base2, both open */
	FS_IO_URING = 1 << 14,
};

struct rec_fs {
	__u8 type, op;
	__u16 has;
	__u32 flags;
	__u64 ns;              /* completion, CLOCK_MONOTONIC */
	__u64 duration;        /* ns */
	__u64 task;            /* id of a rec_task */
	__u64 path;            /* id of a rec_path, or 0 */
	__s64 ret;
	__u64 size, offset;
};

_Static_assert(sizeof(struct rec_fs) == 64, "a cache line");

struct rec_fs_long {
	struct rec_fs fs;
	__u64 address;
	__u32 aux, aux2;
	__u64 ino;
	__u32 dev, mode;       /* dev as in rec_path */
	__u64 base, base2;     /* ids of the directories the asked paths are relative to, or 0 */
	__u16 len, len2;       /* of the asked paths, without NULs */
	__u32 pad;
	char asked[];          /* both, one after the other */
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

/* A socket's ends. Addresses in network order, ports in host order. */
struct conn_ends {
	__u16 family, sock_type;
	__u16 sport, dport;
	__u8 has_local, has_remote;  /* for AF_UNIX the length of the path; its first byte may be NUL */
	__u8 pad[6];
	union {
		struct {
			__u8 local[16], remote[16];
		} ip;
		struct {
			char local[UNIX_PATH_BYTES], remote[UNIX_PATH_BYTES];
		} un;
	};
};

struct rec_conn {
	__u8 type, op;
	__u8 no_fd, pad;       /* no_fd: a slot of a ring's own table */
	__s32 fd;
	__u64 ns, duration, task;
	__s64 ret;
	__u32 arg;             /* backlog, how, or socket()'s type */
	__u32 domain;          /* as asked of socket() */
	struct conn_ends ends; /* its union is cut to ip unless family is AF_UNIX */
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
	__u8 type, op;
	__u8 has_events, pad;
	__s32 fd;              /* of the epoll instance */
	__u64 ns, duration, task;
	__s64 ret;
	__s64 timeout_ns;      /* or TIMEOUT_* */
	__s32 target, operation;
	__u32 events;
	__s32 max;
};

enum sockopt_call { SOCKOPT_SET, SOCKOPT_GET };

#define SOCKOPT_BYTES 32

struct rec_sockopt {
	__u8 type, op;
	__u16 pad;
	__s32 fd;
	__u64 ns, task;
	__s64 ret;
	__s32 level, name;
	__u32 len, pad2;       /* of the whole value; 0: there is none */
	char value[SOCKOPT_BYTES];
};

struct rec_block {
	__u8 type, pad0;
	__u16 cpu;
	__u32 bytes;
	__u64 ns;              /* completion */
	__u64 insert_ns, issue_ns; /* 0: not seen */
	__u64 task;
	__u64 sector, request_id;
	__u32 dev;             /* as in rec_path */
	__u32 cmd_flags;       /* operation and flags, by this kernel's numbers */
	__s32 error;           /* blk_status_t; a negative errno until 5.10 */
	__u32 is_bio;          /* a bio of a device that has no requests */
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
};

struct rec_cache {
	__u8 type, event;
	__u16 cpu;
	__u32 dev;             /* as in rec_path */
	__u64 ns;
	__u64 task;            /* 0: happened in an interrupt */
	__u64 ino, index;
	__u32 pages, count;    /* of the folio or range; that it is about */
};

enum fault_access { FAULT_UNKNOWN, FAULT_READ, FAULT_WRITE };

struct rec_fault {
	__u8 type, access, major, pad;
	__u32 dev;             /* as in rec_path */
	__u64 ns, task;
	__u64 ino, page, address;
};

enum drop_event { DROP_PACKET, DROP_RETRANSMIT };

struct rec_drop {
	__u8 type, event;
	__u8 ipver, proto;     /* 0 where there is no IP header */
	__u32 skb_len;
	__u64 ns;
	__u64 task;            /* 0: happened in an interrupt */
	__u32 reason;          /* enum skb_drop_reason */
	__u16 sport, dport;    /* host order; 0: the protocol has none, or this fragment */
	__u8 has_reason, tcp_state, pad[6];
	__u8 src[16], dst[16];
};

/* ---- accounting, in .bss, one slot a CPU ---- */

struct stream_count {
	__u64 seen;            /* operations of the stream that completed */
	__u64 filtered;        /* … of them left out by a filter or by scope */
	__u64 lost;            /* … of them for which a ring had no room */
	__u64 lost_first_ns, lost_last_ns; /* of those since acked */
	__u64 acked;           /* written by the program: the lost it has taken note of */
	__u64 shed;            /* … and of the seen those left out to lighten the load */
};

enum hook {
	HOOK_SYS_ENTER,  /* fires as often as its streams' seen says: not counted again */
	HOOK_SYS_EXIT,
	HOOK_PROCESS_FORK,
	HOOK_PROCESS_EXIT,
	HOOK_PROCESS_FREE,
	HOOK_URING_SUBMIT,
	HOOK_URING_REFUSED,
	HOOK_URING_COMPLETE,
	HOOK_URING_OVERFLOW,
	HOOK_URING_FLUSH,
	HOOK_URING_WORK,
	HOOK_BLOCK_GETRQ,
	HOOK_BLOCK_FRONTMERGE,
	HOOK_BLOCK_INSERT,
	HOOK_BLOCK_ISSUE,
	HOOK_BLOCK_COMPLETE,
	HOOK_BIO_QUEUE,
	HOOK_BIO_COMPLETE,
	HOOK_CACHE_ADD,
	HOOK_CACHE_DELETE,
	HOOK_CACHE_READ,
	HOOK_CACHE_FAULT,
	HOOK_CACHE_MAP,
	HOOK_CACHE_SYNC_RA,
	HOOK_CACHE_ASYNC_RA,
	HOOK_CACHE_RA,
	HOOK_CACHE_RA_ORDER,
	HOOK_CACHE_DIRTY,
	HOOK_CACHE_WRITEBACK_START,
	HOOK_CACHE_WRITEBACK_END,
	HOOK_CACHE_BIO_END,
	HOOK_CACHE_RECLAIM,
	HOOK_CACHE_PAGEOUT,
	HOOK_FAULT_USER,
	HOOK_FAULT_KERNEL,
	HOOK_FAULT_MAJOR,
	HOOK_FAULT_MINOR,
	HOOK_SKB_DROP,
	HOOK_TCP_RETRANSMIT,
	HOOK_TCP_SYNACK,
	HOOK_SOCK_STATE,
	HOOK_SOCK_STATE_AGAIN,
	HOOK_COUNT
};

/* What each short record needs is in the first cache line: fs is the first of the streams. */
struct cpu_slot {
	__u64 lane_put;        /* records put into the CPU's lane so far */
	__u64 lane_limit;      /* so many may be, by what the program had taken when that was last looked at */
	struct stream_count streams[STREAM_CAPTURED];
	__u64 fired[HOOK_COUNT];
	__u64 taken[HOOK_COUNT]; /* events that the hook's second program did, less those the first left to it (bpf/pair.h) */
	/* Records the program has taken from the lane so far; it writes here, and must not be in the way. */
	__u64 lane_taken __attribute__((aligned(64)));
} __attribute__((aligned(64)));

/* ---- configuration, in .rodata ---- */

#define MAX_PIDS 16
#define MAX_COMMANDS 16

struct capture_config {
	__u32 own_pid;         /* never recorded, nor what it starts */
	__u8 rdonly_cast;      /* this kernel has bpf_rdonly_cast (6.2) */
	__u8 task_storage;     /* … task storage for tracing (5.13) */
	__u8 scope_all;
	__u8 atomic_counters;  /* slots are shared, or tracepoints can be preempted */
	__u8 nw_conn;
	__u8 close_rows;       /* close() of files is wanted: not only of sockets, for nw_conn */
	__u8 exit_says_last;   /* sched_process_exit has group_dead (6.16) */
	__u8 reads_whole;      /* a read is told of once, at its end, and not a batch of pages at a time */
	__u8 raw_preemptible;  /* programs on raw tracepoints are run with preemption on (7.1) */
	__u32 flush_seq;       /* in a request's rq_flags: RQF_FLUSH_SEQ */
	__u32 n_pids, n_commands;
	__u32 pids[MAX_PIDS];
	char commands[MAX_COMMANDS][COMM_BYTES];
	__u64 cgroup;          /* 0: any */
	__u64 uring_reissue;   /* REQ_F_REISSUE of this kernel */
	__u32 uring_narrow;    /* … IO_RING_F_COMPAT */
	__u32 uring_stream;    /* that what io_uring doesn't say more of counts for */
	__u32 uring_nameless;  /* io_uring_complete doesn't say which request it is (until 5.17) */
	__u32 ring_bytes;      /* of one event ring */
	__u32 lane_records;    /* of one lane, a power of two; 0: there are none (bpf/maps.h) */
	__u32 cache_sample;    /* one page in so many */
	__u32 page_size;       /* bytes */
};

#endif
