// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <string.h>

#include "base/csv.h"
#include "platform/macros.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/fs_flags.h"
#include "rows/normalize_path.h"
#include "schema/fs_ops.h"

/* An operation's name, and the names of its own flags. */
#define OP_NAME_MAX 16
static const struct {
	char name[OP_NAME_MAX];
	size_t len;
	const struct name_set *flags;
} ops[FS_OP_COUNT] = {
#define FS_OP_NAME(sym, text) [FS_##sym].name = text, [FS_##sym].len = sizeof(text) - 1,
	FS_OPS(FS_OP_NAME)
#undef FS_OP_NAME
#define OP_FLAGS(sym, set) [FS_##sym].flags = &names_##set,
		FS_OP_FLAGS(OP_FLAGS)
#undef OP_FLAGS
};

/* The kinds of calls behind an operation, if they differ, and the names of their own flags. */
static const struct {
	const char *name;
	const struct name_set *flags;
} kinds[] = {
#define KIND_WORD(sym) [KIND_##sym].name = #sym,
	FS_KIND_WORDS(KIND_WORD)
#undef KIND_WORD
#define KIND_FLAGS(sym, set) [KIND_##sym].flags = &names_##set,
		FS_KIND_FLAGS(KIND_FLAGS)
#undef KIND_FLAGS
};

struct requested {
	const char *text;
	size_t len;
};

/* Without a path, the operation is about the open file itself. A file without a path is not a
 * directory, so no path is relative to it. */
static struct requested make_absolute(struct encoder *e, char *buf, uint64_t base_id,
				      const char *path, size_t len, bool confined)
{
	bool absolute = len && path[0] == '/' && !confined;
	const struct path_entry *base = absolute ? NULL : dict__get(e->paths, base_id);
	const char *from = NULL;
	size_t mark = 0, from_len = 0;

	if (!len)
		return base ? (struct requested){ base->text, base->raw_len } :
			      (struct requested){ buf, 0 };
	if (base && encode__is_detached(base->text, base->raw_len))
		mark = sizeof(DETACHED) - 1;
	else if (base && base->text[0] != '/')
		base = NULL;
	csv__mem(buf, DETACHED, mark);
	if (base) {
		from = base->text + mark;
		from_len = base->raw_len - mark;
	}
	if (confined && !from)
		return (struct requested){ buf, 0 };
	len = (confined ? normalize_path__confined : normalize_path__path)(buf + mark, from,
									   from_len, path, len);
	return (struct requested){ buf, len ? len + mark : 0 };
}

static bool requested_wanted(struct encoder *e, const struct requested *a)
{
	if (!a->len)
		return !e->selection->paths.n;
	return (e->selection->scope_all || !mounts__pseudo_path(e->mounts, a->text, a->len)) &&
	       matched__path(&e->matched, e->selection, a->text, a->len);
}

/* Writes the filename field of an operation on paths; returns NULL if a filter drops the row. */
static char *requested_name(struct encoder *e, const struct rec_fs_long *r, char *p)
{
	struct requested a = make_absolute(e, e->paths_buf[0], r->base, r->requested + r->skip,
					   r->len - r->skip, r->has & LONG_CONFINED),
			 b;
	char *field = p;

	if (r->has & LONG_LINK_TARGET) {
		a.text = r->requested;
		a.len = r->len;
	}
	if (!(r->has & LONG_HAS_REQUESTED2)) {
		if (!requested_wanted(e, &a))
			return NULL;
		return encode__path_field(e, p, a.text, a.len);
	}
	b = make_absolute(e, e->paths_buf[1], r->base2, r->requested + r->len + r->skip2,
			  r->len2 - r->skip2, false);
	if (!requested_wanted(e, &b) && (r->has & LONG_LINK_TARGET || !requested_wanted(e, &a)))
		return NULL;
	p = encode__path(e, p, a.text, a.len);
	p = encode__word(p, " -> ");
	p = encode__path(e, p, b.text, b.len);
	return csv__quote(field, p);
}

static char *word(char *p, char *field, const char *text)
{
	if (p != field)
		*p++ = '|';
	return encode__word(p, text);
}

/* Appends the names of VALUE to the field that begins at FIELD. */
static char *more_flags(const struct name_set *set, uint32_t value, char *p, char *field)
{
	char text[NAMES_MAX];

	return names__flags(set, value, text, sizeof(text)) ? word(p, field, text) : p;
}

