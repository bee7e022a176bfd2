// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/verify_anonymous.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/dir_names.h"
#include "base/ends_in.h"
#include "base/json_text.h"
#include "base/shown.h"
#include "commands/clear_list.h"
#include "dataset/frame.h"
#include "dataset/manifest.h"
#include "dataset/verify_file.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define BUFFER (4 * 1024 * 1024) /* more than any row takes */
#define COLUMNS_MAX 32
#define JSON_MAX (64 * 1024 * 1024)
#define TREE_DEPTH_MAX 32 /* a dataset has five levels */

struct clear_search {
	FILE *out;
	const char *dir;
	struct clear_list *list;
	uint64_t finds, files, sessions;
	struct faults faults; /* of the file in hand */
	uint64_t row;
	bool text[COLUMNS_MAX]; /* columns of the current file that contain text */
	char buf[BUFFER];
};

static void found(struct clear_search *s, const char *what, size_t len)
{
	char shown[SHOWN_SIZE];

	if (s->row)
		faults__add(&s->faults, "row %" PRIu64 ": '%s'", s->row,
			    faults__show(shown, what, len));
	else
		faults__add(&s->faults, "'%s'", faults__show(shown, what, len));
}

static void search_inside(struct clear_search *s, const char *text, size_t len)
{
	const char *what = clear_list__inside(s->list, text, len);

	if (what)
		found(s, what, strlen(what));
}

static void search_words(struct clear_search *s, bool names, const char *text, size_t len)
{
	size_t n;
	const char *what = clear_list__word(s->list, names, text, len, &n);

	if (what)
		found(s, what, n);
}

/* ---- rows ---- */

/* Finds the columns that contain text from the header row. */
static void read_header(struct clear_search *s, const char *row, size_t len)
{
	memset(s->text, 0, sizeof(s->text));
	for (int i = 0; i < STREAM_COUNT; i++) {
		char header[SCHEMA_HEADER_MAX];
		const struct stream_schema *schema = &schema_streams[i];

		if (schema__header(i, header) != len + 1 || memcmp(header, row, len))
			continue;
		for (size_t k = 0; k < schema->n_columns; k++)
			s->text[k] = schema->columns[k].type == COL_TEXT;
		return;
	}
	faults__add(&s->faults, "header: not the schema's");
}

static void search_fields(struct clear_search *s, const char *row, size_t len)
{
	const char *end = row + len;

	for (size_t column = 0; row < end; column++) {
		bool quoted = *row == '"';
		const char *field = row += quoted;

		while (row < end &&
		       (quoted ? *row != '"' || (row + 1 < end && row[1] == '"') : *row != ','))
			row += quoted && *row == '"' ? 2 : 1;
		if (column < COLUMNS_MAX && s->text[column])
			search_words(s, true, field, row - field);
		row += quoted + 1;
	}
}

static void search_rows(struct clear_search *s, const char *text, size_t len, bool *header_seen)
{
	const char *end = text + len, *lf;

	for (; text < end && (lf = memchr(text, '\n', end - text)); text = lf + 1) {
		if (!*header_seen)
			read_header(s, text, lf - text);
		else
			s->row++;
		if (s->row)
			search_fields(s, text, lf - text);
		*header_seen = true;
		search_inside(s, text, lf - text);
	}
}

static void search_csv(struct clear_search *s, int fd)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	static unsigned char in_buf[128 * 1024];
	ZSTD_inBuffer in = { in_buf, 0, 0 };
	uint64_t compressed = 0, content = 0;
	bool header_seen = false;
	size_t fill = 0, left = 1;
	ssize_t n;

	s->row = 0;
	while (ctx && (n = read(fd, in_buf, sizeof(in_buf))) > 0) {
		in.size = n;
		in.pos = 0;
		compressed += n;
		do {
			ZSTD_outBuffer out = { s->buf, BUFFER, fill };
			const char *last;

			left = ZSTD_decompressStream(ctx, &out, &in);
			if (ZSTD_isError(left)) {
				faults__add(&s->faults, "cannot be read: %s",
					    ZSTD_getErrorName(left));
				goto out;
			}
			content += out.pos - fill;
			if (frame__is_bomb(compressed, content, s->row)) {
				faults__add(&s->faults, FRAME_BOMB);
				goto out;
			}
			last = memrchr(s->buf, '\n', out.pos);
			fill = out.pos;
			if (last) {
				search_rows(s, s->buf, last + 1 - s->buf, &header_seen);
				fill = s->buf + out.pos - (last + 1);
				memmove(s->buf, last + 1, fill);
			} else if (fill == BUFFER) {
				faults__add(&s->faults, "a row without an end");
				goto out;
			}
		} while (in.pos < in.size);
	}
	if (!ctx || n < 0)
		faults__add(&s->faults, "cannot be read: %s",
			    ctx ? strerror(errno) : "out of memory");
	s->row++;
	search_inside(s, s->buf, fill); /* a row that was cut off */
