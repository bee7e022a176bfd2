// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_files.h"

#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/csv.h"
#include "commands/run_tree.h"
#include "dataset/two_paths.h"
#include "platform/macros.h"
#include "rows/operation.h"

/* A row in the form that the functions for operations take. */
struct file_event {
	struct run_files *files;
	const struct export_row *row;
	const char *error;             /* the name of an errno, or "" */
	struct run_file *file, *other; /* NULL: it has no path */
	bool failed, moved, unmoved;   /* some bytes, no bytes; neither if that is unknown */
};

enum file_column { OPERATION, FILENAME, BYTES, INODE, FLAGS, ERRNO, PROT, MAP, COLUMNS };
static const char *const names[COLUMNS] = {
	"operation", "filename", "bytes_completed", "inode",
	"flags",     "errno",    "mmap_prot",       "mmap_flags"
};

static int column_of_file(enum file_column c)
{
	static int columns[COLUMNS];
	static bool known;

	if (!known)
		for (int i = 0; i < COLUMNS; i++)
			columns[i] = row__column(STREAM_FS, names[i]);
	known = true;
	return columns[c];
}

static const struct row_field *field(const struct export_row *row, enum file_column c)
{
	return &row->fields[column_of_file(c)];
}

/* Whether WORD is in column C, a set A|B|C. */
static bool has(const struct file_event *e, enum file_column c, const char *word)
{
	const struct row_field *f = field(e->row, c);
	size_t len = strlen(word);

	for (size_t i = 0; i < f->len;) {
		const char *end = memchr(f->s + i, '|', f->len - i);
		size_t n = end ? (size_t)(end - f->s) - i : f->len - i;

		if (n == len && !memcmp(f->s + i, word, len))
			return true;
		i += n + 1;
	}
	return false;
}

/* ---- names ---- */

/* The index's entries are the paths in struct run_file. */
static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct run_file *file_of(char *path)
{
	return (struct run_file *)(path - offsetof(struct run_file, path));
}

static bool keep(struct run_files *f, struct run_file *file)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	void *grown = array__grow(f->files, f->n, &f->capacity, sizeof(*f->files));

	if (!grown)
		return false;
	f->files = grown;
	if (!tsearch(file->path, &f->index, compare_paths))
		return false;
	f->files[f->n++] = file;
	return true;
}

/* Returns the file called PATH, which is added if it is new; NULL if there is no space. */
static struct run_file *find_or_add(struct run_files *f, const char *path)
{
	char **found = tfind(path, &f->index, compare_paths);
	size_t size = strlen(path) + 1;
	struct run_file *file;

	if (found)
		return file_of(*found);
	file = f->n < RUN_FILES_MAX ? calloc(1, sizeof(*file) + size) : NULL;
	if (file) {
		memcpy(file->path, path, size);
		if (keep(f, file))
			return file;
	}
	free(file);
	f->full = true;
	return NULL;
}

/* Returns PATH with the alias replaced. */
static char *real_path(const struct run_files *f, char *path)
{
	size_t len = f->alias ? strlen(f->alias) : 0;
	char *real = NULL;

	if (!path || !len || strncmp(path, f->alias, len) || (path[len] && path[len] != '/'))
		return path;
	if (asprintf(&real, "%s%s", f->real, path + len) < 0)
		real = NULL;
	free(path);
	return real;
}

static struct run_file *named(struct run_files *f, const char *s, size_t len)
{
	char *path;
	struct run_file *file;

	if (!len || *s != '/')
		return NULL;
	path = real_path(f, csv__unescape(s, len, NULL));
	file = path ? find_or_add(f, path) : NULL;
	f->full |= !path;
	free(path);
	return file;
}

void run_files__alias(struct run_files *f, const char *alias, const char *real)
{
	bool differs = *alias == '/' && strcmp(alias, real) != 0 && strcmp(real, "/") != 0;

	f->alias = differs ? alias : NULL;
	f->real = real;
}

/* ---- programs ---- */

/* Notes that the row's program used F in this way. */
static void note_use(struct run_files *files, struct run_file *f, unsigned int how)
{
	if (files->program != RUN_TREE_NONE)
		files->full |= !run_uses__add(&f->uses, (struct run_use){ files->program, how });
}

/* The programs that created FROM have created TO. */
static void hand_over_uses(struct run_files *files, struct run_file *from, struct run_file *to)
{
	for (size_t i = 0; i < from->uses.n; i++)
		if (from->uses.items[i].how & (RUN_USE_MADE | RUN_USE_WROTE))
			files->full |= !run_uses__add(&to->uses, from->uses.items[i]);
}

