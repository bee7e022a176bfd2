// SPDX-License-Identifier: GPL-2.0-or-later
/* strace: lines in the form of `strace -f -ttt -T -y`, as far as rows have the information. A row
 * has the operation rather than the call (open, openat and creat are one operation), and no number
 * of a descriptor. The forms below show the arguments that the row has; `...` or `?` stands for
 * others. */
#include "export/format.h"

#include <inttypes.h>
#include <string.h>

#include "base/csv.h"
#include "dataset/two_paths.h"
#include "platform/macros.h"
#include "rows/operation.h"
#include "schema/fs_ops.h"

#define VARIANTS_MAX 9

/* A call: FORM with %f and %g the first and the last file as descriptors, %p and %q as paths, %n
 * the first of two paths, %s size, %o offset, %a address, %r protection and %m flags of a mapping,
 * %w the next word of flags, %x nothing in its place, %l those that are left. It is the one of an
 * operation's calls whose WORD the flags have (all that begin with it, where it ends with '_'), and
 * that has an offset where it must have one. */
struct call_form {
	const char *form, *word;
	bool has_offset;
};

/* clang-format off */
static const struct call_form calls[FS_OP_COUNT][VARIANTS_MAX] = {
	[FS_OPEN] = { { "openat(AT_FDCWD, %p, %l)" } },
	[FS_CLOSE] = { { "close_range(..., ..., %x%l)", "CLOSE_RANGE" }, { "close(%f)" } },
	[FS_READ] = { { "pread64(%f, ..., %s, %o)", .has_offset = true }, { "read(%f, ..., %s)" } },
	[FS_WRITE] = { { "pwrite64(%f, ..., %s, %o)", .has_offset = true }, { "write(%f, ..., %s)" } },
	[FS_FSYNC] = { { "fsync(%f)" } },
	[FS_FDATASYNC] = { { "fdatasync(%f)" } },
	[FS_SYNC] = { { "sync()" } },
	[FS_SYNCFS] = { { "syncfs(%f)" } },
	[FS_SYNC_FILE_RANGE] = { { "sync_file_range(%f, %o, %s, %l)" } },
	[FS_TRUNCATE] = { { "truncate(%p, %s)" } },
	[FS_FALLOCATE] = { { "fallocate(%f, %l, %o, %s)" } },
	[FS_READDIR] = { { "getdents64(%f, ..., %s)" } },
	[FS_GETATTR] = {
		{ "fstat(%f, ...)", "O_" },
		{ "newfstatat(%f, \"\", ..., %l)", "AT_EMPTY_PATH" },
		{ "newfstatat(AT_FDCWD, %p, ..., %l)" },
	},
	[FS_SETATTR] = {
		{ "chmod(%p, %x%l)", "CHMOD" },
		{ "chown(%p, ..., ...)", "CHOWN" },
		{ "utimensat(AT_FDCWD, %p, ..., ...)", "UTIMES" },
		{ "ioctl(%f, FS_IOC_SETFLAGS, [%x%l])", "SETFLAGS" },
		{ "ioctl(%f, FS_IOC_FSSETXATTR, ...)", "FSSETXATTR" },
		{ "file_setattr(AT_FDCWD, %p, ...)" },
	},
	[FS_ACCESS] = { { "access(%p, %l)" } },
	[FS_READLINK] = { { "readlink(%p, ..., %s)" } },
	[FS_GETXATTR] = { { "fgetxattr(%f, ..., ..., %s)", "O_" }, { "getxattr(%p, ..., ..., %s)" } },
	[FS_SETXATTR] = { { "setxattr(%p, ..., ..., %s, %l)" } },
	[FS_LISTXATTR] = { { "listxattr(%p, ..., %s)" } },
	[FS_REMOVEXATTR] = { { "removexattr(%p, ...)" } },
	[FS_RENAME] = { { "renameat2(AT_FDCWD, %p, AT_FDCWD, %q, %l)", "RENAME_" }, { "rename(%p, %q)" } },
	[FS_UNLINK] = { { "unlinkat(AT_FDCWD, %p, %l)", "AT_" }, { "unlink(%p)" } },
	[FS_MKDIR] = { { "mkdir(%p, %l)" } },
	[FS_RMDIR] = { { "rmdir(%p)" } },
	[FS_LINK] = { { "linkat(AT_FDCWD, %p, AT_FDCWD, %q, %l)", "AT_" }, { "link(%p, %q)" } },
	[FS_SYMLINK] = { { "symlink(%p, %q)" } },
	[FS_MKNOD] = { { "mknod(%p, %l, ...)" } },
	[FS_CHDIR] = { { "chroot(%p)", "CHROOT" }, { "pivot_root(%p, %q)", "PIVOT_ROOT" }, { "chdir(%p)" } },
	[FS_SENDFILE] = { { "sendfile(%g, %f, ..., %s)" } },
	[FS_SPLICE] = { { "splice(%f, ..., %g, ..., %s, %l)" } },
	[FS_VMSPLICE] = { { "vmsplice(%f, ..., ..., %l)" } },
	[FS_TEE] = { { "tee(%f, %g, %s, %l)" } },
	[FS_COPY_FILE_RANGE] = { { "copy_file_range(%f, ..., %g, ..., %s, 0)" } },
	[FS_CLONE] = {
		{ "ioctl(%g, FICLONERANGE, {src_fd=%f, src_offset=%o, src_length=%s, ...})", .has_offset = true },
		{ "ioctl(%g, FICLONE, %f)" },
	},
	[FS_READAHEAD] = { { "readahead(%f, %o, %s)" } },
	[FS_FADVISE] = { { "fadvise64(%f, %o, %s, %l)" } },
	[FS_MMAP] = { { "mmap(..., %s, %r, %m, %f, %o)" } },
	[FS_MUNMAP] = { { "munmap(%a, %s)" } },
	[FS_MREMAP] = { { "mremap(%a, ..., %s, %l)" } },
	[FS_MSYNC] = { { "msync(%a, %s, %l)" } },
	[FS_MADVISE] = { { "madvise(%a, %s, %l)" } },
	[FS_LOCK] = { { "flock(%f, %l)", "LOCK_" }, { "fcntl(%f, %w, {l_type=%w, l_start=%o, l_len=%s})" } },
	[FS_MOUNT] = {
		{ "move_mount(AT_FDCWD, %p, AT_FDCWD, %q, %l)", "MOVE_MOUNT_" },
		{ "open_tree(AT_FDCWD, %p, %x%l)", "OPEN_TREE" },
		{ "open_tree_attr(AT_FDCWD, %p, %x%l, ...)", "OPEN_TREE_ATTR" },
		{ "fsopen(..., %x%l)", "FSOPEN" },
		{ "fsconfig(?, %x%l, ...)", "FSCONFIG" },
		{ "fspick(AT_FDCWD, %p, %x%l)", "FSPICK" },
		{ "fsmount(?, ..., %x%l)", "FSMOUNT" },
		{ "mount_setattr(AT_FDCWD, %p, %x%l, ...)", "MOUNT_SETATTR" },
		{ "mount(%n, %q, ..., %l, ...)" },
	},
	[FS_UMOUNT] = { { "umount2(%p, %l)" } },
	[FS_PROCESS_FORK] = { { "clone(...)" } },
	[FS_PROCESS_EXEC] = { { "execve(%p, ..., ...)" } },
	[FS_UNKNOWN] = { { "unknown(%f)" } },
};
/* Words that the recorder adds to flags. Words with a '=' are also added by the recorder. */
static const char *const marks[] = {
	"IO_URING", "AIO", "DELETED", "PATH_CUT", "LAST_LINK", "PATH_LATE", "ARGS_LATE", "RESULT_UNKNOWN",
};
/* clang-format on */