/* The attributes that mount_setattr() clears, each as ~NAME. */
static char *cleared_flags(uint32_t value, char *p, char *field)
{
	char text[NAMES_MAX], *rest = text, *name;

	names__flags(&names_mount_attr, value, text, sizeof(text));
	while ((name = strsep(&rest, "|")) && *name)
		p = encode__word(word(p, field, "~"), name);
	return p;
}

/* The name of an option or of a file system's type. Programs can pass any text: characters that
 * such names do not contain are left out. */
static char *plain_name(const char *name, size_t len, char *p)
{
	for (size_t i = 0; i < len; i++)
		if (isalnum((unsigned char)name[i]) || strchr("_-.", name[i]))
			*p++ = name[i];
	return p;
}

/* The type that was passed to fsopen(), or that its context has. */
static char *requested_type(const struct encoder *e, const struct rec_fs_long *l, char *p)
{
	if (e->anon && l->fs.ret < 0) /* it may be no type */
		return p;
	return plain_name(l->fs_type, strnlen(l->fs_type, FSTYPE_BYTES), p);
}

static char *kind_flags(const struct encoder *e, const struct rec_fs *r,
			const struct rec_fs_long *l, char *p)
{
	uint32_t kind = r->flags >> KIND_SHIFT, flags = r->flags & ((1u << KIND_SHIFT) - 1);
	char *field = p;

	if (r->has & FS_HAS_TOP)
		flags |= (uint32_t)r->size << KIND_SHIFT;
	if (kind >= ARRAY_SIZE(kinds))
		return p;
	if (kinds[kind].name)
		p = encode__word(p, kinds[kind].name);
	if (kinds[kind].flags)
		p = more_flags(kinds[kind].flags,
			       kind == KIND_FCNTL_LOCK ? flags & LOCK_COMMAND : flags, p, field);
	if ((kind == KIND_MOUNT_SETATTR || kind == KIND_OPEN_TREE_ATTR) && l) {
		p = more_flags(&names_mount_attr, l->aux, p, field);
		p = cleared_flags(l->aux2, p, field);
	}
	if (kind == KIND_FSCONFIG && l && l->len2 && !e->anon)
		p = plain_name(l->requested + l->len, l->len2, word(p, field, "key="));
	if (kind == KIND_FCNTL_LOCK && r->has & FS_HAS_SIZE)
		p = more_flags(&names_lock_type, flags >> LOCK_TYPE_SHIFT, p, field);
	return p;
}

static char *exit_flags(uint32_t code, char *p)
{
	const char *signal = names__word(&names_signal, code & 0x7f);
	char *field = p;

	if (!(code & 0x7f))
		return p;
	if (signal)
		p = encode__word(p, signal);
	else
		p = csv__u64(encode__word(p, "SIG"), code & 0x7f);
	return code & 0x80 ? word(p, field, "CORE_DUMPED") : p;
}

/* mount() has flags of its own in the top byte. If there are two paths and the first is a file's,
 * the call was move_mount(). */
static bool has_kind(const struct rec_fs *r, const struct rec_fs_long *l)
{
	if (r->op == FS_MOUNT)
		return l && l->has & LONG_HAS_KIND;
	return r->op == FS_SETATTR || r->op == FS_CHDIR || r->op == FS_LOCK || r->op == FS_CLOSE;
}

/* openat2() takes 64 bits of flags. */
static uint64_t upper_flags(const struct rec_fs *r, const struct rec_fs_long *l)
{
	return l && r->op == FS_OPEN ? (uint64_t)l->aux << 32 : 0;
}

/* Flags about what a call did to names, and about how reliable its path is. */
static char *reached_flags(const struct rec_fs *r, const struct rec_fs_long *l, char *p,
			   char *field)
{
	if (l->has & LONG_LAST_LINK && r->ret == 0)
		p = word(p, field, "LAST_LINK");
	if (l->has & LONG_REPLACED && r->ret == 0)
		p = csv__u64(word(p, field, "replaced="), l->replaced);
	if (l->has & LONG_READ_LATE)
		p = word(p, field, "PATH_LATE");
	return p;
}

