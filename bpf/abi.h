/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the BPF programs and user space agree on beside the records: the table of system calls, the
 * counters, and the configuration. Nothing but the loader of these programs needs it. */
#ifndef IOTRC_BPF_ABI_H
#define IOTRC_BPF_ABI_H

#include "schema/records.h"
#include "schema/streams.h"

#define MAX_CPUS 512       /* slots of per-CPU counters and rings; CPUs beyond share them */
#define MAX_SYSCALLS 512   /* the largest table: x86-64 ends at 470 in Linux 6.18 */
#define MAX_SOCKETCALLS 32 /* include/uapi/linux/net.h ends at 20 */
#define MAX_URING_OPS 64

/* ---- the table of system calls, filled by src/syscalls.c ---- */

/* An argument's place in struct syscall_desc: ARG(0) is the first; 0 says there is none. */
#define ARG(n) ((n) + 1)

enum syscall_shape {
	SHAPE_NONE, /* not traced */
	SHAPE_FD,   /* acts on an open file */
	SHAPE_OPEN, /* takes a path, returns an open file */
	SHAPE_PATH, /* takes one or two paths */
	SHAPE_MMAP,
	SHAPE_RANGE,     /* acts on a range of addresses */
	SHAPE_PLAIN,     /* acts on no file in particular */
	SHAPE_TWO_FILES, /* moves data from the open file fd to the open file fd2 */
	SHAPE_IOCTL,     /* the requests that clone */
	SHAPE_FCNTL,     /* the commands that lock */
	SHAPE_AIO,       /* about a context of kernel AIO; with path, io_submit() */
	SHAPE_FORK,
	SHAPE_EXEC,
	SHAPE_RESTART, /* continues a call that was interrupted, or says that it has ended */
	SHAPE_CONN,    /* acts on a socket */
	SHAPE_EPOLL,   /* waits for open files, or says which */
	SHAPE_SOCKOPT,
	SHAPE_SOCKETCALL, /* one of many, which its first argument tells */
	SHAPE_FSMOUNT,    /* makes a mount of a filesystem's context, and a descriptor of it */
	SHAPE_DUP,        /* makes one descriptor another, which may have been a socket's */
};

enum syscall_props {
	PROP_BYTES = 1 << 0,       /* the result is a number of bytes moved */
	PROP_SEQUENTIAL = 1 << 1,  /* moves the file position */
	PROP_IOVEC = 1 << 2,       /* size is a pointer to iovecs, the next argument their number */
	PROP_HILO = 1 << 3,        /* offset is a low and a high half */
	PROP_PGOFF = 1 << 4,       /* offset counts pages of 4096 bytes (mmap2) */
	PROP_STAT = 1 << 5,        /* aux points to a struct stat that the kernel has filled */
	PROP_STATX = 1 << 6,       /* … a struct statx */
	PROP_REACH_FIRST = 1 << 7, /* the file is looked up on entry: later its name is gone */
	PROP_CLOSES = 1 << 8,      /* of a socket, too */
	PROP_CLONE3 = 1 << 9,      /* flags is a pointer to struct clone_args */
	PROP_FILE_FLAGS = 1 << 10, /* the row's flags are those the file was opened with */
	PROP_CREAT = 1 << 11,      /* creat(): flags are implied */
	PROP_RWF = 1 << 12,        /* aux holds RWF_* flags */
	PROP_LINK_TARGET =
		1 << 13,           /* the first path is text, and stays as it is (symlink, mount) */
	PROP_OPEN_HOW = 1 << 14,   /* aux points to struct open_how, which begins with the flags */
	PROP_REMOVEDIR = 1 << 15,  /* with AT_REMOVEDIR in flags it is rmdir */
	PROP_NAMES = 1 << 16,      /* may change the names of open files, whoever calls it */
	PROP_HILO_SIZE = 1 << 17,  /* size is a low and a high half */
	PROP_NULL_IS_FD = 1 << 18, /* without a path it acts on fd */
	PROP_EMPTY_IS_FD = 1 << 19, /* with an empty path it acts on fd, AT_EMPTY_PATH or not */
	PROP_OFFSET_AT = 1 << 20,   /* offset points to it, and has been moved on */
	PROP_OFFSET_32 = 1 << 21,   /* … and has 32 bits */
	PROP_ARGS_AT = 1 << 22,     /* the one argument points to the arguments, 32 bits each */
	PROP_XATTR_ARGS = 1 << 23,  /* aux points to struct xattr_args: size and flags */
	PROP_STAT64 = 1 << 24,      /* aux points to a 32-bit program's struct stat64 */
	PROP_ENDS_FDS = 1 << 25,    /* ends descriptors, of sockets too, when it succeeds */
	PROP_NOFOLLOW = 1 << 26,    /* a symlink at the end of the path is what it acts on */
	PROP_SECOND = 1 << 27,      /* it acts on what the second path leads to */
	PROP_ENDS_AIO = 1 << 28,    /* ends the memory that results of kernel AIO are in */
	PROP_CONTINUES = 1 << 29,   /* SHAPE_RESTART: continues what was interrupted */
	PROP_MOUNT_ATTR = 1 << 30,  /* aux points to struct mount_attr */
};

