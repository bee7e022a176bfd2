// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's own copy of a path that a call is given, where programs can attach to functions. */
#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_copy.h"
#include "bpf/call_paths.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "schema/fs_ops.h"

/* Whether the first path of the call is a path to the kernel, which copies others elsewhere. */
static __always_inline bool names_first(const struct task_state *state,
					const volatile struct syscall_desc *d)
{
	return d->op != FS_MOUNT || !(d->props & PROP_LINK_TARGET) || is_lone(state, d);
}

/* The kernel has copied the path at FROM to NAME. */
static __always_inline int on_copy(u64 from, u64 name)
{
	struct task_state *state = current_state(false);
	const volatile struct syscall_desc *d;
	bool first, second;
	struct read_text text;

	if (!state || !state->armed || !from)
		return 0;
	d = describe(state->nr, state->compat);
	if (!d || (d->shape != SHAPE_PATH && d->shape != SHAPE_OPEN && d->shape != SHAPE_EXEC))
		return 0;
	first = names_first(state, d) && from == first_path(state, d);
	second = d->path2 && !is_lone(state, d) && from == arg(state, d->path2);
	if (!first && !second)
		return 0;
	count_fired(HOOK_NAME);
	text = text_read(state, !first);
	if (text.at && same_text(name, text.at, text.len))
		return 0;
	if (first && second) /* nobody knows which of the two it is */
		return lose_copy(state);
	return keep_copy(name, second);
}

/* Whether a struct filename is an error or missing. */
static __always_inline bool is_no_name(u64 at)
{
	return at + 4095 <= 4095;
}

/* Since 7.0. */
SEC("fexit/do_getname")
int on_name(u64 *ctx)
{
	u64 at = argument(ctx, 3);

	return is_no_name(at) ? 0 : on_copy(argument(ctx, 0), kread(at, filename, name));
}

/* Until then the functions that read a path are partly in their callers, where no program can
 * attach, and what they call to copy it (in lib/) is left out of ftrace. At the end of the call the
 * kernel frees its copy. */
SEC("fentry/putname")
int on_name_freed(u64 *ctx)
{
	u64 at = argument(ctx, 0);

	return is_no_name(at) ? 0 : on_copy(kread(at, filename, uptr), kread(at, filename, name));
}
