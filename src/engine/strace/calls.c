// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/strace/program.h"
#include "engine/strace/shim.h"
#include "platform/macros.h"
#include "rows/linux_numbers.h"
#include "rows/normalize_path.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

#define AT(n) ((n) + 1)
#define FICLONE_NUMBER 0x40049409 /* linux/fs.h */
#define FICLONERANGE_NUMBER 0x4020940d
#define IOCB_PREAD 0 /* linux/aio_abi.h */
#define IOCB_PWRITE 1
#define IOCB_PREADV 7
#define IOCB_PWRITEV 8
#define SETUP_SQPOLL 2       /* linux/io_uring.h */
#define EXECVE_CHECK 0x10000 /* AT_EXECVE_CHECK of linux/fcntl.h, since 6.14 */
#define NAMESPACES (LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUSER)

struct strace_call;

/* A call that becomes events. */
struct strace_event {
	struct strace *s;
	struct strace_task *task;
	const struct line_call *call;
	const struct strace_call *info;
	uint64_t ns; /* of its end, CLOCK_MONOTONIC */
	struct strace_birth birth;
	union {
		struct rec_fs_long r;
		struct {
			char record[sizeof(struct rec_fs_long)];
			char requested[2 * PATH_BYTES]; /* follows R in the record */
		};
	};
};

_Static_assert(offsetof(struct strace_event, requested) ==
		       offsetof(struct strace_event, r) + sizeof(struct rec_fs_long),
	       "paths lie right behind their record");

/* A row of calls.def. Places are 1 + n; 0: none. */
struct strace_call {
	const char *name;
	uint8_t op;
	void (*take)(struct strace_event *e);
	uint8_t fd, fd2, dir, path, dir2, path2, flags, size, args;
};

/* ---- arguments ---- */

static struct span arg(const struct strace_event *e, uint8_t place)
{
	return place && place <= e->call->n_args ? e->call->args[place - 1] :
						   (struct span){ NULL, 0 };
}

static uint64_t number(const struct strace_event *e, uint8_t place)
{
	uint64_t n;

	return line__number(arg(e, place), &n) ? n : 0;
}

/* ---- definitions and events ---- */

static void define(struct strace *s, uint64_t id, const char *path, size_t len, uint32_t flags)
{
	char buf[sizeof(struct rec_path) + PATH_BYTES] __attribute__((aligned(8)));
	struct rec_path *r = (struct rec_path *)buf;

	*r = (struct rec_path){
		.type = REC_PATH,
		.kind = PATH_NAMED,
		.len = len,
		.flags = flags,
		.id = id,
		.mode = S_IFREG,
	};
	memcpy(r->path, path, len);
	s->sink->define(s->sink->arg, r, sizeof(*r) + len);
}

/* Sends the definition of PATH and returns its id; 0 if rows are not about such files. */
static uint64_t path_id(struct strace *s, const char *path, size_t len, uint32_t flags)
{
	if (!len || len >= PATH_BYTES || path[0] != '/' ||
	    mounts__pseudo_path(s->mounts, path, len))
		return 0;
	define(s, ++s->ids, path, len, flags);
	return s->ids;
}

/* The same for the file of a descriptor. */
static uint64_t file_id(struct strace *s, const struct line_file *f)
{
	char path[PATH_BYTES];
	int len = line__bytes(f->path, path, sizeof(path));

	/* A descriptor without a path: the path was too long even for strace. */
	if (!f->path.len)
		return path_id(s, "/", 1, PATH_CUT);
	return len < 0 ? 0 : path_id(s, path, len, f->deleted ? PATH_DELETED : 0);
}

static void define_task(struct strace *s, struct strace_task *t)
{
	char buf[sizeof(struct rec_task) + CMDLINE_BYTES] __attribute__((aligned(8)));
	struct rec_task *r = (struct rec_task *)buf;
	const struct strace_process *p = t->process;

	if (t->id && t->version == p->version && t->epoch == s->epoch)
		return;
	t->id = ++s->ids;
	t->version = p->version;
	t->epoch = s->epoch;
	*r = (struct rec_task){
		.type = REC_TASK,
		.len = p->cmdline_len,
		.pid = p->pid,
		.tid = t->tid,
		.ppid = p->ppid,
		.cmdline_cut = p->cmdline_cut,
		.id = t->id,
	};
	memcpy(r->comm, p->comm, sizeof(r->comm));
	memcpy(r->cmdline, p->cmdline, p->cmdline_len);
	s->sink->define(s->sink->arg, r, sizeof(*r) + r->len);
}