/* The type of the argument that size is: of the register's upper half the kernel sees nothing, but
 * of a size_t. */
enum size_type { SIZE_SIZE_T, SIZE_INT, SIZE_UNSIGNED };

struct syscall_desc {
	u8 shape, stream, op;
	u8 fd; /* the file, or the directory that path is relative to */
	u8 path, fd2, path2;
	u8 size, offset, flags, aux;
	u8 at; /* AT_* flags, where they are more than the row's flags */
	u8 kind;
	u8 size_type; /* enum size_type */
	u8 pad[2];
	u32 props;
};

/* What the timeout of a call that waits is: syscall_desc.kind of SHAPE_EPOLL. */
enum timeout_kind {
	KIND_MILLISECONDS = 1,
	KIND_TIMEVAL,
	KIND_TIMESPEC,
	KIND_TIMESPEC64, /* … in 32-bit calls, too */
};

/* ---- accounting, in .bss, one slot a CPU ---- */

struct stream_count {
	u64 seen;                        /* operations of the stream that completed */
	u64 filtered;                    /* … of them left out by a filter or by scope */
	u64 lost;                        /* … of them for which a ring had no room */
	u64 lost_first_ns, lost_last_ns; /* of those since acked */
	u64 acked;                       /* written by the program: the lost it has taken note of */
	u64 shed; /* … and of the seen those left out to lighten the load */
};

enum hook {
	HOOK_SYS_ENTER, /* fires as often as its streams' seen says: not counted again */
	HOOK_SYS_EXIT,
	HOOK_PROCESS_FORK,
	HOOK_PROCESS_EXIT,
	HOOK_PROCESS_FREE,
	HOOK_SIGNAL,
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

/* A power of two: an index that was in memory is bounded by a mask, which the verifier follows. */
#define STREAM_SLOTS (STREAM_CAPTURED <= 8 ? 8 : STREAM_CAPTURED <= 16 ? 16 : 32)
_Static_assert(STREAM_CAPTURED <= STREAM_SLOTS, "a slot for each stream");

/* What each short record needs is in the first cache line: fs is the first of the streams. */
struct cpu_slot {
	u64 lane_put; /* records put into the CPU's lane so far */
	/* The lane is full when lane_put reaches this: lane_taken, as last read, plus the lane's
	 * size. */
	u64 lane_limit;
	struct stream_count streams[STREAM_SLOTS];
	u64 fired[HOOK_COUNT];
	/* Events that the standby program recorded, less those that the first one left to it
	 * (bpf/pair.h). */
	u64 taken[HOOK_COUNT];
	u64 crowded; /* the CPU's ring keeps its rest for the streams that are not in bulk */
	/* Records that user space has taken from the lane so far. It writes here: a cache line of
	 * its own. */
	u64 lane_taken __attribute__((aligned(64)));
} __attribute__((aligned(64)));

/* ---- configuration, in .rodata ---- */

#define MAX_PIDS 16
#define MAX_COMMANDS 16

struct capture_config {
	u32 own_pid;     /* never recorded, nor what it starts */
	u8 rdonly_cast;  /* this kernel has bpf_rdonly_cast (6.2) */
	u8 task_storage; /* … task storage for tracing (5.13) */
	u8 scope_all;
	u8 atomic_counters; /* slots are shared, or tracepoints can be preempted */
	u8 nw_conn;
	u8 fs;         /* the stream is wanted */
	u8 exec_rows;  /* process_exec is wanted: exec() not only for what it ends, for nw_conn */
	u8 exit_rows;  /* process_exit, likewise */
	u8 close_rows; /* close() of files is wanted: not only of sockets, for nw_conn */
	u8 exit_says_last; /* sched_process_exit has group_dead (6.16) */
	u8 tells_reads;    /* the kernel says on whose behalf it reads ahead */
	u8 reads_whole; /* a read is told of once, at its end, and not a batch of pages at a time */
	u8 raw_preemptible; /* programs on raw tracepoints are run with preemption on (7.1) */
	u32 flush_seq;      /* in a request's rq_flags: RQF_FLUSH_SEQ */
	u32 n_pids, n_commands;
	u32 pids[MAX_PIDS];
	char commands[MAX_COMMANDS][COMM_BYTES];
	u64 cgroup;         /* 0: any */
	u64 uring_reissue;  /* REQ_F_REISSUE of this kernel */
	u32 uring_narrow;   /* … IO_RING_F_COMPAT */
	u32 uring_stream;   /* that what io_uring doesn't say more of counts for */
	u32 uring_nameless; /* io_uring_complete doesn't say which request it is (until 5.17) */
	u32 ring_bytes;     /* of one event ring */
	u32 lane_records;   /* of one lane, a power of two; 0: there are none (bpf/lane.h) */
	u32 cache_sample;   /* one page in so many */
	u32 page_size;      /* bytes */
	u32 dcache_mounted; /* in a dentry's d_flags: DCACHE_MOUNTED */
};

#endif
