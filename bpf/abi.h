/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the BPF programs and their loader share besides records: the table of system calls, the
 * counters, and the configuration. Only the engine that loads these programs includes it. */
#ifndef IOTRC_BPF_ABI_H
#define IOTRC_BPF_ABI_H

#include "schema/buckets.h"
#include "schema/fs_ops.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/sums.h"

/* What the kernel is told when it loads them. */
#define BPF_LICENSE "Dual BSD/GPL"

#define MAX_CPUS 512       /* slots for per-CPU counters and rings; further CPUs share them */
#define MAX_SYSCALLS 512   /* the largest table: x86-64 ends at 470 in Linux 6.18 */
#define MAX_SOCKETCALLS 32 /* include/uapi/linux/net.h ends at 20 */
#define MAX_URING_OPS 64

/* ---- the table of system calls, filled by src/engine/bpf/syscalls*.c ---- */

/* The place of an argument in struct syscall_desc: ARG(0) is the first argument, 0 means none. */
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
	SHAPE_IOCTL,     /* only the requests that share extents between files */
	SHAPE_FCNTL,     /* only the commands that lock */
	SHAPE_AIO,       /* takes a context of kernel AIO; with path it is io_submit() */
	SHAPE_FORK,
	SHAPE_EXEC,
	SHAPE_RESTART, /* continues a call that was interrupted, or says that it has ended */
	SHAPE_CONN,    /* acts on a socket */
	SHAPE_EPOLL,   /* waits for open files, or says which ones to wait for */
	SHAPE_SOCKOPT,
	SHAPE_SOCKETCALL, /* socketcall(): its first argument says which call it is */
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
	PROP_STATX = 1 << 6,       /* aux points to a struct statx that the kernel has filled */
	PROP_REACH_FIRST = 1 << 7, /* the file is looked up on entry: later its name is gone */
	PROP_CLOSES = 1 << 8,      /* closes a descriptor, which may be of a socket */
	PROP_CLONE3 = 1 << 9,      /* flags is a pointer to struct clone_args */
	PROP_FILE_FLAGS = 1 << 10, /* the row's flags are those that the file was opened with */
	PROP_CREAT = 1 << 11,      /* creat(): flags are implied */
	PROP_RWF = 1 << 12,        /* aux holds RWF_* flags */
	PROP_LINK_TARGET =
		/* the first path is stored as text, not resolved (symlink, mount) */
	1 << 13,
	/* aux points to struct open_how, whose first field is the flags */
	PROP_OPEN_HOW = 1 << 14,
	PROP_REMOVEDIR = 1 << 15,  /* is rmdir if the flags have AT_REMOVEDIR */
	PROP_NAMES = 1 << 16,      /* may change the names of open files: noted for every process */
	PROP_HILO_SIZE = 1 << 17,  /* size is a low and a high half */
	PROP_NULL_IS_FD = 1 << 18, /* a NULL path means fd */
	PROP_EMPTY_IS_FD = 1 << 19, /* an empty path means fd, even without AT_EMPTY_PATH */
	PROP_OFFSET_AT = 1 << 20,   /* offset points to the offset, which the call moves on */
	PROP_OFFSET_32 = 1 << 21,   /* that offset has 32 bits */
	PROP_ARGS_AT = 1 << 22,     /* the only argument points to the arguments, of 32 bits each */
	PROP_XATTR_ARGS = 1 << 23,  /* aux points to struct xattr_args: size and flags */
	PROP_STAT64 = 1 << 24,      /* aux points to a 32-bit program's struct stat64 */
	PROP_ENDS_FDS = 1 << 25,    /* ends descriptors, of sockets too, when it succeeds */
	PROP_NOFOLLOW = 1 << 26,    /* a symlink at the end of the path is what it acts on */
	PROP_SECOND = 1 << 27,      /* it acts on what the second path leads to */
	PROP_CONTINUES = 1 << 28,   /* SHAPE_RESTART: continues what was interrupted */
	PROP_MOUNT_ATTR = 1 << 29,  /* aux points to struct mount_attr */
	PROP_EXECVE_CHECK = 1 << 30, /* is access if the flags have AT_EXECVE_CHECK */
};

/* The type of the argument that size is. The kernel uses the upper half of its register only for a
 * size_t. */