static void begin_record(struct strace_event *e, uint8_t op)
{
	define_task(e->s, e->task);
	e->r = (struct rec_fs_long){
		.fs = { .type = REC_FS, .op = op, .ns = e->ns, .task = e->task->id },
	};
	if (!e->call)
		return;
	e->r.fs.duration = e->call->duration;
	e->r.fs.ret = e->call->ret;
	if (e->info->size) {
		e->r.fs.size = number(e, e->info->size);
		e->r.fs.has |= FS_HAS_SIZE;
	}
}

static void hand_over(struct strace_event *e)
{
	size_t size = sizeof(e->r.fs);

	if (e->r.has || e->r.len) {
		e->r.fs.type = REC_FS_LONG;
		size = sizeof(e->r) + e->r.len + e->r.len2;
	}
	atomic_fetch_add_explicit(&e->s->seen, 1, memory_order_relaxed);
	e->s->sink->event(e->s->sink->arg, &e->r, size);
}

/* ---- the working directory ---- */

static void set_cwd(struct strace_process *p, const char *path, size_t len)
{
	if (p->cwd && strlen(p->cwd) == len && !memcmp(p->cwd, path, len))
		return;
	free(p->cwd);
	p->cwd = strndup(path, len);
}

/* Writes the path of the directory in argument PLACE to OUT. Returns its length; 0 if it is
 * unknown. */
static size_t directory(struct strace_event *e, uint8_t place, char out[PATH_BYTES])
{
	struct strace_process *p = e->task->process;
	struct line_file f = { .number = AT_FDCWD };
	int len;

	if (place && !line__file(arg(e, place), &f))
		return 0;
	len = f.path.len ? line__bytes(f.path, out, PATH_BYTES) : 0;
	if (f.number != AT_FDCWD)
		return len > 0 && *out == '/' ? len : 0;
	/* strace has looked up this path only now: another thread may have changed the directory
	 * since, or it was reached through a link. */
	if (len > 0 && *out == '/' && !f.deleted)
		set_cwd(p, out, len);
	len = p->cwd ? (int)strlen(p->cwd) : 0;
	if (len >= PATH_BYTES)
		return 0;
	memcpy(out, p->cwd ?: "", len);
	return len;
}

/* Writes the path in argument PATH, made absolute, to OUT. Returns its length; 0 if it is
 * unknown. */
static size_t absolute(struct strace_event *e, uint8_t dir, uint8_t path,
		       char out[2 * PATH_BYTES + 2])
{
	char text[PATH_BYTES], base[PATH_BYTES];
	int len = line__text(arg(e, path), text, sizeof(text));

	if (len < 0)
		return 0;
	return normalize_path__path(out, base, directory(e, dir, base), text, len);
}

/* ---- shapes ---- */

static void take_file(struct strace_event *e, uint8_t op, uint8_t place)
{
	struct line_file f;
	uint64_t id;

	if (!line__file(arg(e, place), &f) || f.number < 0 || (!f.path.len && e->call->ret < 0) ||
	    !(id = file_id(e->s, &f)))
		return;
	begin_record(e, op);
	e->r.fs.path = id;
	if (op == FS_READ || op == FS_WRITE || op == FS_READDIR)
		e->r.fs.has |= FS_HAS_BYTES;
	hand_over(e);
}

static void take_FD(struct strace_event *e)
{
	take_file(e, e->info->op, e->info->fd);
}

/* Gets the requested path and the directory it is relative to. Returns false if there is none. */
static bool ask(struct strace_event *e, uint8_t dir, uint8_t path, u64 *ret_base, char *out,
		u16 *ret_len)
{
	char base[PATH_BYTES];
	size_t base_len = directory(e, dir, base);
	int len = line__text(arg(e, path), out, PATH_BYTES - 1);

	if (len <= 0)
		return false;
	*ret_base = 0;
	if (*out != '/' && base_len) {
		*ret_base = ++e->s->ids;
		define(e->s, *ret_base, base, base_len, 0);
	}
	*ret_len = len;
	return true;
}

/* With an empty path, or none, the call is about the descriptor. */
static bool is_about_file(const struct strace_event *e)
{
	struct span path = arg(e, e->info->path);

	return e->info->dir && ((path.len == 2 && !memcmp(path.s, "\"\"", 2)) ||
				(path.len == 4 && !memcmp(path.s, "NULL", 4)));
}

