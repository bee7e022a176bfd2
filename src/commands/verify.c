// SPDX-License-Identifier: GPL-2.0-or-later
/* A session as a whole: its manifest, the files that it names, the files that are there. What the
 * manifest says may be anybody's: nothing outside the session is opened, memory is bounded. */
#include "commands/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir_names.h"
#include "base/shown.h"
#include "commands/verify_anonymous.h"
#include "dataset/journal.h"
#include "dataset/manifest.h"
#include "dataset/session.h"
#include "dataset/session_walk.h"
#include "dataset/verify_file.h"

/* <out>/<bucket>/<MACHINE_ID>/<stamp>/<subdir> */
#define DEPTH_MAX 4
#define SPEC_SUBDIR "system_spec"

struct verify {
	FILE *out;
	const char *dir; /* the session's path */
	int fd;
	struct faults manifest; /* of manifest.json */
	uint64_t faults;        /* of the other files */
	bool broken;            /* the manifest can't be used; why has been said */
	json_t *root;
	bool running, recovered;
	struct clock_offset *offsets;
	struct file_facts *files; /* ascending by path; paths belong to root */
	size_t n_files, n_specs;
	uint64_t rows, stream_rows[STREAM_COUNT];
	struct verify_session session;
	struct journal *journal; /* of an upload, or NULL */
	size_t uploaded;         /* files that are at a target, and no longer here */
	bool lost_rows_away;     /* … the lost stream's among them */
};

/* ---- the manifest: the first thing in it that can't be used ends the reading ---- */

static __attribute__((format(printf, 2, 3))) void broken(struct verify *v, const char *format, ...)
{
	char what[512];
	va_list args;

	if (v->broken)
		return;
	v->broken = true;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	faults__add(&v->manifest, "%s", what);
}

/* Member KEY of PARENT, which is found at WHERE. PARENT may be NULL: then all is broken already. */
static json_t *member(struct verify *v, json_t *parent, const char *where, const char *key,
		      json_type type)
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
	broken(v, "%s%s%s: %s (%s)", where, *where ? "." : "", key,
	       value ? "wrong type" : "missing", names[type]);
	return NULL;
}

static uint64_t member_uint(struct verify *v, json_t *parent, const char *where, const char *key)
{
	json_int_t value = json_integer_value(member(v, parent, where, key, JSON_INTEGER));

	if (value < 0)
		broken(v, "%s.%s: negative", where, key);
	return value;
}

static const char *member_string(struct verify *v, json_t *parent, const char *where,
				 const char *key)
{
	json_t *value = member(v, parent, where, key, JSON_STRING);

	return value ? json_string_value(value) : "";
}

static void load(struct verify *v)
{
	char why[MANIFEST_WHY_MAX];

	if (manifest_file__load(v->fd, &v->root, why))
		broken(v, "%s", why);
}

static int32_t member_utc_offset(struct verify *v, json_t *parent, const char *where)
{
	int32_t seconds = 0;

	if (!clock__parse_utc_offset(member_string(v, parent, where, "utc_offset"), &seconds))
		broken(v, "%s.utc_offset: not +HH:MM", where);
	return seconds;
}

static void read_clock(struct verify *v)
{
	json_t *clock = member(v, v->root, "", "clock", JSON_OBJECT);
	json_t *list = member(v, clock, "clock", "offsets", JSON_ARRAY), *o;
	json_t *first = member(v, clock, "clock", "mono_to_real_offset_ns", JSON_INTEGER);
	int32_t utc_offset = member_utc_offset(v, clock, "clock");
	size_t n = json_array_size(list), i;

	if (!n)
		broken(v, "clock.offsets: empty");
	v->session.offsets = v->offsets = calloc(n + 1, sizeof(*v->offsets));
	v->session.n_offsets = n;
	if (!v->offsets)
		broken(v, "out of memory");
	if (v->broken)
		return;
	json_array_foreach(list, i, o) {
		struct clock_offset *to = &v->offsets[i];
		char where[64];

		snprintf(where, sizeof(where), "clock.offsets[%zu]", i);
		to->from_mono_ns = member_uint(v, o, where, "from_mono_ns");
		to->offset_ns = json_integer_value(
			member(v, o, where, "mono_to_real_offset_ns", JSON_INTEGER));
		to->utc_offset_s = json_object_get(o, "utc_offset") ?
					   member_utc_offset(v, o, where) :
					   utc_offset;
		if (i && to->from_mono_ns <= to[-1].from_mono_ns)
			broken(v, "%s: does not follow the one before it", where);
	}
	if (!v->broken && v->offsets[0].offset_ns != json_integer_value(first))
		faults__add(&v->manifest, "clock.mono_to_real_offset_ns: not the first of offsets");
}