/* ---- what happens to a file ---- */

#define WAS_THERE (RUN_STATED | RUN_READ | RUN_READABLE | RUN_WRITTEN | RUN_EXECUTED | RUN_LISTED)

/* Returns the content of F, to be shared with another name; NULL if out of memory. */
static struct run_contents *contents_of(struct run_files *files, struct run_file *f)
{
	struct run_contents *c = f->contents;

	if (c)
		return c;
	c = malloc(sizeof(*c));
	files->full |= !c;
	if (!c)
		return NULL;
	*c = (struct run_contents){ .origin = f,
				    .ours = f->is & RUN_FILLED,
				    .next = files->contents };
	files->contents = c;
	f->contents = c;
	return c;
}

/* Returns the file that had F's content before the command ran: F itself, or the one that the
 * command linked or renamed. NULL: the command wrote the content. */
static struct run_file *origin_of(struct run_file *f)
{
	if (f->contents)
		return f->contents->ours ? NULL : f->contents->origin;
	return f->is & RUN_FILLED ? NULL : f;
}

static void note_read(struct file_event *e, struct run_file *origin, unsigned int how)
{
	origin->is |= RUN_READ;
	note_use(e->files, origin, how);
}

static void read_from(struct file_event *e, struct run_file *f, unsigned int how)
{
	struct run_file *origin = f ? origin_of(f) : NULL;

	if (origin)
		note_read(e, origin, how);
}

/* Notes that F exists and was created or written to, as HOW says. */
static void note_written(struct file_event *e, struct run_file *f, unsigned int how)
{
	f->is |= RUN_WRITTEN;
	f->is &= ~(RUN_GONE | RUN_DELETED | RUN_TRANSIENT | RUN_MISSING);
	note_use(e->files, f, how);
}

/* Notes that the content of F changes, also for its first name. */
static void write_to(struct file_event *e, struct run_file *f, unsigned int how)
{
	struct run_contents *c = f ? f->contents : NULL;

	if (!f)
		return;
	note_written(e, f, how);
	f->is |= RUN_FILLED;
	if (!c)
		return;
	c->ours = true;
	if (c->origin != f && c->origin->contents == c) {
		note_written(e, c->origin, how);
		c->origin->is |= RUN_FILLED;
	}
}

static void make(struct file_event *e, struct run_file *f)
{
	if (!f)
		return;
	f->contents = NULL;
	f->is |= RUN_MADE | RUN_FILLED;
	f->is &= ~(RUN_MAYBE | RUN_DIRECTORY);
	note_written(e, f, RUN_USE_MADE);
}

static void remove_it(struct file_event *e, struct run_file *f)
{
	bool ours = !(f->is & RUN_EXISTED) && f->is & RUN_OURS;

	f->is &= ~(RUN_WRITTEN | RUN_FILLED | RUN_READABLE | RUN_OURS);
	f->is |= RUN_GONE | (ours ? RUN_TRANSIENT : RUN_DELETED | RUN_EXISTED);
	f->contents = NULL;
	note_use(e->files, f, RUN_USE_REMOVED);
}

/* ---- operations ---- */

static void on_probe(struct file_event *e)
{
	if (!e->failed)
		e->file->is |= RUN_STATED;
}

/* Below another root, rows have other names for the files of the workspace. */
static void on_chdir(struct file_event *e)
{
	bool root = has(e, FLAGS, "CHROOT") || has(e, FLAGS, "PIVOT_ROOT");

	on_probe(e);
	if (root && !e->failed && strcmp(e->file->path, "/") != 0)
		e->files->roots++;
}

/* Below a mount are other files than those that the workspace has under these names; a bind mount
 * gives files of the workspace other names. These flags are of calls that mount nothing: they set
 * attributes, or prepare what move_mount() mounts. */
static void on_mount(struct file_event *e)
{
	static const char *const mount_nothing[] = {
		"MS_REMOUNT",    "MS_SHARED", "MS_PRIVATE",     "MS_SLAVE",
		"MS_UNBINDABLE", "FSOPEN",    "FSPICK",         "FSCONFIG",
		"FSMOUNT",       "OPEN_TREE", "OPEN_TREE_ATTR", "MOUNT_SETATTR",
	};

	for (size_t i = 0; i < ARRAY_SIZE(mount_nothing); i++)
		if (has(e, FLAGS, mount_nothing[i]))
			return;
	e->files->mounts += !e->failed;
}