/* A row being formatted. */
struct strace_line {
	FILE *out;
	const struct export_row *row;
	const char *flags, *flags_end; /* those that are left */
};

static const struct row_field *field(const struct export_row *row, const char *name)
{
	return &row->fields[row__column(STREAM_FS, name)];
}

/* ---- flags ---- */

static bool is_mark(const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (len == strlen(marks[i]) && !memcmp(s, marks[i], len))
			return true;
	return memchr(s, '=', len);
}

/* Returns the next word that the program passed; 0: there is none. */
static size_t next_flag(struct strace_line *l, const char **ret)
{
	while (l->flags < l->flags_end) {
		const char *word = l->flags,
			   *end = memchr(word, '|', l->flags_end - word) ?: l->flags_end;

		l->flags = end + (end < l->flags_end);
		if (!is_mark(word, end - word)) {
			*ret = word;
			return end - word;
		}
	}
	return 0;
}

static bool has_flag(struct strace_line l, const char *wanted)
{
	size_t wanted_len = strlen(wanted), len;
	bool prefix = wanted[wanted_len - 1] == '_';
	const char *word;

	while ((len = next_flag(&l, &word)))
		if (len >= wanted_len && (prefix || len == wanted_len) &&
		    !memcmp(word, wanted, wanted_len))
			return true;
	return false;
}

