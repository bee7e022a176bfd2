/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state kept for each thread. */
#ifndef IOTRC_BPF_TASK_STATE_H
#define IOTRC_BPF_TASK_STATE_H

#include "bpf/cfg.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/path.h"
#include "schema/records.h"

enum lineage {
	LINEAGE_UNKNOWN,
	LINEAGE_OWN,      /* the tracer, or started by it */
	LINEAGE_FOLLOWED, /* one of cfg.pids, or a descendant */
	LINEAGE_OTHER,
};

/* What a thread is about in the page cache. Inodes by address, pages by index. */
struct demand {
	u64 inode, first, last;                   /* what the read or fault under way wants */
	u64 ahead_inode, ahead_first, ahead_last; /* what is being read ahead */
	u64 read_first, read_last;                /* the read that was last told of */
	u64 next;                                 /* … and its first page that wasn't */
	u64 told_inode, told; /* the page that the fault under way has a row for */
	u32 missed;           /* pages wanted that were not there, and that no HIT was less by */
	u8 asked;             /* for read-ahead, since a read was told of */
	u8 fault;             /* FIRST alone is wanted, whatever is asked for around it */
	u8 pad[2];
};

/* The paths of a call are read on its entry, before another thread has had time to change them.
 * Longer ones are kept in long_paths. */
#define SHORT_PATH 256 /* bytes, the NUL included */

enum paths {
	PATHS_NONE,
	PATHS_TEXT,   /* in own.asked, text_bytes of it, and not yet looked at */
	PATHS_SHORT,  /* in own.asked */
	PATHS_LONG,   /* in long_paths */
	PATHS_UNREAD, /* not to be read on entry */
};

struct own_record {
	struct rec_fs_long rec;
	char asked[2 * SHORT_PATH];
};

struct task_state {
	/* the system call under way */
	u64 enter_ns, exit_ns;
	s64 ret;
	u64 args[8]; /* six; the last stays 0, for arguments that a call hasn't */
	u64 file;    /* address of the struct file it acts on, resolved on entry */
	u64 path;    /* its name */
	u64 base[2]; /* directories, where the names change under way */
	u32 nr;
	u32 file_flags;
	u8 armed, compat, stream, is_socket;
	u8 paths;   /* enum paths */
	u8 has_how; /* args[6] holds what the call's struct open_how or xattr_args says */
	u8 is_file; /* the path stands for an open file: state->path */
	s32 text_bytes;
	char first[2]; /* characters of the paths, 0 of none */
	u32 asked_has; /* enum fs_long_has */
	s32 at_fd[2];  /* the directories that the paths are relative to */
	/* the thread */
	u8 lineage, left_out;
	u8 renames;     /* the call under way changes names */
	u8 no_args;     /* … and has arguments in memory that could not be read */
	u32 epoch;      /* that the definition was sent under; 0: it has to be sent */
	u32 sent_epoch; /* that recent[] belongs to */
	u32 ppid, pad2;
	u64 id, cgroup, comm[2];
	u64 recent[N_RECENT]; /* ids of names that were sent under this epoch */
	struct known_file known[N_KNOWN_FILES];
	u64 jiffies, css_set, parent; /* when all of it was last compared, and by what */
	struct conn_ends ends;        /* of the socket being closed */
	struct demand demand;         /* what it wants of the page cache */
	u64 fault_address;
	u32 fault_access;
	u32 n_kept; /* descriptors of sockets that the call under way ends (bpf/socket_end.h) */
	struct own_record own; /* of the call under way, when it takes paths */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

/* For kernels without task storage for tracing programs (before 5.13), by the task's address, until
 * on_process_free() takes it out. Preallocated: programs of perf events may use no other. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096); /* by the program to its own measure */
	__type(key, u64);
	__type(value, struct task_state);
} task_states_by_task SEC(".maps");

/* An all-zero state to begin with: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct task_state);
} task_state_zero SEC(".maps");

static __always_inline struct task_state *tabled_state(u64 task, bool create)
{
	struct task_state *state = bpf_map_lookup_elem(&task_states_by_task, &task), *zero;
	u32 key = 0;

	if (state || !create)
		return state;
	zero = bpf_map_lookup_elem(&task_state_zero, &key);
	if (!zero)
		return 0;
	bpf_map_update_elem(&task_states_by_task, &task, zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&task_states_by_task, &task);
}

/* The state of TASK, which current_task() has given. */
static __always_inline struct task_state *current_state_of(struct task_struct *task, bool create)
{
	if (cfg.task_storage)
		return bpf_task_storage_get(&task_states, task, 0,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	return tabled_state((u64)task, create);
}

static __always_inline struct task_state *current_state(bool create)
{
	return current_state_of(current_task(), create);
}

/* The state of a task that a tracepoint names. */
static __always_inline struct task_state *state_of(struct task_struct *task, bool create)
{
	if (cfg.task_storage)
		return bpf_task_storage_get(&task_states, task, 0,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	return tabled_state((u64)task, create);
}

#endif
