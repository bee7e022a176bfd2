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

/* Looks up the name and the scope of FILE, and stores the name in KNOWN, of the same thread. */
__subprog enum verdict look_up_file(struct task_state *state, struct known_file *known, u64 file)
{
	u64 inode, mount;

	if (!state || !known)
		return VERDICT_LOST;
	inode = kread(file, file, f_inode);
	mount = kread(file, file, f_path.mnt);
	if (!file_in_scope(inode))
		return VERDICT_FILTERED;
	note_known(known, kread(file, file, f_path.dentry), mount, inode);
	known->id = file_path_id(state->recent, file);
	/* The memory of a file without a path may hold another such file by now, of another kind
	 * (own_name_hash()). */
	known->file = known->id && (known->hashed || !is_nameless(inode, mount)) ? file : 0;
	return known->id ? VERDICT_TRACE : VERDICT_LOST;
}

/* Stores the id of the name of FILE in RET, or 0 if it is not in scope or was lost. HINT selects
 * the slot of the thread's cache of known files: the descriptor, say. */
static __always_inline enum verdict find_name(struct task_state *state, u64 file, u32 hint,
					      u64 *ret)
{
	struct known_file *known = &state->known[hint % N_KNOWN_FILES];
	enum verdict verdict;

	if (!names_wanted()) {
		verdict = file_in_scope(kread(file, file, f_inode)) ? VERDICT_TRACE :
								      VERDICT_FILTERED;
		*ret = verdict == VERDICT_TRACE ? NO_NAME : 0;
		return verdict;
	}
	if (still_known(known, file)) {
		*ret = known->id;
		return VERDICT_TRACE;
	}
	verdict = look_up_file(state, known, file);
	*ret = verdict == VERDICT_TRACE ? known->id : 0;
	return verdict;
}

/* Puts FILE and its name into STATE, for the record. HINT as for find_name(). */
static __always_inline enum verdict take_file(struct task_state *state, u64 file, u32 hint)
{
	enum verdict verdict = find_name(state, file, hint, &state->path);

	state->file = verdict == VERDICT_FILTERED ? 0 : file;
	state->file_flags = kread(file, file, f_flags);
	return verdict;
}

#endif
