// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine that reads the output of fs_usage(1), which needs root, but works with System
 * Integrity Protection on. It reports reads and writes, but threads instead of processes, one path
 * where there are two, and only the end of a long path. What is missing is counted (enum hole),
 * never guessed. */
#include "engine/macos/fs_usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>

#include "base/clock.h"
#include "engine/macos/darwin.h"
#include "engine/macos/fs_usage_line.h"
#include "engine/macos/state.h"
#include "engine/macos/thread_map.h"
#include "platform/macros.h"
#include "platform/process_files.h"
#include "schema/schema.h"

#define PROGRAM "fs_usage"
#define SAID_BYTES 4096
#define DAY_US (UINT64_C(86400) * 1000000)

/* ---- calls ---- */

enum line_shape {
	SKIP,    /* says nothing about files */
	OPEN,    /* F= or an errno, flags, a path */
	OPENAT,  /* … */
	PATH,    /* a path */
	AT_PATH, /* … relative to a directory */
	TWO,     /* the first of two paths */
	SECOND,  /* the second of two */
	RENAMED, /* the old path */
	SENT,    /* neither of two files */
	/* A descriptor, and the bytes moved, if any. For pread and pwrite, the upper half of the
	 * offset is the requested size, because fs_usage takes each argument for half of one. */
	FD,
	FD_AT,  /* … at an offset */
	LENGTH, /* a path or a descriptor, and a length like the offset above */
	CLOSE,
	DUP,
	FCNTL,
	MAP,
	FORK,
	EXEC,
	EXIT,
};

