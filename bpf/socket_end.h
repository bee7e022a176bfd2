/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Descriptors of sockets that are closed by other means than close(): by the end of the process, by
 * exec() if they are close-on-exec, by close_range(), or by dup2() onto them. Each is a CLOSE row.
 *
 * The call may still fail. So the rows are prepared on entry, while the files exist, and sent on
 * exit. */
#ifndef IOTRC_BPF_SOCKET_END_H
#define IOTRC_BPF_SOCKET_END_H

#include "bpf/call.h"
#include "bpf/call_fill.h"
#include "bpf/conn_calls.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "bpf/socket.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

enum ends {
	ENDS_NOW,      /* all of them: the process ends */
	ENDS_ON_EXEC,  /* those that are close-on-exec, if the call succeeds */
	ENDS_IN_RANGE, /* those from args[0] to args[1], if the call succeeds */
};

#define CLOSE_RANGE_CLOEXEC 4 /* include/uapi/linux/close_range.h: closes nothing */

#define WORD_FDS 64    /* descriptors in a word of a table's bitmaps */
#define ENDS_STEP 128  /* words per call of the function with the loop */
#define ENDS_STEPS 128 /* such calls: 1,048,576 descriptors, the usual limit */

#define KEPT_STEP 32
#define KEPT_STEPS 32 /* 1,024 descriptors per call; further ones count as lost */
#define KEPT_MAX (KEPT_STEP * KEPT_STEPS)

struct kept_key {
	u64 task;
	u64 n;
};

/* Preallocated: the kernel's allocator for maps keeps only some entries at hand for programs, fewer
 * than one close_range() may need at once. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024); /* resized by user space */
	__type(key, struct kept_key);
	__type(value, struct rec_conn);
} kept_ends SEC(".maps");

static __always_inline u32 conn_size(const struct rec_conn *rec)
{
	return conn_ends_whole(&rec->ends) ?
		       sizeof(*rec) :
		       sizeof(*rec) - (sizeof(rec->ends.un) - sizeof(rec->ends.ip));
}

static __always_inline void keep_end(struct task_state *state, const struct rec_conn *rec)
{
	struct kept_key key = { .task = bpf_get_current_task(), .n = state->n_kept };

	if (state->n_kept < KEPT_MAX)
		bpf_map_update_elem(&kept_ends, &key, rec, BPF_ANY);
	state->n_kept++;
}

/* Handles descriptor FD, if it is of a socket. A global function, like those below: the verifier
 * goes through it once. */
__noinline int end_descriptor(u32 fd, u32 ends)
{
	struct task_state *state = current_state(false);
	u64 file = task_file(current_task(), fd);
	u32 zero = 0;
	struct conn_scratch *s = bpf_map_lookup_elem(&conn_scratch, &zero);

	if (!s || !state || !file || !is_socket(file))
		return 0;
	if (ends == ENDS_IN_RANGE && (fd < (u32)state->args[0] || fd > (u32)state->args[1]))
		return 0;
	__builtin_memset(&s->rec, 0, sizeof(s->rec));
	s->rec.type = REC_CONN;
	s->rec.op = CONN_CLOSE;
	s->rec.fd = fd;
	s->rec.task = state->id;
	ends_of_sock(&s->rec.ends, sock_of(file));
	if (ends != ENDS_NOW) {
		keep_end(state, &s->rec);
		return 0;
	}
	s->rec.ns = bpf_ktime_get_ns();
	output(&s->rec, conn_size(&s->rec), STREAM_NW_CONN, s->rec.ns);
	return 0;
}

static __always_inline u64 current_fdt(void)
{
	return kread(kread(bpf_get_current_task(), task_struct, files), files_struct, fdt);
}

/* Handles the descriptors from FD on that have one of the lowest eight bits in BITS. */
__noinline int end_byte(u32 fd, u32 bits, u32 ends)
{
	u64 i;

	for (i = 0; i < 8; i++)
		if (bits >> i & 1)
			end_descriptor(fd + i, ends);
	return 0;
}