static void read_columns(struct verify *v, const struct stream_schema *schema, json_t *stream)
{
	json_t *columns, *column;
	char where[64];
	size_t i;

	snprintf(where, sizeof(where), "streams.%s", schema->key);
	columns = member(v, stream, where, "columns", JSON_ARRAY);
	json_array_foreach(columns, i, column) {
		char where_column[96];
		const char *name;

		snprintf(where_column, sizeof(where_column), "%s.columns[%zu]", where, i);
		name = member_string(v, column, where_column, "name");
		if (v->broken)
			return;
		if (i >= schema->n_columns || strcmp(name, schema->columns[i].name)) {
			faults__add(&v->manifest, "%s: not the schema's", where_column);
			return;
		}
	}
	if (!v->broken && i != schema->n_columns)
		faults__add(&v->manifest, "%s.columns: %zu, should be %zu", where, i,
			    schema->n_columns);
}

static void read_streams(struct verify *v)
{
	json_t *streams = member(v, v->root, "", "streams", JSON_OBJECT), *stream;
	char shown[SHOWN_SIZE];
	const char *key;

	json_object_foreach(streams, key, stream) {
		int number = schema__find(key);

		if (number < 0)
			faults__add(&v->manifest, "streams: '%s' is not known",
				    faults__show(shown, key, strlen(key)));
		else
			read_columns(v, &schema_streams[number], stream);
	}
}

/* <subdir>/<prefix>_<plain characters>.csv.zst, and so a name that can be printed as it is. */
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

static void read_file(struct verify *v, json_t *file, const char *where, struct file_facts *ret)
{
	const char *path = member_string(v, file, where, "path");
	const char *sha256 = member_string(v, file, where, "sha256");
	int stream = schema__find(member_string(v, file, where, "stream"));
	char shown[SHOWN_SIZE];

	if (stream < 0 ||
	    !json_object_get(json_object_get(v->root, "streams"), schema_streams[stream].key))
		broken(v, "%s.stream: not one of streams", where);
	else if (!is_path_of(&schema_streams[stream], path))
		broken(v, "%s.path: '%s' is no file of %s", where,
		       faults__show(shown, path, strlen(path)), schema_streams[stream].key);
	if (strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64)
		broken(v, "%s.sha256: not 64 hexadecimal digits", where);
	*ret = (struct file_facts){
		.path = path,
		.stream = stream,
		.rows = member_uint(v, file, where, "rows"),
		.raw_bytes = member_uint(v, file, where, "raw_bytes"),
		.compressed_bytes = member_uint(v, file, where, "compressed_bytes"),
		.first_mono_ns = member_uint(v, file, where, "first_mono_ns"),
		.last_mono_ns = member_uint(v, file, where, "last_mono_ns"),
	};
	snprintf(ret->sha256, sizeof(ret->sha256), "%s", sha256);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file_facts *)a)->path, ((const struct file_facts *)b)->path);
}

static void read_files(struct verify *v)
{
	json_t *list = member(v, v->root, "", "files", JSON_ARRAY), *file;
	size_t i;

	v->files = calloc(json_array_size(list) + 1, sizeof(*v->files));
	if (!v->files)
		broken(v, "out of memory");
	json_array_foreach(list, i, file) {
		char where[64];

		if (v->broken)
			return;
		snprintf(where, sizeof(where), "files[%zu]", i);
		read_file(v, file, where, &v->files[i]);
		v->n_files++;
	}
	if (v->broken)
		return;
	qsort(v->files, v->n_files, sizeof(*v->files), by_path);
	for (i = 0; i < v->n_files; i++) {
		v->rows += v->files[i].rows;
		v->stream_rows[v->files[i].stream] += v->files[i].rows;
		if (i && !by_path(&v->files[i], &v->files[i - 1]))
			faults__add(&v->manifest, "files: %s is there twice", v->files[i].path);
	}
}