static char *flags_field(struct encoder *e, const struct rec_fs *r, const struct rec_fs_long *l,
			 const struct path_entry *path, char *p)
{
	char *field = p;

	if (r->op == FS_PROCESS_EXIT)
		return exit_flags(r->flags, p);
	if (r->op == FS_PROCESS_FORK)
		return r->flags ? csv__u64(encode__word(p, "returned="), r->flags) : p;
	if (r->op == FS_UNKNOWN)
		p = csv__u64(encode__word(p, "opcode="), r->flags);
	else if (r->has & FS_HAS_FILE_FLAGS)
		p = encode__flags(e, &names_open_file, r->flags, p);
	else if (r->has & FS_HAS_FLAGS && has_kind(r, l))
		p = kind_flags(e, r, l, p);
	else if (r->has & FS_HAS_FLAGS && ops[r->op].flags)
		p = encode__flags(e, ops[r->op].flags, r->flags | upper_flags(r, l), p);
	if (l && l->has & LONG_HAS_RWF)
		p = more_flags(&names_rwf, l->aux, p, field);
	if (l && r->op == FS_ACCESS)
		p = more_flags(&names_at_access, l->aux, p, field);
	if (r->has & FS_IO_URING)
		p = word(p, field, "IO_URING");
	if (r->has & FS_AIO)
		p = word(p, field, "AIO");
	if (r->has & FS_ARGS_LATE)
		p = word(p, field, "ARGS_LATE");
	if (r->has & FS_IN_PROGRESS)
		p = word(p, field, "IN_PROGRESS");
	else if (r->has & FS_NO_RESULT)
		p = word(p, field, "RESULT_UNKNOWN");
	if (l)
		p = reached_flags(r, l, p, field);
	if (path && path->flags & PATH_DELETED)
		p = word(p, field, "DELETED");
	if (path && path->flags & PATH_CUT)
		p = word(p, field, "PATH_CUT");
	return p;
}

/* Writes "in -> out"; returns NULL if a filter drops both. */
static char *two_names(struct encoder *e, const struct path_entry *in, const struct path_entry *out,
		       char *p)
{
	char *field = p;

	if ((in || out) && !(in && in->wanted) && !(out && out->wanted))
		return NULL;
	if (!in && !out)
		return p;
	if (in)
		p = encode__path(e, p, in->text, in->raw_len);
	p = encode__word(p, " -> ");
	if (out)
		p = encode__path(e, p, out->text, out->raw_len);
	return csv__quote(field, p);
}

/* A return value, which of many calls is the number of bytes, too. */
struct call_result {
	bool known, is_bytes;
	size_t len;
	char text[CSV_U64_MAX + 1];
};

static void make_result(struct call_result *result, const struct rec_fs *r, int64_t ret)
{
	result->known = !(r->has & FS_NO_RESULT);
	result->is_bytes = result->known && r->has & FS_HAS_BYTES && ret >= 0;
	result->len = result->known ? csv__i64(result->text, ret) - result->text : 0;
}

/* A load need not wait for a store before it that is as long: most numbers were stored as eight
 * bytes. */
static char *result_field(const struct call_result *result, char *p)
{
	const size_t most = sizeof(uint64_t);

	csv__mem(p, result->text, most);
	if (result->len > most)
		csv__mem(p + most, result->text + most, sizeof(result->text) - most);
	return p + result->len;
}

/* Whether --ops has the operation, which is noted then. */
static bool op_wanted(struct encoder *e, unsigned int op)
{
	if (!op || op >= FS_OP_COUNT || !selection__op(e->selection, op))
		return false;
	e->matched.ops |= UINT64_C(1) << op;
	return true;
}

/* Writes the column filename. *PATH is the file of the row; of two files it becomes the second if
 * only that one is wanted. NULL: the row isn't wanted. */
static char *filename_column(struct encoder *e, const struct rec_fs_long *l,
			     const struct path_entry **path, char *p)
{
	if (l && l->has & LONG_TWO_FILES) {
		const struct path_entry *out = dict__get(e->paths, l->base2);

		p = two_names(e, *path, out, p);
		if (p && !(*path && (*path)->wanted))
			*path = out;
	} else if (*path) {
		p = csv__mem(p, (*path)->text + (*path)->field_at, (*path)->field_len);
	} else if (l && l->has & LONG_HAS_REQUESTED) {
		p = requested_name(e, l, p);
	}
	return p;
}

/* The columns inode and device of the row's file, PATH or what L has. *FS_TYPE becomes the type of
 * the latter. */
static char *place_columns(struct encoder *e, const char *row, const struct path_entry *path,
			   const struct rec_fs_long *l, const char **fs_type, char *p)
{
	uint16_t *inode_end = &e->mark->end[PART_INODE];

	*inode_end = p - row;
	if (path) {
		*inode_end += path->inode_len;
		csv__mem(p, path->place, sizeof(path->place)); /* a constant length is faster */
		p += path->place_len;
	} else if (l && l->has & LONG_HAS_INODE) {
		p = csv__u64(p, l->ino);
		*inode_end = p - row;
		*p++ = ',';
		p = csv__device(p, l->dev >> 20, l->dev & 0xfffff);
		*fs_type = *l->fs_type ? l->fs_type : mounts__type(e->mounts, l->dev);
	} else {
		*p++ = ',';
	}
	return p;
}