/* clang-format off */
static const struct fs_usage_call {
	const char *name; /* fs_usage's, cut to 17 characters */
	enum line_shape shape;
	const char *call; /* in calls.def; NULL: the same */
} calls[] = {
	{ "open", OPEN }, { "open_extended", OPEN, "open" }, { "open_dprotected", OPEN, "open" },
	{ "guarded_open_np", OPEN, "open" }, { "guarded_open_dpro", OPEN, "open" },
	{ "openat", OPENAT }, { "close", CLOSE }, { "guarded_close_np", CLOSE, "close" },
	{ "dup", DUP }, { "dup2", DUP }, { "fcntl", FCNTL }, { "mmap", MAP }, { "read", FD },
	{ "readv", FD }, { "pread", FD, "preadv" }, { "preadv", FD_AT }, { "write", FD },
	{ "writev", FD }, { "pwrite", FD, "pwritev" }, { "pwritev", FD_AT },
	{ "guarded_write_np", FD, "write" }, { "guarded_writev_np", FD, "writev" },
	{ "guarded_pwrite_np", FD, "pwritev" }, { "fsync", FD }, { "fdatasync", FD },
	{ "fstat", FD }, { "fstat64", FD, "fstat" }, { "fstat_extended", FD, "fstat" },
	{ "fstat64_extended", FD, "fstat" }, { "fgetattrlist", FD }, { "fsetattrlist", FD },
	{ "getdirentries", FD }, { "getdirentries64", FD, "getdirentries" },
	{ "getdirentriesattr", FD, "getdirentries" }, { "getattrlistbulk", FD },
	{ "fchmod", FD }, { "fchmod_extended", FD, "fchmod" }, { "fchown", FD },
	{ "futimes", FD }, { "fchflags", FD }, { "fgetxattr", FD }, { "fsetxattr", FD },
	{ "flistxattr", FD }, { "fremovexattr", FD }, { "flock", FD }, { "fchdir", FD },
	{ "ftruncate", LENGTH }, { "truncate", LENGTH }, { "stat", PATH },
	{ "stat64", PATH, "stat" }, { "stat_extended", PATH, "stat" },
	{ "stat_extended64", PATH, "stat" }, { "lstat", PATH }, { "lstat64", PATH, "lstat" },
	{ "lstat_extended", PATH, "lstat" }, { "lstat_extended64", PATH, "lstat" },
	{ "fstatat", AT_PATH }, { "fstatat64", AT_PATH, "fstatat" }, { "getattrlist", PATH },
	{ "getattrlistat", AT_PATH }, { "setattrlist", PATH }, { "setattrlistat", AT_PATH },
	{ "access", PATH }, { "access_extended", PATH, "access" }, { "faccessat", AT_PATH },
	{ "readlink", PATH }, { "readlinkat", AT_PATH }, { "unlink", PATH },
	{ "delete-Carbon", PATH, "unlink" }, { "unlinkat", AT_PATH }, { "rmdir", PATH },
	{ "mkdir", PATH }, { "mkdir_extended", PATH, "mkdir" }, { "mkdirat", AT_PATH },
	{ "mknod", PATH }, { "mkfifo", PATH }, { "mkfifo_extended", PATH, "mkfifo" },
	{ "chmod", PATH }, { "chmod_extended", PATH, "chmod" },
	{ "chmodat", AT_PATH, "fchmodat" }, { "chown", PATH }, { "lchown", PATH },
	{ "chownat", AT_PATH, "fchownat" }, { "utimes", PATH }, { "chflags", PATH },
	{ "getxattr", PATH }, { "setxattr", PATH }, { "listxattr", PATH },
	{ "removexattr", PATH }, { "chdir", PATH }, { "pthread_chdir", PATH },
	{ "pthread_fchdir", FD }, { "chroot", PATH }, { "rename", RENAMED },
	{ "renameat", RENAMED, "rename" }, { "renamex_np", RENAMED, "rename" },
	{ "renameatx_np", RENAMED, "rename" }, { "link", TWO }, { "linkat", TWO, "link" },
	{ "symlink", SECOND }, { "symlinkat", SECOND, "symlink" }, { "copyfile", TWO },
	{ "clonefileat", TWO, "clone" }, { "fclonefileat", SECOND, "clone" },
	{ "exchangedata", TWO }, { "sendfile", SENT }, { "fork", FORK }, { "vfork", FORK },
	{ "posix_spawn", FORK }, { "execve", EXEC, "exec" }, { "exit", EXIT }, { "lseek", SKIP },
	{ "ioctl", SKIP }, { "fsctl", SKIP }, { "ffsctl", SKIP }, { "statfs", SKIP },
	{ "statfs64", SKIP }, { "fstatfs", SKIP }, { "fstatfs64", SKIP }, { "getfsstat", SKIP },
	{ "getfsstat64", SKIP }, { "pathconf", SKIP }, { "fpathconf", SKIP }, { "umask", SKIP },
	{ "umask_extended", SKIP }, { "sync", SKIP }, { "msync", SKIP }, { "statfs_ext", SKIP },
	{ "fsgetpath", SKIP }, { "fsgetpath_ext", SKIP }, { "aio_error", SKIP },
	{ "aio_return", SKIP }, { "aio_suspend", SKIP }, { "aio_cancel", SKIP },
	{ "aio_fsync", SKIP }, { "IOCTL", SKIP }, { "PAGE_IN", SKIP }, { "PAGE_IN_FILE", SKIP },
	{ "PAGE_IN_ANON", SKIP }, { "PAGE_OUT_ANON", SKIP }, { "PAGE_OUT_FILE", SKIP },
	{ "PAGE_OUT_D", SKIP }, { "PAGE_OUT_V", SKIP }, { "PAGE_IN_D", SKIP },
	{ "PAGE_IN_V", SKIP }, { "CACHE_HIT", SKIP }, { "map_fd", SKIP }, { "select", SKIP },
	{ "quotactl", SKIP }, { "getfh", SKIP }, { "csops", SKIP }, { "csops_audittoken", SKIP },
	{ "issetugid", SKIP },
};
/* clang-format on */

static const struct fs_usage_call *find_fs_usage_call(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(calls[i].name, name))
			return &calls[i];
	return NULL;
}

/* ---- open()'s flags: a place for each, with a letter if it is set ---- */

