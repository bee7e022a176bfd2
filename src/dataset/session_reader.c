// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/session_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_text.h"
#include "dataset/faults.h"
#include "dataset/manifest_file.h"
#include "schema/schema.h"

#define MACHINE_MAX 64 /* bytes; the recorder's own have 16 */
#define MACHINE_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

void session_reader__break(struct session_reader *r, const char *format, ...)
{
	va_list args;

	if (r->broken)
		return;
	r->broken = true;
	va_start(args, format);
	vsnprintf(r->why, sizeof(r->why), format, args);
	va_end(args);
}

void session_reader__fault(struct session_reader *r, const char *format, ...)
{
	char what[SESSION_READER_WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (r->fault)
		r->fault(r->arg, what);
}

json_t *session_reader__member(struct session_reader *r, json_t *parent, const char *where,
			       const char *key, json_type type)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",
		[JSON_ARRAY] = "array",
		[JSON_STRING] = "string",
		[JSON_INTEGER] = "whole number",
	};
	json_t *value = json_object_get(parent, key);

	if (value && json_typeof(value) == type)
		return value;
	session_reader__break(r, "%s%s%s: %s (%s)", where, *where ? "." : "", key,
			      value ? "wrong type" : "missing", names[type]);
	return NULL;
}

uint64_t session_reader__uint(struct session_reader *r, json_t *parent, const char *where,
			      const char *key)
{
	json_int_t value =
		json_integer_value(session_reader__member(r, parent, where, key, JSON_INTEGER));

	if (value < 0)
		session_reader__break(r, "%s.%s: negative", where, key);
	return value;
}

const char *session_reader__string(struct session_reader *r, json_t *parent, const char *where,
				   const char *key)
{
	json_t *value = session_reader__member(r, parent, where, key, JSON_STRING);

	return value ? json_string_value(value) : "";
}

int session_reader__load_from(struct session_reader *r, int fd)
{
	char why[JSON_WHY_MAX];
	int err = json_text__read(fd, &r->root, why);
	const char *state;

	if (err) {
		session_reader__break(r, "%s", why);
		return err;
	}
	state = json_string_value(json_object_get(json_object_get(r->root, "session"), "state"));
	r->running = state && !strcmp(state, "running");
	r->recovered = state && !strcmp(state, "recovered");
	r->finished = r->recovered || (state && !strcmp(state, "complete"));
	return 0;
}

int session_reader__load(struct session_reader *r)
{
	int fd = manifest_file__open(r->fd), err;

	if (fd < 0) {
		session_reader__break(r, "cannot be opened: %s", strerror(-fd));
		return fd;
	}
	err = session_reader__load_from(r, fd);
	close(fd);
	return err;
}

static int32_t member_utc_offset(struct session_reader *r, json_t *parent, const char *where)
{
	int32_t seconds = 0;

	if (!clock__parse_utc_offset(session_reader__string(r, parent, where, "utc_offset"),
				     &seconds))
		session_reader__break(r, "%s.utc_offset: not +HH:MM", where);
	return seconds;
}

int session_reader__clock(struct session_reader *r)
{
	json_t *clock = session_reader__member(r, r->root, "", "clock", JSON_OBJECT);
	json_t *list = session_reader__member(r, clock, "clock", "offsets", JSON_ARRAY), *o;
	json_t *first =
		session_reader__member(r, clock, "clock", "mono_to_real_offset_ns", JSON_INTEGER);
	int32_t utc_offset = member_utc_offset(r, clock, "clock");
	size_t n = json_array_size(list), i;

	if (!n)
		session_reader__break(r, "clock.offsets: empty");
	r->offsets = calloc(n + 1, sizeof(*r->offsets));
	r->n_offsets = n;
	if (!r->offsets)
		session_reader__break(r, "out of memory");
	if (r->broken)
		return -EBADMSG;
	json_array_foreach(list, i, o) {
		struct clock_offset *to = &r->offsets[i];
		char where[64];

		snprintf(where, sizeof(where), "clock.offsets[%zu]", i);
		to->from_mono_ns = session_reader__uint(r, o, where, "from_mono_ns");
		to->offset_ns = json_integer_value(session_reader__member(
			r, o, where, "mono_to_real_offset_ns", JSON_INTEGER));
		to->utc_offset_s = json_object_get(o, "utc_offset") ?
					   member_utc_offset(r, o, where) :
					   utc_offset;
		if (i && to->from_mono_ns <= to[-1].from_mono_ns)
			session_reader__break(r, "%s: not later than the previous one", where);
	}
	if (!r->broken && r->offsets[0].offset_ns != json_integer_value(first))
		session_reader__fault(r, "clock.mono_to_real_offset_ns: not the first of offsets");
	return r->broken ? -EBADMSG : 0;
}

