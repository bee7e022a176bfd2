// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints one of the files below, from the tables that the program itself uses. They are included by
 * name, without the numbers of an architecture, so the pages are the same on every machine. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/abi.h"
#include "engine/bpf/bpf.h"
#include "gen-docs.h"
#include "options/options.h"
#include "platform/macros.h"
#include "rows/fs_flags.h"
#include "schema/fs_ops.h"
#include "schema/schema.h"

/* ---- the tables ---- */

struct call {
	const char *name;
	struct syscall_desc d;
};

#define SYSCALL(name_, stream_, op_, shape_, ...) \
	{ #name_, { .stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ } },

/* syscalls.def tests which of these are defined. */
#define HILO 0
#define PAIR(n) (n)
#define __NR_renameat
static const struct call arm64_calls[] = {
#include "engine/bpf/syscalls.def"
};
#define __NR_open
#define __NR_utime
static const struct call native_calls[] = {
#include "engine/bpf/syscalls.def"
};
#undef HILO
#define HILO PROP_HILO
#define __NR_mmap2
#define __NR_socketcall
static const struct call i386_calls[] = {
#include "engine/bpf/syscalls.def"
};
#undef __NR_utime
#undef __NR_socketcall
static const struct call arm_calls[] = {
#include "engine/bpf/syscalls.def"
};

#define URING(number, name_, stream_, op_, shape_, ...) \
	{ "IORING_OP_" #name_, \
	  { .stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ } },
static const struct call uring_calls[] = {
#include "engine/bpf/uring.def"
};

/* clang-format off */
/* Each is handled like that opcode of io_uring (bpf/aio.h). */
static const struct {
	const char *name, *as;
	enum fs_op op;
} aio_commands[] = {
	{ "IOCB_CMD_PREAD", "IORING_OP_READ", FS_READ },
	{ "IOCB_CMD_PWRITE", "IORING_OP_WRITE", FS_WRITE },
	{ "IOCB_CMD_PREADV", "IORING_OP_READV", FS_READ },
	{ "IOCB_CMD_PWRITEV", "IORING_OP_WRITEV", FS_WRITE },
	{ "IOCB_CMD_FSYNC", "IORING_OP_FSYNC", FS_FSYNC },
	{ "IOCB_CMD_FDSYNC", "IORING_OP_FSYNC", FS_FDATASYNC },
	{ "other IOCB_CMD_*", "IORING_OP_UNKNOWN_TO_AIO", FS_UNKNOWN },
};

static const char *const op_names[] = {
#define OP_NAME(sym, text) [FS_##sym] = text,
	FS_OPS(OP_NAME)
};

/* The names of sets of words on these pages; a set without one does not compile. */
#define WORDS_open "`O_*`"
#define WORDS_mode "`S_*`"
#define WORDS_at "`AT_*`"
#define WORDS_at_unlink "`AT_*`"
#define WORDS_rename "`RENAME_*`"
#define WORDS_access "`R_OK`, `W_OK`, `X_OK`, `F_OK`"
#define WORDS_fallocate "`FALLOC_FL_*`"
#define WORDS_fadvise "`POSIX_FADV_*`"
#define WORDS_madvise "`MADV_*`"
#define WORDS_msync "`MS_*`"
#define WORDS_mremap "`MREMAP_*`"
#define WORDS_sync_range "`SYNC_FILE_RANGE_*`"
#define WORDS_xattr "`XATTR_*`"
#define WORDS_splice "`SPLICE_F_*`"
#define WORDS_copy_file_range "" /* no flags are defined yet: a number */
#define WORDS_mount "`MS_*`"
#define WORDS_umount "`MNT_*`, `UMOUNT_NOFOLLOW`"
#define WORDS_flock "`LOCK_*`"
#define WORDS_lock_command "`F_*` of the command and of the lock"
#define WORDS_close_range "`CLOSE_RANGE_*`"
#define WORDS_move_mount "`MOVE_MOUNT_*`"
#define WORDS_open_tree "`OPEN_TREE_*`, `AT_*`"
#define WORDS_fsopen "`FSOPEN_*`"
#define WORDS_fspick "`FSPICK_*`"
#define WORDS_fsconfig "`FSCONFIG_*`, `key=` and the option's name"
#define WORDS_mount_attr "`MOUNT_ATTR_*`"
#define WORDS_inode_flags "`FS_*_FL`"

static const char *const op_words[FS_OP_COUNT] = {
#define OP_WORDS(sym, set) [FS_##sym] = WORDS_##set,
	FS_OP_FLAGS(OP_WORDS)
	[FS_PROCESS_EXIT] = "`SIG*` that ended it, `CORE_DUMPED`",
	[FS_UNKNOWN] = "`opcode=` and its number",
};

static const char *const kind_names[] = {
#define KIND_NAME(sym) [KIND_##sym] = "`" #sym "`",
	FS_KIND_WORDS(KIND_NAME)
	[KIND_MOVE_MOUNT] = NULL,
};

static const char *const kind_words[] = {
#define KIND_WORDS(sym, set) [KIND_##sym] = WORDS_##set,
	FS_KIND_FLAGS(KIND_WORDS)
};

static const char *const notes[FS_OP_COUNT] = {
	[FS_OPEN] =
		"`open_by_handle_at` is given no path: a failed one has no `filename`.",
	[FS_CLOSE] =
		"`close_range` is one row, however many files it closes, and names none.",
	[FS_READ] =
		"Of a request with several completions (`READ_MULTISHOT`) each is a row.",
	[FS_SYNC] = "Acts on no file in particular.",
	[FS_GETATTR] =
		"Of a path, `inode`, `device` and `fs_type` come from the answer itself, which of "
		"`oldstat` and `oldlstat` is not read. A path whose file is out of scope has"
		" no row.",
	[FS_SETATTR] =
		"`ioctl` with `FS_IOC_SETFLAGS` or `FS_IOC_FSSETXATTR` is a row, too, with `SETFLAGS` and `FS_*_FL`, or `FSSETXATTR`. "
		"The first word of `flags` says which attribute. For `CHMOD` the new mode "
		"follows.",
	[FS_CHDIR] =
		"Without a word in `flags` it is the current directory that changed.",
	[FS_RENAME] = "From then on other rows bear the new name.",
	[FS_LINK] =
		"`linkat` with `AT_EMPTY_PATH`: the first path is that of the descriptor.",
	[FS_SYMLINK] = "The text of the link stands as it was given.",
	[FS_SENDFILE] = "`offset` is the one in the file that is read.",
	[FS_SPLICE] =
		"`offset` is the one in the file that is read; a pipe has none.",
	[FS_TEE] = "Both ends are pipes: `--scope all` records it.",
	[FS_VMSPLICE] = "Acts on a pipe: `--scope all` records it.",
	[FS_COPY_FILE_RANGE] = "`offset` is the one in the file that is read.",
	[FS_CLONE] =
		"The requests `FICLONE`, `FICLONERANGE` and `FIDEDUPERANGE`; `size` and `offset` "
		"are those of the range, which `FICLONE` does not have. Of several targets of "
		"`FIDEDUPERANGE` the first is named. Other requests have no row.",
	[FS_MMAP] =
		"Anonymous memory has no row. `address` is the address of the mapping, empty on "
		"failure.",
	[FS_MUNMAP] = "Has a row if a file is mapped at `address`.",
	[FS_MREMAP] = "As munmap; `address` is the old one, `size` the new one.",
	[FS_MSYNC] = "As munmap.",
	[FS_MADVISE] = "As munmap.",
	[FS_LOCK] =
		"The commands `F_GETLK`, `F_SETLK`, `F_SETLKW` of `fcntl`, and those with `OFD`; "
		"`offset` and `size` are `l_start` and `l_len`. Other commands have no row.",
	[FS_MOUNT] =
		"`fsopen` has the type in `fs_type`; `fsconfig` has the source, and in `flags` the name of the option, `key=size`, but not its value, which may be a secret; "
		"`fsmount` has the source and the new mount, `source -> (detached)/`; `move_mount` of that mount `source -> target`; `mount_setattr` and `open_tree_attr` have the attributes set, and those cleared as `~MOUNT_ATTR_*`. "
		"The source is written as it was given; without a source there is only the target.",
	[FS_PROCESS_FORK] =
		"A new thread is not a new process and has no row. `return_value` is the child's id on the "
		"machine, as in its own rows; in a pid namespace `flags` has the id that the call "
		"returned: `returned=2`.",
	[FS_PROCESS_EXEC] =
		"`cmdline` has the new arguments, `filename` the binary that runs: for a script, "
		"its interpreter.",
	[FS_UNKNOWN] = "A request of kernel AIO that is refused because its opcode is unknown.",
	[FS_PROCESS_EXIT] =
		"Once for each process, when its last thread ends. `return_value` is the exit code, or 128 "
		"plus the number of the signal. No `duration_ns`.",
};

/* ---- the columns of a row ---- */

enum call_source { NATIVE, I386, REQUEST, N_SOURCES };

struct row_entry {
	enum call_source source;
	enum fs_op op;
	const char *name, *with; /* with: the flag that selects this operation, or NULL */
	char filename[64], columns[128], flags[96];
};

#define MAX_ENTRIES 512
static struct row_entry entries[MAX_ENTRIES];
static size_t n_entries;

/* clang-format on */

static void add_word(char *list, size_t size, const char *word)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len && *word ? ", " : "", word);
}