enum size_type { SIZE_SIZE_T, SIZE_INT, SIZE_UNSIGNED };

struct syscall_desc {
	u8 shape, stream, op;
	u8 fd; /* the file, or the directory that path is relative to */
	u8 path, fd2, path2;
	u8 size, offset, flags, aux;
	u8 at; /* AT_* flags, if they are an argument of their own */
	u8 kind;
	u8 size_type; /* enum size_type */
	u8 pad[2];
	u32 props;
};

/* What a call ends, and with it the memory that results of kernel AIO are in: syscall_desc.kind
 * with SHAPE_AIO. */
enum aio_kind { KIND_ENDS_NOTHING, KIND_ENDS_CONTEXT, KIND_ENDS_PROCESS };

/* How a waiting call gives its timeout: syscall_desc.kind with SHAPE_EPOLL. */
enum timeout_kind {
	KIND_MILLISECONDS = 1,
	KIND_TIMEVAL,
	KIND_TIMESPEC,
	KIND_TIMESPEC64, /* struct __kernel_timespec, even in 32-bit calls */
};

/* ---- the table of dirty pages (bpf/extent_owner.h) ---- */

#define DIRTY_BLOCK 512 /* neighbouring pages of a file, whose places are neighbours */

/* ---- what a bio was made for, known by a kernel function (src/engine/bpf/makers.c) ---- */

#define MAKERS_MAX 64

enum bio_maker {
	MAKER_OTHER,   /* its pages tell what it is */
	MAKER_CHAIN,   /* it was split off another, which is its bi_private */
	MAKER_BUFFERS, /* a buffer, which is its bi_private */
	MAKER_DIRECT,  /* O_DIRECT by iomap */
	MAKER_DEVICE,  /* O_DIRECT on the block device itself */
	MAKER_JOURNAL,
	MAKER_METADATA, /* not in the page cache */
	MAKER_SWAP,
	MAKER_HELD, /* no bio: a work item that submits bios that a limit held back */
};

/* ---- which arguments of a call are the files that it reads and writes ---- */

enum call_file { FILE_READ = 0, FILE_WRITTEN = 2 }; /* shifts, of its number plus 1 */

/* ---- counters, in .bss, one slot per CPU ---- */

struct stream_count {
	u64 seen;                        /* completed operations of the stream */
	u64 filtered;                    /* those of them that a filter or the scope left out */
	u64 lost;                        /* those of them that found no room in a ring or table */
	u64 lost_first_ns, lost_last_ns; /* times of the first and last loss since acked */
	u64 acked; /* written by user space: the losses that it has reported */
	u64 shed;  /* those of seen that were left out deliberately, under overload */
};

enum hook {
	HOOK_SYS_ENTER, /* not counted: it fires as often as the seen of its streams */
	HOOK_SYS_EXIT,
	HOOK_STOP,
	HOOK_NAME,
	HOOK_UNLINK,
	HOOK_RMDIR,
	HOOK_RENAME,
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
	HOOK_EXTENT_LIMIT,
	HOOK_EXTENT_BIO,
	HOOK_EXTENT_ISSUE,
	HOOK_EXTENT_DIRTY,
	HOOK_EXTENT_WORK,
	HOOK_EXTENT_WORK_BEGIN,
	HOOK_EXTENT_WORK_END,
	HOOK_SKB_DROP,
	HOOK_TCP_RETRANSMIT,
	HOOK_TCP_SYNACK,
	HOOK_SOCK_STATE,
	HOOK_SOCK_STATE_AGAIN,
	HOOK_FLOW_STATE,
	HOOK_FLOW_STATE_AGAIN,
	HOOK_FLOW_READ,
	HOOK_SOCKET_SENT,
	HOOK_SOCKET_RECEIVED,
	HOOK_UDP6_SENT,
	HOOK_UDP6_RECEIVED,
	HOOK_UNIX_STREAM_SENT,
	HOOK_UNIX_STREAM_RECEIVED,
	HOOK_UNIX_DGRAM_SENT,
	HOOK_UNIX_DGRAM_RECEIVED,
	HOOK_SOCKET_CLOSE,
	HOOK_COUNT
};

/* A power of two: a mask then bounds an index that was read from memory, which the verifier can
 * follow. */
