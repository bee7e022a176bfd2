/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state kept for each thread. */
#ifndef IOTRC_BPF_TASK_STATE_H
#define IOTRC_BPF_TASK_STATE_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/path.h"
#include "schema/records.h"

enum lineage {
	LINEAGE_UNKNOWN,
	LINEAGE_OWN,      /* the recorder, or started by it */
	LINEAGE_FOLLOWED, /* one of cfg.pids, or a descendant */
	LINEAGE_OTHER,
};

/* Whether a thread belongs to --command with --follow. */
enum follows { FOLLOWS_UNKNOWN, FOLLOWS, FOLLOWS_NOT };

/* What a thread wants from the page cache (bpf/cache_demand.h). Inodes are addresses, pages are
 * indexes. */
struct demand {
	/* pages wanted by the read or fault in progress */
	u64 inode, first, last;
	u64 ahead_inode, ahead_first, ahead_last; /* pages that read-ahead will bring */
	u64 read_first, read_last;                /* pages of the read reported last */
	/* first page of that read that has not been reported */
	u64 next;
	u64 reported_inode, reported; /* the page that the fault in progress has a row for */
	u64 missed_inode;
	u32 missed; /* its wanted pages that were missing, not yet subtracted from a HIT */
	u8 ahead;   /* read-ahead was started since the last read was reported */
	u8 fault;   /* only FIRST is wanted, whatever the kernel reads around it */
	u8 pad[2];
};

/* The paths of a call are read on entry, before another thread can change them. Longer ones are
 * kept in long_paths. */
#define SHORT_PATH 256 /* bytes, the NUL included */

enum paths {
	PATHS_NONE,
	PATHS_TEXT,   /* in own.requested, text_bytes long, not evaluated yet */
	PATHS_SHORT,  /* in own.requested */
	PATHS_LONG,   /* in long_paths */
	PATHS_UNREAD, /* not to be read on entry */
};

/* Of which paths path_copies has the kernel's copy, or what it is equal to (bpf/call_copy.h). */
#define COPIED(second) (1 << (second))
#define COPY_LOST 4 /* one differs from what was read on entry, and found no room */

/* Whether the kernel has said which file the call removes or renames (bpf/found.bpf.c). */
enum found {
	FOUND = 1,
	FOUND_LAST_LINK = 2, /* by its last name */
};

/* Whether the call ends without having begun (bpf/syscall_refused.h). */
enum refused {
	REFUSED_NOT,
	REFUSED,
	REFUSED_PERHAPS, /* or it began before the recording */
};

/* Whether the call in progress may change names: what it adds to names_epoch. */
enum renames {
	RENAMES_NOT,
	RENAMES,
	MOUNTS = 1 << 16, /* or where paths lead to: a mount, a new root */
};

/* What is known of the structure that some calls take besides paths. */
enum how {
	HOW_UNREAD,
	HOW_READ = 1 << 0,
	HOW_CONFINED = 1 << 1, /* the path cannot leave the directory it begins in */
};

struct own_record {
	struct rec_fs_long rec;
	/* The paths; of calls without, the address or the value that was given, text_bytes long. */
	char requested[2 * SHORT_PATH];
};

/* Its key in owners with what that was derived from, and when (bpf/extent_owner.h); and what
 * note_seen() was told in that jiffy (bpf/extent_seen.h). */
struct known_owner {
	u64 key, jiffies, comm[2], css_set;
	u64 seen_inode;
	u32 since; /* a time in that jiffy, ns >> DIRTY_SHIFT */
	u32 pad;
};

/* A group of sums that calls of the thread belong to (bpf/call_group.h). */
struct known_group {
	u64 kind, file;
	u32 error, minute;
	u32 index;
	u32 epoch; /* sums_epoch then; 0: none */
};
#define N_KNOWN_GROUPS 4

/* What each call needs is in the first cache lines. Task storage has eight bytes of its own before
 * them, so that known[] and own are at the beginning of one. */