__noinline int end_word(u32 word, u32 ends)
{
	u64 fdt = current_fdt(), bits, i;

	bits = kread_u64(kread(fdt, fdtable, open_fds) + (u64)word * 8);
	if (ends == ENDS_ON_EXEC)
		bits &= kread_u64(kread(fdt, fdtable, close_on_exec) + (u64)word * 8);
	for (i = 0; i < WORD_FDS / 8; i++)
		if (bits >> (i * 8) & 0xff)
			end_byte(word * WORD_FDS + i * 8, bits >> (i * 8), ends);
	return 0;
}

__noinline int end_words(u32 from, u32 to, u32 ends)
{
	u64 i;

	for (i = 0; i < ENDS_STEP && from + i < to; i++)
		end_word(from + i, ends);
	return 0;
}

/* Handles all descriptors in the table of the current thread. */
__noinline int end_sockets(u32 ends)
{
	u32 words = (u32)kread(current_fdt(), fdtable, max_fds) / WORD_FDS;
	u64 i;

	for (i = 0; i < ENDS_STEPS && i * ENDS_STEP < words; i++)
		end_words(i * ENDS_STEP, words, ends);
	return 0;
}

/* Entry of a call that closes descriptors if it succeeds. */
static __always_inline enum verdict enter_ending(struct task_state *state,
						 const volatile struct syscall_desc *d)
{
	if (!cfg.nw_conn || !(d->props & PROP_ENDS_FDS) || only_checks(state, d))
		return VERDICT_TRACE;
	if (d->shape == SHAPE_EXEC)
		end_sockets(ENDS_ON_EXEC);
	else if (!(state->args[2] & CLOSE_RANGE_CLOEXEC))
		end_sockets(ENDS_IN_RANGE);
	return VERDICT_TRACE;
}

/* dup2() and dup3() close the file of the new descriptor, unless both descriptors are the same. */
static __always_inline enum verdict enter_dup(struct task_state *state, struct task_struct *task)
{
	s32 old = state->args[0], new = state->args[1];
	u64 file = old == new ? 0 : task_file(task, new);

	if (!file || !is_socket(file))
		return VERDICT_IGNORE;
	state->is_socket = 1;
	ends_of_sock(&state->ends, sock_of(file));
	return VERDICT_TRACE;
}

/* Sends row number N of those prepared on entry if the descriptor has ENDED, and forgets it. */
__noinline int settle_end(u32 n, u32 ended)
{
	struct kept_key key = { .task = bpf_get_current_task(), .n = n };
	struct rec_conn *rec = bpf_map_lookup_elem(&kept_ends, &key);
	struct task_state *state = current_state(false);

	if (!state)
		return 0;
	if (ended && rec) {
		rec->ns = state->exit_ns;
		rec->task = state->id; /* which may have been sent again since */
		rec->duration = state->exit_ns - state->enter_ns;
		output(rec, conn_size(rec), STREAM_NW_CONN, rec->ns);
	} else if (ended) { /* it found no room on entry */
		lose(STREAM_NW_CONN, state->exit_ns);
	}
	if (rec)
		bpf_map_delete_elem(&kept_ends, &key);
	return 0;
}

__noinline int settle_some(u32 from, u32 to, u32 ended)
{
	u64 i;

	for (i = 0; i < KEPT_STEP && from + i < to; i++)
		settle_end(from + i, ended);
	return 0;
}

/* The call has returned, or its thread has died: sends or forgets what was prepared on entry. */
__noinline int settle_ends(u32 ended)
{
	struct task_state *state = current_state(false);
	u64 n, i;

	if (!state)
		return 0;
	n = state->n_kept;
	state->n_kept = 0;
	for (i = 0; i < KEPT_STEPS && i * KEPT_STEP < n; i++)
		settle_some(i * KEPT_STEP, n, ended);
	if (ended && n > KEPT_MAX)
		lose_some(STREAM_NW_CONN, bpf_ktime_get_ns(), n - KEPT_MAX);
	return 0;
}

#endif
