/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fcntl(), when it locks. */
#ifndef IOTRC_BPF_LOCK_CALLS_H
#define IOTRC_BPF_LOCK_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/call_long.h"
#include "bpf/call_short.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"

#define F_GETLK 5
#define F_SETLKW 7
#define F_GETLK64 12 /* F_GETLK64 to F_SETLKW64 are for 32-bit programs only */
#define F_SETLKW64 14
#define F_OFD_GETLK 36
#define F_OFD_SETLKW 38
#if defined(__TARGET_ARCH_x86)
#define PACKED_FLOCK64 true /* i386 aligns 64-bit integers to 4 bytes */
#else
#define PACKED_FLOCK64 false
#endif

/* Reads the struct flock on entry, since F_GETLK overwrites it. The arguments become (fd, command,
 * type, start, length, whether the struct could be read). A function with a small stack
 * (bpf/uread.h). */
__subprog int read_lock(struct task_state *state)
{
	struct {
		u16 type, whence;
		s32 v[6];
	} lock = {};
	bool narrow, packed;
	s64 start, len;
	u32 command;
	u64 at;

	if (!state)
		return 0;
	command = state->args[1];
	at = state->args[2];
	narrow = state->compat && command <= F_SETLKW;
	packed = state->compat && !narrow && PACKED_FLOCK64;
	state->args[5] = !uread(&lock, narrow ? 12 : packed ? 20 : 24, at);
	if (narrow) { /* struct compat_flock */
		start = lock.v[0];
		len = lock.v[1];
	} else if (packed) {
		start = (u32)lock.v[0] | (u64)lock.v[1] << 32;
		len = (u32)lock.v[2] | (u64)lock.v[3] << 32;
	} else {
		__builtin_memcpy(&start, &lock.v[1], 8);
		__builtin_memcpy(&len, &lock.v[3], 8);
	}
	if (state->compat && command >= F_GETLK64 && command <= F_SETLKW64)
		state->args[1] = command - F_GETLK64 + F_GETLK;
	state->args[2] = lock.type;
	state->args[3] = start;
	state->args[4] = len;
	return 0;
}

static __always_inline enum verdict enter_fcntl(struct task_state *state, struct task_struct *task)
{
	u32 command = state->args[1];
	u64 file;

	if (!(command >= F_GETLK && command <= F_SETLKW) &&
	    !(command >= F_OFD_GETLK && command <= F_OFD_SETLKW) &&
	    !(state->compat && command >= F_GETLK64 && command <= F_SETLKW64))
		return VERDICT_IGNORE;
	read_lock(state);
	file = task_file(task, (s32)state->args[0]);
	return file ? take_file(state, file, (s32)state->args[0]) : VERDICT_TRACE;
}

__subprog int emit_lock(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();
	struct rec_fs *rec;

	if (!s || !state || !d)
		return 0;
	rec = &s->rec.fs;
	fill(rec, state, d);
	rec->flags |= state->args[1] & LOCK_COMMAND;
	if (state->args[5]) {
		rec->flags |= (u16)state->args[2] << LOCK_TYPE_SHIFT;
		rec->offset = state->args[3];
		rec->size = state->args[4];
		rec->has |= FS_HAS_OFFSET | FS_HAS_SIZE;
	}
	send_short(rec);
	return 0;
}

#endif