static void read_manifest(struct verify *v)
{
	json_t *session;
	const char *state;

	load(v);
	if (v->broken)
		return;
	if (strcmp(member_string(v, v->root, "", "schema_version"), SCHEMA_VERSION))
		broken(v, "schema_version: not " SCHEMA_VERSION ", the one known here");
	session = member(v, v->root, "", "session", JSON_OBJECT);
	state = member_string(v, session, "session", "state");
	v->running = !strcmp(state, "running");
	v->recovered = !strcmp(state, "recovered");
	/* Its rows wait in .part files that nobody will finish. */
	if (v->running && !session__in_use(v->fd))
		faults__add(&v->manifest,
			    "session.state: running, but its recorder is gone: iotrc recover");
	if (!v->running && !v->recovered && strcmp(state, "complete"))
		broken(v, "session.state: not running, complete or recovered");
	read_clock(v);
	read_streams(v);
	read_files(v);
}

/* ---- the accounts ---- */

struct counts {
	uint64_t seen, written, filtered, lost[LOST_CAUSES];
	bool at_least; /* of a killed recorder: seen and filtered nobody knows, and lost
					 * is no less than it says */
};

static void read_counts(struct verify *v, const char *key, json_t *o, struct counts *ret)
{
	const char *lost_key;
	char where[64], where_lost[96];
	json_t *lost;

	ret->at_least = v->recovered && !json_object_get(o, "seen");
	lost_key = ret->at_least ? "lost_at_least" : "lost";
	snprintf(where, sizeof(where), "diagnostics.streams.%s", key);
	snprintf(where_lost, sizeof(where_lost), "%s.%s", where, lost_key);
	if (!ret->at_least)
		ret->seen = member_uint(v, o, where, "seen");
	ret->written = member_uint(v, o, where, "written");
	if (!ret->at_least)
		ret->filtered = member_uint(v, o, where, "filtered");
	else if (json_object_get(o, "filtered") || json_object_get(o, "lost"))
		broken(v, "%s: tells what a killed recorder cannot have told", where);
	lost = member(v, o, where, lost_key, JSON_OBJECT);
	/* shed came later than the other causes. */
	for (int k = 0; k < LOST_CAUSES; k++)
		if (k != LOST_SHED || json_object_get(lost, lost_causes[k]))
			ret->lost[k] = member_uint(v, lost, where_lost, lost_causes[k]);
}

/* LOST_KNOWN: no row of the lost stream is itself lost, so that its rows tell of all losses. */
static void check_counts(struct verify *v, int stream, const struct counts *c, bool lost_known)
{
	unsigned __int128 sum = (unsigned __int128)c->written + c->filtered;
	const char *key = schema_streams[stream].key;

	if (c->written != v->stream_rows[stream])
		faults__add(&v->manifest,
			    "diagnostics.streams.%s.written: %" PRIu64
			    ", but the files hold %" PRIu64 " rows",
			    key, c->written, v->stream_rows[stream]);
	for (int k = 0; k < LOST_CAUSES; k++) {
		uint64_t rows = v->session.lost[stream][k];

		sum += c->lost[k];
		if (lost_known && !c->at_least ? rows != c->lost[k] : rows > c->lost[k])
			faults__add(&v->manifest,
				    "diagnostics.streams.%s.lost%s.%s: %" PRIu64
				    ", but the lost stream counts %" PRIu64,
				    key, c->at_least ? "_at_least" : "", lost_causes[k], c->lost[k],
				    rows);
	}
	if (!c->at_least && c->seen != sum)
		faults__add(&v->manifest,
			    "diagnostics.streams.%s: seen %" PRIu64
			    " is not written + filtered + lost",
			    key, c->seen);
}