static void ask_one(struct strace_event *e, uint8_t op)
{
	begin_record(e, op);
	if (!ask(e, e->info->dir, e->info->path, &e->r.base, e->requested, &e->r.len))
		return;
	e->r.has = LONG_HAS_REQUESTED;
	if (e->info->flags) {
		e->r.fs.flags = number(e, e->info->flags);
		e->r.fs.has |= FS_HAS_FLAGS;
	}
	hand_over(e);
}

/* Whether execveat() executes nothing: it was only asked if the file may be executed. */
static bool checks_only(const struct strace_event *e)
{
	return e->info->op == FS_PROCESS_EXEC && e->info->dir && number(e, AT(4)) & EXECVE_CHECK;
}

static void take_PATH(struct strace_event *e)
{
	uint8_t op = checks_only(e) ? FS_ACCESS : e->info->op;

	if (is_about_file(e)) {
		take_file(e, op, e->info->dir);
		return;
	}
	if (op == FS_UNLINK && number(e, e->info->flags) & AT_REMOVEDIR)
		op = FS_RMDIR;
	ask_one(e, op);
}

static void take_PATHS(struct strace_event *e)
{
	char second[PATH_BYTES];

	begin_record(e, e->info->op);
	if (!ask(e, e->info->dir, e->info->path, &e->r.base, e->requested, &e->r.len)) {
		/* linkat() of a descriptor */
		if (!is_about_file(e))
			return;
		e->r.len = directory(e, e->info->dir, e->requested);
	}
	if (!ask(e, e->info->dir2, e->info->path2, &e->r.base2, second, &e->r.len2))
		return;
	memcpy(e->requested + e->r.len, second, e->r.len2);
	e->r.has = LONG_HAS_REQUESTED | LONG_HAS_REQUESTED2 |
		   (e->info->op == FS_SYMLINK ? LONG_LINK_TARGET : 0);
	if (e->info->flags) {
		e->r.fs.flags = number(e, e->info->flags);
		e->r.fs.has |= FS_HAS_FLAGS;
	}
	hand_over(e);
}

static uint32_t open_flags(const struct strace_event *e)
{
	struct span how = arg(e, e->info->flags), flags = line__member(how, "flags=");
	uint64_t n;

	if (!e->info->flags) /* creat() */
		return O_CREAT | O_WRONLY | O_TRUNC;
	return line__number(flags.len ? flags : how, &n) ? n : 0;
}

/* A call that succeeded is about the file that it opened. */
static void take_OPEN(struct strace_event *e)
{
	uint64_t id;

	if (e->call->ret < 0) {
		ask_one(e, FS_OPEN);
		return;
	}
	if (e->info->dir) { /* for the working directory in it */
		char unused[PATH_BYTES];

		directory(e, e->info->dir, unused);
	}
	id = file_id(e->s, &e->call->file);
	if (!id)
		return;
	begin_record(e, FS_OPEN);
	e->r.fs.path = id;
	e->r.fs.flags = open_flags(e);
	e->r.fs.has |= FS_HAS_FLAGS;
	hand_over(e);
}

static void take_MMAP(struct strace_event *e)
{
	struct line_file f;
	uint64_t id;

	if (!line__file(arg(e, e->info->fd), &f) || f.number < 0 || !f.path.len ||
	    !(id = file_id(e->s, &f)))
		return;
	begin_record(e, FS_MMAP);
	e->r.fs.path = id;
	e->r.has = LONG_HAS_PROT;
	e->r.aux = number(e, AT(2));
	e->r.aux2 = number(e, e->info->flags);
	hand_over(e);
}

static void copy(struct strace_event *e, const struct line_file *in, const struct line_file *out)
{
	uint64_t from = in && in->path.len ? file_id(e->s, in) : 0,
		 to = out && out->path.len ? file_id(e->s, out) : 0;

	if (!from && !to)
		return;
	begin_record(e, e->info->op);
	e->r.fs.path = from;
	e->r.base2 = to;
	e->r.has = LONG_TWO_FILES;
	e->r.fs.has |= FS_HAS_BYTES;
	hand_over(e);
}

static void take_FILES(struct strace_event *e)
{
	struct line_file in, out;

	copy(e, line__file(arg(e, e->info->fd), &in) ? &in : NULL,
	     line__file(arg(e, e->info->fd2), &out) ? &out : NULL);
}