static uint16_t short_id(uint64_t id)
{
	return (id * UINT64_C(0x9e3779b97f4a7c15)) >> 48;
}

/* Ends a part of the row at P, with the mark END[PART], and begins the column named next. */
#define END_PART(part, ...) \
	do { \
		end[part] = p - row; \
		COLUMN(p, __VA_ARGS__); \
	} while (0)

char *encode__fs(struct encoder *e, const void *record, size_t size, char *p)
{
	uint16_t *end = e->mark->end;
	const char *row = p;
	const struct rec_fs *r = record;
	const struct rec_fs_long *l = r->type == REC_FS_LONG ? record : NULL;
	const struct path_entry *path = NULL;
	const struct task_entry *task = encode__task(e, r->task, r->ns);
	const char *fs_type = NULL;
	struct call_result result = { 0 };
	int64_t ret = r->ret;

	if (!op_wanted(e, r->op))
		return NULL;
	if (r->path) {
		path = dict__get(e->paths, r->path);
		if (!path)
			e->faults[FAULT_FILE]++;
		else if (!path->wanted && !(l && l->has & LONG_TWO_FILES))
			return NULL;
	} else if (!(l && l->has & (LONG_HAS_REQUESTED | LONG_TWO_FILES)) &&
		   e->selection->paths.n) {
		return NULL;
	}
	if (r->op == FS_PROCESS_EXIT)
		ret = r->flags & 0x7f ? 128 + (r->flags & 0x7f) : (r->flags >> 8) & 0xff;

	make_result(&result, r, ret);
	p = encode__begin(e, STREAM_FS, r->ns, p);
	COLUMN(p, "operation");
	csv__mem(p, ops[r->op].name, OP_NAME_MAX); /* a constant length is faster */
	p += ops[r->op].len;
	COLUMN(p, "pid", "tid", "command");
	p = csv__mem(p, task->text, task->who_len);
	END_PART(PART_COMMAND, "filename");
	p = filename_column(e, l, &path, p);
	if (!p)
		return NULL;
	END_PART(PART_FILENAME, "size");
	/* Signed, from 2^63 on too: readers that guess types then take the column for integers. */
	if (r->has & FS_HAS_SIZE)
		p = csv__i64(p, r->size);
	END_PART(PART_SIZE, "offset");
	if (r->has & FS_HAS_OFFSET)
		p = csv__i64(p, r->offset);
	END_PART(PART_OFFSET, "bytes_completed");
	if (result.is_bytes)
		p = result_field(&result, p);
	END_PART(PART_BYTES, "inode", "device");
	p = place_columns(e, row, path, l, &fs_type, p);
	END_PART(PART_DEVICE, "flags");
	p = flags_field(e, r, l, path, p);
	END_PART(PART_FLAGS, "duration_ns");
	if (r->op != FS_PROCESS_EXIT && r->duration != DURATION_UNKNOWN)
		p = csv__u64(p, r->duration);
	END_PART(PART_DURATION, "return_value");
	p = result_field(&result, p);
	END_PART(PART_RETURN, "errno");
	if (result.known)
		p = encode__errno(ret, p);
	COLUMN(p, "mmap_prot");
	if (l && l->has & LONG_HAS_PROT)
		p = encode__flags(e, &names_prot, l->aux, p);
	COLUMN(p, "mmap_flags");
	if (l && l->has & LONG_HAS_PROT)
		p = encode__flags(e, &names_map, l->aux2, p);
	COLUMN(p, "address");
	if (l && l->has & LONG_HAS_ADDRESS)
		p = csv__hex(p, l->address);
	END_PART(PART_ADDRESS, "cmdline", "ppid", "container_id");
	p = csv__mem(p, task->text + task->who_len, task->tail_len);
	COLUMN(p, "fs_type");
	if (path) {
		csv__mem(p, path->fs_type, sizeof(path->fs_type));
		p += path->fs_type_len;
	} else if (fs_type) {
		p = encode__word(p, fs_type);
	} else if (l && l->has & LONG_HAS_TYPE) {
		p = requested_type(e, l, p);
	}
	end[PART_FS_TYPE] = p - row;
	p = encode__end(e, r->ns, p);
	end[PART_MONO] = p - 1 - row;
	e->mark->operation = r->op;
	e->mark->task = short_id(r->task);
	e->mark->path = short_id(r->path);
	return p;
}