static void check_accounts(struct verify *v)
{
	json_t *diagnostics = member(v, v->root, "", "diagnostics", JSON_OBJECT);
	json_t *streams = member(v, diagnostics, "diagnostics", "streams", JSON_OBJECT);
	struct counts counts[STREAM_COUNT] = { 0 };
	bool lost_known = !v->lost_rows_away;

	for (int i = 0; i < STREAM_COUNT; i++) {
		const char *key = schema_streams[i].key;
		json_t *o = json_object_get(streams, key);

		/* A stream that was off needs no account; one with rows does: it fails below. */
		if (o)
			read_counts(v, key, o, &counts[i]);
	}
	/* While the session runs, the counts are those of another moment than the files. */
	if (v->broken || v->running)
		return;
	for (int k = 0; k < LOST_CAUSES; k++)
		lost_known &= !counts[STREAM_LOST].lost[k];
	for (int i = 0; i < STREAM_COUNT; i++)
		check_counts(v, i, &counts[i], lost_known);
}

/* ---- files ---- */

static int open_in(int dir, const char *subdir, const char *name)
{
	int sub = openat(dir, subdir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd;

	if (sub < 0)
		return -errno;
	fd = openat(sub, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(sub);
	return fd;
}

/* A file that is confirmed at a target may have been removed here. */
static bool is_uploaded(struct verify *v, const char *path, const char *sha256)
{
	bool is = v->journal && journal__elsewhere(v->journal, path, sha256);

	v->uploaded += is;
	return is;
}

static void check_file(struct verify *v, const struct file_facts *stated)
{
	struct faults f = { v->out, v->dir, stated->path, 0 };
	int fd = open_in(v->fd, schema_streams[stated->stream].subdir,
			 strchr(stated->path, '/') + 1);
	struct stat st;

	if (fd == -ENOENT && is_uploaded(v, stated->path, stated->sha256))
		v->lost_rows_away |= stated->stream == STREAM_LOST;
	else if (fd == -ENOENT)
		faults__add(&f, "missing");
	else if (fd < 0)
		faults__add(&f, "cannot be opened: %s", strerror(-fd));
	else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		faults__add(&f, "no regular file");
	else
		verify_file__check(&v->session, &f, fd, stated);
	if (fd >= 0)
		close(fd);
	faults__end(&f);
	v->faults += f.count;
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && !strcmp(name + len - n, end);
}

static void check_entry(struct verify *v, const char *path)
{
	struct faults f = { v->out, v->dir, path, 0 };
	struct file_facts key = { .path = path };

	/* A session that runs, or was killed, has files that its last manifest doesn't know. */
	if (v->running)
		return;
	if (ends_in(path, ".part"))
		faults__add(&f, "not finished, but the session is");
	else if (ends_in(path, ".csv.zst") &&
		 !bsearch(&key, v->files, v->n_files, sizeof(key), by_path))
		faults__add(&f, "not in the manifest");
	v->faults += f.count;
}

/* system_spec/<plain characters>.json */
static bool is_spec_path(const char *path)
{
	static const char start[] = SPEC_SUBDIR "/";
	const char *name = path + sizeof(start) - 1;

	return !strncmp(path, start, sizeof(start) - 1) && ends_in(name, ".json") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name) - strlen(".json");
}

static int hash_file(int fd, uint64_t *ret_bytes, char ret_sha256[65])
{
	unsigned char buf[16384], hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int err = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) ? 0 : -ENOMEM;
	uint64_t bytes = 0;
	ssize_t n = 0;

	while (!err && (n = read(fd, buf, sizeof(buf))) > 0) {
		EVP_DigestUpdate(md, buf, n);
		bytes += n;
	}
	if (n < 0)
		err = -errno;
	if (!err) {
		EVP_DigestFinal_ex(md, hash, NULL);
		for (int i = 0; i < 32; i++)
			sprintf(ret_sha256 + 2 * i, "%02x", hash[i]);
		*ret_bytes = bytes;
	}
	EVP_MD_CTX_free(md);
	return err;
}