/* For FICLONE strace prints only the target. The open() of the source has been seen. */
static void take_IOCTL(struct strace_event *e)
{
	uint64_t request = number(e, AT(1));
	struct line_file in, out;
	bool has_in;

	if ((request != FICLONE_NUMBER && request != FICLONERANGE_NUMBER) ||
	    !line__file(arg(e, e->info->fd2), &out))
		return;
	has_in = line__file(line__member(arg(e, e->info->fd), "src_fd="), &in);
	copy(e, has_in ? &in : NULL, &out);
}

static void take_CHDIR(struct strace_event *e)
{
	struct strace_process *p = e->task->process;
	char path[2 * PATH_BYTES + 2];
	struct line_file f;
	size_t len;
	int known;

	if (e->info->path)
		ask_one(e, FS_CHDIR);
	else
		take_FD(e);
	if (e->call->ret < 0)
		return;
	if (e->info->path) {
		len = absolute(e, 0, e->info->path, path);
		path[len] = 0;
		/* Other calls have the real path. */
		free(p->cwd);
		p->cwd = len ? realpath(path, NULL) ?: strdup(path) : NULL;
		return;
	}
	if (!line__file(arg(e, e->info->fd), &f))
		return;
	known = line__bytes(f.path, path, PATH_BYTES);
	if (known > 0)
		set_cwd(p, path, known);
}

static void take_FORK(struct strace_event *e)
{
	struct span all = { e->call->args[0].s, 0 }, member;
	uint64_t flags = 0;

	if (e->call->ret <= 0 || e->call->ret > INT32_MAX)
		return;
	if (e->call->n_args) {
		const struct span *last = &e->call->args[e->call->n_args - 1];

		all.len = last->s + last->len - all.s;
		member = line__member(all, "flags=");
		line__number(member, &flags);
	}
	if (flags & NAMESPACES)
		strace_gaps__count(&e->s->gaps, GAP_ROOT, e->call->ret);
	if (!(flags & LINUX_CLONE_THREAD)) {
		begin_record(e, FS_PROCESS_FORK);
		hand_over(e);
	}
	e->birth = (struct strace_birth){ e->call->ret, flags & LINUX_CLONE_THREAD };
}

/* Sets the arguments, each followed by a NUL, as far as there is room. */
static void set_arguments(struct strace_process *p, struct span list)
{
	struct span one;

	p->cmdline_len = 0;
	p->cmdline_cut = false;
	if (list.len < 2 || *list.s != '[')
		return;
	list = (struct span){ list.s + 1, list.len - 2 };
	while (line__next(&list, &one)) {
		size_t left = CMDLINE_BYTES - p->cmdline_len;
		const char *end = one.len ? memrchr(one.s, '"', one.len) : NULL;
		struct span whole = { one.s, end ? end + 1 - one.s : 0 };
		int len = left ? line__text(whole, p->cmdline + p->cmdline_len, left - 1) : -1;

		/* "..." behind it: strace has cut it */
		p->cmdline_cut |= len < 0 || whole.len != one.len;
		if (len < 0)
			return;
		p->cmdline_len += len;
		p->cmdline[p->cmdline_len++] = 0;
	}
}

static void become(struct strace_event *e, const char *name, const char *program)
{
	struct strace_process *p = e->task->process;
	const char *slash = strrchr(name, '/');

	snprintf(p->comm, sizeof(p->comm), "%.*s", (int)sizeof(p->comm) - 1,
		 slash ? slash + 1 : name);
	set_arguments(p, arg(e, e->info->args));
	free(p->exe);
	p->exe = strdup(program);
	p->version++;
}

/* Whether the command's process has just executed the shim: its first program, with these
 * arguments. */
static bool is_shim(struct strace_event *e)
{
	const struct strace_process *p = e->task->process;
	static const char words[] = "run\0" STRACE_SHIM;
	const char *first_end = memchr(p->cmdline, 0, p->cmdline_len);
	size_t left = first_end ? p->cmdline + p->cmdline_len - (first_end + 1) : 0;

	return p->pid == e->s->first && !e->s->shim_seen++ && left >= sizeof(words) &&
	       !memcmp(first_end + 1, words, sizeof(words));
}