static const struct {
	size_t place;
	char letter;
	uint64_t flag; /* of macOS' fcntl.h */
} letters[] = {
	{ 2, 'C', 0x200 },    { 3, 'A', 0x8 },     { 4, 'T', 0x400 },      { 5, 'E', 0x800 },
	{ 6, 'N', 0x4 },      { 7, 'l', 0x10 },    { 7, 'L', 0x20 },       { 8, 'F', 0x100 },
	{ 9, 'S', 0x200000 }, { 10, 'V', 0x8000 }, { 11, 'X', 0x1000000 }, { 12, 'f', 0x20000000 },
};

static int64_t open_flags(const char *places)
{
	size_t n = strlen(places);
	bool reads = n > 0 && places[0] == 'R', writes = n > 1 && places[1] == 'W';
	uint64_t flags = writes ? reads ? 2 : 1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].place < n && places[letters[i].place] == letters[i].letter)
			flags |= letters[i].flag;
	return (int64_t)flags;
}

/* ---- time ---- */

static uint64_t clock_of_day(void)
{
	return clock__real_ns();
}

/* The time, nearest to now, at which the local time was DAY_US after midnight. It is the same
 * whenever it is asked for, so that lines of one microsecond stay in their order. */
static uint64_t real_ns(uint64_t day_us)
{
	uint64_t now = clock__real_ns();
	time_t seconds = (time_t)(now / NSEC_PER_SEC);
	struct tm tm;
	uint64_t us;
	int64_t ahead;

	if (!localtime_r(&seconds, &tm))
		return now;
	us = ((uint64_t)(tm.tm_hour * 60 + tm.tm_min) * 60 + (uint64_t)tm.tm_sec) * 1000000 +
	     now % NSEC_PER_SEC / 1000;
	ahead = (int64_t)day_us - (int64_t)us;
	if (ahead > (int64_t)DAY_US / 2)
		ahead -= (int64_t)DAY_US;
	else if (ahead < -(int64_t)DAY_US / 2)
		ahead += (int64_t)DAY_US;
	return now - now % 1000 + (uint64_t)(ahead * 1000);
}

/* ---- processes of threads ---- */

static void queue_line(struct source *s, struct call_line *l, const char *text, size_t len)
{
	if (text) {
		l->text[0] = (struct call_text){ text, len };
		l->n_texts = 1;
	}
	macos__queue(s, l, text ? text : "", len);
}

/* Queues the ancestors of a process that is not known yet, while they can still be asked for. */
static void queue_ancestors(struct source *s, const struct call_line *of, pid_t parent)
{
	struct call_line l = { .name = "adopt", .ns = of->ns, .pid = of->pid, .tid = of->tid };

	while (l.n_numbers < CALL_NUMBERS_MAX && parent > 1) {
		l.n[l.n_numbers++] = parent;
		parent = process_files__parent(parent);
	}
	queue_line(s, &l, NULL, 0);
}

/* The child inherits the files of its parent, unless that calls posix_spawn(), which may change
 * them unseen. Which thread made the child is unknown, too. */
static void inherit(struct source *s, struct process *parent, uint32_t pid)
{
	bool own_dirs = parent->n_dirs || parent->dirs_full;
	struct process *child =
		process_table__fork(s->processes, parent, pid, own_dirs ? NULL : parent->cwd);

	if (child && parent->spawns)
		process__forget_files(s->processes, child);
	else if (child && own_dirs)
		child->not_queried = true;
}

/* Makes a descendant of a recorded process the child of its nearest known ancestor. By now, lines
 * that were read together with this one may have made the process, or its parent, known. */
static void adopt(struct source *s, const struct call_line *l)
{
	if (process_table__find(s->processes, l->pid))
		return;
	for (size_t i = 0; i < l->n_numbers; i++) {
		struct process *p = process_table__find(s->processes, (uint32_t)l->n[i]);

		if (p && p->wanted) {
			inherit(s, p, l->pid);
			return;
		}
	}
}

static bool is_called(const char name[COMM_BYTES], const struct fs_usage_line *u)
{
	size_t len = strlen(name);

	return len == MIN(u->command_len, COMM_BYTES - 1) && !memcmp(name, u->command, len);
}

/* The system is asked once for each process and program: not again for each line that is read
 * before the process is known, which is when the first of them has its turn. */
