/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The calls that make a mount step by step: fsopen(), fsconfig(), fsmount(), move_mount(). */
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
#include "bpf/magic_link.h"
#include "bpf/mount.h"
#include "bpf/path.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"
#include "schema/streams.h"

#define FSCONFIG_SET_STRING 1 /* include/uapi/linux/mount.h */
#define FSCONFIG_CMD_CREATE 6 /* and what follows: commands */

#define KEY_BYTES 64 /* of the name of an option or a type, the NUL included */

/* The text that fsopen() or fsconfig() is given. In own.requested the source comes first, and at
 * SHORT_PATH the name of the type or the option. Other values than the source may be secrets. */
__subprog int fetch_option(struct task_state *state, const volatile struct syscall_desc *d)
{
	long n;

	if (!state || !d)
		return 0;
	state->own.rec.len = state->own.rec.len2 = 0;
	state->text_bytes = 0;
	n = uread_str(&state->own.requested[SHORT_PATH], KEY_BYTES,
		      state->args[d->kind == KIND_FSOPEN ? 0 : 2]);
	state->text_bytes = n;
	state->own.rec.len2 = n > 1 ? (n - 1) & (KEY_BYTES - 1) : 0;
	if (n < 0 || d->kind != KIND_FSCONFIG || (u32)state->args[1] != FSCONFIG_SET_STRING ||
	    FIRST(*(u64 *)&state->own.requested[SHORT_PATH], 7) != 0x656372756f73ULL) /* source */
		return 0;
	n = uread_str(state->own.requested, SHORT_PATH, state->args[3]);
	state->own.rec.len = n > 1 ? (n - 1) & (SHORT_PATH - 1) : 0;
	return 0;
}

static __always_inline enum verdict enter_fsmount(struct task_state *state,
						  const volatile struct syscall_desc *d)
{
	if (d->kind == KIND_FSOPEN || (d->kind == KIND_FSCONFIG && state->args[2]))
		fetch_option(state, d);
	else
		state->text_bytes = state->own.rec.len = state->own.rec.len2 = 0;
	return VERDICT_TRACE;
}

/* What FILE, of fsopen() or fspick(), prepares (struct fs_context); 0 if it is another file. */
static __always_inline u64 context_of(u64 file)
{
	u64 dentry = kread(file, file, f_path.dentry);

	if (!file || !is_nameless(kread(file, file, f_inode), kread(file, file, f_path.mnt)) ||
	    kread_u64(kread(dentry, dentry, d_name.name)) != 0x65746e6f6373665bULL) /* [fsconte */
		return 0;
	return kread(file, file, private_data);
}

/* The new mount FILE, and the source that fsconfig() was told: "source -> (detached)/". Returns
 * whether its name has been sent. A global function, as the next: the verifier goes through it
 * once. */
__noinline int fill_new_mount(u64 file)
{
	struct long_scratch *s = get_long_scratch();
	struct task_state *state = current_state(false);
	u64 mount = kread(file, file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
	long n;

	if (!s || !state)
		return 0;
	n = bpf_probe_read_kernel_str(s->rec.requested, PATH_BYTES,
				      (void *)kread(mount, mount, mnt_devname));
	s->rec.len = n > 0 ? (n - 1) & (PATH_BYTES - 1) : 0;
	s->rec.base2 = file_path_id(state->recent, file);
	s->rec.has |= LONG_HAS_REQUESTED | LONG_HAS_REQUESTED2 | LONG_LINK_TARGET;
	if (fill_inode(&s->rec, kread(file, file, f_inode)))
		s->rec.has |= LONG_HAS_INODE;
	return s->rec.base2 != 0;
}

static __always_inline void fill_type(struct rec_fs_long *rec, u64 name)
{
	bpf_probe_read_kernel_str(rec->fs_type, sizeof(rec->fs_type), (void *)name);
	rec->has |= LONG_HAS_TYPE;
}

/* Type and source of the filesystem that CONTEXT prepares, its root once it is there, and which
 * option is set. */
__noinline int fill_context(u64 context)
{
	struct long_scratch *s = get_long_scratch();
	struct task_state *state = current_state(false);
	u64 root = kread(kread(context, fs_context, root), dentry, d_inode);
	u32 len;
	long n;

	if (!s || !state)
		return 0;
	len = state->own.rec.len & (SHORT_PATH - 1);
	fill_type(&s->rec, kread(kread(context, fs_context, fs_type), file_system_type, name));
	if (!len) {
		n = bpf_probe_read_kernel_str(s->rec.requested, SHORT_PATH,
					      (void *)kread(context, fs_context, source));
		len = n > 1 ? (n - 1) & (SHORT_PATH - 1) : 0;
	} else {
		bpf_probe_read_kernel(s->rec.requested, SHORT_PATH, state->own.requested);
	}
	s->rec.len = len;
	if (len)
		s->rec.has |= LONG_HAS_REQUESTED | LONG_LINK_TARGET;
	s->rec.len2 = state->own.rec.len2;
	bpf_probe_read_kernel(&s->rec.requested[len], KEY_BYTES, &state->own.requested[SHORT_PATH]);
	if (root && state->ret >= 0 && (u32)state->args[1] >= FSCONFIG_CMD_CREATE &&
	    fill_inode(&s->rec, root))
		s->rec.has |= LONG_HAS_INODE;
	return 0;
}

__subprog int emit_fsmount(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();
	bool late;
	u64 file, context;
	s32 fd;

	if (!s || !state || !d)
		return 0;
	late = state->text_bytes < 0;
	if (late)
		fetch_option(state, d);
	prepare_long(s, state, d);
	s->rec.has |= LONG_HAS_KIND;
	if (late && state->text_bytes >= 0)
		s->rec.fs.has |= FS_ARGS_LATE;
	fd = d->kind == KIND_FSCONFIG ? (s32)state->args[0] : state->ret;
	file = fd < 0 || state->refused ? 0 : task_file(current_task(), fd);
	context = d->kind == KIND_FSCONFIG ? context_of(file) : 0;
	if (d->kind == KIND_FSOPEN)
		fill_type(&s->rec, (u64)&state->own.requested[SHORT_PATH]);
	else if (context)
		fill_context(context);
	else if (file && d->kind == KIND_FSMOUNT && !fill_new_mount(file))
		return lose(STREAM_FS, state->exit_ns);
	send_long(s, state->exit_ns);
	return 0;
}

#endif
