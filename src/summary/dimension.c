// SPDX-License-Identifier: GPL-2.0-or-later
#include "summary/dimension.h"

#include <string.h>

#include "base/csv.h"
#include "dataset/field.h"
#include "dataset/two_paths.h"
#include "export/session_names.h"
#include "platform/libc.h"
#include "summary/measure.h"

static struct row_field nothing(void)
{
	return (struct row_field){ (char *)DIMENSION_NONE, sizeof(DIMENSION_NONE) - 1 };
}

static struct row_field file(const struct export_row *row, int column, char *buf)
{
	return two_paths__main(&row->fields[column]);
}

struct row_field dimension__directory(struct row_field path)
{
	const char *slash = memrchr(path.s, '/', path.len);

	if (!slash)
		return nothing();
	path.len = slash != path.s ? slash - path.s : 1;
	return path;
}

struct row_field dimension__extension(struct row_field path)
{
	char *slash = memrchr(path.s, '/', path.len), *name = slash ? slash + 1 : path.s;
	char *end = path.s + path.len, *dot = memrchr(name, '.', end - name);

	if (!dot || dot == name || dot + 1 == end)
		return nothing();
	return (struct row_field){ dot + 1, end - dot - 1 };
}

static struct row_field directory(const struct export_row *row, int column, char *buf)
{
	return dimension__directory(file(row, column, buf));
}

static struct row_field extension(const struct export_row *row, int column, char *buf)
{
	return dimension__extension(file(row, column, buf));
}

/* A file without a name in the row: MAJOR:MINOR/INODE. */
static struct row_field inode(const struct export_row *row, int column, char *buf)
{
	int device = row__column(row->stream, "device_id");
	const struct row_field *f = &row->fields[column];
	uint64_t id;
	char *p;

	if (!row__uint(row, device, &id) || f->len > CSV_U64_MAX)
		return nothing();
	p = csv__device(buf, id >> 20, id & 0xfffff);
	*p++ = '/';
	p = csv__mem(p, f->s, f->len);
	return (struct row_field){ buf, p - buf };
}

static struct row_field file_or_inode(const struct export_row *row, int column, char *buf)
{
	bool named = row->stream == STREAM_FS || row->stream == STREAM_EXTENT;

	return named ? file(row, column, buf) : inode(row, column, buf);
}

/* fs and block have MAJOR:MINOR, cache and pagefault one number. */
static struct row_field device(const struct export_row *row, int column, char *buf)
{
	struct row_field f = row->fields[column];
	uint64_t id;

	if (!row__uint(row, column, &id))
		return f;
	return (struct row_field){ buf, csv__device(buf, id >> 20, id & 0xfffff) - buf };
}

static struct row_field error(const struct export_row *row, int column, char *buf)
{
	const char *name;
	size_t len;

	if (!measure__errno(row, &name, &len))
		return nothing();
	return (struct row_field){ (char *)name, len };
}

/* The largest power of two that is not greater. */
static struct row_field size(const struct export_row *row, int column, char *buf)
{
	uint64_t n;

	if (!row__uint(row, column, &n))
		return nothing();
	n = n ? UINT64_C(1) << (63 - __builtin_clzll(n)) : 0;
	return (struct row_field){ buf, csv__u64(buf, n) - buf };
}

static struct row_field user(const struct export_row *row, int column, char *buf)
{
	uint64_t pid, ns;
	const char *name;
	uint32_t uid;

	if (!row->names || !row__uint(row, column, &pid) ||
	    !row__uint(row, row__column(row->stream, "mono_ns"), &ns) ||
	    !session_names__uid(row->names, pid, ns, &uid))
		return nothing();
	name = session_names__user(row->names, uid);
	if (!name || CSV_TEXT_MAX(strlen(name)) > DIMENSION_TEXT_MAX)
		return (struct row_field){ buf, csv__u64(buf, uid) - buf };
	return (struct row_field){ buf, csv__escape(buf, name, strlen(name)) - buf };
}

/* The name of the cgroup's container, or the id of the cgroup. */
static struct row_field container(const struct export_row *row, int column, char *buf)
{
	struct row_field f = row->fields[column];
	const char *name = row->names ? session_names__container(row->names, f.s, f.len) : NULL;

	if (!name || CSV_TEXT_MAX(strlen(name)) > DIMENSION_TEXT_MAX)
		return f;
	return (struct row_field){ buf, csv__escape(buf, name, strlen(name)) - buf };
}

static struct row_field minute(const struct export_row *row, int column, char *buf)
{
	struct row_field f = row->fields[column];

	if (f.len > DIMENSION_MINUTE_LEN)
		f.len = DIMENSION_MINUTE_LEN;
	return f;
}

/* Bytes of an address and of its port, with the colon. */
#define END_MAX 480

/* Writes ADDRESS:PORT at P, which has END_MAX bytes; * if it has none, as ss does. What is longer
 * than any address is cut. */
static char *end_of(const struct export_row *row, int column, const char *port_column, char *p)
{
	const struct row_field *address = &row->fields[column];
	const struct row_field *port = &row->fields[row__column(row->stream, port_column)];
	size_t most = END_MAX - CSV_U64_MAX - 1;

	if (!address->len)
		return csv__mem(p, "*", 1);
	p = csv__mem(p, address->s, address->len < most ? address->len : most);
	if (!port->len || port->len > CSV_U64_MAX)
		return p;
	*p++ = ':';
	return csv__mem(p, port->s, port->len);
}