static bool takes_descriptor(const struct syscall_desc *d)
{
	return d->path && !d->path2 && d->fd &&
	       (d->at || d->props & (PROP_NULL_IS_FD | PROP_EMPTY_IS_FD));
}

static const char *filename_of(const struct syscall_desc *d)
{
	switch ((enum syscall_shape)d->shape) {
	case SHAPE_FD:
	case SHAPE_FCNTL:
		return "file";
	case SHAPE_MMAP:
	case SHAPE_RANGE:
		return "mapped file";
	case SHAPE_OPEN:
		return d->path ? "file; failed: requested" : "file";
	case SHAPE_EXEC:
		return "binary; failed: requested";
	case SHAPE_TWO_FILES:
	case SHAPE_IOCTL:
		return "file -> file";
	case SHAPE_FSMOUNT:
		return d->kind == KIND_FSOPEN   ? "" :
		       d->kind == KIND_FSCONFIG ? "text" :
						  "text -> file";
	case SHAPE_PATH:
		if (d->path2)
			return d->props & PROP_LINK_TARGET ? "text -> requested" :
							     "requested -> requested";
		return takes_descriptor(d) ? "requested; by descriptor: file" : "requested";
	default:
		return "";
	}
}

static const char *inode_of(const struct syscall_desc *d)
{
	bool stat = d->props & (PROP_STAT | PROP_STAT64 | PROP_STATX);

	switch ((enum syscall_shape)d->shape) {
	case SHAPE_FD:
	case SHAPE_FCNTL:
	case SHAPE_MMAP:
	case SHAPE_RANGE:
	case SHAPE_TWO_FILES:
	case SHAPE_IOCTL:
		return "inode";
	case SHAPE_OPEN:
	case SHAPE_EXEC:
		return "inode";
	case SHAPE_FSMOUNT:
		return "inode on success";
	case SHAPE_PATH:
		return stat ? "inode on success" : "inode";
	default:
		return "";
	}
}

