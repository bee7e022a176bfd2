/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The paths that a call is given, and the directories they are relative to. */
#ifndef IOTRC_BPF_CALL_PATHS_H
#define IOTRC_BPF_CALL_PATHS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_copy.h"
#include "bpf/call_file.h"
#include "bpf/call_long.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/magic_link.h"
#include "bpf/path.h"
#include "bpf/scope.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

/* Most paths are shorter than this. They are read by way of the stack, which takes the kernel the
 * least time to recognize as memory that may be copied to (CONFIG_HARDENED_USERCOPY). Since 6.13
 * this has to be a function with less than 64 bytes of stack: others have theirs elsewhere
 * (BPF_PRIV_STACK_MIN_SIZE). */
#define MOST_PATHS 48

/* Reads the path at FROM into own.requested from place AT on, as uread_str() of SHORT_PATH bytes. A
 * path that follows a longer one is taken for longer, too. */
__subprog long read_short(struct task_state *state, u64 from, u32 at)
{
	u64 words[MOST_PATHS / sizeof(u64)], *to;
	char *text;
	long n, rest;

	if (!state)
		return -1;
	text = &state->own.requested[at & (SHORT_PATH - 1)];
	if (state->long_path) {
		n = uread_str(text, SHORT_PATH, from);
		state->long_path = n >= MOST_PATHS;
		return n;
	}
	n = uread_str((char *)words, sizeof(words), from);
	if (n < 0)
		return n;
	to = (u64 *)text;
	to[0] = words[0];
	to[1] = words[1];
	to[2] = words[2];
	to[3] = words[3];
	to[4] = words[4];
	to[5] = words[5];
	if (n < MOST_PATHS)
		return n;
	state->long_path = 1;
	n = MOST_PATHS - 1;
	rest = uread_str(text + n, SHORT_PATH - n, from + n);
	if (!rest) /* up to 6.12 the NUL of an empty string is not counted */
		rest = 1;
	return rest < 0 ? rest : n + rest;
}

#define AT_FDCWD -100
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_SYMLINK_FOLLOW 0x400
#define AT_EMPTY_PATH 0x1000
#if defined(__TARGET_ARCH_x86)
#define O_NOFOLLOW 0400000
#else
#define O_NOFOLLOW 0100000
#endif

#define RESOLVE_BENEATH 0x08 /* include/uapi/linux/openat2.h */
#define RESOLVE_IN_ROOT 0x10

#define NOT_DEFINED ((u64)-1)
#define BASE_ALONE 1 /* first character of a path that means just the directory it is relative to */

/* The id of a directory that a path is relative to: of the descriptor FD, or the current directory.
 * 0 if the descriptor is not open, NOT_DEFINED if the definition found no room. */
__subprog u64 base_at(struct task_state *state, s32 fd)
{
	struct task_struct *task = current_task();
	u64 file, id;

	if (!state)
		return NOT_DEFINED;
	if (fd == AT_FDCWD) {
		u64 fs = kread(task, task_struct, fs);
		u64 dentry = kread(fs, fs_struct, pwd.dentry);

		id = path_id(state->recent, dentry, kread(fs, fs_struct, pwd.mnt),
			     kread(dentry, dentry, d_inode));
	} else {
		file = task_file(task, fd);
		if (!file)
			return 0;
		id = file_path_id(state->recent, file);
	}
	return id ? id : NOT_DEFINED;
}

/* The same, if the thread has used that directory in this jiffy; otherwise 0, and what is known of
 * the directory but for its id is noted. */
__subprog u64 known_base(struct task_state *state, s32 fd)
{
	struct task_struct *task = current_task();
	struct known_file *known;
	u64 file, inode, dentry, mount;

	if (!state)
		return 0;
	if (fd == AT_FDCWD) {
		u64 fs = kread(task, task_struct, fs);

		known = &state->cwd;
		dentry = kread(fs, fs_struct, pwd.dentry);
		mount = kread(fs, fs_struct, pwd.mnt);
		inode = kread(dentry, dentry, d_inode);
		if (is_recent(known) && is_same(known, dentry, mount, inode))
			return known->id;
	} else {
		known = &state->known[(u32)fd % N_KNOWN_FILES];
		file = task_file(task, fd);
		if (still_known(known, file))
			return known->id;
		inode = kread(file, file, f_inode);
		dentry = kread(file, file, f_path.dentry);
		mount = kread(file, file, f_path.mnt);
		/* What is found here is taken for in scope. */
		known->file = file_in_scope(inode) && is_hashed(dentry) ? file : 0;
	}
	note_known(known, dentry, mount, inode);
	known->id = 0;
	return 0;
}