/* An older session has fewer columns than the schema. */
static void read_columns(struct session_reader *r, enum stream number, json_t *stream)
{
	const struct stream_schema *schema = &schema_streams[number];
	json_t *columns, *column;
	char where[64];
	size_t i, n;

	snprintf(where, sizeof(where), "streams.%s", schema->key);
	columns = session_reader__member(r, stream, where, "columns", JSON_ARRAY);
	n = json_array_size(columns);
	if (n < schema__least_columns(number) || n > schema->n_columns)
		n = schema->n_columns;
	r->n_columns[number] = n;
	json_array_foreach(columns, i, column) {
		char where_column[96];
		const char *name;

		snprintf(where_column, sizeof(where_column), "%s.columns[%zu]", where, i);
		name = session_reader__string(r, column, where_column, "name");
		if (r->broken)
			return;
		if (i >= n ||
		    strcmp(name, schema->columns[schema__column_of_field(number, n, i)].name)) {
			session_reader__fault(r, "%s: not the schema's", where_column);
			return;
		}
	}
	if (!r->broken && i != n)
		session_reader__fault(r, "%s.columns: %zu, should be %zu", where, i, n);
}

static void read_streams(struct session_reader *r)
{
	json_t *streams = session_reader__member(r, r->root, "", "streams", JSON_OBJECT), *stream;
	char shown[SHOWN_SIZE];
	const char *key;

	json_object_foreach(streams, key, stream) {
		int number = schema__find(key);

		if (number < 0)
			session_reader__fault(r, "streams: '%s' is not known",
					      faults__show(shown, key, strlen(key)));
		else
			read_columns(r, number, stream);
	}
}

/* <subdir>/<prefix>_<plain characters>.csv.zst: such a name can be printed without escaping. */
static bool is_path_of(const struct stream_schema *schema, const char *path)
{
	size_t len = strlen(path);
	char start[64];
	int n = snprintf(start, sizeof(start), "%s/%s_", schema->subdir, schema->prefix);

	if (len < n + sizeof(".csv.zst") || len > 255 || strncmp(path, start, n) ||
	    strcmp(path + len - 8, ".csv.zst"))
		return false;
	for (path += n; *path; path++)
		if (*path <= ' ' || *path > '~' || *path == '/' || *path == '\\')
			return false;
	return true;
}

static bool is_sha256(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static void read_file(struct session_reader *r, json_t *file, const char *where,
		      struct file_facts *ret)
{
	const char *path = session_reader__string(r, file, where, "path");
	const char *sha256 = session_reader__string(r, file, where, "sha256");
	int stream = schema__find(session_reader__string(r, file, where, "stream"));
	char shown[SHOWN_SIZE];

	if (stream < 0 ||
	    !json_object_get(json_object_get(r->root, "streams"), schema_streams[stream].key))
		session_reader__break(r, "%s.stream: not one of streams", where);
	else if (!is_path_of(&schema_streams[stream], path))
		session_reader__break(r, "%s.path: '%s' is not a file of %s", where,
				      faults__show(shown, path, strlen(path)),
				      schema_streams[stream].key);
	if (!is_sha256(sha256))
		session_reader__break(r, "%s.sha256: not 64 hexadecimal digits", where);
	*ret = (struct file_facts){
		.path = path,
		.stream = stream,
		.rows = session_reader__uint(r, file, where, "rows"),
		.raw_bytes = session_reader__uint(r, file, where, "raw_bytes"),
		.compressed_bytes = session_reader__uint(r, file, where, "compressed_bytes"),
		.first_mono_ns = session_reader__uint(r, file, where, "first_mono_ns"),
		.last_mono_ns = session_reader__uint(r, file, where, "last_mono_ns"),
	};
	snprintf(ret->sha256, sizeof(ret->sha256), "%s", sha256);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file_facts *)a)->path, ((const struct file_facts *)b)->path);
}