static void check_spec_file(struct verify *v, json_t *file, const char *where)
{
	const char *path = member_string(v, file, where, "path");
	const char *stated = member_string(v, file, where, "sha256");
	uint64_t stated_bytes = member_uint(v, file, where, "bytes"), bytes;
	struct faults f = { v->out, v->dir, path, 0 };
	char sha256[65], shown[SHOWN_SIZE];
	struct stat st;
	int fd, err;

	if (v->broken)
		return;
	if (!is_spec_path(path)) {
		faults__add(&v->manifest, "%s.path: '%s' is no file of " SPEC_SUBDIR, where,
			    faults__show(shown, path, strlen(path)));
		return;
	}
	fd = open_in(v->fd, SPEC_SUBDIR, strchr(path, '/') + 1);
	if (fd == -ENOENT && is_uploaded(v, path, stated))
		;
	else if (fd == -ENOENT)
		faults__add(&f, "missing");
	else if (fd < 0)
		faults__add(&f, "cannot be opened: %s", strerror(-fd));
	else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		faults__add(&f, "no regular file");
	else if ((err = hash_file(fd, &bytes, sha256)))
		faults__add(&f, "cannot be read: %s", strerror(-err));
	else if (bytes != stated_bytes)
		faults__add(&f, "bytes: the manifest says %" PRIu64 ", the file %" PRIu64,
			    stated_bytes, bytes);
	else if (strcmp(sha256, stated))
		faults__add(&f, "sha256: the manifest says %s, the file %s",
			    faults__show(shown, stated, strlen(stated)), sha256);
	if (fd >= 0)
		close(fd);
	faults__end(&f);
	v->faults += f.count;
	v->n_specs++;
}

/* A recording may do without: the list needn't be there. */
static void check_spec(struct verify *v)
{
	json_t *list = json_object_get(v->root, SPEC_SUBDIR), *file;
	size_t i;

	if (list && !json_is_array(list))
		broken(v, SPEC_SUBDIR ": wrong type (array)");
	json_array_foreach(list, i, file) {
		char where[64];

		snprintf(where, sizeof(where), SPEC_SUBDIR "[%zu]", i);
		check_spec_file(v, file, where);
	}
}

static void check_entries(struct verify *v, int dir, const char *subdir);

static void check_subdir(struct verify *v, const char *name)
{
	int sub = openat(v->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (sub < 0) {
		if (errno != ENOENT)
			faults__add(&v->manifest, "%s: cannot be read: %s", name, strerror(errno));
		return;
	}
	check_entries(v, sub, name);
	close(sub);
}

/* Trace files lie in the directories of a session, not deeper. SUBDIR is NULL in the session
 * itself. */
static void check_entries(struct verify *v, int dir, const char *subdir)
{
	struct dir_names names;
	int err = dir_names__read(&names, dir);

	if (err)
		faults__add(&v->manifest, "%s: cannot be read: %s", subdir ?: ".", strerror(-err));
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.names[i];
		struct stat st;
		char *path;

		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && !subdir) {
			check_subdir(v, name);
		} else if (asprintf(&path, "%s%s%s", subdir ?: "", subdir ? "/" : "", name) >= 0) {
			check_entry(v, path);
			free(path);
		}
	}
	dir_names__clear(&names);
}

/* ---- sessions ---- */

static uint64_t verify_session(const char *path, int fd, FILE *out)
{
	struct verify v = {
		.out = out,
		.dir = path,
		.fd = fd,
		.manifest = { out, path, MANIFEST_NAME, 0 },
	};
	char away[64] = "";

	read_manifest(&v);
	if (!v.broken) {
		journal__look(&v.journal, v.fd);
		for (size_t i = 0; i < v.n_files; i++)
			check_file(&v, &v.files[i]);
		check_spec(&v);
		check_entries(&v, fd, NULL);
		check_accounts(&v);
	}
	faults__end(&v.manifest);
	v.faults += v.manifest.count;
	if (v.uploaded)
		snprintf(away, sizeof(away), "; %zu of them are uploaded, and not here",
			 v.uploaded);
	if (v.faults)
		shown__line(out, "%s: %" PRIu64 " fault%s", path, v.faults,
			    v.faults > 1 ? "s" : "");
	else
		shown__line(out, "%s: %zu files, %" PRIu64 " rows: sound%s%s", path,
			    v.n_files + v.n_specs, v.rows,
			    v.running ? " so far; the session is not finished" : "", away);
	journal__free(v.journal);
	json_decref(v.root);
	free(v.offsets);
	free(v.files);
	return v.faults;
}

