// SPDX-License-Identifier: GPL-2.0-or-later
/* The meaning of a line of dtrace/vfs.d. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "engine/macos/darwin.h"
#include "engine/macos/state.h"
#include "platform/macros.h"
#include "rows/normalize_path.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

#define AT(n) ((n) + 1)
#define TEXT_MAX 1024 /* strsize of vfs.d without its NUL: this long a text may be cut */

/* Linux's numbers, as in lines of DTrace for Linux and in all records. */
#define LINUX_AT_FDCWD (-100)
#define LINUX_O_CREAT_WRONLY_TRUNC 01101
#define LINUX_O_CLOEXEC 02000000
#define LINUX_F_DUPFD 0
#define LINUX_F_SETFD 2
#define LINUX_F_DUPFD_CLOEXEC 1030
#define LINUX_AT_REMOVEDIR 0x200
#define LINUX_MAP_ANONYMOUS 0x20
#define FD_CLOSES 1 /* FD_CLOEXEC, of both */

struct macos_call;

/* A call that becomes an event. */
struct macos_event {
	struct source *s;
	struct process *p;
	const struct call_line *l;
	const struct macos_call *info;
	union {
		struct rec_fs_long r;
		struct {
			char record[sizeof(struct rec_fs_long)];
			char requested[4 * PATH_BYTES + 4]; /* follows R in the record */
		};
	};
};

_Static_assert(offsetof(struct macos_event, requested) ==
		       offsetof(struct macos_event, r) + sizeof(struct rec_fs_long),
	       "paths lie right behind their record");

/* A row of calls.def. Places are 1 + n; 0: none. */
struct macos_call {
	const char *name;
	uint8_t op;
	void (*take)(struct macos_event *e);
	uint8_t fd, fd2, dir, dir2, flags, size, offset;
};

/* Whether the line has a number at PLACE. */
static bool tells(const struct macos_event *e, uint8_t place)
{
	return place && place <= e->l->n_numbers;
}

static int64_t number_at(const struct macos_event *e, uint8_t place)
{
	return tells(e, place) ? e->l->n[place - 1] : 0;
}

static struct opened *opened(const struct macos_event *e, uint8_t place)
{
	return place ? process__opened(e->p, (int)number_at(e, place)) : NULL;
}

static bool is_darwin(const struct macos_event *e)
{
	return e->s->all->is_darwin;
}

static bool failed(const struct macos_event *e)
{
	return e->l->error != 0;
}

/* ---- events ---- */

static void begin_record(struct macos_event *e, uint8_t op)
{
	const struct call_line *l = e->l;
	int error = is_darwin(e) && l->error ? darwin__errno(l->error) : l->error;

	e->r = (struct rec_fs_long){
		.fs = {
			.type = REC_FS,
			.op = op,
			.ns = macos__ns(e->s->all, l->ns),
			.duration = l->duration,
			.ret = error        ? -error :
			       l->no_result ? 0 :
					      l->ret,
		},
	};
	if (l->no_result)
		e->r.fs.has |= FS_NO_RESULT;
	if (tells(e, e->info->size)) {
		e->r.fs.size = (uint64_t)number_at(e, e->info->size);
		e->r.fs.has |= FS_HAS_SIZE;
	}
	if (tells(e, e->info->offset)) {
		e->r.fs.offset = (uint64_t)number_at(e, e->info->offset);
		e->r.fs.has |= FS_HAS_OFFSET;
	}
}

static void hand_over(struct macos_event *e)
{
	size_t size = sizeof(e->r.fs);

	if (!macos__is_wanted(e->s->all, e->p)) {
		macos__left_out(e->s);
		return;
	}
	e->r.fs.task = macos__task_id(e->s, e->p, e->l->tid);
	if (e->r.has || e->r.len || e->r.aux) {
		e->r.fs.type = REC_FS_LONG;
		size = sizeof(e->r) + e->r.len + e->r.len2;
	}
	macos__event(e->s, &e->r, size);
}