/* Whether FD, or the current directory, is what KNOWN is about. */
static __always_inline bool is_base(const struct known_file *known, s32 fd)
{
	struct task_struct *task = current_task();

	if (fd == AT_FDCWD)
		return known->dentry == kread(kread(task, task_struct, fs), fs_struct, pwd.dentry);
	return known->file == task_file(task, fd);
}

/* base_at() for a system call, whose thread remembers directories. Not one function, since chains
 * of calls have little stack. */
static __always_inline u64 find_base(struct task_state *state, s32 fd)
{
	struct known_file *known =
		fd == AT_FDCWD ? &state->cwd : &state->known[(u32)fd % N_KNOWN_FILES];
	u64 id = names_wanted() ? known_base(state, fd) : 0;

	if (id)
		return id;
	id = base_at(state, fd);
	/* Another thread may have changed the directory meanwhile. */
	if (id != NOT_DEFINED && is_base(known, fd))
		known->id = id;
	else
		known->file = known->jiffies = 0;
	return id;
}

/* Whether the result N of uread_str() means an empty string: up to 6.12 it does not count the NUL
 * of one. */
static __always_inline bool is_empty(long n)
{
	return n == 0 || n == 1;
}

/* Whether the call follows a symbolic link at the end of its path. */
static __always_inline bool follows(const struct task_state *state,
				    const volatile struct syscall_desc *d)
{
	u64 at = arg(state, d->at), flags = d->flags ? arg(state, d->flags) : state->args[6];

	if (d->shape == SHAPE_OPEN)
		return !(flags & O_NOFOLLOW);
	if (d->props & PROP_NOFOLLOW)
		return at & AT_SYMLINK_FOLLOW;
	return !(at & AT_SYMLINK_NOFOLLOW);
}

#define PROPS_HOW (PROP_OPEN_HOW | PROP_XATTR_ARGS | PROP_MOUNT_ATTR)

/* Reads the structure that some calls take besides the paths into args[6]. */
__subprog int fetch_how(struct task_state *state, const volatile struct syscall_desc *d)
{
	u64 how[3] = {};   /* struct open_how: flags, mode, resolve */
	u32 size_flags[2]; /* struct xattr_args after its pointer */

	if (!state || !d)
		return 0;
	state->args[6] = 0;
	if (d->props & PROP_OPEN_HOW) {
		state->has_how = !uread(how, sizeof(how), arg(state, d->aux));
		state->args[6] = how[0];
		if (how[2] & (RESOLVE_IN_ROOT | RESOLVE_BENEATH))
			state->has_how |= HOW_CONFINED;
	} else if (d->props &
		   PROP_MOUNT_ATTR) { /* what to set and to clear, of struct mount_attr */
		state->has_how = !uread(how, 2 * sizeof(how[0]), arg(state, d->aux));
		state->args[6] = (u32)how[0] | how[1] << 32;
	} else {
		state->has_how = !uread(size_flags, sizeof(size_flags), arg(state, d->aux) + 8);
		if (state->has_how)
			state->args[6] = size_flags[0] | (u64)size_flags[1] << 32;
	}
	return 0;
}

/* A path that begins with a link to an open file is relative to that file. The record's skip holds
 * the length of the link. FOR_FILE: the path may mean the file itself. */
__subprog int skip_magic(struct task_state *state, const char *text, u32 which, bool for_file)
{
	struct magic_scratch *s = get_magic_scratch();
	struct rec_fs_long *rec;
	u32 i, len, kind;
	u64 slashes;

	if (!state || !s)
		return 0;
	rec = &state->own.rec;
	len = which ? rec->len2 : rec->len;
	bpf_probe_read_kernel(s->text, sizeof(s->text), text);
	read_magic_link();
	kind = s->link.kind;
	i = s->link.bytes;
	if (kind == MAGIC_NONE || i > len)
		return 0;
	for (slashes = 0; slashes < 4 && kind != MAGIC_ROOT; slashes++)
		i += s->text[i & (2 * MAGIC_HEAD - 1)] == '/';
	if (i >= len && !for_file)
		return 0;
	if (kind == MAGIC_ROOT && i >= len) { /* the first character of the path is the root */
		if (which)
			rec->len2 = 1;
		else
			rec->len = 1;
		return 0;
	}
	if (kind != MAGIC_ROOT)
		state->at_fd[which & 1] = kind == MAGIC_FD ? s->link.fd : AT_FDCWD;
	if (which)
		rec->skip2 = i;
	else
		rec->skip = i;
	return 0;
}