/* ADDRESS:PORT */
static struct row_field remote(const struct export_row *row, int column, char *buf)
{
	const struct row_field *port = &row->fields[row__column(row->stream, "dport")];

	if (!port->len)
		return row->fields[column];
	return (struct row_field){ buf, end_of(row, column, "dport", buf) - buf };
}

/* ADDRESS:PORT - ADDRESS:PORT, this end first. */
static struct row_field connection(const struct export_row *row, int column, char *buf)
{
	int local =
		row__column(row->stream, row->stream == STREAM_NW_DROP ? "src_addr" : "local_addr");
	char *p = end_of(row, local, "sport", buf);

	if (!row->fields[local].len && !row->fields[column].len)
		return nothing();
	p = csv__mem(p, " - ", 3);
	return (struct row_field){ buf, end_of(row, column, "dport", p) - buf };
}

/* clang-format off */
#define EVENT_TYPE \
	[STREAM_NW_CONN] = "event_type", [STREAM_NW_EPOLL] = "event_type", \
	[STREAM_NW_SOCKOPT] = "event_type", [STREAM_NW_DROP] = "event_type", \
	[STREAM_NW_FLOW] = "event_type", \
	[STREAM_CACHE] = "event_type"
#define ALL(name) { \
	[STREAM_FS] = (name), [STREAM_BLOCK] = (name), [STREAM_NW_CONN] = (name), \
	[STREAM_NW_EPOLL] = (name), [STREAM_NW_SOCKOPT] = (name), [STREAM_NW_DROP] = (name), \
	[STREAM_NW_FLOW] = (name), \
	[STREAM_CACHE] = (name), [STREAM_PAGEFAULT] = (name), [STREAM_EXTENT] = (name) }

const struct dimension dimensions[] = {
	{ "operation", { [STREAM_FS] = "operation", [STREAM_BLOCK] = "operation", EVENT_TYPE,
			 [STREAM_PAGEFAULT] = "severity", [STREAM_EXTENT] = "operation" } },
	{ "file", { [STREAM_FS] = "filename", [STREAM_CACHE] = "inode", [STREAM_PAGEFAULT] = "inode",
		    [STREAM_EXTENT] = "filename" },
	  { [STREAM_CACHE] = "device_id", [STREAM_PAGEFAULT] = "device_id" }, file_or_inode },
	{ "directory", { [STREAM_FS] = "filename", [STREAM_EXTENT] = "filename" }, .key = directory },
	{ "extension", { [STREAM_FS] = "filename", [STREAM_EXTENT] = "filename" }, .key = extension },
	{ "process", ALL("pid") },
	{ "command", ALL("command") },
	{ "container", { [STREAM_FS] = "container_id", [STREAM_NW_FLOW] = "container_id",
			 [STREAM_EXTENT] = "container_id" }, .key = container },
	{ "user", ALL("pid"), ALL("mono_ns"), user },
	{ "device", { [STREAM_FS] = "device", [STREAM_BLOCK] = "device", [STREAM_CACHE] = "device_id",
		      [STREAM_PAGEFAULT] = "device_id", [STREAM_EXTENT] = "device" }, .key = device },
	{ "fs_type", { [STREAM_FS] = "fs_type", [STREAM_EXTENT] = "fs_type" } },
	{ "kind", { [STREAM_EXTENT] = "kind" } },
	{ "cause", { [STREAM_EXTENT] = "cause" } },
	{ "errno", { [STREAM_FS] = "errno", [STREAM_BLOCK] = "flags", [STREAM_NW_CONN] = "return_value",
		     [STREAM_NW_EPOLL] = "errno", [STREAM_NW_SOCKOPT] = "errno" }, .key = error },
	{ "size", { [STREAM_FS] = "size", [STREAM_BLOCK] = "size", [STREAM_NW_DROP] = "skb_len",
		    [STREAM_EXTENT] = "size" }, .key = size },
	{ "minute", ALL("timestamp"), .key = minute },
	{ "remote", { [STREAM_NW_CONN] = "remote_addr", [STREAM_NW_DROP] = "dst_addr", [STREAM_NW_FLOW] = "remote_addr" },
	  { [STREAM_NW_CONN] = "dport", [STREAM_NW_DROP] = "dport", [STREAM_NW_FLOW] = "dport" }, remote },
	{ "connection", { [STREAM_NW_DROP] = "dst_addr", [STREAM_NW_FLOW] = "remote_addr" },
	  { [STREAM_NW_DROP] = "dport", [STREAM_NW_FLOW] = "dport" }, connection, .of_empty = true },
	{ .name = NULL },
};
/* clang-format on */

const struct dimension *dimension__find(const char *name, size_t len)
{
	for (const struct dimension *d = dimensions; d->name; d++)
		if (strlen(d->name) == len && !memcmp(d->name, name, len))
			return d;
	return NULL;
}

int dimension__column(const struct dimension *d, enum stream stream)
{
	return d->columns[stream] ? row__column(stream, d->columns[stream]) : -1;
}

int dimension__fields(const struct dimension *d, enum stream stream)
{
	int column = dimension__column(d, stream);
	int other = d->others[stream] ? row__column(stream, d->others[stream]) : -1;

	return (column > other ? column : other) + 1;
}

struct row_field dimension__key(const struct dimension *d, int column, const struct export_row *row,
				char buf[DIMENSION_TEXT_MAX])
{
	struct row_field key = row->fields[column];

	if (d->key && (key.len || d->of_empty))
		key = d->key(row, column, buf);
	/* Also for two empty paths, " -> ", as of mount("", ""). */
	return key.len ? key : nothing();
}