#define STREAM_SLOTS (STREAM_CAPTURED <= 8 ? 8 : STREAM_CAPTURED <= 16 ? 16 : 32)
_Static_assert(STREAM_CAPTURED <= STREAM_SLOTS, "a slot for each stream");

/* The longest record in a lane, a struct rec_fs_long with its paths. A struct rec_fs takes one
 * place. */
#define LANE_PLACES 11
struct lane_record {
	struct rec_fs places[LANE_PLACES];
};

/* The fields that every short record needs are in the first cache line: fs is the first stream. */
struct cpu_slot {
	u64 lane_put; /* places of this CPU's lane that have been written so far */
	/* The lane is full when lane_put reaches this: lane_taken, as last read, plus the lane's
	 * size. */
	u64 lane_limit;
	struct stream_count streams[STREAM_SLOTS];
	u64 fired[HOOK_COUNT];
	/* Events that the standby program recorded, minus those that the first program left to it
	 * (bpf/pair.h). */
	u64 taken[HOOK_COUNT];
	u64 crowded; /* the CPU's ring keeps its rest for the streams that are not in bulk */
	/* Places that user space has read so far. It writes here: a cache line of
	 * its own. */
	u64 lane_taken __attribute__((aligned(64)));
} __attribute__((aligned(64)));

/* ---- sums, instead of records (bpf/sums.h) ---- */

#define SUMS_MAX 16384         /* groups */
#define SUM_FILES_MAX 16384    /* further groups, of those by file */
#define SUM_BUCKETS_MAX 131072 /* buckets of times, all groups together */
#define SUM_TASKS_MAX 32768    /* threads whose names are known */

/* A group is known by its index. The first ones are the groups of all others of each stream, for
 * which there was no room. */
#define SUM_INDEXES (STREAM_SLOTS + SUMS_MAX + SUM_FILES_MAX)
#define SUM_NONE (~0U)

/* On each CPU this many groups have an array for their times: those that reach SUM_PLACE_CALLS
 * calls first and, the fewer places are left, more calls. */
#define SUM_PLACES 64
#define SUM_PLACE_CALLS(taken) (64ULL << ((taken) / 16 * 4))

/* Fields that records are not grouped by are 0. */
struct sum_key {
	u64 file; /* the id of a rec_path, or with dev an inode; 0: none */
	u64 cgroup;
	char comm[COMM_BYTES];
	u32 uid; /* 1 + the user's id; 0: unknown */
	u32 pid;
	u32 dev;   /* as in rec_path */
	u32 error; /* errno; of block: rec_block.error */
	u8 stream;
	u8 op;   /* as in records; of block: REQ_OP_*; of pagefault: major */
	u8 size; /* 2 + the binary logarithm, rounded down; 1: 0 bytes; 0: unknown */
	u8 pad;
	u32 minute; /* since the epoch, by the clock when the programs were loaded */
};

struct sum_time {
	u64 n, ns, min, max;
};

struct sum_value {
	u64 place; /* of this CPU's array for its times, plus 1; 0: none */
	u64 calls, errors, amount;
	u64 written; /* of amount, bytes of fs write, of block writes, and sent by connections */
	u64 again;   /* segments that connections sent again */
	struct sum_time time, wait;
};

/* How often there was a time of each bucket (schema/buckets.h). */
struct sum_times {
	u64 group; /* its index; 0: none, as groups of others have none */
	u64 n[BUCKET_COUNT];
};
_Static_assert(sizeof(struct sum_times) <= 32768, "PCPU_MIN_UNIT_SIZE, a value of a per-CPU map");

/* A bucket of a group without such an array. */
struct sum_bucket {
	u32 group;  /* its index */
	u16 bucket; /* schema/buckets.h */
	u16 wait;   /* of sum_value.wait, not time */
};

/* The key is a record's task: process id << 32 | thread id. */
struct sum_task {
	char comm[COMM_BYTES];
	u64 cgroup;
	u32 uid, ppid;
};

/* ---- calls in progress, as bpf/in_progress.bpf.c writes them ---- */

#define CALL_TEXT_BYTES 256

