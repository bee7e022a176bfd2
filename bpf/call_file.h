/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The open file that a call acts on. */
#ifndef IOTRC_BPF_CALL_FILE_H
#define IOTRC_BPF_CALL_FILE_H

#include "bpf/call.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/path.h"
#include "bpf/scope.h"
#include "bpf/task_state.h"

/* Looks up the name and the scope of FILE, and stores them in KNOWN. */
__subprog enum verdict look_up_file(struct task_state *state, struct known_file *known, u64 file)
{
	u64 dentry, inode;

	if (!state || !known)
		return VERDICT_LOST;
	inode = kread(file, file, f_inode);
	if (!file_in_scope(inode)) {
		state->file = 0;
		return VERDICT_FILTERED;
	}
	dentry = kread(file, file, f_path.dentry);
	known->names = names_epoch;
	known->jiffies = bpf_jiffies64();
	known->hash_len = kread(dentry, dentry, d_name.hash_len);
	state->path = file_path_id(state->recent, file);
	known->file = file;
	known->dentry = dentry;
	known->mount = kread(file, file, f_path.mnt);
	known->ino = kread(inode, inode, i_ino);
	known->id = state->path;
	return state->path ? VERDICT_TRACE : VERDICT_LOST;
}

/* Puts the name of FILE into STATE, for the record. HINT selects the slot of the cache of known
 * files: the descriptor, say. */
static __always_inline enum verdict take_file(struct task_state *state, u64 file, u32 hint)
{
	struct known_file *known = &state->known[hint % N_KNOWN_FILES];

	state->file = file;
	if (!names_wanted()) {
		state->path = NO_NAME;
		if (file_in_scope(kread(file, file, f_inode)))
			return VERDICT_TRACE;
		state->file = 0;
		return VERDICT_FILTERED;
	}
	state->file_flags = kread(file, file, f_flags);
	if (!still_known(known, file))
		return look_up_file(state, known, file);
	state->path = known->id;
	return VERDICT_TRACE;
}

#endif