struct walk {
	FILE *out;
	uint64_t sessions, faults;
};

static bool is_session(int dir, const char *name)
{
	return session_walk__has_manifest(dir);
}

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct walk *w = arg;

	w->sessions++;
	w->faults += verify_session(path, dir, w->out);
}

static void on_other(void *arg, const char *name, const char *path)
{
	struct walk *w = arg;

	if (!ends_in(name, ".csv.zst") && !ends_in(name, ".part"))
		return;
	shown__line(w->out, "%s: no " MANIFEST_NAME " above it", path);
	w->faults++;
}

static void on_failed(void *arg, const char *path, int err)
{
	struct walk *w = arg;

	shown__line(w->out, "%s: cannot be read: %s", path, strerror(-err));
	w->faults++;
}

uint64_t verify__dir(const char *dir, FILE *out)
{
	struct walk w = { .out = out };
	const struct session_walk walk = {
		.is_session = is_session,
		.on_session = on_session,
		.on_other = on_other,
		.on_failed = on_failed,
		.depth = DEPTH_MAX,
		.arg = &w,
	};

	session_walk__run(&walk, dir);
	if (!w.sessions && !w.faults) {
		shown__line(out, "%s: no session (" MANIFEST_NAME ") here or below", dir);
		w.faults++;
	}
	return w.faults;
}

static const struct command_option verify_options[] = {
	{ "anonymous", 0, NULL, "is anything still clear?" },
	{ "against", 0, "FILE", "any line of FILE, anywhere" },
	{ "live", 0, NULL,
	  "as words: this machine's host name, users, homes,\naddresses, and the names of files outside of\n"
	  "system directories (/usr, /etc, ...)" },
	{ .name = NULL },
};
enum { ANONYMOUS, AGAINST, LIVE };

static int verify(int argc, char **argv)
{
	const struct command *c = &verify_command;
	struct command_line l;
	const char *against = NULL;
	bool anonymous = false, live = false;
	uint64_t faults;
	int option;

	command__begin(&l, c, argc, argv, false);
	while ((option = command__next(&l)) >= 0) {
		anonymous |= option == ANONYMOUS;
		live |= option == LIVE;
		if (option == AGAINST)
			against = l.value;
	}
	if (option != COMMAND_END)
		return option == COMMAND_DONE ? EXIT_OK : EXIT_USAGE;
	if (argc - l.at != 1)
		return command__usage(c, "one DIR is needed");
	if (anonymous != (against || live))
		return command__usage(c, "--anonymous goes with --against FILE or --live");
	faults = anonymous ? verify_anonymous__dir(argv[l.at], against, live, stdout) :
			     verify__dir(argv[l.at], stdout);
	return command__flush(c, faults ? EXIT_CANNOT : EXIT_OK);
}

const struct command verify_command = {
	.name = "verify",
	.usage = "DIR",
	.summary = "check sessions against their manifests",
	.synopsis = "DIR\n--anonymous DIR --against FILE | --live",
	.description =
		"Reads every file of the session in DIR, or of all sessions below DIR, and compares it\n"
		"with the schema and the session's manifest.json: frames whole, header, each field, wall\n"
		"time against mono_ns, counts, sizes, SHA-256; files missing or not listed; and seen =\n"
		"written + filtered + lost; and whether the recorder of a session that isn't finished is\n"
		"still there. Prints a line for each fault (row 1 is the first after the header) and one\n"
		"for each session.\n"
		"\n"
		"With --anonymous it searches all of it, manifest and JSON included, for what must not be\n"
		"in anonymised sessions, and prints a line for each find.",
	.options = verify_options,
	.exit_codes = "0 all sound (nothing clear), 1 faults (finds) or no session, 2 usage.",
	.examples = "iotrc verify iotrc-traces                     # every session\n"
		    "iotrc verify iotrc-traces/linux_v1/0123456789ABCDEF/20260131_120000_000\n"
		    "iotrc verify iotrc-traces && echo all sound\n"
		    "sudo iotrc verify --anonymous iotrc-traces --live --against names.txt",
	.main = verify,
};