static void open_to_make(struct file_event *e)
{
	struct run_file *f = e->file;

	if (has(e, FLAGS, "O_EXCL") || f->is & (RUN_MISSING | RUN_GONE))
		make(e, f);
	else if (!(f->is & (WAS_THERE | RUN_OURS)))
		f->is |= RUN_MAYBE;
}

static void on_open(struct file_event *e)
{
	struct run_file *f = e->file;
	bool both = has(e, FLAGS, "O_RDWR"), writes = both || has(e, FLAGS, "O_WRONLY");

	if (e->failed || has(e, FLAGS, "O_TMPFILE"))
		return;
	if (has(e, FLAGS, "O_DIRECTORY") || has(e, FLAGS, "O_PATH")) {
		f->is |= RUN_STATED | (has(e, FLAGS, "O_DIRECTORY") ? RUN_DIRECTORY : 0);
		return;
	}
	if (has(e, FLAGS, "O_CREAT"))
		open_to_make(e);
	f->is &= ~RUN_GONE;
	if (has(e, FLAGS, "O_TRUNC"))
		write_to(e, f, RUN_USE_MADE);
	else if (f->is & RUN_MAYBE)
		note_use(e->files, f, RUN_USE_MADE);
	f = origin_of(f);
	if (!f)
		return;
	if (both || (!writes && f->is & RUN_MAYBE)) {
		f->is |= RUN_READABLE;
		note_use(e->files, f, RUN_USE_OPENED);
	} else if (!writes) {
		note_read(e, f, RUN_USE_OPENED);
	}
}

/* A file that the command is not known to have created contained data before. */
static void read_file(struct file_event *e)
{
	struct run_file *f = origin_of(e->file);

	if (e->failed || !f || (f->is & RUN_MAYBE && !e->moved))
		return;
	note_read(e, f, RUN_USE_READ);
	f->is &= ~RUN_MAYBE;
}

/* Writing no bytes changes nothing. */
static void on_write(struct file_event *e)
{
	if (!e->failed && !e->unmoved)
		write_to(e, e->file, RUN_USE_WROTE);
}

/* A call on a path has changed the file to which that leads; or a symbolic link itself, which the
 * row's inode says if it has one. */
static void note_reached(struct file_event *e, unsigned int how)
{
	e->file->is |= how;
	e->file->reached = 0;
	row__uint(e->row, column_of_file(INODE), &e->file->reached);
}

static void on_change(struct file_event *e)
{
	if (e->failed)
		return;
	write_to(e, e->file, RUN_USE_WROTE);
	note_reached(e, RUN_REACHED | RUN_FOLLOWED);
}

/* Its content is still that from before the command. */
static void on_attributes(struct file_event *e)
{
	struct run_contents *c = e->file->contents;

	if (e->failed)
		return;
	note_written(e, e->file, RUN_USE_WROTE);
	note_reached(e, RUN_REACHED);
	if (c && c->origin != e->file && c->origin->contents == c)
		note_written(e, c->origin, RUN_USE_WROTE);
}

static void on_mmap(struct file_event *e)
{
	if (e->failed)
		return;
	read_from(e, e->file, RUN_USE_READ);
	if (has(e, PROT, "PROT_WRITE") && !has(e, MAP, "MAP_PRIVATE"))
		write_to(e, e->file, RUN_USE_WROTE);
}

static void on_list(struct file_event *e)
{
	if (!e->failed)
		e->file->is |= RUN_DIRECTORY | (e->file->is & RUN_MADE ? 0 : RUN_LISTED);
}

static void on_mkdir(struct file_event *e)
{
	if (!e->failed) {
		make(e, e->file);
		e->file->is |= RUN_DIRECTORY;
	}
}

static void on_make(struct file_event *e)
{
	if (!e->failed)
		make(e, e->file);
}

static void on_symlink(struct file_event *e)
{
	if (!e->failed)
		make(e, e->other);
}

/* A new hard link changes the file's time of status change. */
static void on_link(struct file_event *e)
{
	if (e->failed)
		return;
	make(e, e->other);
	if (!e->file || !e->other)
		return;
	e->file->is |= RUN_LINKED;
	e->other->contents = contents_of(e->files, e->file);
}

static void on_remove(struct file_event *e)
{
	if (!e->failed)
		remove_it(e, e->file);
}

static void on_exec(struct file_event *e)
{
	struct run_file *f = e->failed ? NULL : origin_of(e->file);

	if (!f)
		return;
	f->is |= RUN_EXECUTED;
	note_use(e->files, f, RUN_USE_EXECUTED);
}