static void describe(struct row_entry *e, const struct syscall_desc *d)
{
	/* Their size and offset are in a structure that an argument points to. */
	bool lent = d->shape == SHAPE_FCNTL || d->shape == SHAPE_IOCTL;
	bool has_flags = d->flags || d->props & (PROP_CREAT | PROP_OPEN_HOW | PROP_XATTR_ARGS);
	size_t size = sizeof(e->columns);

	snprintf(e->filename, sizeof(e->filename), "%s", filename_of(d));
	if (d->size || d->props & PROP_XATTR_ARGS || lent)
		add_word(e->columns, size, "size");
	if (d->offset || d->props & PROP_SEQUENTIAL || lent)
		add_word(e->columns, size, "offset");
	if (d->props & PROP_BYTES)
		add_word(e->columns, size, "bytes_completed");
	add_word(e->columns, size, inode_of(d));
	if (d->shape == SHAPE_MMAP)
		add_word(e->columns, size, "mmap_prot, mmap_flags");
	if (d->shape == SHAPE_MMAP || d->shape == SHAPE_RANGE)
		add_word(e->columns, size, "address");

	size = sizeof(e->flags);
	if (d->props & PROP_FILE_FLAGS) {
		add_word(e->flags, size, "`O_*` of the file");
	} else if (d->kind) {
		if (kind_names[d->kind])
			add_word(e->flags, size, kind_names[d->kind]);
		if ((d->flags || d->shape == SHAPE_FCNTL) && kind_words[d->kind])
			add_word(e->flags, size, kind_words[d->kind]);
	} else if ((has_flags || e->op == FS_PROCESS_EXIT) && op_words[e->op]) {
		add_word(e->flags, size, op_words[e->op]);
	}
	if (d->props & PROP_RWF)
		add_word(e->flags, size, "`RWF_*`");
	if (e->op == FS_ACCESS && d->at)
		add_word(e->flags, size, "`AT_*`");
}