static void queue_command(struct source *s, const struct call_line *of,
			  const struct fs_usage_line *u)
{
	struct fs_usage *f = s->all->own;
	struct process *p = process_table__find(s->processes, of->pid);
	struct call_line l = { .name = "task", .pid = of->pid, .tid = of->tid, .ns = of->ns };

	if ((p && p->named && is_called(p->comm, u)) ||
	    (f->queried == of->pid && is_called(f->queried_as, u)))
		return;
	f->queried = of->pid;
	snprintf(f->queried_as, sizeof(f->queried_as), "%.*s",
		 (int)MIN(u->command_len, COMM_BYTES - 1), u->command);
	l.ret = process_files__parent((pid_t)of->pid);
	if (!p)
		queue_ancestors(s, of, (pid_t)l.ret);
	queue_line(s, &l, u->command, u->command_len);
}

/* ---- lines ---- */

static void add_numbers(struct call_line *l, size_t n, ...)
{
	va_list args;

	va_start(args, n);
	for (size_t i = 0; i < n; i++)
		l->n[i] = va_arg(args, int64_t);
	l->n_numbers = n;
	va_end(args);
}

/* Queues a HOLE, which counts only if its process is recorded: that is known when the lines before
 * it have been handled. */
static void queue_hole(struct source *s, const struct call_line *of, enum hole hole)
{
	struct call_line l = {
		.name = "hole", .ns = of->ns, .pid = of->pid, .tid = of->tid, .ret = hole
	};

	queue_line(s, &l, NULL, 0);
}

static void take_hole(struct source *s, const struct call_line *l)
{
	struct process *p = macos__process(s, l->pid);

	if (!p)
		return;
	p->spawns |= l->ret == HOLE_SPAWN;
	if (macos__is_wanted(s->all, p))
		macos__hole(s, (enum hole)l->ret);
}

/* Whether only a part of the path is known. macOS fills up paths that it has cut with '>'. */
static bool is_cut(const struct fs_usage_line *u)
{
	return u->path_cut || (u->path_len && u->path[u->path_len - 1] == '>');
}

/* Queues the path, unless only a part of it is known. */
static bool queue_path(struct source *s, struct call_line *l, const struct fs_usage_line *u)
{
	if (u->path_len && !is_cut(u))
		queue_line(s, l, u->path, u->path_len);
	else
		queue_hole(s, l, HOLE_CUT);
	return true;
}

/* Queues a call on two files, of which fs_usage shows the first path that was looked up: the target
 * of a symlink is not. Nor is it said to which directory a relative path of an at-call belongs. */
static bool queue_pair(struct source *s, const struct fs_usage_call *c, struct call_line *l,
		       const struct fs_usage_line *u)
{
	const char *path = u->path_len ? u->path : "";

	/* One that failed has changed nothing. */
	if (!u->error) {
		queue_hole(s, l, c->shape == RENAMED ? HOLE_RENAME : HOLE_TWO_PATHS);
		return true;
	}
	if (c->shape == SENT)
		return true;
	if (is_cut(u)) {
		queue_hole(s, l, HOLE_CUT);
		return true;
	}
	l->n_texts = 2;
	l->text[0] = l->text[1] = (struct call_text){ path, 0 };
	if (!u->has_dir || *path == '/')
		l->text[c->shape == SECOND].len = u->path_len;
	macos__queue(s, l, path, u->path_len);
	return true;
}

static void queue_fcntl(struct source *s, struct call_line *l, const struct fs_usage_line *u)
{
	static const struct {
		const char *word;
		int64_t command;
	} commands[] = { { "FULLFSYNC", DARWIN_F_FULLFSYNC },
			 { "BARRIERFSYNC", DARWIN_F_BARRIERFSYNC } };

	/* The new descriptor of DUPFD is not reported: it is looked up when it is used. */
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(u->words, commands[i].word)) {
			add_numbers(l, 2, (int64_t)u->fd, commands[i].command);
			queue_line(s, l, NULL, 0);
		}
}