static void on_copy(struct file_event *e)
{
	if (e->failed)
		return;
	read_from(e, e->file, RUN_USE_READ);
	if (!e->unmoved)
		write_to(e, e->other, RUN_USE_WROTE);
}

/* FROM was renamed to TO. A file that the command created leaves no trace under its first name. */
static void move(struct file_event *e, struct run_file *from, struct run_file *to)
{
	unsigned int is = from->is;
	bool ours = is & RUN_OURS && !(is & RUN_EXISTED);
	struct run_contents *contents;

	if (is & RUN_GONE || !(is & (WAS_THERE | RUN_OURS)))
		return;
	contents = contents_of(e->files, from);
	if (contents && contents->origin == from)
		contents->ours |= ours;
	to->is &= ~RUN_DIRECTORY;
	to->is |= RUN_MADE | (is & RUN_DIRECTORY);
	to->contents = contents;
	hand_over_uses(e->files, from, to);
	note_written(e, to, RUN_USE_MADE);
	remove_it(e, from);
	if (ours)
		from->is = RUN_GONE;
}

static void move_below(struct file_event *e, const char *from, const char *to)
{
	struct run_files *f = e->files;
	size_t len = strlen(from), n = f->n;

	for (size_t i = 0; i < n; i++) {
		const char *path = f->files[i]->path;
		struct run_file *target;
		char *name;

		if (strncmp(path, from, len) || path[len] != '/' || f->files[i]->is & RUN_GONE)
			continue;
		if (asprintf(&name, "%s%s", to, path + len) < 0) {
			f->full = true;
			return;
		}
		target = find_or_add(f, name);
		if (target)
			move(e, f->files[i], target);
		free(name);
	}
}

static void note_rename(struct run_files *f, const char *from, const char *to, bool ours)
{
	struct run_rename *r =
		array__grow(f->renames, f->n_renames, &f->renames_capacity, sizeof(*r));

	if (!r) {
		f->full = true;
		return;
	}
	f->renames = r;
	r = &f->renames[f->n_renames++];
	*r = (struct run_rename){ strdup(from), strdup(to), ours };
	f->full |= !r->from || !r->to;
}

static bool replaced(const struct file_event *e)
{
	const struct row_field *f = field(e->row, FLAGS);

	return memmem(f->s, f->len, "replaced=", 9);
}

/* The files in two directories that are exchanged, through names that no path can have. */
static void exchange_below(struct file_event *e, const char *a, const char *b)
{
	static const char between[] = "//";
	struct run_files *f = e->files;

	move_below(e, a, between);
	move_below(e, b, a);
	move_below(e, between, b);
	for (size_t i = 0; i < f->n; i++)
		if (!strncmp(f->files[i]->path, between, sizeof(between) - 1))
			f->files[i]->is = RUN_GONE;
}

static void exchange(struct file_event *e, struct run_file *a, struct run_file *b)
{
	struct run_contents *of_a = contents_of(e->files, a), *of_b = contents_of(e->files, b);

	exchange_below(e, a->path, b->path);
	a->contents = of_b;
	b->contents = of_a;
	note_written(e, a, RUN_USE_MADE);
	note_written(e, b, RUN_USE_MADE);
}

static void on_rename(struct file_event *e)
{
	struct run_file *from = e->file, *to = e->other;

	if (e->failed || !to)
		return;
	note_rename(e->files, from->path, to->path, from->is & RUN_OURS);
	if (has(e, FLAGS, "RENAME_EXCHANGE")) {
		note_rename(e->files, to->path, from->path, to->is & RUN_OURS);
		exchange(e, from, to);
		return;
	}
	if (replaced(e) && !(to->is & RUN_OURS))
		to->is |= RUN_EXISTED;
	from->is |= from->is & (WAS_THERE | RUN_OURS) ? 0 : RUN_STATED;
	/* A file that was read or written is not a directory, so nothing is below it. */
	if (from->is & RUN_DIRECTORY || !(from->is & (RUN_WRITTEN | RUN_READ)))
		move_below(e, from->path, to->path);
	move(e, from, to);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*take)(struct file_event *e);
} operations[] = {
	{ "open", on_open }, { "read", read_file }, { "write", on_write }, { "mmap", on_mmap },
	{ "truncate", on_change }, { "fallocate", on_change },
	{ "setattr", on_attributes }, { "setxattr", on_attributes }, { "removexattr", on_attributes },
	{ "getattr", on_probe }, { "access", on_probe }, { "readlink", on_probe },
	{ "getxattr", on_probe }, { "listxattr", on_probe }, { "chdir", on_chdir },
	{ "readdir", on_list }, { "mkdir", on_mkdir }, { "mknod", on_make },
	{ "link", on_link }, { "symlink", on_symlink }, { "rename", on_rename },
	{ "unlink", on_remove }, { "rmdir", on_remove }, { "process_exec", on_exec },
	{ "sendfile", on_copy }, { "splice", on_copy }, { "copy_file_range", on_copy },
	{ "clone", on_copy }, { "mount", on_mount },
};
/* clang-format on */