static uint64_t flags_of(const struct macos_event *e)
{
	uint64_t flags = (uint64_t)number_at(e, e->info->flags);

	if (!is_darwin(e))
		return flags;
	switch (e->info->op) {
	case FS_OPEN:
		return darwin__open_flags(flags);
	case FS_UNLINK:
		return darwin__unlink_flags((uint32_t)flags);
	case FS_RENAME:
		return darwin__rename_flags((uint32_t)flags);
	case FS_GETATTR:
	case FS_LINK:
		return darwin__at_flags((uint32_t)flags);
	default:
		return flags;
	}
}

static void add_flags(struct macos_event *e, uint64_t flags)
{
	e->r.fs.flags = (uint32_t)flags;
	e->r.aux = (uint32_t)(flags >> 32);
	e->r.fs.has |= FS_HAS_FLAGS;
}

/* ---- paths ---- */

static struct call_text directory(const struct macos_event *e, uint8_t dir)
{
	int64_t here = is_darwin(e) ? DARWIN_AT_FDCWD : LINUX_AT_FDCWD;
	struct opened *o = opened(e, dir);

	if (!dir || number_at(e, dir) == here) {
		const char *cwd = process__cwd(e->p, e->l->tid);

		return (struct call_text){ cwd, cwd ? strlen(cwd) : 0 };
	}
	return o && !o->is_socket ? (struct call_text){ o->path, o->len } :
				    (struct call_text){ NULL, 0 };
}

/* Writes text I as an absolute path to OUT and returns its length; 0: unknown. */
static size_t absolute(const struct macos_event *e, size_t i, uint8_t dir, char *out)
{
	const struct call_text *t = &e->l->text[i];
	struct call_text base = directory(e, dir);

	if (i >= e->l->n_texts || !t->len || t->len >= TEXT_MAX || base.len >= PATH_BYTES)
		return 0;
	return normalize_path__path(out, base.s, base.len, t->s, t->len);
}

/* Sets text I of the record: absolute if possible, otherwise as the program passed it. */
static size_t set_text(const struct macos_event *e, size_t i, uint8_t dir, char *out)
{
	size_t len = absolute(e, i, dir, out);

	if (len || i >= e->l->n_texts)
		return len;
	memcpy(out, e->l->text[i].s, e->l->text[i].len);
	return e->l->text[i].len;
}

/* ---- shapes ---- */

static void about_file(struct macos_event *e, uint8_t op, struct opened *o)
{
	uint64_t id = o ? macos__file_id(e->s, o) : 0;

	if (!id) {
		macos__left_out(e->s);
		return;
	}
	begin_record(e, op);
	e->r.fs.path = id;
	/* getattrlistbulk() returns a number of entries, and has no size. */
	if (op == FS_READ || op == FS_WRITE || (op == FS_READDIR && e->info->size))
		e->r.fs.has |= FS_HAS_BYTES;
	if (op == FS_READ || op == FS_WRITE || op == FS_CLOSE || op == FS_FSYNC ||
	    op == FS_FDATASYNC) {
		e->r.fs.flags = o->flags;
		e->r.fs.has |= FS_HAS_FILE_FLAGS;
	}
	hand_over(e);
}

static void take_FD(struct macos_event *e)
{
	about_file(e, e->info->op, opened(e, e->info->fd));
}

/* About a file that is known by its path, not by a descriptor; flags are a mapping's. */
static void take_FILE(struct macos_event *e)
{
	struct opened o = { .path = e->s->all->path[0] };

	o.len = absolute(e, 0, 0, o.path);
	begin_record(e, e->info->op);
	e->r.fs.path = macos__file_id(e->s, &o);
	if (!e->r.fs.path) {
		macos__left_out(e->s);
		return;
	}
	if (e->info->op == FS_MMAP) {
		e->r.has = LONG_HAS_PROT;
		e->r.aux = (uint32_t)number_at(e, AT(0));
		e->r.aux2 = darwin__map_flags((uint32_t)number_at(e, AT(1)));
	}
	hand_over(e);
}

static void take_PLAIN(struct macos_event *e)
{
	begin_record(e, e->info->op);
	hand_over(e);
}