static bool alike(const struct row_entry *a, const struct row_entry *b)
{
	return a->op == b->op && !strcmp(a->filename, b->filename) &&
	       !strcmp(a->columns, b->columns) && !strcmp(a->flags, b->flags);
}

static void add(enum call_source source, enum fs_op op, const char *name, const char *with,
		const struct syscall_desc *d)
{
	struct row_entry *e = &entries[n_entries];

	if (n_entries == MAX_ENTRIES)
		abort();
	*e = (struct row_entry){ .source = source, .op = op, .name = name, .with = with };
	describe(e, d);
	for (size_t i = 0; source == I386 && i < n_entries; i++)
		if (alike(&entries[i], e) && !strcmp(entries[i].name, name))
			return;
	n_entries++;
}

static void add_calls(enum call_source source, const struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct syscall_desc *d = &calls[i].d;

		if (d->stream != STREAM_FS || d->op == FS_NONE ||
		    d->op == FS_UNKNOWN) /* of kernel AIO: aio_commands */
			continue;
		add(source, d->op, calls[i].name, NULL, d);
		if (d->props & PROP_REMOVEDIR)
			add(source, FS_RMDIR, calls[i].name, "AT_REMOVEDIR", d);
		if (d->props & PROP_EXECVE_CHECK) {
			struct syscall_desc check = *d;

			check.shape = SHAPE_PATH; /* it is a question about a path */
			add(source, FS_ACCESS, calls[i].name, "AT_EXECVE_CHECK", &check);
		}
		if (source == REQUEST && d->op == FS_FSYNC)
			add(source, FS_FDATASYNC, calls[i].name, "IORING_FSYNC_DATASYNC", d);
	}
}

static void add_all(void)
{
	static const struct syscall_desc none = { .stream = STREAM_FS };

	add_calls(NATIVE, native_calls, ARRAY_SIZE(native_calls));
	add_calls(I386, i386_calls, ARRAY_SIZE(i386_calls));
	add_calls(REQUEST, uring_calls, ARRAY_SIZE(uring_calls));
	for (size_t i = 0; i < ARRAY_SIZE(aio_commands); i++)
		for (size_t j = 0; j < ARRAY_SIZE(uring_calls); j++)
			if (!strcmp(uring_calls[j].name, aio_commands[i].as))
				add(REQUEST, aio_commands[i].op, aio_commands[i].name, NULL,
				    &uring_calls[j].d);
	add(NATIVE, FS_PROCESS_EXIT, "sched_process_exit", "a tracepoint", &none);
}