/* Whether TEXT, of LEN bytes, may be such a path. */
static __always_inline bool maybe_magic(const char *text, u32 len)
{
	u64 head = *(const u64 *)text;

	return FIRST(head, 2) == 0x702f || FIRST(head, 2) == 0x642f ?
		       len >= 8 && (FIRST(head, 6) == 0x2f636f72702fULL ||
				    head == 0x2f64662f7665642fULL) :
		       false;
}

/* mount() without a source has only the target. */
static __always_inline bool is_lone(const struct task_state *state,
				    const volatile struct syscall_desc *d)
{
	return d->op == FS_MOUNT && d->props & PROP_LINK_TARGET && !arg(state, d->path);
}

/* Address of the first path. */
static __always_inline u64 first_path(const struct task_state *state,
				      const volatile struct syscall_desc *d)
{
	return arg(state, is_lone(state, d) ? d->path2 : d->path);
}

/* Whether a path of N bytes, or a missing one, means the file of the descriptor. */
static __always_inline bool means_file(const struct task_state *state,
				       const volatile struct syscall_desc *d, u64 from, long n)
{
	u32 props = d->props;
	bool empty = props & PROP_EMPTY_IS_FD || (d->at && arg(state, d->at) & AT_EMPTY_PATH);

	if (!d->fd || n > 1)
		return false;
	return is_empty(n) ? empty : !from && (empty || props & PROP_NULL_IS_FD);
}

/* Reads the second path behind the first, which has LEN bytes. */
static __always_inline bool fetch_second(struct task_state *state,
					 const volatile struct syscall_desc *d, char *text,
					 const u32 capacity, u64 len)
{
	struct rec_fs_long *rec = &state->own.rec;
	u64 from = arg(state, d->path2);
	long n = capacity == SHORT_PATH && !(state->copied & COPIED(1)) ?
			 read_short(state, from, len) :
			 read_path(state, &text[len], capacity, from, 1);

	if (n == capacity && capacity < PATH_BYTES)
		return false;
	rec->len2 = n > 1 ? (n - 1) & (capacity - 1) : 0;
	if (n < 0 && from)
		state->paths = PATHS_UNREAD;
	state->requested_has |= LONG_HAS_REQUESTED2;
	state->at_fd[1] = d->fd2 ? (s32)arg(state, d->fd2) : AT_FDCWD;
	if (maybe_magic(&text[len], rec->len2))
		skip_magic(state, &text[len], 1, d->op == FS_MOUNT);
	if (rec->skip2 < rec->len2)
		state->first[1] = text[(len + rec->skip2) & (2 * capacity - 1)];
	else if (rec->skip2 || (is_empty(n) && d->props & PROP_EMPTY_IS_FD))
		state->first[1] = BASE_ALONE;
	return true;
}

/* Evaluates the first path, N bytes at TEXT, and reads the second. Each has CAPACITY bytes; returns
 * false if one is longer. */
static __always_inline bool fetch_rest(struct task_state *state,
				       const volatile struct syscall_desc *d, char *text,
				       const u32 capacity, long n)
{
	struct rec_fs_long *rec = &state->own.rec;
	bool lone = is_lone(state, d);
	u64 from = first_path(state, d);

	if (n == capacity && capacity < PATH_BYTES)
		return false;
	rec->len = n > 1 ? (n - 1) & (capacity - 1) : 0;
	rec->len2 = rec->skip = rec->skip2 = 0;
	state->paths = n < 0 && from ? PATHS_UNREAD : PATHS_SHORT;
	state->at_fd[0] = d->fd && !lone ? (s32)arg(state, d->fd) : AT_FDCWD;
	state->requested_has |= LONG_HAS_REQUESTED;
	if (d->props & PROP_LINK_TARGET && !lone)
		state->requested_has |= LONG_LINK_TARGET;
	else if (maybe_magic(text, rec->len))
		skip_magic(state, text, 0, follows(state, d));
	state->is_file = means_file(state, d, from, n) || (rec->skip && rec->skip == rec->len);
	state->first[0] = rec->skip < rec->len ? text[rec->skip & (capacity - 1)] : 0;
	if (d->path2 && !lone)
		return fetch_second(state, d, text, capacity, rec->len & (capacity - 1));
	return true;
}

/* The same for paths that are longer. */
__subprog int fetch_long(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();
	long n;

	if (!s || !state || !d)
		return 0;
	state->first[1] = 0;
	n = read_path(state, s->rec.requested, PATH_BYTES, first_path(state, d), 0);
	fetch_rest(state, d, s->rec.requested, PATH_BYTES, n);
	if (state->paths == PATHS_SHORT)
		state->paths = PATHS_LONG;
	return 0;
}