/* It is unknown which file is mapped there. */
static void take_MEMORY(struct macos_event *e)
{
	if (e->s->all->selection->scope_all)
		take_PLAIN(e);
	else
		macos__left_out(e->s);
}

static void take_CLOSE(struct macos_event *e)
{
	take_FD(e);
	/* Only a file that is not open keeps its state. */
	process__close(e->s->processes, e->p, (int)number_at(e, e->info->fd));
}

static void ask_one(struct macos_event *e, uint8_t op)
{
	begin_record(e, op);
	e->r.len = (uint16_t)set_text(e, 0, e->info->dir, e->requested);
	e->r.has = LONG_HAS_REQUESTED;
	if (tells(e, e->info->flags))
		add_flags(e, flags_of(e));
	hand_over(e);
}

static void take_PATH(struct macos_event *e)
{
	uint8_t op = e->info->op;
	size_t len;

	/* With an empty path, or none, the call is about the descriptor. */
	if (e->info->dir && (!e->l->n_texts || !e->l->text[0].len)) {
		about_file(e, op, opened(e, e->info->dir));
		return;
	}
	if (op == FS_UNLINK && flags_of(e) & LINUX_AT_REMOVEDIR)
		op = FS_RMDIR;
	ask_one(e, op);
	if (failed(e) || op != FS_UNLINK)
		return;
	len = absolute(e, 0, e->info->dir, e->s->all->path[0]);
	if (len)
		process_table__unlink(e->s->processes, e->s->all->path[0], len);
}

static void rename_files(struct macos_event *e)
{
	char *old = e->s->all->path[0], *new = e->s->all->path[1];
	size_t old_len = absolute(e, 0, e->info->dir, old),
	       new_len = absolute(e, 1, e->info->dir2, new);

	if (old_len && new_len && (old_len != new_len || memcmp(old, new, old_len) != 0))
		process_table__rename(e->s->processes, old, old_len, new, new_len);
}

static void take_PATHS(struct macos_event *e)
{
	begin_record(e, e->info->op);
	e->r.has = LONG_HAS_REQUESTED | LONG_HAS_REQUESTED2;
	if (e->info->op == FS_SYMLINK && e->l->n_texts) {
		e->r.has |= LONG_LINK_TARGET;
		e->r.len = (uint16_t)e->l->text[0].len;
		memcpy(e->requested, e->l->text[0].s, e->r.len);
	} else {
		e->r.len = (uint16_t)set_text(e, 0, e->info->dir, e->requested);
	}
	e->r.len2 = (uint16_t)set_text(e, 1, e->info->dir2, e->requested + e->r.len);
	if (e->info->flags)
		add_flags(e, flags_of(e));
	hand_over(e);
	if (e->info->op == FS_RENAME && !failed(e))
		rename_files(e);
}

/* From an open file to a name. */
static void take_FCLONE(struct macos_event *e)
{
	struct opened *from = opened(e, e->info->fd);

	begin_record(e, e->info->op);
	e->r.has = LONG_HAS_REQUESTED | LONG_HAS_REQUESTED2;
	if (from && !from->is_socket && from->len < PATH_BYTES) {
		e->r.len = (uint16_t)from->len;
		memcpy(e->requested, from->path, from->len);
	}
	e->r.len2 = (uint16_t)set_text(e, 0, e->info->dir, e->requested + e->r.len);
	hand_over(e);
}

static void take_OPEN(struct macos_event *e)
{
	uint64_t flags = e->info->flags ? flags_of(e) : LINUX_O_CREAT_WRONLY_TRUNC;
	size_t len = absolute(e, 0, e->info->dir, e->s->all->path[0]);
	struct opened *o;

	if (failed(e) || !len) {
		ask_one(e, FS_OPEN);
		if (!failed(e))
			process__close(e->s->processes, e->p, (int)e->l->ret);
		return;
	}
	o = process__open(e->s->processes, e->p, (int)e->l->ret, flags & LINUX_O_CLOEXEC,
			  e->s->all->path[0], len);
	if (!o) {
		ask_one(e, FS_OPEN);
		return;
	}
	o->flags = (uint32_t)flags;
	begin_record(e, FS_OPEN);
	e->r.fs.path = macos__file_id(e->s, o);
	if (!e->r.fs.path) {
		macos__left_out(e->s);
		return;
	}
	if (e->info->flags || !strcmp(e->info->name, "creat"))
		add_flags(e, flags);
	hand_over(e);
}