static void read_files(struct session_reader *r)
{
	json_t *list = session_reader__member(r, r->root, "", "files", JSON_ARRAY), *file;
	size_t i;

	r->files = calloc(json_array_size(list) + 1, sizeof(*r->files));
	if (!r->files)
		session_reader__break(r, "out of memory");
	json_array_foreach(list, i, file) {
		char where[64];

		if (r->broken)
			return;
		snprintf(where, sizeof(where), "files[%zu]", i);
		read_file(r, file, where, &r->files[i]);
		r->n_files++;
	}
	if (r->broken)
		return;
	qsort(r->files, r->n_files, sizeof(*r->files), by_path);
	for (i = 0; i < r->n_files; i++) {
		if (i && !by_path(&r->files[i], &r->files[i - 1]))
			session_reader__fault(r, "files: %s is listed twice", r->files[i].path);
	}
}

/* The id of the machine stands in the lines of other formats as it is. */
static void check_machine(struct session_reader *r)
{
	const char *id = json_string_value(json_object_get(r->root, "machine_id"));
	size_t len = id ? strspn(id, MACHINE_CHARS) : 0;

	if (id && (!len || id[len] || len > MACHINE_MAX))
		session_reader__break(r, "machine_id: not letters and digits");
}

int session_reader__read(struct session_reader *r)
{
	json_t *session;

	if (session_reader__load(r))
		return -EBADMSG;
	if (strcmp(session_reader__string(r, r->root, "", "schema_version"), SCHEMA_VERSION))
		session_reader__break(r,
				      "schema_version: not " SCHEMA_VERSION ", the one known here");
	session = session_reader__member(r, r->root, "", "session", JSON_OBJECT);
	session_reader__string(r, session, "session", "state");
	if (!r->running && !r->finished)
		session_reader__break(r, "session.state: not running, complete or recovered");
	check_machine(r);
	session_reader__clock(r);
	read_streams(r);
	read_files(r);
	return r->broken ? -EBADMSG : 0;
}

void session_reader__clear(struct session_reader *r)
{
	json_decref(r->root);
	free(r->offsets);
	free(r->files);
	r->root = NULL;
	r->offsets = NULL;
	r->files = NULL;
}

const struct file_facts *session_reader__find(const struct session_reader *r, const char *path)
{
	struct file_facts key = { .path = path };

	return bsearch(&key, r->files, r->n_files, sizeof(key), by_path);
}

/* A visible name in a visible directory. */
static bool is_path(const char *path)
{
	const char *slash = strchr(path, '/');

	return slash && slash != path && *path != '.' && slash[1] && slash[1] != '.' &&
	       !strchr(slash + 1, '/') && strlen(path) <= 255;
}

bool session_reader__entry(json_t *entry, const char *bytes_key, struct session_entry *ret)
{
	json_int_t bytes;

	if (json_unpack(entry, "{s:s, s:s, s:I}", "path", &ret->path, "sha256", &ret->sha256,
			bytes_key, &bytes) < 0 ||
	    bytes < 0 || !is_path(ret->path) || !is_sha256(ret->sha256))
		return false;
	ret->bytes = bytes;
	return true;
}

int session_reader__open_in(int dir, const char *subdir, const char *name)
{
	int sub = openat(dir, subdir, DIR_FLAGS), fd;
	struct stat st;

	if (sub < 0)
		return -errno;
	/* Opening a FIFO would block until somebody writes to it. */
	fd = openat(sub, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(sub);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

int session_reader__open(const struct session_reader *r, const struct file_facts *file, bool part)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s", strchr(file->path, '/') + 1, part ? ".part" : "");
	return session_reader__open_in(r->fd, schema_streams[file->stream].subdir, name);
}