/* Reads the paths of a call and the structures that go with them: short paths into own.requested,
 * long ones into the scratch. */
static __always_inline int read_paths(struct task_state *state,
				      const volatile struct syscall_desc *d)
{
	long n;

	state->requested_has = 0;
	state->first[1] = 0;
	state->own.rec.base = state->own.rec.base2 = 0;
	if (d->props & PROPS_HOW && !state->has_how)
		fetch_how(state, d);
	if (state->has_how & HOW_CONFINED)
		state->requested_has |= LONG_CONFINED;
	if (!d->path) { /* open_by_handle_at() has no path */
		state->paths = PATHS_NONE;
		state->is_file = state->first[0] = 0;
		state->own.rec.len = state->own.rec.len2 = 0;
		state->own.rec.skip = state->own.rec.skip2 = 0;
		return 0;
	}
	n = state->copied & COPIED(0) ?
		    read_path(state, state->own.requested, SHORT_PATH, first_path(state, d), 0) :
		    read_short(state, first_path(state, d), 0);
	if (!fetch_rest(state, d, state->own.requested, SHORT_PATH, n))
		fetch_long(state, d);
	return 0;
}

/* The same as a function of its own. */
__subprog int fetch_paths(struct task_state *state, const volatile struct syscall_desc *d)
{
	return state && d ? read_paths(state, d) : 0;
}

/* fetch_paths() in two parts, for calls that need their path only if they fail: the text is read on
 * entry, and evaluated on exit. */
static __always_inline void fetch_text(struct task_state *state,
				       const volatile struct syscall_desc *d)
{
	long n = read_short(state, arg(state, d->path), 0);

	state->paths = PATHS_TEXT;
	state->text_bytes = n;
	if (n == SHORT_PATH || d->props & PROP_OPEN_HOW || !d->path)
		fetch_paths(state, d);
}

__subprog int parse_text(struct task_state *state, const volatile struct syscall_desc *d)
{
	if (!state || !d)
		return 0;
	state->requested_has = 0;
	state->first[1] = 0;
	state->own.rec.base = state->own.rec.base2 = 0;
	fetch_rest(state, d, state->own.requested, SHORT_PATH, state->text_bytes);
	return 0;
}

enum path_answer { PATH_REQUESTED, PATH_OF_FILE, PATH_LOST };

/* Whether the first path is relative to a directory. */
static __always_inline bool needs_base(const struct task_state *state)
{
	return state->is_file || state->requested_has & LONG_CONFINED ||
	       (state->first[0] && state->first[0] != '/' &&
		!(state->requested_has & LONG_LINK_TARGET));
}

static __always_inline bool needs_base2(const struct task_state *state)
{
	return state->first[1] && state->first[1] != '/';
}

/* Resolves the directories that the paths start from, where that is not done. If a path means just
 * an open file, returns PATH_OF_FILE, with its descriptor or AT_FDCWD in at_fd[0]. REMEMBERS: STATE
 * is that of the thread. */
static __always_inline enum path_answer place_paths(struct task_state *state,
						    const volatile struct syscall_desc *d,
						    const bool remembers)
{
	struct rec_fs_long *rec = &state->own.rec;

	if (state->is_file && !d->path2)
		return PATH_OF_FILE;
	if (!rec->base && needs_base(state))
		rec->base = remembers ? find_base(state, state->at_fd[0]) :
					base_at(state, state->at_fd[0]);
	if (!rec->base2 && needs_base2(state))
		rec->base2 = remembers ? find_base(state, state->at_fd[1]) :
					 base_at(state, state->at_fd[1]);
	return rec->base == NOT_DEFINED || rec->base2 == NOT_DEFINED ? PATH_LOST : PATH_REQUESTED;
}

/* Puts the name of the open file that the path means into the record. */
__subprog enum verdict place_file(struct task_state *state)
{
	s32 fd;
	u64 file;

	if (!state)
		return VERDICT_LOST;
	fd = state->at_fd[0];
	state->requested_has &= ~LONG_HAS_REQUESTED;
	if (fd == AT_FDCWD) {
		state->path = base_at(state, fd);
		return state->path == NOT_DEFINED ? VERDICT_LOST : VERDICT_TRACE;
	}
	file = task_file(current_task(), fd);
	return file ? take_file(state, file, fd) : VERDICT_TRACE;
}

#endif