static void take_EXEC(struct strace_event *e)
{
	char name[2 * PATH_BYTES + 2], program[PATH_MAX];
	size_t len;
	bool setuid;

	if (e->call->ret < 0 || checks_only(e)) {
		take_PATH(e);
		return;
	}
	if (is_about_file(e))
		len = directory(e, e->info->dir, name);
	else
		len = absolute(e, e->info->dir, e->info->path, name);
	name[len] = 0;
	if (!strcmp(name, "/proc/self/exe") && e->task->process->exe)
		snprintf(name, sizeof(name), "%s", e->task->process->exe);
	program__find(name, program, &setuid);
	if (setuid && !e->s->is_root)
		strace_gaps__count(&e->s->gaps, GAP_SETUID, e->task->process->pid);
	become(e, name, program);
	e->s->in_shim = is_shim(e);
	if (e->s->in_shim)
		return;
	begin_record(e, FS_PROCESS_EXEC);
	e->r.fs.path = path_id(e->s, program, strlen(program), 0);
	hand_over(e);
}

/* One event for each request that was accepted; the request may end later. */
static void take_AIO(struct strace_event *e)
{
	struct span list = arg(e, AT(2)), one;
	int64_t taken = e->call->ret;

	if (taken <= 0)
		return;
	list = list.len > 2 && *list.s == '[' ? (struct span){ list.s + 1, list.len - 2 } :
						(struct span){ NULL, 0 };
	for (; taken && line__next(&list, &one); taken--) {
		struct line_file f;
		uint64_t op, id;

		if (!line__number(line__member(one, "aio_lio_opcode="), &op) ||
		    !line__file(line__member(one, "aio_fildes="), &f))
			break;
		if ((op != IOCB_PREAD && op != IOCB_PREADV && op != IOCB_PWRITE &&
		     op != IOCB_PWRITEV) ||
		    !(id = file_id(e->s, &f)))
			continue;
		begin_record(e, op == IOCB_PREAD || op == IOCB_PREADV ? FS_READ : FS_WRITE);
		e->r.fs.path = id;
		e->r.fs.has = FS_AIO | FS_HAS_BYTES;
		hand_over(e);
	}
	if (taken)
		strace_gaps__count(&e->s->gaps, GAP_AIO, e->task->process->pid);
}

static void take_URING_SETUP(struct strace_event *e)
{
	uint64_t flags = 0;

	line__number(line__member(arg(e, AT(1)), "flags="), &flags);
	if (e->call->ret >= 0 && flags & SETUP_SQPOLL)
		strace_gaps__count(&e->s->gaps, GAP_URING, e->task->process->pid);
}

static void take_URING_ENTER(struct strace_event *e)
{
	if (e->call->ret > 0 && number(e, AT(1)))
		strace_gaps__count(&e->s->gaps, GAP_URING, e->task->process->pid);
}

static void take_OTHER_ROOT(struct strace_event *e)
{
	if (e->call->ret >= 0 && (!e->info->flags || number(e, e->info->flags) & NAMESPACES))
		strace_gaps__count(&e->s->gaps, GAP_ROOT, e->task->process->pid);
}

/* ---- the table ---- */

static const struct strace_call infos[] = {
#define CALL(call, operation, shape, ...) \
	{ .name = #call, .op = (operation), .take = take_##shape, ##__VA_ARGS__ },
#include "engine/strace/calls.def"
#undef CALL
};

#define NAME_MAX_LEN 24

const char *strace_calls__names(void)
{
	static char list[sizeof("trace=") + ARRAY_SIZE(infos) * NAME_MAX_LEN];
	size_t len = snprintf(list, sizeof(list), "trace=");

	for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
		len += snprintf(list + len, sizeof(list) - len, "%s?%s", i ? "," : "",
				infos[i].name);
	return list;
}

static const struct strace_call *find(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
		if (strlen(infos[i].name) == name.len && !memcmp(infos[i].name, name.s, name.len))
			return &infos[i];
	return NULL;
}

struct strace_birth strace_calls__take(struct strace *s, struct strace_task *t,
				       const struct line_call *c, uint64_t began_ns)
{
	struct strace_event e = { .s = s, .task = t, .call = c, .info = find(c->name) };

	if (!e.info || (s->in_shim && t->process->pid == s->first && e.info->op != FS_PROCESS_EXEC))
		return e.birth;
	e.ns = began_ns + c->duration - s->offset_ns;
	e.info->take(&e);
	return e.birth;
}

void strace_calls__exit(struct strace *s, struct strace_task *t, int status, uint64_t ns)
{
	struct strace_event e = { .s = s, .task = t, .ns = ns - s->offset_ns };

	begin_record(&e, FS_PROCESS_EXIT);
	e.r.fs.flags = status;
	e.r.fs.has |= FS_HAS_FLAGS;
	hand_over(&e);
}