/* PROT_*, as words. Whether the mapping is shared is not reported. */
static void queue_map(struct source *s, struct call_line *l, const struct fs_usage_line *u)
{
	enum { READ = 1, WRITE = 2, EXECUTE = 4 };
	int64_t prot = (strstr(u->words, "READ") ? READ : 0) |
		       (strstr(u->words, "WRITE") ? WRITE : 0) |
		       (strstr(u->words, "EXEC") ? EXECUTE : 0);

	if (prot & WRITE && u->fd >= 0)
		queue_hole(s, l, HOLE_MAP);
	l->no_result = true;
	add_numbers(l, 5, (int64_t)0, (int64_t)u->bytes, prot, (int64_t)0, (int64_t)u->fd);
	queue_line(s, l, NULL, 0);
}

static bool queue_call(struct source *s, const struct fs_usage_call *c, struct call_line *l,
		       const struct fs_usage_line *u)
{
	const int64_t fd = u->fd, dir = u->has_dir ? u->dir : DARWIN_AT_FDCWD, zero = 0;

	switch (c->shape) {
	case OPEN:
		l->ret = fd;
		add_numbers(l, 2, zero, open_flags(u->flags));
		return *u->flags && queue_path(s, l, u);
	case OPENAT:
		l->ret = fd;
		add_numbers(l, 3, dir, zero, open_flags(u->flags));
		return *u->flags && queue_path(s, l, u);
	case AT_PATH:
		add_numbers(l, 1, dir);
		return queue_path(s, l, u);
	case PATH:
	case EXEC:
		return queue_path(s, l, u);
	case RENAMED:
	case TWO:
	case SECOND:
	case SENT:
		return queue_pair(s, c, l, u);
	case FORK:
		if (!u->error && *u->call == 'p')
			queue_hole(s, l, HOLE_SPAWN);
		return true;
	case LENGTH:
		if (!u->has_fd)
			return queue_path(s, l, u);
		add_numbers(l, 1, fd);
		queue_line(s, l, NULL, 0);
		return true;
	case FD_AT:
		add_numbers(l, 4, fd, zero, zero, (int64_t)u->offset);
		queue_line(s, l, NULL, 0);
		return u->has_fd;
	case DUP:
		l->ret = u->fd2;
		/* fallthrough */
	case FD:
	case CLOSE:
		add_numbers(l, 1, fd);
		queue_line(s, l, NULL, 0);
		return u->has_fd;
	case FCNTL:
		queue_fcntl(s, l, u);
		return u->has_fd;
	case MAP:
		queue_map(s, l, u);
		return u->has_fd;
	case EXIT:
		l->error = 0; /* the number is the status */
		l->ret = u->error;
		add_numbers(l, 1, (int64_t)1);
		queue_line(s, l, NULL, 0);
		return true;
	case SKIP:
		return true;
	}
	return false;
}

bool fs_usage__read(struct source *s, char *text, size_t len)
{
	struct fs_usage *f = s->all->own;
	struct fs_usage_line u;
	const struct fs_usage_call *c;
	struct call_line l;
	pid_t pid;

	if (!fs_usage_line__parse(&u, &f->column, text, len))
		return false;
	if (u.is_disk)
		return true;
	pid = thread_map__find(f->threads, u.thread);
	if (!pid) {
		macos__hole(s, HOLE_THREAD);
		return true;
	}
	l = (struct call_line){ .pid = (uint32_t)pid,
				.tid = (uint32_t)u.thread,
				.ns = real_ns(u.day_us),
				.duration = u.duration_us * 1000,
				.error = u.error,
				.ret = u.has_bytes ? (int64_t)u.bytes : 0 };
	c = find_fs_usage_call(u.call);
	queue_command(s, &l, &u);
	if (!c) {
		queue_hole(s, &l, HOLE_CALL);
		return true;
	}
	if (c->shape == EXEC || c->shape == EXIT)
		f->queried = 0;
	snprintf(l.name, sizeof(l.name), "%s", c->call ? c->call : c->name);
	return queue_call(s, c, &l, &u);
}