static void put_flags(struct strace_line *l)
{
	const char *word, *bar = "";
	size_t len;

	for (; (len = next_flag(l, &word)); bar = "|")
		fprintf(l->out, "%s%.*s", bar, (int)len, word);
	if (!*bar)
		fputc('0', l->out);
}

/* ---- paths ---- */

/* Decodes the escaped S and writes it as strace writes a string; BRACKETS: as the name of a
 * descriptor, in which < and > are octal. */
static void put_bytes(FILE *out, const char *s, size_t len, bool brackets)
{
	static const char special[] = "\t\n\v\f\r\\\"", letters[] = "tnvfr\\\"";
	const char *end = s + len;

	while (s < end) {
		uint8_t c = csv__next_byte(&s, end);
		const char *letter = memchr(special, c, sizeof(special) - 1);

		if (letter)
			fprintf(out, "\\%c", letters[letter - special]);
		else if (c < ' ' || c > '~' || (brackets && (c == '<' || c == '>')))
			fprintf(out, s < end && *s >= '0' && *s <= '7' ? "\\%03o" : "\\%o", c);
		else
			fputc(c, out);
	}
}

/* Returns the first or the last path of the row, escaped; false if there is none. */
static bool path_of(const struct export_row *row, bool last, struct row_field *ret)
{
	const struct row_field *name = field(row, "filename");
	struct two_paths paths = two_paths__split(name);

	*ret = last ? paths.second : paths.first;
	return name->len;
}

static void put_path(struct strace_line *l, bool last)
{
	struct row_field path;

	if (!path_of(l->row, last, &path)) {
		fputs("...", l->out);
		return;
	}
	fputc('"', l->out);
	put_bytes(l->out, path.s, path.len, false);
	fputc('"', l->out);
}

static void put_mount_source(struct strace_line *l)
{
	if (two_paths__split(field(l->row, "filename")).two)
		put_path(l, false);
	else
		fputs("NULL", l->out);
}

/* The path of a descriptor, as strace -y shows it. */
static void put_opened(struct strace_line *l, const struct row_field *path)
{
	fputc('<', l->out);
	put_bytes(l->out, path->s, path->len, true);
	fputc('>', l->out);
}

static void put_descriptor(struct strace_line *l, bool last)
{
	struct row_field path;

	fputc('?', l->out);
	if (path_of(l->row, last, &path))
		put_opened(l, &path);
}

/* ---- lines ---- */

static void put_row_field(struct strace_line *l, const char *name)
{
	const struct row_field *f = field(l->row, name);

	fprintf(l->out, "%.*s", f->len ? (int)f->len : 3, f->len ? f->s : "...");
}

static void put_word(struct strace_line *l)
{
	const char *word = "...";
	size_t len = next_flag(l, &word);

	fprintf(l->out, "%.*s", len ? (int)len : 3, word);
}