struct call_in_progress {
	u64 enter_ns;
	u32 pid, tid;
	s32 fd;       /* of the open file that it acts on, or -1 */
	s32 dir_fd;   /* of the directory that text is relative to, or AT_FDCWD */
	u32 text_len; /* 0: no path, or a longer one */
	u8 stream, op, pad[2];
	char comm[COMM_BYTES];
	char text[CALL_TEXT_BYTES]; /* its path, as it was given */
};

/* A slow call in progress is a struct rec_fs_long and room for its paths. */
#define UNFINISHED_TEXT 512

/* ---- which values of the filters a thread has matched, in .bss: 1 for each. User space gets no
 * definitions of threads that the kernel leaves out ---- */

#define MAX_FILTERED 16 /* entries of each list of a filter */

struct filters_met {
	u8 excluded[MAX_FILTERED], cgroups[MAX_FILTERED], uids[MAX_FILTERED];
};

/* ---- cgroups of containers that have started during the recording, in .bss, where user space may
 * write without a privilege: a hash, by added_cgroup_at() ---- */

#define ADDED_CGROUPS 8192 /* a power of two */
#define ADDED_PROBES 8     /* places that a cgroup can be in, one after the other */

static inline __attribute__((always_inline)) u32 added_cgroup_at(u64 id, u32 probe)
{
	return (u32)((id * 0x9e3779b97f4a7c15ULL >> 32) + probe) & (ADDED_CGROUPS - 1);
}

/* ---- configuration, in .rodata ---- */

struct capture_config {
	u32 own_pid;     /* never recorded, nor are its descendants */
	u8 task_storage; /* the kernel has task storage for tracing programs (5.13) */
	u8 scope_all;
	u8 atomic_counters; /* CPUs share slots, or tracepoints can be preempted */
	u8 nw_conn;
	u8 fs;             /* the stream is wanted */
	u8 cache;          /* likewise */
	u8 exec_rows;      /* process_exec is wanted, not just the sockets that exec() closes */
	u8 exit_rows;      /* process_exit, likewise */
	u8 close_rows;     /* close() of files is recorded, not just that of sockets */
	u8 exit_says_last; /* sched_process_exit has the argument group_dead (6.16) */
	u8 tells_reads;    /* the kernel says on whose behalf it reads ahead */
	u8 reads_whole;    /* a read is reported once, at its end, rather than per batch of pages */
	u8 dio_counts_late; /* O_DIRECT counts a bio after submitting it (7.0) */
	u8 raw_preemptible; /* programs on raw tracepoints run with preemption enabled (7.1) */
	u32 flush_seq;      /* RQF_FLUSH_SEQ, a bit of request.rq_flags */
	u8 follow;          /* what threads of commands start belongs to them */
	u8 errors;          /* only what failed */
	u8 by_cgroup;       /* only some cgroups, and those below them */
	u8 adds_cgroups;    /* … more of which may be added */
	u64 slow_ns;        /* only what took at least this long; 0: all */
	u32 n_pids, n_commands, n_excluded, n_cgroups, n_uids;
	u32 pids[MAX_FILTERED];
	u32 uids[MAX_FILTERED];
	char commands[MAX_FILTERED][COMM_BYTES];
	char excluded[MAX_FILTERED][COMM_BYTES]; /* commands that are left out */
	u64 cgroups[MAX_FILTERED];
	u64 uring_reissue;  /* REQ_F_REISSUE of this kernel */
	u32 uring_narrow;   /* IO_RING_F_COMPAT of this kernel */
	u32 uring_stream;   /* the stream that counts io_uring's losses of unknown operation */
	u32 uring_nameless; /* io_uring_complete does not name the request (until 5.17) */
	u32 uring_cqe;      /* it passes the address of the completion queue entry (6.15) */
	u32 ring_bytes;     /* of one event ring */
	u32 lane_records;   /* places of one lane, a power of two; 0: no lanes (bpf/lane.h) */
	u32 cache_sample;   /* record one page in this many */
	u32 page_shift;     /* a page has 1 << page_shift bytes */
	u32 dcache_mounted; /* in a dentry's d_flags: DCACHE_MOUNTED */
	u32 sums;           /* enum sum_by; 0: records are sent */
	u64 wall_ns;        /* CLOCK_REALTIME - CLOCK_MONOTONIC, for SUM_BY_MINUTE */
};

#endif
