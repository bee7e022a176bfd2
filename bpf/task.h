/* SPDX-License-Identifier: GPL-2.0-only */
/* Who did it: the state kept for a thread, the definition of its identity, and the filters that ask
 * for nothing but the thread. */
#ifndef IOTRC_TASK_H
#define IOTRC_TASK_H

#include "path.h"

enum lineage {
	LINEAGE_UNKNOWN,
	LINEAGE_OWN,      /* the tracer, or started by it */
	LINEAGE_FOLLOWED, /* one of cfg.pids, or a descendant */
	LINEAGE_OTHER,
};

/* What a thread is about in the page cache. Inodes by address, pages by index. */
struct demand {
	u64 inode, first, last;  /* what the read or fault under way wants */
	u64 ahead_inode, ahead_first, ahead_last; /* what is being read ahead */
	u64 read_first, read_last; /* the read that was last told of */
	u64 next;                /* … and its first page that wasn't */
	u32 missed;              /* pages wanted that were not there, and that no HIT was less by */
	u8 asked;                /* for read-ahead, since a read was told of */
	u8 fault;                /* FIRST alone is wanted, whatever is asked for around it */
	u8 pad[2];
};

struct task_state {
	/* the system call under way */
	u64 enter_ns, exit_ns;
	s64 ret;
	u64 args[8];     /* six; the last stays 0, for arguments that a call hasn't */
	u64 file;        /* address of the struct file it acts on, resolved on entry */
	u64 path;        /* its name */
	u64 base[2];     /* directories, where the names change under way */
	u32 nr;
	u32 file_flags;
	u8 armed, compat, stream, is_socket;
	/* the thread */
	u8 lineage, left_out;
	u8 renames;      /* the call under way changes names */
	u8 pad;
	u32 epoch;       /* that the definition was sent under; 0: it has to be sent */
	u32 sent_epoch;  /* that recent[] belongs to */
	u32 ppid, pad2;
	u64 id, cgroup, comm[2];
	u64 recent[N_RECENT]; /* ids of names that were sent under this epoch */
	struct known_file known[N_KNOWN_FILES];
	u64 jiffies, css_set, parent; /* when all of it was last compared, and by what */
	struct conn_ends ends; /* of the socket being closed */
	struct demand demand; /* what it wants of the page cache */
	u64 fault_address;
	u32 fault_access, pad3;
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

struct task_scratch {
	struct rec_task head;
	char cmdline[2 * CMDLINE_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct task_scratch);
} task_scratch SEC(".maps");

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

#define LINEAGE_DEPTH 24

/* By climbing from a thread that is met for the first time; from then on a fork hands the answer
 * down, so that a descendant whose parents have died is still known. Global: the verifier sees it once. */
__noinline u32 find_lineage(u64 task)
{
	u64 i;

	for (i = 0; i < LINEAGE_DEPTH; i++) {
		u32 tgid = kread(task, task_struct, tgid);
		u64 j;

		if (tgid == cfg.own_pid)
			return LINEAGE_OWN;
		for (j = 0; j < MAX_PIDS && j < cfg.n_pids; j++)
			if (tgid == cfg.pids[j])
				return LINEAGE_FOLLOWED;
		if (tgid <= 1)
			break;
		task = kread(task, task_struct, real_parent);
	}
	return LINEAGE_OTHER;
}

/* Eight characters without what stands behind a NUL. */
static __always_inline u64 until_nul(u64 text)
{
	u64 nuls = (text - 0x0101010101010101ULL) & ~text & 0x8080808080808080ULL;

	return nuls ? text & (((nuls & -nuls) >> 7) - 1) : text;
}

static __always_inline bool command_wanted(const struct task_state *state)
{
	/* Before 5.17 a new name left the rest of a longer old one behind its NUL. */
	u64 comm0 = until_nul(state->comm[0]);
	u64 comm1 = comm0 >> 56 ? until_nul(state->comm[1]) : 0;
	u64 i;

	for (i = 0; i < MAX_COMMANDS && i < cfg.n_commands; i++)
		if (comm0 == *(u64 *)&cfg.commands[i][0] && comm1 == *(u64 *)&cfg.commands[i][8])
			return true;
	return false;
}

#define CGROUP_DEPTH 32

static __always_inline bool in_cgroup(void)
{
	u64 level;

	for (level = 0; level < CGROUP_DEPTH; level++)
		if (bpf_get_current_ancestor_cgroup_id(level) == cfg.cgroup)
			return true;
	return false;
}

static __always_inline bool left_out(const struct task_state *state)
{
	if (state->lineage == LINEAGE_OWN)
		return true;
	if (cfg.n_pids && state->lineage != LINEAGE_FOLLOWED)
		return true;
	if (cfg.n_commands && !command_wanted(state))
		return true;
	return cfg.cgroup && !in_cgroup();
}

static __always_inline bool task_send(struct task_state *state, u64 task)
{
	u64 mm = kread(task, task_struct, mm), start, len = 0;
	u32 zero = 0, now_epoch = epoch;
	struct task_scratch *s = bpf_map_lookup_elem(&task_scratch, &zero);

	if (!s || !state)
		return false;
	s->head.cmdline_cut = 0;
	if (mm) {
		start = kread(mm, mm_struct, arg_start);
		len = kread(mm, mm_struct, arg_end) - start;
		if (len > CMDLINE_BYTES) {
			len = CMDLINE_BYTES;
			s->head.cmdline_cut = 1;
		}
		if (bpf_probe_read_user(s->cmdline, opaque(len) & (2 * CMDLINE_BYTES - 1), (void *)start))
			len = 0;
	}
	s->head.type = REC_TASK;
	s->head.len = len;
	s->head.pid = kread(task, task_struct, tgid);
	s->head.tid = kread(task, task_struct, pid);
	s->head.ppid = state->ppid;
	s->head.id = next_id();
	s->head.cgroup = state->cgroup;
	__builtin_memcpy(s->head.comm, state->comm, sizeof(s->head.comm));
	if (bpf_ringbuf_output(&definitions, s, sizeof(s->head) + (opaque(len) & (2 * CMDLINE_BYTES - 1)),
			       BPF_RB_NO_WAKEUP))
		return false;
	state->id = s->head.id;
	if (state->sent_epoch != now_epoch) {
		__builtin_memset(state->recent, 0, sizeof(state->recent));
		__builtin_memset(state->known, 0, sizeof(state->known));
	}
	state->epoch = state->sent_epoch = now_epoch;
	return true;
}

extern void bpf_preempt_disable(void) __ksym __weak; /* 6.10 */
extern void bpf_preempt_enable(void) __ksym __weak;

/* Sends who TASK is. False when the ring is full. */
static __noinline bool task_define(struct task_state *state, u64 task)
{
	bool sent;

	/* There the programs on raw tracepoints can be preempted, but the scratch is the CPU's. */
	if (cfg.raw_preemptible)
		bpf_preempt_disable();
	sent = task_send(state, task);
	if (cfg.raw_preemptible)
		bpf_preempt_enable();
	return sent;
}

enum whom { WHOM_LEFT_OUT, WHOM_KNOWN, WHOM_LOST };

static __always_inline u64 task_comm(const struct task_struct *task, u32 at)
{
	if (cfg.task_storage)
		return *(u64 *)&task->comm[at];
	return kread_u64(kaddr((u64)task, task_struct, comm) + at);
}

/* Brings the identity of TASK up to date, which current_task() has given or which the current thread works
 * for: names, parents and cgroups change. AGAIN asks for a new definition whatever has changed (exec: the arguments did). */
static __always_inline enum whom task_refresh(struct task_state *state, struct task_struct *task,
					     bool again)
{
	u64 comm0 = task_comm(task, 0), comm1 = task_comm(task, 8);
	u64 css_set = task_read(task, cgroups), parent = task_read(task, real_parent);
	u64 jiffies = bpf_jiffies64(), cgroup;
	u32 ppid;

	/* The same objects within a jiffy are the same: their memory has no time to be another's. */
	if (state->jiffies == jiffies && state->css_set == css_set && state->parent == parent &&
	    state->comm[0] == comm0 && state->comm[1] == comm1 && state->epoch == epoch && !again)
		return state->left_out ? WHOM_LEFT_OUT : WHOM_KNOWN;
	css_set = kread(task, task_struct, cgroups);
	parent = kread(task, task_struct, real_parent);
	cgroup = kread(kread(kread(css_set, css_set, dfl_cgrp), cgroup, kn), kernfs_node, id);
	ppid = kread(parent, task_struct, tgid);
	state->jiffies = jiffies;
	state->css_set = css_set;
	state->parent = parent;
	if (state->comm[0] != comm0 || state->comm[1] != comm1 || state->cgroup != cgroup ||
	    state->ppid != ppid || state->lineage == LINEAGE_UNKNOWN || again) {
		state->comm[0] = comm0;
		state->comm[1] = comm1;
		state->cgroup = cgroup;
		state->ppid = ppid;
		if (state->lineage == LINEAGE_UNKNOWN)
			state->lineage = find_lineage(task_address(task));
		state->left_out = left_out(state);
		state->epoch = 0;
	}
	if (state->left_out)
		return WHOM_LEFT_OUT;
	if (state->epoch != epoch && !task_define(state, task_address(task)))
		return WHOM_LOST;
	return WHOM_KNOWN;
}

#endif
