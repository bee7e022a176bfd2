/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The paths that a call is given, and the directories that they are relative to. */
#ifndef IOTRC_BPF_CALL_PATHS_H
#define IOTRC_BPF_CALL_PATHS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_long.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/path.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

#define AT_FDCWD -100
#define AT_EMPTY_PATH 0x1000

#define NO_ROOM ((u64)-1)

/* The id of the directory that a path is relative to: of the descriptor at PLACE, or the current
 * one. 0 when that is no open file, NO_ROOM when its definition found none. */
static __noinline u64 base_of(struct task_state *state, u32 place)
{
	struct task_struct *task = current_task();
	s32 dirfd = AT_FDCWD;
	u64 file, id;

	if (!state)
		return NO_ROOM;
	if (place)
		dirfd = arg(state, place);
	if (dirfd == AT_FDCWD) {
		u64 fs = kread(task, task_struct, fs);
		u64 dentry = kread(fs, fs_struct, pwd.dentry);

		id = path_id(state->recent, dentry, kread(fs, fs_struct, pwd.mnt),
			     kread(dentry, dentry, d_inode));
	} else {
		file = task_file(task, dirfd);
		if (!file)
			return 0;
		id = file_path_id(state->recent, file);
	}
	return id ? id : NO_ROOM;
}

/* Of what uread_str() returns: up to 6.12 it leaves out the NUL of an empty string. */
static __always_inline bool is_empty(long n)
{
	return n == 0 || n == 1;
}

enum path_answer { PATH_ASKED, PATH_OF_FILE, PATH_LOST };

/* Reads the paths a call was given; relative ones with the directory they start from. An empty one
 * under AT_EMPTY_PATH means the directory's file itself: PATH_OF_FILE, with its descriptor's
 * place. */
static __always_inline enum path_answer read_paths(struct long_scratch *s, struct task_state *state,
						   const volatile struct syscall_desc *d)
{
	u32 len = 0, len2 = 0;
	bool is_fd;
	long n;

	if (!s || !state || !d)
		return PATH_LOST;
	s->rec.base = s->rec.base2 = 0;
	if (!d->path) /* open_by_handle_at */
		return PATH_ASKED;
	s->rec.has |= LONG_HAS_ASKED | (d->props & PROP_LINK_TARGET ? LONG_LINK_TARGET : 0);
	n = uread_str(s->rec.asked, PATH_BYTES, arg(state, d->path));
	if (n > 0)
		len = (n - 1) & (PATH_BYTES - 1);
	is_fd = d->fd && ((is_empty(n) && (d->props & PROP_EMPTY_IS_FD ||
					   (d->at && arg(state, d->at) & AT_EMPTY_PATH))) ||
			  (!arg(state, d->path) && (d->props & PROP_NULL_IS_FD ||
						    (d->at && arg(state, d->at) & AT_EMPTY_PATH))));
	if (is_fd && !d->path2)
		return PATH_OF_FILE;
	if (is_fd || (len && s->rec.asked[0] != '/' && !(d->props & PROP_LINK_TARGET)))
		s->rec.base = state->base[0] ? state->base[0] : base_of(state, d->fd);
	/* mount() without a source: there is but the target. */
	if (d->op == FS_MOUNT && d->props & PROP_LINK_TARGET && !arg(state, d->path)) {
		s->rec.has &= ~LONG_LINK_TARGET;
		n = uread_str(s->rec.asked, PATH_BYTES, arg(state, d->path2));
		if (n > 0)
			len = (n - 1) & (PATH_BYTES - 1);
		if (len && s->rec.asked[0] != '/')
			s->rec.base = state->base[1] ? state->base[1] : base_of(state, d->fd2);
	} else if (d->path2) {
		n = uread_str(&s->rec.asked[len], PATH_BYTES, arg(state, d->path2));
		s->rec.has |= LONG_HAS_ASKED2;
		if (n > 0)
			len2 = (n - 1) & (PATH_BYTES - 1);
		if (len2 ? s->rec.asked[len & (PATH_BYTES - 1)] != '/' :
			   is_empty(n) && d->props & PROP_EMPTY_IS_FD)
			s->rec.base2 = state->base[1] ? state->base[1] : base_of(state, d->fd2);
	}
	s->rec.len = len;
	s->rec.len2 = len2;
	return s->rec.base == NO_ROOM || s->rec.base2 == NO_ROOM ? PATH_LOST : PATH_ASKED;
}

#endif