static void take_DUP(struct macos_event *e)
{
	bool closes = flags_of(e) & LINUX_O_CLOEXEC;

	if (!failed(e))
		process__dup(e->s->processes, e->p, (int)number_at(e, e->info->fd), (int)e->l->ret,
			     closes);
}

/* Depends on the number of the command, and on the system. */
static void take_FCNTL(struct macos_event *e)
{
	int64_t command = number_at(e, AT(1)), darwin = is_darwin(e);
	int fd = (int)number_at(e, e->info->fd);

	if (darwin && (command == DARWIN_F_FULLFSYNC || command == DARWIN_F_BARRIERFSYNC)) {
		about_file(e, FS_FSYNC, opened(e, e->info->fd));
		return;
	}
	if (failed(e))
		return;
	if (command == LINUX_F_DUPFD ||
	    command == (darwin ? DARWIN_F_DUPFD_CLOEXEC : LINUX_F_DUPFD_CLOEXEC))
		process__dup(e->s->processes, e->p, fd, (int)e->l->ret, command != LINUX_F_DUPFD);
	else if (command == LINUX_F_SETFD)
		process__set_closes(e->p, fd, number_at(e, AT(2)) & FD_CLOSES);
}

static void take_MMAP(struct macos_event *e)
{
	struct opened *o = opened(e, e->info->fd);
	uint64_t flags = (uint64_t)number_at(e, AT(3)), id;

	if (is_darwin(e))
		flags = darwin__map_flags((uint32_t)flags);
	id = o && !(flags & LINUX_MAP_ANONYMOUS) ? macos__file_id(e->s, o) : 0;
	if (!id) {
		macos__left_out(e->s);
		return;
	}
	begin_record(e, FS_MMAP);
	e->r.fs.path = id;
	e->r.has = LONG_HAS_PROT;
	if (!failed(e)) {
		e->r.has |= LONG_HAS_ADDRESS;
		e->r.address = (uint64_t)e->l->ret;
	}
	e->r.aux = (uint32_t)number_at(e, AT(2));
	e->r.aux2 = (uint32_t)flags;
	hand_over(e);
}

static void take_FILES(struct macos_event *e)
{
	struct opened *in = opened(e, e->info->fd), *out = opened(e, e->info->fd2);
	uint64_t from = in ? macos__file_id(e->s, in) : 0, to = out ? macos__file_id(e->s, out) : 0;

	if (!from && !to) {
		macos__left_out(e->s);
		return;
	}
	begin_record(e, e->info->op);
	e->r.fs.path = from;
	e->r.base2 = to;
	e->r.has = LONG_TWO_FILES;
	e->r.fs.has |= FS_HAS_BYTES;
	hand_over(e);
}

/* On macOS, the bytes sent are not the result of the call. */
static void take_SENDFILE(struct macos_event *e)
{
	struct call_line l = *e->l;

	l.ret = number_at(e, AT(3));
	e->l = &l;
	take_FILES(e);
}

/* Makes the row. Returns the new directory; it has no text if it is unknown. */
static struct call_text change_directory(struct macos_event *e)
{
	struct opened *o = opened(e, e->info->fd);
	char *to = e->s->all->path[0];
	size_t len = absolute(e, 0, 0, to);

	if (!e->info->fd) {
		ask_one(e, FS_CHDIR);
		return (struct call_text){ to, len };
	}
	take_FD(e);
	return o && !o->is_socket ? (struct call_text){ o->path, o->len } :
				    (struct call_text){ NULL, 0 };
}

static void take_CHDIR(struct macos_event *e)
{
	struct call_text to = change_directory(e);

	if (!failed(e))
		process__set_cwd(e->p, to.s, to.len);
}

