/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fsmount(): a mount that is attached nowhere yet. */
#ifndef IOTRC_BPF_MOUNT_CALLS_H
#define IOTRC_BPF_MOUNT_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_long.h"
#include "bpf/call_reached.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"

/* Its row has the source, which fsconfig() was told, and the mount: "source -> (detached)/". */
__subprog int emit_fsmount(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();
	u64 file, mount;
	long n;

	if (!s || !state || !d)
		return 0;
	prepare_long(s, state, d);
	s->rec.has |= LONG_HAS_KIND;
	file = state->ret < 0 || state->refused ? 0 : task_file(current_task(), state->ret);
	if (file) {
		mount = kread(file, file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
		n = bpf_probe_read_kernel_str(s->rec.asked, PATH_BYTES,
					      (void *)kread(mount, mount, mnt_devname));
		s->rec.len = n > 0 ? (n - 1) & (PATH_BYTES - 1) : 0;
		s->rec.base2 = file_path_id(state->recent, file);
		s->rec.has |= LONG_HAS_ASKED | LONG_HAS_ASKED2 | LONG_LINK_TARGET;
		if (!s->rec.base2)
			return lose(STREAM_FS, state->exit_ns);
		fill_inode(&s->rec, kread(file, file, f_inode));
		s->rec.has |= LONG_HAS_INODE;
	}
	send_long(s, state->exit_ns);
	return 0;
}

#endif