out:
	s->row = 0;
	ZSTD_freeDCtx(ctx);
}

/* ---- JSON ---- */

/* Texts about the program, the columns and its own files that are in every manifest. */
static bool is_constant(const char *key)
{
	static const char *const keys[] = { "streams",     "csv",       "diagnostics", "files",
					    "system_spec", "snapshots", "machine_id" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

/* Values that can contain a file's name. Others contain words such as ext4, which may also be names
 * of files. */
static bool may_name_files(const char *key, const char *value)
{
	static const char *const keys[] = { "command_line", "hostname", "device", "dm_name" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return *value == '/' || strstr(value, " /") || strstr(value, "=/");
}

/* NOLINTNEXTLINE(misc-no-recursion): jansson's parser allows a depth of 2048 */
static void search_value(struct clear_search *s, const char *key, json_t *value, bool top)
{
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_string(value))
		search_words(s, may_name_files(key, json_string_value(value)),
			     json_string_value(value), json_string_length(value));
	json_array_foreach(value, i, member)
		search_value(s, key, member, false);
	json_object_foreach(value, name, member) {
		if (top && is_constant(name))
			continue;
		/* A mount without a device has its type in that place, a word that may also be a
		 * file's name. */
		if (!strcmp(name, "device") && json_equal(member, json_object_get(value, "fstype")))
			continue;
		/* The keys are names of network interfaces. */
		if (!strcmp(key, "interfaces"))
			search_words(s, true, name, strlen(name));
		search_value(s, name, member, false);
	}
}

static void search_json(struct clear_search *s, int fd)
{
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;
	json_t *json = NULL;
	char why[JSON_WHY_MAX];

	if (fstat(fd, &st) == 0 && st.st_size <= JSON_MAX)
		text = malloc(st.st_size + 1);
	while (text && n > 0 && len < (size_t)st.st_size) {
		n = read(fd, text + len, st.st_size - len);
		len += n > 0 ? n : 0;
	}
	if (!text || n < 0) {
		faults__add(&s->faults,
			    text ? "cannot be read" : "cannot be searched: larger than 64 MiB");
		free(text);
		return;
	}
	search_inside(s, text, len);
	if (!json_text__parse(text, len, &json, why))
		search_value(s, "", json, true);
	else
		faults__add(&s->faults, "no JSON: %s", why);
	json_decref(json);
	free(text);
}

/* ---- files ---- */

/* A file, or something that cannot be searched. */
struct found_file {
	int dir;
	const char *name, *path;
	off_t size;
	int err; /* a negative errno: it cannot be opened */
};

static int open_found(const struct found_file *f)
{
	int fd = openat(f->dir, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Whether the session's manifest has the boolean KEY. */
static bool session_says(const struct found_file *f, const char *key)
{
	int fd = open_found(f);
	char why[JSON_WHY_MAX];
	json_t *root = NULL;
	bool says = fd >= 0 && !json_text__read(fd, &root, why) &&
		    json_is_true(json_object_get(json_object_get(root, "session"), key));

	json_decref(root);
	if (fd >= 0)
		close(fd);
	return says;
}

static void search_file(struct clear_search *s, const struct found_file *f)
{
	int fd = f->err ? f->err : open_found(f);

	s->faults = (struct faults){ s->out, *f->path == '/' ? "" : ".",
				     f->path + (*f->path == '/'), 0 };
	s->files++;
	search_inside(s, f->name, strlen(f->name));
	if (fd < 0) {
		faults__add(&s->faults, "cannot be opened: %s", strerror(-fd));
	} else if (ends_in(f->name, ".csv.zst") || ends_in(f->name, ".csv.zst.part")) {
		search_csv(s, fd);
	} else {
		if (!strcmp(f->name, MANIFEST_NAME)) {
			s->sessions++;
			if (!session_says(f, "anonymized"))
				faults__add(&s->faults, "the session is not anonymised");
		}
		search_json(s, fd);
	}
	if (fd >= 0)
		close(fd);
	faults__end(&s->faults);
	s->finds += s->faults.count;
}

typedef void found_call(void *arg, const struct found_file *f);

static int each_file_in(int dir, const char *path, int depth, found_call *call, void *arg);

/* NAME in DIR, whose path is ABOVE: a file, a directory, or something that is not searched. */
/* NOLINTNEXTLINE(misc-no-recursion): TREE_DEPTH_MAX */
static int look_at(int dir, const char *above, const char *name, int depth, found_call *call,
		   void *arg)
{
	struct found_file f = { .dir = dir, .name = name };
	int sub, err = 0;
	struct stat st;
	char *path;

	if (asprintf(&path, "%s%s%s", above, ends_in(above, "/") ? "" : "/", name) < 0)
		return -ENOMEM;
	f.path = path;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		f.err = -errno;
	} else if (S_ISDIR(st.st_mode)) {
		sub = depth == TREE_DEPTH_MAX ?
			      -1 :
			      openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		f.err = depth == TREE_DEPTH_MAX ? -ELOOP : sub < 0 ? -errno : 0;
		if (sub >= 0)
			f.err = each_file_in(sub, path, depth + 1, call, arg);
	} else if (S_ISREG(st.st_mode)) {
		f.size = st.st_size;
		call(arg, &f);
	}
	if (f.err == -ENOMEM)
		err = f.err;
	else if (f.err)
		call(arg, &f);
	free(path);
	return err;
}

/* Calls CALL for each regular file in DIR, which is closed, and below, and for what cannot be
 * searched. */
/* NOLINTNEXTLINE(misc-no-recursion): TREE_DEPTH_MAX */
static int each_file_in(int dir, const char *path, int depth, found_call *call, void *arg)
{
	struct dir_names names;
	int err = dir_names__read(&names, dir);

	for (size_t i = 0; i < names.n && !err; i++)
		err = look_at(dir, path, names.names[i], depth, call, arg);
	dir_names__clear(&names);
	close(dir);
	return err;
}

static int each_file(const char *top, found_call *call, void *arg)
{
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? -errno : each_file_in(dir, top, 0, call, arg);
}

static void search_found(void *arg, const struct found_file *f)
{
	/* The file reserved for the last manifest is empty. */
	if (f->err || *f->name != '.' || f->size)
		search_file(arg, f);
}

static void on_manifest(void *arg, const struct found_file *f)
{
	bool *keep_system = arg;

	if (!f->err && !strcmp(f->name, MANIFEST_NAME))
		*keep_system |= session_says(f, "system_paths_clear");
}

static int fill_list(struct clear_search *s, const char *against, bool live)
{
	FILE *f = against ? fopen(against, "re") : NULL;
	bool keep_system = false;
	int err = 0;

	if (against && !f)
		return -errno;
	if (f) {
		err = clear_list__add_file(s->list, f);
		fclose(f);
	}
	if (!err && live) {
		each_file(s->dir, on_manifest, &keep_system);
		err = clear_list__add_live(s->list, keep_system);
	}
	return err;
}

uint64_t verify_anonymous__dir(const char *dir, const char *against, bool live, FILE *out)
{
	struct clear_search *s = calloc(1, sizeof(*s));
	uint64_t finds = 1;
	int err;

	if (!s) {
		fprintf(out, "out of memory\n");
		return 1;
	}
	s->out = out;
	s->dir = dir;
	err = clear_list__new(&s->list);
	if (!err)
		err = fill_list(s, against, live);
	if (!err && !clear_list__count(s->list)) {
		fprintf(out, "there is nothing to search for\n");
		goto out;
	}
	if (!err)
		err = each_file(dir, search_found, s);
	if (err) {
		shown__line(out, "%s: %s", against ? against : dir,
			    err == -E2BIG     ? "a line of more than 64 KiB" :
			    err == -EOVERFLOW ? "this machine has too many names to search for" :
						strerror(-err));
		goto out;
	}
	if (!s->sessions && !s->finds)
		shown__line(out, "%s: no session (" MANIFEST_NAME ") here or below", dir);
	else if (s->finds)
		shown__line(out, "%s: %" PRIu64 " names in clear", dir, s->finds);
	else
		shown__line(out, "%s: %" PRIu64 " files searched for %zu strings: nothing in clear",
			    dir, s->files, clear_list__count(s->list));
	finds = s->finds + !s->sessions;
out:
	clear_list__free(s->list);
	free(s);
	return finds;
}