/* ---- docs/fs-operations.md ---- */

static const char operations_head[] =
	"<!-- Made by scripts/gen-docs.c (make docs) from src/ and schema/: don't edit. -->\n"
	"# File operations\n"
	"\n"
	"The rows of the `fs` stream: which calls make them, and what they contain. Each completed\n"
	"call is one row, even if it failed, and each request of `io_uring` and kernel AIO is a\n"
	"row as well.\n"
	"\n"
	"Always filled: `timestamp`, `operation`, `pid`, `tid`, `command`, `duration_ns`,\n"
	"`return_value`, `ppid`, `mono_ns`; `errno` on failure; `cmdline` and `container_id`\n"
	"if the process has them. The table lists the other columns that are filled.\n"
	"[format.md](format.md) describes the columns.\n"
	"\n"
	"**filename**\n"
	"\n"
	"- *file*: the file that was reached, symlinks resolved; all rows of a file have the same\n"
	"  name. Empty if the descriptor is not open (EBADF).\n"
	"- *requested*: the path given to the call, made absolute and normalized (`.` and `..`\n"
	"  removed), symlinks not resolved. If it begins with `/proc/self/fd/N`, `/proc/self/cwd`,\n"
	"  `/proc/self/root`, the same in `/proc/thread-self` or `/proc/PID` of the process itself,\n"
	"  or with `/dev/fd/N`, that link is resolved. If it can't leave its directory\n"
	"  (`RESOLVE_IN_ROOT`, `RESOLVE_BENEATH`), it is a path below that directory.\n"
	"- *by descriptor*: with `AT_EMPTY_PATH`, or without a path if the call allows that.\n"
	"- `a -> b`: two names, the source first. A ` -> ` inside a name is escaped.\n"
	"- `(detached)/x`: below a mount that is not attached (`fsmount`, `open_tree`, or\n"
	"  unmounted while in use), relative to the root of its filesystem.\n"
	"- Files without a path have the name that `/proc/PID/fd` shows: `pipe:[7]`,\n"
	"  `net:[4026531840]`, `anon_inode:[eventfd]`.\n"
	"\n"
	"**columns**\n"
	"\n"
	"- *inode* stands for `inode`, `device` and `fs_type` of the named file; of two open\n"
	"  files, of the first, unless only the second is in scope. For a requested path it is the\n"
	"  file that the path leads to, with symlinks resolved if the call resolves them: for a\n"
	"  rename the file that got the new name, for mkdir and similar calls the new file, also\n"
	"  after an error about an existing file (EACCES, EEXIST, EISDIR, ...). It is found in the\n"
	"  kernel's cache of names, and empty if that has no answer: for an unlink of a name that\n"
	"  nobody has looked up before, for names on filesystems that ignore case, and for symlinks\n"
	"  whose text is not in memory.\n"
	"- `offset` is where the transfer began, also for calls that use the file's position; for\n"
	"  an append, where the data was written. Empty if there is no position, as in a pipe.\n"
	"- `size` of several buffers is the sum of their lengths; from 2^64 on it is -1, as\n"
	"  programs read a negative length.\n"
	"- `bytes_completed` is empty on failure.\n"
	"\n"
	"**flags**\n"
	"\n"
	"- Besides those in the table: `IO_URING` and `AIO` on rows of such requests, `DELETED`\n"
	"  if the named file no longer has a name, `PATH_CUT` if its path is longer than 4,096\n"
	"  bytes. `LAST_LINK`: the unlinked name was the file's last. `replaced=INODE`: the\n"
	"  rename took the name from that inode. `PATH_LATE`: the path, or the directory that it is\n"
	"  relative to, could be read only after the call, and may have been changed by then\n"
	"  ([threats.md](threats.md)).\n"
	"  `ARGS_LATE`: the same for a size, an offset or flags that the call reads from memory.\n"
	"  `RESULT_UNKNOWN`: a request of kernel AIO whose result was not reported to anybody;\n"
	"  `return_value` and `errno` are empty.\n"
	"- Bits without a name follow in hexadecimal.\n"
	"\n"
	"**Process ids** are the machine's (those of the initial pid namespace) in every column of\n"
	"every stream, even for processes in other namespaces.\n"
	"\n"
	"**Refused calls.** A call that a seccomp filter answers instead of the kernel (by an errno,\n"
	"a signal or a supervisor) is a row like any other, with the result that the program got; with\n"
	"SECCOMP_RET_TRAP that is the number of the call, as in strace. When it began is not known, so\n"
	"`duration_ns` is empty. In a thread that is older than the recording, the first such call may\n"
	"have begun before the recording: its paths are marked `PATH_LATE`. A call that a tracer\n"
	"(ptrace) skips has the result that the kernel returns, mostly ENOSYS; the tracer can replace\n"
	"it after the call. If a tracer changes the number or arguments of a call, the row says what\n"
	"the kernel then does. Calls that are skipped by a tracer that ignores SIGCHLD have no row.\n"
	"\n"
	"`only i386`: calls that 32-bit programs on x86-64 have in addition to those in the previous\n"
	"column, or whose rows have other columns.\n"
	"\n"
	"| operation | system calls | only i386 | io_uring and AIO | filename | columns | flags |\n"
	"|---|---|---|---|---|---|---|\n";