static void put_argument(struct strace_line *l, char what)
{
	const char *word;

	switch (what) {
	case 'f':
	case 'g':
		return put_descriptor(l, what == 'g');
	case 'p':
	case 'q':
		return put_path(l, what == 'q');
	case 'n':
		return put_mount_source(l);
	case 'w':
		return put_word(l);
	case 'x':
		next_flag(l, &word);
		return;
	case 'l':
		return put_flags(l);
	default:
		put_row_field(l, what == 's' ? "size" :
				 what == 'o' ? "offset" :
				 what == 'a' ? "address" :
				 what == 'r' ? "mmap_prot" :
					       "mmap_flags");
	}
}

static const char *form_of(const struct strace_line *l, int op)
{
	const struct call_form *c = calls[op];

	while ((c->word && !has_flag(*l, c->word)) ||
	       (c->has_offset && !field(l->row, "offset")->len))
		c++;
	return c->form;
}

static void put_result(struct strace_line *l, int op)
{
	const struct row_field *ret = field(l->row, "return_value"),
			       *error = field(l->row, "errno"), *address = field(l->row, "address");
	int64_t value = 0;
	struct row_field path;

	row__int(l->row, row__column(STREAM_FS, "return_value"), &value);
	if (error->len) {
		fprintf(l->out, " = -1 %.*s", (int)error->len, error->s);
		if (value < 0 && value > -4096)
			fprintf(l->out, " (%s)", strerror((int)-value));
	} else if (!ret->len) {
		fputs(" = ?", l->out);
	} else if (op == FS_MMAP && address->len) {
		fprintf(l->out, " = %.*s", (int)address->len, address->s);
	} else if (op == FS_MREMAP) {
		fprintf(l->out, " = 0x%" PRIx64, (uint64_t)value);
	} else {
		fprintf(l->out, " = %" PRId64, value);
		if (op == FS_OPEN && path_of(l->row, false, &path))
			put_opened(l, &path);
	}
}

static void put_exit(struct strace_line *l)
{
	const struct row_field *code = field(l->row, "return_value");
	struct strace_line flags = *l;
	const char *word;
	size_t len;

	while ((len = next_flag(&flags, &word)) && strncmp(word, "SIG", 3))
		;
	if (len)
		fprintf(l->out, "+++ killed by %.*s%s +++", (int)len, word,
			has_flag(*l, "CORE_DUMPED") ? " (core dumped)" : "");
	else
		fprintf(l->out, "+++ exited with %.*s +++", (int)code->len, code->s);
}

static void put_call(struct strace_line *l, int op)
{
	for (const char *form = form_of(l, op); *form; form++)
		if (*form == '%')
			put_argument(l, *++form);
		else
			fputc(*form, l->out);
	put_result(l, op);
}

static int strace_row(struct export *e, const struct export_row *row)
{
	const struct row_field *tid = field(row, "tid"), *operation = field(row, "operation"),
			       *flags = field(row, "flags"), *duration = field(row, "duration_ns");
	struct strace_line l = { e->out, row, flags->s, flags->s + flags->len };
	int op = operation__find(operation->s, operation->len);
	uint64_t took = format__duration_ns(row), began = row->wall_ns - took;

	if (op < 0)
		return 0;
	fprintf(e->out, "%-5.*s %" PRIu64 ".%06" PRIu64 " ", (int)tid->len, tid->s,
		began / (int64_t)NSEC_PER_SEC, began % (int64_t)NSEC_PER_SEC / 1000);
	if (op == FS_PROCESS_EXIT)
		put_exit(&l);
	else
		put_call(&l, op);
	if (duration->len)
		fprintf(e->out, " <%" PRIu64 ".%06" PRIu64 ">", took / (int64_t)NSEC_PER_SEC,
			took % (int64_t)NSEC_PER_SEC / 1000);
	fputc('\n', e->out);
	e->rows++;
	return 0;
}

const struct format format_strace = {
	.name = "strace",
	.streams = 1 << STREAM_FS,
	.lead = format__duration_ns,
	.row = strace_row,
};
