// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The files that calls remove or rename, as the kernel has found them, where programs can attach to
 * functions. What the paths led to on entry (bpf/call_reached.h) may not be cached then, or another
 * thread may change a path or a name before the kernel looks it up. */
#include "bpf/abi.h"
#include "bpf/call_long.h"
#include "bpf/call_reached.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "schema/fs_ops.h"

/* The state of the thread if it is in a call that removes names, or if RENAMES changes them, whose
 * file is not known yet. A filesystem may go on with files of another, below it (overlay). */
static __always_inline struct task_state *finding_state(bool renames)
{
	struct task_state *state = current_state(false);
	const volatile struct syscall_desc *d;

	if (!state || !state->armed || state->found)
		return 0;
	d = describe(state->nr, state->compat);
	if (!d || d->shape != SHAPE_PATH)
		return 0;
	return (renames ? d->op == FS_RENAME : d->op == FS_UNLINK || d->op == FS_RMDIR) ? state : 0;
}

static __always_inline int found(enum hook hook, u64 dentry, u64 replaced, bool renames)
{
	struct task_state *state = finding_state(renames);
	u64 inode = kread(dentry, dentry, d_inode);

	if (!state || !fill_inode(&state->own.rec, inode))
		return 0;
	count_fired(hook);
	state->own.rec.replaced =
		renames ? kread(kread(replaced, dentry, d_inode), inode, i_ino) : 0;
	state->found = FOUND;
	if (hook == HOOK_UNLINK && kread(inode, inode, i_nlink) == 1)
		state->found |= FOUND_LAST_LINK;
	return 0;
}

SEC("fentry/security_inode_unlink")
int on_unlink(u64 *ctx)
{
	return found(HOOK_UNLINK, argument(ctx, 1), 0, false);
}

SEC("fentry/security_inode_rmdir")
int on_rmdir(u64 *ctx)
{
	return found(HOOK_RMDIR, argument(ctx, 1), 0, false);
}

SEC("fentry/security_inode_rename")
int on_rename(u64 *ctx)
{
	return found(HOOK_RENAME, argument(ctx, 1), argument(ctx, 3), true);
}