static void print_call_names(size_t first, enum call_source source)
{
	const char *separator = "";

	printf(" ");
	for (size_t i = first; i < n_entries; i++) {
		const struct row_entry *e = &entries[i];

		if (e->source != source || !alike(e, &entries[first]))
			continue;
		printf(e->with ? "%s`%s` (%s)" : "%s`%s`", separator, e->name, e->with);
		separator = ", ";
	}
	printf(" |");
}

static void print_operation(enum fs_op op)
{
	for (size_t i = 0; i < n_entries; i++) {
		size_t before = 0;

		while (before < i && !alike(&entries[before], &entries[i]))
			before++;
		if (entries[i].op != op || before < i)
			continue;
		printf("| %s |", op_names[op]);
		for (enum call_source s = 0; s < N_SOURCES; s++)
			print_call_names(i, s);
		printf(" %s | %s | %s |\n", entries[i].filename, entries[i].columns,
		       entries[i].flags);
	}
}

static bool has_call(const struct call *calls, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(calls[i].name, name))
			return true;
	return false;
}

/* Prints the calls of the fs stream that are not in OTHERS. */
static void print_others(const struct call *calls, size_t n, const struct call *others,
			 size_t n_others)
{
	const char *separator = "";

	for (size_t i = 0; i < n; i++) {
		if (calls[i].d.stream != STREAM_FS || has_call(others, n_others, calls[i].name))
			continue;
		printf("%s`%s`", separator, calls[i].name);
		separator = ", ";
	}
}