struct task_state {
	/* the system call in progress */
	u64 enter_ns, exit_ns;
	s64 ret;
	u64 args[8]; /* six arguments; args[6]: has_how; args[7] stays 0, for absent ones */
	u64 file;    /* the struct file that the call acts on, resolved on entry */
	u64 path;    /* id of the name of that file */
	u64 base[2]; /* directories of the paths, if the call changes names */
	u32 nr;
	u32 file_flags;
	u8 armed, compat, stream, is_socket;
	u8 paths;   /* enum paths */
	u8 has_how; /* enum how: args[6] holds what a structure of the call says */
	u8 is_file; /* the path means an open file: state->path */
	s32 text_bytes;
	char first[2];     /* first characters of the paths, 0 if there is no path */
	u8 begun;          /* the entry of the call in progress has been seen */
	u8 met;            /* any call of the thread has been seen */
	u8 refused;        /* enum refused */
	u8 held;           /* it was interrupted, and may be continued (bpf/syscall_restart.h) */
	u8 writeback;      /* enum extent_cause: why the thread, a flusher, writes back */
	u32 renames;       /* enum renames */
	u32 stopped_nr;    /* the call that a tracer is being told of, plus 1 (bpf/tracer.bpf.c) */
	u32 requested_has; /* enum fs_long_has */
	s32 at_fd[2];      /* the directories that the paths are relative to */
	/* the thread */
	u8 lineage, left_out;
	u8 no_args;     /* the call in progress has arguments in memory that could not be read */
	u8 has_given;   /* given is known */
	u8 follows;     /* enum follows */
	u8 copied;      /* COPIED() and COPY_LOST */
	u8 found;       /* enum found: own.rec has that file */
	u8 long_path;   /* the path read last has MOST_PATHS bytes or more */
	u64 given;      /* the sum of its iovecs, or its offset, which a pointer leads to */
	u32 epoch;      /* epoch in which the definition was sent; 0: it has to be sent */
	u32 sent_epoch; /* epoch that recent[], known[] and cwd belong to */
	u32 call_epoch; /* in which the call in progress began */
	u32 ppid;
	u64 id, comm[2];
	/* what the identity was last compared with, and when */
	u64 jiffies, css_set, parent, cred;
	u64 cgroup;
	u32 uid;              /* since 6.2; before, see user_of() */
	u32 cgroups_epoch;    /* that left_out belongs to */
	u64 recent[N_RECENT]; /* ids of names that were sent in this epoch */
	u64 restart_fn;       /* how the kernel would continue it */
	struct known_file known[N_KNOWN_FILES];
	struct known_file cwd; /* the current directory */
	union {
		struct own_record own; /* for the call in progress, if it takes paths */
		struct lane_record own_places;
	};
	struct conn_ends ends; /* of the socket being closed */
	struct demand demand;  /* what it wants from the page cache */
	struct known_owner owner;
	u64 fault_address;
	u32 fault_access;
	u32 n_kept; /* sockets that the call in progress closes (bpf/socket_end.h) */
	u32 child;  /* the process that it has made */
	u32 noted;  /* its process is in aio_keys */
	/* the context of kernel AIO that it looked at last, and the tail of its ring */
	u64 aio_context;
	u32 aio_tail;
	struct known_group groups[N_KNOWN_GROUPS];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

/* For kernels without task storage in tracing programs (before 5.13). The key is the address of
 * the task; on_process_free() removes it. Preallocated: programs on perf events may use no other
 * hash. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, u64);
	__type(value, struct task_state);
} task_states_by_task SEC(".maps");

/* A state of zeroes to copy: too large for the stack. */
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

/* Brings recent[], known[] and cwd to the epoch NOW. A thread that makes no calls of its own, as
 * workers of io_uring, gets no new definition, which would do that. */
static __always_inline void renew_recent(struct task_state *state, u32 now)
{
	if (state->sent_epoch == now)
		return;
	__builtin_memset(state->recent, 0, sizeof(state->recent));
	__builtin_memset(state->known, 0, sizeof(state->known));
	__builtin_memset(&state->cwd, 0, sizeof(state->cwd));
	state->sent_epoch = now;
}

/* The state of TASK, which current_task() has returned. */
static __always_inline struct task_state *current_state_of(struct task_struct *task, bool create)
{
	if (has_task_storage())
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
	if (has_task_storage())
		return bpf_task_storage_get(&task_states, task, 0,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	return tabled_state((u64)task, create);
}

#endif