/* A thread gets a directory of its own; with descriptor -1 it returns to that of the process. */
static void take_THREAD_CHDIR(struct macos_event *e)
{
	bool returns = e->info->fd && number_at(e, e->info->fd) == -1;
	struct opened own = { .path = e->p->cwd, .len = e->p->cwd ? strlen(e->p->cwd) : 0 };
	struct call_text to;

	if (returns && !failed(e)) {
		process__drop_thread_dir(e->s->processes, e->p, e->l->tid);
		about_file(e, FS_CHDIR, &own);
		return;
	}
	to = change_directory(e);
	if (!failed(e))
		process__set_thread_dir(e->s->processes, e->p, e->l->tid, to.s, to.len);
}

static void take_THREAD_EXIT(struct macos_event *e)
{
	process__drop_thread_dir(e->s->processes, e->p, e->l->tid);
}

static void take_CHROOT(struct macos_event *e)
{
	ask_one(e, FS_CHDIR);
	/* From now on its paths begin at another root. */
	if (!failed(e))
		process__set_cwd(e->p, NULL, 0);
}

/* ---- processes ---- */

static void take_CREATE(struct macos_event *e)
{
	struct process *child = process_table__fork(e->s->processes, e->p, (uint32_t)e->l->ret,
						    process__cwd(e->p, e->l->tid));

	if (child && number_at(e, AT(0)))
		process__forget_files(e->s->processes, child);
}

static void take_FORK(struct macos_event *e)
{
	begin_record(e, FS_PROCESS_FORK);
	e->r.fs.ret = number_at(e, AT(0));
	hand_over(e);
}

static void set_arguments(struct process *p, struct call_text args, bool cut)
{
	p->cmdline_len = (uint16_t)MIN(args.len, sizeof(p->cmdline));
	memcpy(p->cmdline, args.s, p->cmdline_len);
	p->cmdline_cut = cut || args.len > sizeof(p->cmdline);
	p->version++;
}

static void take_EXEC(struct macos_event *e)
{
	size_t len;

	if (failed(e)) {
		ask_one(e, FS_PROCESS_EXEC);
		return;
	}
	process__exec(e->s->processes, e->p, e->l->tid);
	if (e->l->n_texts > 1)
		set_arguments(e->p, e->l->text[1], number_at(e, AT(0)));
	else
		macos__ask_arguments(e->p);
	len = absolute(e, 0, 0, e->s->all->path[0]);
	begin_record(e, FS_PROCESS_EXEC);
	if (len) {
		struct opened o = { .path = e->s->all->path[0], .len = len };

		e->r.fs.path = macos__file_id(e->s, &o);
	}
	hand_over(e);
}

/* The reason is CLD_* on both systems; the signal is unknown. */
static void take_EXIT(struct macos_event *e)
{
	enum { EXITED = 1 };

	begin_record(e, FS_PROCESS_EXIT);
	e->r.fs.ret = 0;
	if (number_at(e, AT(0)) == EXITED)
		e->r.fs.flags = (uint32_t)(e->l->ret & 0xff) << 8;
	else
		e->r.fs.has |= FS_NO_RESULT;
	e->r.fs.has |= FS_HAS_FLAGS;
	hand_over(e);
	process_table__remove(e->s->processes, e->l->pid);
}

/* ---- the table ---- */

static const struct macos_call infos[] = {
#define CALL(call, operation, shape, ...) \
	{ .name = #call, .op = (operation), .take = take_##shape, ##__VA_ARGS__ },
#include "engine/macos/calls.def"
#undef CALL
};

static const struct macos_call *find_call(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
		if (!strcmp(infos[i].name, name))
			return &infos[i];
	return NULL;
}

bool macos__call(struct source *s, const struct call_line *l)
{
	struct macos_event e; /* has 16 KiB of paths, not initialized */

	e.s = s;
	e.l = l;
	e.info = find_call(l->name);
	if (!e.info)
		return false;
	e.p = macos__process_of(s, l);
	if (e.p)
		e.info->take(&e);
	return true;
}