static void print_operations(void)
{
	const char *separator = "";

	add_all();
	fputs(operations_head, stdout);
	for (enum fs_op op = FS_NONE + 1; op < FS_OP_COUNT; op++)
		print_operation(op);

	printf("\n## Notes\n\n");
	for (enum fs_op op = FS_NONE + 1; op < FS_OP_COUNT; op++)
		if (notes[op])
			printf("- **%s**: %s\n", op_names[op], notes[op]);

	printf("\n## Calls that are hooked but have no rows\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(native_calls); i++) {
		const struct syscall_desc *d = &native_calls[i].d;

		if (d->stream != STREAM_FS || d->op != FS_NONE)
			continue;
		printf("%s`%s`", separator, native_calls[i].name);
		separator = ", ";
	}
	printf(": the requests and results of kernel AIO are read there,\n"
	       "and `setns` may change what paths mean.\n"
	       "A request of kernel AIO is a row when its result is available, whether the program\n"
	       "fetches it or ends before. If the request is still in progress when the program has\n"
	       "ended, it has no result: `RESULT_UNKNOWN`. A request that `io_submit` refuses is a row\n"
	       "with its errno if it is the first of the call; for a later one the call does not say\n"
	       "why: `RESULT_UNKNOWN`. If a program submits a request at an address where another one of\n"
	       "its requests is in progress, the results of both look alike: the earlier one is a row\n"
	       "with `RESULT_UNKNOWN`.\n");

	printf("\n## arm64\n\nAll of these system calls are recorded, except those that arm64 does not have: ");
	print_others(native_calls, ARRAY_SIZE(native_calls), arm64_calls, ARRAY_SIZE(arm64_calls));
	printf(".\nFor 32-bit programs the calls are those of 32-bit programs on x86-64, except ");
	print_others(i386_calls, ARRAY_SIZE(i386_calls), arm_calls, ARRAY_SIZE(arm_calls));
	printf(",\nand in addition ");
	print_others(arm_calls, ARRAY_SIZE(arm_calls), i386_calls, ARRAY_SIZE(i386_calls));
	printf(".\n");
}

/* ---- docs/format.md ---- */

const char format_head[] =
	"<!-- Made by scripts/gen-docs.c (make docs) from schema/: don't edit. -->\n"
	"# The format\n"
	"\n"
	"A session is a directory, `OUTPUT/linux_v1/MACHINE_ID/YYYYMMDD_HHMMSS_mmm/`. It contains\n"
	"`manifest.json`, and a directory for each stream that has rows, with files\n"
	"`STREAM_YYYYMMDD_HHMMSS_mmm_NNNN.csv.zst`. The name of a file that is still being written\n"
	"ends in `.part`. Each file is one Zstandard frame with a checksum, and begins with the\n"
	"header row. Readers rely on the names of columns and on their order, which are never\n"
	"changed. The manifest also lists the columns, and for each file its rows, bytes and\n"
	"SHA-256; `iotrc verify` checks them.\n"
	"\n"
	"- CSV as in RFC 4180: commas, line feeds, quotes only where needed. One row is one\n"
	"  line.\n"
	"- An empty field means \"does not apply or could not be known\"; 0 is a value.\n"
	"- Control characters and bytes that are not UTF-8 are written as `\\xHH`, a backslash as\n"
	"  `\\\\`: the original bytes of names can be restored.\n"
	"- The first column is wall time, the last is `mono_ns`. Wall time is `mono_ns` plus the\n"
	"  offset in force at that time; the manifest lists each offset with the time from which it\n"
	"  applies and the time zone.\n"
	"- Rows of different CPUs are not sorted by time: if the order matters, sort by\n"
	"  `mono_ns`.\n"
	"- If a table below doesn't say what the sum of a column is, the sum means nothing: `size` is the\n"
	"  requested size, so add up `bytes_completed` instead.\n"
	"- `device_id` is `major << 20 | minor` of the `device` of other streams, `MAJOR:MINOR`. `mono_ns`\n"
	"  of two sessions can be compared if their manifests have the same `boot_id`.\n"
	"- Rows have no user. The manifest's `users` has `processes`, lists of a first pid, a last pid\n"
	"  and the number of a user (the real one), and `changes`, lists of a pid, the `mono_ns` of a row and the number\n"
	"  that applies from this row on; `names` of the numbers; and `left_out`, a count of what found no space. `containers` has\n"
	"  the names of the containers that `container_id` stands for. With `--anonymize` both are left out.\n"
	"- With `-a`, names are replaced by tokens: see [privacy.md](privacy.md).\n"
	"\n"
	"## Types\n"
	"\n"
	"| type | a field that isn't empty |\n"
	"|---|---|\n";