/* Asks the system about a descriptor whose open() was not seen, once for each process. */
static void look_for_file(struct source *s, const struct call_line *l)
{
	struct process *p = macos__process(s, l->pid);
	bool about_fd = l->n_numbers && !l->n_texts && strcmp(l->name, "create") != 0 &&
			strcmp(l->name, "exit") != 0 && strcmp(l->name, "close") != 0;
	int fd = (int)l->n[strcmp(l->name, "mmap") ? 0 : 4];

	/* -1: a mapping of no file, or a thread that returns to the directory of its process. */
	if (!p || !about_fd || fd < 0 || !macos__is_wanted(s->all, p) || process__opened(p, fd))
		return;
	p->not_queried = true;
	p = macos__process(s, l->pid);
	/* If the process still exists, the system has said which of its descriptors are files. */
	if (p && !process__opened(p, fd) && !process_files__parent((pid_t)l->pid))
		macos__hole(s, HOLE_FILE);
}

bool fs_usage__take(struct source *s, const struct call_line *l)
{
	if (!strcmp(l->name, "task"))
		return macos__take_task(s, l);
	if (!strcmp(l->name, "hole")) {
		take_hole(s, l);
		return true;
	}
	if (!strcmp(l->name, "adopt")) {
		adopt(s, l);
		return true;
	}
	look_for_file(s, l);
	return macos__call(s, l);
}

/* ---- begin ---- */

static bool said(struct source *s, const char *text)
{
	return false;
}

static const struct source_kind kind = { .stream = STREAM_FS,
					 .name = "fs_usage",
					 .read = fs_usage__read,
					 .take = fs_usage__take,
					 .said = said };

static int explain_fs_usage(const char *said, char *problem)
{
	if (strstr(said, "Resource busy"))
		return engine__problem(
			problem, -EBUSY,
			"another program is tracing (the kernel has one ktrace session): end the "
			"fs_usage, ktrace, trace or Instruments that runs already");
	if (strstr(said, "root") || strstr(said, "not permitted") || strstr(said, "Permission"))
		return engine__problem(problem, -EACCES, "fs_usage needs root: use sudo");
	return engine__problem(problem, -EACCES, "fs_usage does not start: %.300s",
			       *said ? said : "it says nothing");
}

static json_t *unfilled(const struct engine *e)
{
	return json_pack("{s:[sssss]}", schema_streams[STREAM_FS].key, "inode", "device", "fs_type",
			 "container_id", "size of reads and writes");
}

static bool serves(enum stream stream)
{
	return stream == STREAM_FS;
}

static int begin_fs_usage(struct macos *d, const struct engine_config *config, char *problem)
{
	char *const argv[] = { config->file ? (char *)config->file : PROGRAM,
			       "-w",
			       "-f",
			       "filesys",
			       "-f",
			       "exec",
			       NULL };
	char text[SAID_BYTES];
	int err = macos__begin_source(d, &kind, argv, problem);

	if (err)
		return err;
	err = macos__wait_for_begin(&d->sources[0], text, sizeof(text), problem);
	return err == -ECHILD ? explain_fs_usage(text, problem) : err;
}

static void free_fs_usage(struct engine *e)
{
	struct fs_usage *f = ((struct macos *)e)->own;

	if (f)
		thread_map__free(f->threads);
	free(f);
	macos__free(e);
}

static int open_fs_usage(struct engine **ret, const struct engine_config *config, char *problem)
{
	struct fs_usage *f;
	struct macos *d;
	int err = macos__new(&d, &engine_fs_usage, config, problem);

	if (err)
		return err;
	d->clock_ns = clock_of_day;
	d->is_darwin = true;
	d->own = f = calloc(1, sizeof(*f));
	if (f)
		f->threads = thread_map__new();
	err = f && f->threads ? begin_fs_usage(d, config, problem) :
				engine__problem(problem, -ENOMEM, "out of memory");
	if (err) {
		free_fs_usage(&d->engine);
		return err;
	}
	*ret = &d->engine;
	return 0;
}

const struct engine_type engine_fs_usage = {
	.name = "fs_usage",
	.serves = serves,
	MACOS_ENGINE,
	.open = open_fs_usage,
	.unfilled = unfilled,
	.free = free_fs_usage,
};