static void note_error(struct run_file *f, const struct row_field *error)
{
	static const struct {
		const char *name;
		unsigned int is;
	} errors[] = {
		{ "ENOENT", RUN_MISSING },
		{ "EACCES", RUN_DENIED },
		{ "EPERM", RUN_DENIED },
		{ "EEXIST", RUN_STATED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (error->len == strlen(errors[i].name) &&
		    !memcmp(error->s, errors[i].name, error->len))
			f->is |= errors[i].is;
}

/* The paths of a row: A, or A -> B. Returns whether there are two. */
static bool find_names(struct file_event *e)
{
	struct two_paths paths = two_paths__split(field(e->row, FILENAME));

	e->file = named(e->files, paths.first.s, paths.first.len);
	if (paths.two)
		e->other = named(e->files, paths.second.s, paths.second.len);
	return paths.two;
}

void run_files__row(struct run_files *f, const struct export_row *row, uint32_t program)
{
	struct file_event e = { .files = f, .row = row, .failed = field(row, ERRNO)->len };
	uint64_t bytes;
	size_t i = 0;
	bool two;

	while (i < ARRAY_SIZE(operations) &&
	       !row__is(row, column_of_file(OPERATION), operations[i].name))
		i++;
	/* An unlinked file that is still open has no path. */
	if (i == ARRAY_SIZE(operations) || has(&e, FLAGS, "DELETED"))
		return;
	if (operations[i].take == on_mount) { /* its names need not be files: none -> /proc */
		on_mount(&e);
		return;
	}
	if (has(&e, FLAGS, "PATH_CUT")) {
		f->cut++;
		return;
	}
	f->program = program;
	if (row__uint(row, column_of_file(BYTES), &bytes)) {
		e.moved = bytes;
		e.unmoved = !bytes;
	}
	two = find_names(&e);
	if (e.file)
		row__uint(row, column_of_file(INODE), &e.file->inode);
	/* Which of two files an error is about is unknown. */
	if (e.failed && e.file && !two)
		note_error(e.file, field(row, ERRNO));
	/* Calls on two files may have a path only for the second. */
	if (e.file || operations[i].take == on_copy || operations[i].take == on_link ||
	    operations[i].take == on_symlink)
		operations[i].take(&e);
}

uint64_t run_files__operations(void)
{
	uint64_t ops = 0;

	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		ops |= UINT64_C(1)
		       << operation__find(operations[i].name, strlen(operations[i].name));
	return ops;
}

void run_files__leads_to(struct run_files *f, struct run_file *link, const char *path)
{
	struct run_file *file = find_or_add(f, path);

	if (!file)
		return;
	file->is |= link->is & (RUN_WRITTEN | RUN_FILLED);
	for (size_t i = 0; i < link->uses.n; i++)
		if (link->uses.items[i].how & RUN_USE_WROTE)
			f->full |= !run_uses__add(&file->uses, link->uses.items[i]);
	if (link->is & RUN_OURS)
		return;
	link->is &= ~(RUN_WRITTEN | RUN_FILLED);
	link->is |= RUN_STATED;
}

void run_files__executed(struct run_files *f, const char *path, const struct run_file *program)
{
	struct run_file *file = find_or_add(f, path);

	if (!file || !origin_of(file))
		return;
	file->is |= RUN_EXECUTED;
	for (size_t i = 0; i < program->uses.n; i++)
		if (program->uses.items[i].how & RUN_USE_EXECUTED)
			f->full |= !run_uses__add(&file->uses, program->uses.items[i]);
}

void run_files__clear(struct run_files *f)
{
	struct run_contents *next;

	while (f->index)
		tdelete(*(void **)f->index, &f->index, compare_paths);
	for (size_t i = 0; i < f->n; i++) {
		run_uses__clear(&f->files[i]->uses);
		free(f->files[i]);
	}
	for (size_t i = 0; i < f->n_renames; i++) {
		free(f->renames[i].from);
		free(f->renames[i].to);
	}
	for (struct run_contents *c = f->contents; c; c = next) {
		next = c->next;
		free(c);
	}
	free(f->files);
	free(f->renames);
}