const char *const type_texts[COL_TYPES] = {
	[COL_WALL] = "`YYYY-MM-DD HH:MM:SS.ffffff`, local time, always six digits",
	[COL_MONO] = NULL, /* in the manifest as COL_UINT */
	[COL_UINT] = "unsigned decimal, below 2^63; only inode numbers go up to 2^64 - 1",
	[COL_INODE] = NULL, /* in the manifest as COL_UINT */
	[COL_INT] = "signed decimal",
	[COL_FLOAT] = "decimal fraction",
	[COL_TEXT] = "text, escaped as described above",
	[COL_WORD] = "one word; if words are listed below, one of those",
	[COL_FLAGS] = "words joined by `|`; bits without a name follow as `0x…`",
	[COL_DEVICE] = "`major:minor`",
	[COL_ADDRESS] = "`0x…`",
};

/* Prints TEXT as a cell of a table. */
static void print_cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' || *text == '*' ? "\\%c" : "%c", *text);
	printf(" |");
}

static void print_quoted_words(const char *words)
{
	const char *separator = "";
	size_t len;

	for (; *words; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		printf("%s`%.*s`", separator, (int)len, words);
		separator = " ";
	}
}

static void print_stream(const struct stream_schema *s)
{
	printf("\n## %s\n\n%s. In `%s/`; wall time: %s.\n\n", s->key, s->description, s->subdir,
	       s->wall_clock);
	printf("| column | type | unit | | its sum |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < s->n_columns; i++) {
		const struct column *c = &s->columns[i];

		printf("| %s | %s | ", c->name, schema_type_names[c->type]);
		print_cell(c->unit);
		printf(" ");
		print_cell(c->description);
		printf(" ");
		print_cell(c->sum ? c->sum : "");
		printf("\n");
	}
	for (size_t i = 0; i < s->n_columns; i++) {
		if (!s->columns[i].words)
			continue;
		printf("\n`%s` is one of: ", s->columns[i].name);
		print_quoted_words(s->columns[i].words);
		printf("\n");
	}
	if (s == &schema_streams[STREAM_FS])
		printf("\nWhich calls make which rows, and what these have: "
		       "[fs-operations.md](fs-operations.md).\n");
}

static void print_format(void)
{
	fputs(format_head, stdout);
	for (int i = 0; i < COL_TYPES; i++) {
		if (!type_texts[i])
			continue;
		printf("| %s | ", schema_type_names[i]);
		print_cell(type_texts[i]);
		printf("\n");
	}
	for (int i = 0; i < STREAM_COUNT; i++)
		print_stream(&schema_streams[i]);
}

static void print_conf(void)
{
	options__conf(stdout);
}

static void print_hooks(void)
{
	programs__print(stdout);
}

static const struct {
	const char *file;
	void (*print)(void);
} files[] = {
	{ "docs/hooks.md", print_hooks },
	{ "docs/fs-operations.md", print_operations },
	{ "docs/format.md", print_format },
	{ "scripts/iotrc.conf", print_conf },
	{ "man/iotrc-format.5", print_format_man },
	{ "man/iotrc.conf.5", print_conf_man },
	{ "completions/iotrc.bash", print_bash_completion },
	{ "completions/_iotrc", print_zsh_completion },
	{ "completions/iotrc.fish", print_fish_completion },
};

int main(int argc, char **argv)
{
	bool found = argc == 2 && print_command_man(argv[1]);

	for (size_t i = 0; argc == 2 && !found && i < ARRAY_SIZE(files); i++)
		if (!strcmp(argv[1], files[i].file)) {
			files[i].print();
			found = true;
		}
	if (!found)
		return 2;
	return fflush(stdout) || ferror(stdout);
}
