// SPDX-License-Identifier: GPL-2.0-or-later
/* Recovery can be killed at any point: it first finishes the files one by one, each of which gets
 * its final name only when it is complete and synced. The manifest, which marks the session as
 * recovered, is written last. */
#include "dataset/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir_names.h"
#include "base/json_text.h"
#include "dataset/csv_repair.h"
#include "dataset/journal.h"
#include "dataset/manifest_file.h"
#include "dataset/row_clock.h"
#include "dataset/session.h"
#include "dataset/session_lock.h"
#include "dataset/session_reader.h"
#include "dataset/verify_file.h"
#include "platform/macros.h"
#include "platform/owner.h"
#include "schema/schema.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define SPEC_SUBDIR "system_spec"
#define CSV_END ".csv.zst"
#define PART_END ".part"
#define ASIDE_END ".damaged"
#define ENTRY_MAX 160 /* bytes; our own names have half of that */
#define NAME_SIZE (ENTRY_MAX + 64)

struct recover {
	int fd; /* the session */
	int lock;
	const atomic_bool *stop;
	struct recovered *result;
	struct session_reader manifest;
	json_t *root;   /* the manifest's; borrowed */
	json_t *files;  /* borrowed from root */
	json_t *listed; /* the paths of files, as keys */
	uint64_t rows[STREAM_COUNT], lost[STREAM_COUNT][LOST_CAUSES];
	uint64_t last_mono_ns;
	struct row_clock clock;
	bool clock_changed;
	uid_t uid; /* the manifest's owner */
	gid_t gid;
	bool changing; /* the session needs recovery */
	bool oom;
};

static int give_up(struct recover *r, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int give_up(struct recover *r, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->result->why, sizeof(r->result->why), format, args);
	va_end(args);
	return err;
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && !strcmp(name + len - n, end);
}

static void put_member(struct recover *r, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		r->oom = true;
}

static void add_element(struct recover *r, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		r->oom = true;
}

/* ---- the clock ---- */

/* An invalid list is kept: verify reports it. */
static void read_clock(struct recover *r)
{
	const struct session_reader *m = &r->manifest;

	if (!session_reader__clock(&r->manifest) && m->n_offsets <= CLOCK_OFFSETS_MAX)
		row_clock__list(&r->clock, m->offsets, m->n_offsets);
}

static void on_row(void *arg, int64_t wall_us, uint64_t mono_ns)
{
	struct recover *r = arg;

	r->clock_changed |= row_clock__row(&r->clock, wall_us, mono_ns);
}

static void set_clock(struct recover *r)
{
	if (r->clock_changed)
		put_member(r, json_object_get(r->root, "clock"), "offsets",
			   manifest_file__offsets(r->clock.offsets, r->clock.n));
}

/* ---- files ---- */

static void on_lost(void *arg, const char *stream, const char *cause, uint64_t count)
{
	struct recover *r = arg;
	int s = schema__find(stream);

	for (int k = 0; s >= 0 && k < LOST_CAUSES; k++)
		if (!strcmp(cause, lost_causes[k]))
			r->lost[s][k] += count;
}

static void add_file(struct recover *r, const char *path, const struct file_facts *f)
{
	add_element(r, r->files,
		    json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "path", path, "stream",
			      schema_streams[f->stream].key, "rows", (json_int_t)f->rows,
			      "raw_bytes", (json_int_t)f->raw_bytes, "compressed_bytes",
			      (json_int_t)f->compressed_bytes, "first_mono_ns",
			      (json_int_t)f->first_mono_ns, "last_mono_ns",
			      (json_int_t)f->last_mono_ns, "sha256", f->sha256));
	put_member(r, r->listed, path, json_true());
}

/* The name of the last file of a snapshot of file systems says whether the snapshot is complete. */
static void final_name(char buf[NAME_SIZE], enum stream stream, const char *name)
{
	const char *number = strrchr(name, '_');

	if (stream == STREAM_FILESYSTEM && number)
		snprintf(buf, NAME_SIZE, "%.*s_incomplete_parts%lu", ENTRY_MAX, name,
			 strtoul(number + 1, NULL, 10));
	else
		snprintf(buf, NAME_SIZE, "%.*s", ENTRY_MAX, name);
}

/* A file that cannot be read at all is kept under another name, so that it no longer looks
 * unfinished. */
static int put_aside(struct recover *r, int dir, const char *name)
{
	char aside[NAME_SIZE];

	snprintf(aside, sizeof(aside), "%.*s" ASIDE_END, (int)(strlen(name) - strlen(PART_END)),
		 name);
	if (renameat(dir, name, dir, aside) < 0)
		return give_up(r, -errno, "%s: %s", aside, strerror(errno));
	r->result->damaged++;
	return 0;
}

static int recover_file(struct recover *r, int dir, enum stream stream, const char *entry)
{
	struct csv_repair repair = { .lost = on_lost, .row = on_row, .arg = r, .stop = r->stop };
	char name[NAME_SIZE], final[NAME_SIZE], path[NAME_SIZE + 64];
	bool part = ends_in(entry, CSV_END PART_END);
	struct file_facts facts;
	int err;

	snprintf(name, sizeof(name), "%.*s",
		 (int)(strlen(entry) - strlen(part ? CSV_END PART_END : CSV_END)), entry);
	if (part)
		final_name(final, stream, name);
	else
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(final, name);
	snprintf(path, sizeof(path), "%s/%s" CSV_END, schema_streams[stream].subdir, final);
	if (!part && json_object_get(r->listed, path) && stream != STREAM_LOST)
		return 0;
	err = part ? csv_repair__finish(&repair, dir, stream, name, final, &facts) :
		     csv_repair__read(&repair, dir, stream, name, &facts);
	if (err == -ENODATA && part)
		return unlinkat(dir, entry, 0) < 0 ? -errno : 0;
	if (err == -EBADMSG && part)
		return put_aside(r, dir, entry);
	if (err == -EBADMSG) { /* verify reports what is wrong with it */
		r->result->damaged++;
		return 0;
	}
	if (err)
		return give_up(r, err, "%s: %s", path, strerror(-err));
	r->result->finished += part;
	if (!json_object_get(r->listed, path))
		add_file(r, path, &facts);
	return 0;
}

/* Calls EACH for the entries of SUBDIR in the order of names. */
static int each_entry(struct recover *r, const char *subdir,
		      int (*each)(struct recover *r, int dir, enum stream stream,
				  const char *entry),
		      enum stream stream)
{
	int dir = openat(r->fd, subdir, DIR_FLAGS), err;
	struct dir_names names;

	if (dir < 0)
		return errno == ENOENT ? 0 : give_up(r, -errno, "%s: %s", subdir, strerror(errno));
	err = dir_names__read(&names, dir);
	if (err)
		err = give_up(r, err, "%s: %s", subdir, strerror(-err));
	for (size_t i = 0; i < names.n && !err; i++)
		if (strlen(names.names[i]) <= ENTRY_MAX)
			err = each(r, dir, stream, names.names[i]);
		else if (ends_in(names.names[i], CSV_END) || ends_in(names.names[i], PART_END))
			r->result->damaged++; /* left where it is; verify names it */
	dir_names__clear(&names);
	/* EINVAL: a file system whose directories cannot be synced. */
	if (!err && r->changing && fsync(dir) < 0 && errno != EINVAL)
		err = give_up(r, -errno, "%s: %s", subdir, strerror(errno));
	close(dir);
	if (!err && r->changing)
		unlinkat(r->fd, subdir, AT_REMOVEDIR); /* fails unless empty */
	return err;
}

static int on_csv(struct recover *r, int dir, enum stream stream, const char *entry)
{
	if (*entry == '.' && ends_in(entry, CSV_FILE_COPY_END)) /* of a file that is there */
		return unlinkat(dir, entry, 0) < 0 ? -errno : 0;
	if (!ends_in(entry, CSV_END) && !ends_in(entry, CSV_END PART_END))
		return 0;
	return recover_file(r, dir, stream, entry);
}

/* ---- system_spec ---- */

static bool is_listed_spec(struct recover *r, const char *path)
{
	json_t *spec;
	size_t i;

	json_array_foreach(json_object_get(r->root, "system_spec"), i, spec) {
		const char *listed = json_string_value(json_object_get(spec, "path"));

		if (listed && !strcmp(listed, path))
			return true;
	}
	return false;
}

static int add_spec(struct recover *r, int dir, const char *entry, const char *path)
{
	int fd = openat(dir, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	unsigned char md[EVP_MAX_MD_SIZE];
	json_t *list = json_object_get(r->root, "system_spec"), *spec = NULL;
	char text[256 * 1024], sha256[65], why[JSON_WHY_MAX];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	int err;

	if (fd >= 0)
		close(fd);
	err = n > 0 ? json_text__parse(text, n, &spec, why) : -EBADMSG;
	if (err == -ENOMEM)
		return err;
	if (err || !EVP_Digest(text, n, md, NULL, EVP_sha256(), NULL))
		return 0; /* none of ours */
	json_decref(spec);
	for (int i = 0; i < 32; i++)
		snprintf(sha256 + 2 * i, 3, "%02x", md[i]);
	if (!list)
		put_member(r, r->root, "system_spec", json_array());
	add_element(r, json_object_get(r->root, "system_spec"),
		    json_pack("{s:s, s:I, s:s}", "path", path, "bytes", (json_int_t)n, "sha256",
			      sha256));
	return 0;
}

/* Unfinished snapshots of these are dropped: any later session has them again. */
static int on_spec(struct recover *r, int dir, enum stream stream, const char *entry)
{
	char path[NAME_SIZE + 64];

	if (ends_in(entry, ".json" PART_END))
		return unlinkat(dir, entry, 0) < 0 ? -errno : 0;
	snprintf(path, sizeof(path), SPEC_SUBDIR "/%s", entry);
	if (!ends_in(entry, ".json") || is_listed_spec(r, path))
		return 0;
	return add_spec(r, dir, entry, path);
}

/* ---- the manifest ---- */

/* Times in a manifest are untrusted. Until 2095, a time and the sum of two fit into int64_t. */
#define LIMIT_NS INT64_C(4000000000000000000)

/* YYYY-MM-DDTHH:MM:SS.mmm+HH:MM, as written by clock.c */
static bool parse_iso8601(const char *s, int64_t *ret_ns)
{
	unsigned year, month, day, hour, minute, second, ms, zone_h, zone_m;
	char sign;
	struct tm tm;

	if (!s ||
	    sscanf(s, "%4u-%2u-%2uT%2u:%2u:%2u.%3u%c%2u:%2u", &year, &month, &day, &hour, &minute,
		   &second, &ms, &sign, &zone_h, &zone_m) != 10 ||
	    year < 1970 || year > 2095 || month - 1 > 11 || day - 1 > 30 || hour > 23 ||
	    minute > 59 || second > 60 || zone_h > 23 || zone_m > 59)
		return false;
	tm = (struct tm){ .tm_year = year - 1900,
			  .tm_mon = month - 1,
			  .tm_mday = day,
			  .tm_hour = hour,
			  .tm_min = minute,
			  .tm_sec = second };
	*ret_ns = (timegm(&tm) - (sign == '-' ? -1 : 1) * (int64_t)(zone_h * 3600 + zone_m * 60)) *
			  (int64_t)NSEC_PER_SEC +
		  ms * 1000000ll;
	return true;
}

/* Returns when the session began and how many seconds it ran; false if the manifest's values are
 * invalid. */
static bool session_times(json_t *session, int64_t *ret_started_ns, double *ret_duration)
{
	*ret_duration = json_number_value(json_object_get(session, "duration_seconds"));
	return parse_iso8601(json_string_value(json_object_get(session, "started_at")),
			     ret_started_ns) &&
	       *ret_duration >= 0 && *ret_duration < (double)LIMIT_NS / (int64_t)NSEC_PER_SEC;
}

static int64_t offset_at(struct recover *r, uint64_t mono_ns)
{
	const struct row_clock *c = &r->clock;

	return c->n ? clock__offset_at(c->offsets, c->n, mono_ns)->offset_ns : 0;
}

/* The session's end is its last row or its last manifest; nothing later is known. */
static void set_end(struct recover *r, json_t *session)
{
	char buf[CLOCK_ISO8601_SIZE];
	int64_t started, rows_ns;
	double duration;

	if (!session_times(session, &started, &duration))
		return;
	rows_ns = r->last_mono_ns - (started - offset_at(r, 0));
	if (r->last_mono_ns && rows_ns > duration * (int64_t)NSEC_PER_SEC) {
		/* NOLINTNEXTLINE(bugprone-integer-division): whole milliseconds */
		duration = (double)(rows_ns / 1000000) / 1000;
		clock__iso8601(r->last_mono_ns + offset_at(r, r->last_mono_ns), buf);
	} else {
		clock__iso8601(started + (int64_t)(duration * (int64_t)NSEC_PER_SEC), buf);
	}
	put_member(r, session, "stopped_at", json_string(buf));
	put_member(r, session, "duration_seconds", json_real(duration));
}

static uint64_t lost_in(json_t *counts, const char *cause)
{
	return json_integer_value(json_object_get(json_object_get(counts, "lost"), cause));
}

/* The last counts belong to another moment than the files. They are kept under another key, and
 * counts of the files replace them. */
static void set_accounts(struct recover *r, json_t *session, json_t *diagnostics)
{
	json_t *streams = json_object_get(diagnostics, "streams"), *known, *counts, *hook;
	char at[CLOCK_ISO8601_SIZE];
	const char *key;
	int64_t started;
	double duration;
	void *next;
	size_t i;

	known = json_deep_copy(diagnostics);
	json_object_del(known, "drop_reasons"); /* which doesn't change */
	if (session_times(session, &started, &duration)) {
		clock__iso8601(started + (int64_t)(duration * (int64_t)NSEC_PER_SEC), at);
		put_member(r, known, "at", json_string(at));
	}
	json_object_foreach_safe(streams, next, key, counts) {
		int s = schema__find(key);
		json_t *lost;

		if (s < 0)
			continue;
		lost = json_object();
		for (int k = 0; k < LOST_CAUSES; k++) {
			uint64_t n = lost_in(counts, lost_causes[k]);

			put_member(r, lost, lost_causes[k],
				   json_integer(n > r->lost[s][k] ? n : r->lost[s][k]));
		}
		put_member(r, streams, key,
			   json_pack("{s:I, s:o}", "written", (json_int_t)r->rows[s],
				     "lost_at_least", lost));
	}
	json_array_foreach(json_object_get(diagnostics, "hooks"), i, hook) {
		json_object_del(hook, "fired");
		json_object_del(hook, "missed");
	}
	json_object_foreach_safe(diagnostics, next, key, counts)
		if (strcmp(key, "streams") && strcmp(key, "hooks") && strcmp(key, "drop_reasons"))
			json_object_del(diagnostics, key);
	put_member(r, diagnostics, "last_known", known);
}

/* Whether the counts belong to the files: a session that could not finish a file on a full disk had
 * counted its rows. */
static bool accounts_hold(struct recover *r, json_t *diagnostics)
{
	json_t *streams = json_object_get(diagnostics, "streams");

	for (int s = 0; s < STREAM_COUNT; s++) {
		json_t *counts = json_object_get(streams, schema_streams[s].key);

		if ((uint64_t)json_integer_value(json_object_get(counts, "written")) != r->rows[s])
			return false;
	}
	return true;
}

/* Adds an entry for each snapshot of file systems that the manifest lacks. Its files are
 * <prefix>_<stamp>_<number>; the last one ends with _complete_partsN or _incomplete_partsN. */
static void add_snapshot(struct recover *r, const char *path)
{
	const struct stream_schema *schema = &schema_streams[STREAM_FILESYSTEM];
	json_t *list = json_object_get(r->root, "snapshots"), *entry = NULL, *known;
	size_t skip = strlen(schema->subdir) + 1 + strlen(schema->prefix) + 1, i;
	const char *number = path + skip + STAMP_SIZE; /* behind the stamp and a '_' */
	char stamp[STAMP_SIZE];

	if (strlen(path) <= skip + STAMP_SIZE)
		return;
	snprintf(stamp, sizeof(stamp), "%s", path + skip);
	if (!list)
		put_member(r, r->root, "snapshots", json_array());
	list = json_object_get(r->root, "snapshots");
	json_array_foreach(list, i, known) {
		const char *known_stamp = json_string_value(json_object_get(known, "stamp"));

		if (known_stamp && !strcmp(known_stamp, stamp))
			entry = known;
	}
	if (entry && json_object_get(entry, "started_at"))
		return;
	if (!entry) {
		entry = json_pack("{s:s, s:s, s:b, s:i}", "stream", schema->key, "stamp", stamp,
				  "complete", false, "parts", 0);
		add_element(r, list, entry);
	}
	put_member(r, entry, "parts", json_integer(strtoul(number, NULL, 10)));
	if (strstr(number, "_complete_parts"))
		put_member(r, entry, "complete", json_true());
}

/* Adds up the content of the files, including those that were uploaded and removed. */
static void sum_up(struct recover *r)
{
	json_t *file;
	size_t i;

	json_array_foreach(r->files, i, file) {
		const char *key = json_string_value(json_object_get(file, "stream"));
		uint64_t last = json_integer_value(json_object_get(file, "last_mono_ns"));
		uint64_t rows = json_integer_value(json_object_get(file, "rows"));
		int s = key ? schema__find(key) : -1;

		if (s >= 0)
			r->rows[s] += rows;
		if (s == STREAM_FILESYSTEM)
			add_snapshot(r, json_string_value(json_object_get(file, "path")) ?: "");
		if (last > r->last_mono_ns)
			r->last_mono_ns = last;
		r->result->rows += rows;
		r->result->files++;
	}
}

static int read_manifest(struct recover *r)
{
	int err = session_reader__load(&r->manifest);
	json_t *file;
	struct stat st;
	size_t i;

	if (err)
		return give_up(r, err, MANIFEST_NAME ": %.200s", r->manifest.why);
	r->root = r->manifest.root;
	r->files = json_object_get(r->root, "files");
	if (!json_is_array(r->files) || !json_is_object(json_object_get(r->root, "session")) ||
	    !json_is_object(json_object_get(json_object_get(r->root, "diagnostics"), "streams")))
		return give_up(r, -EBADMSG, MANIFEST_NAME ": not one of iotrc");
	r->listed = json_object();
	json_array_foreach(r->files, i, file) {
		const char *path = json_string_value(json_object_get(file, "path"));

		if (path)
			put_member(r, r->listed, path, json_true());
	}
	r->uid = r->gid = -1;
	if (geteuid() == 0 && fstatat(r->fd, MANIFEST_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		r->uid = st.st_uid;
		r->gid = st.st_gid;
	}
	return r->oom ? -ENOMEM : 0;
}

static int write_manifest(struct recover *r, bool running)
{
	json_t *session = json_object_get(r->root, "session");
	json_t *diagnostics = json_object_get(r->root, "diagnostics");
	char now[CLOCK_ISO8601_SIZE];
	int err;

	sum_up(r);
	set_clock(r);
	if (running || !accounts_hold(r, diagnostics))
		set_accounts(r, session, diagnostics);
	if (running)
		set_end(r, session);
	clock__iso8601(clock__real_ns(), now);
	put_member(r, session, "state", json_string("recovered"));
	put_member(r, session, "recovered_at", json_string(now));
	if (r->oom)
		return give_up(r, -ENOMEM, "%s", strerror(ENOMEM));
	unlinkat(r->fd, MANIFEST_TEMP_NAME, 0);
	err = manifest_file__put(r->fd, r->root, true, r->uid, r->gid);
	return err ? give_up(r, err, MANIFEST_NAME ": %s", strerror(-err)) : 0;
}

/* ---- a session ---- */

static int find_part(struct recover *r, int dir, enum stream stream, const char *entry)
{
	return ends_in(entry, PART_END) ? 1 : 0;
}

/* 1: there are unfinished files */
static int has_parts(struct recover *r)
{
	int found = each_entry(r, SPEC_SUBDIR, find_part, 0);

	for (int s = 0; s < STREAM_COUNT && !found; s++)
		found = each_entry(r, schema_streams[s].subdir, find_part, s);
	return found;
}

/* A recorder writes its first manifest before any other file; without a manifest there is nothing
 * to recover. */
static int remove_empty(struct recover *r, int parent, const char *name)
{
	unlinkat(r->fd, MANIFEST_TEMP_NAME, 0);
	unlinkat(r->fd, LOCK_NAME, 0);
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return RECOVER_REMOVED;
	if (journal__session_uploaded(r->fd))
		return RECOVER_NOTHING; /* and taken away */
	return give_up(r, -ENOENT, "no " MANIFEST_NAME);
}

static int recover(struct recover *r, int parent, const char *name)
{
	bool running;
	int err;

	err = read_manifest(r);
	if (err)
		return err == -ENOENT ? remove_empty(r, parent, name) : err;
	running = r->manifest.running;
	if (!running) {
		err = has_parts(r);
		if (err <= 0)
			return err;
	}
	r->changing = true;
	read_clock(r);
	for (int s = 0; s < STREAM_COUNT; s++) {
		err = each_entry(r, schema_streams[s].subdir, on_csv, s);
		if (err)
			return err;
	}
	err = each_entry(r, SPEC_SUBDIR, on_spec, 0);
	if (!err)
		err = write_manifest(r, running);
	return err ? err : RECOVER_DONE;
}

int recover__session(int parent, const char *name, const atomic_bool *stop, struct recovered *ret)
{
	struct recover r = { .stop = stop, .result = ret };
	bool taken = false;
	int err;

	memset(ret, 0, sizeof(*ret));
	r.fd = r.manifest.fd = openat(parent, name, DIR_FLAGS);
	if (r.fd < 0)
		return give_up(&r, -errno, "cannot be opened: %s", strerror(errno));
	err = r.lock = session_lock__take(r.fd, SESSION_LOCK_CHANGE);
	if (err == -EWOULDBLOCK)
		give_up(&r, err, "in use");
	else if (err < 0 && err != -EACCES)
		give_up(&r, err, "cannot be locked: %s", strerror(-err));
	else if (err < 0 || (err = owner__take(r.fd, &taken)))
		give_up(&r, err,
			"belongs to another user: 'sudo iotrc recover' does it with that user's rights");
	else
		err = recover(&r, parent, name);
	owner__give_back(taken);
	session_reader__clear(&r.manifest);
	json_decref(r.listed);
	if (r.lock >= 0)
		close(r.lock);
	close(r.fd);
	return err;
}

size_t recover__describe(char buf[RECOVER_DESCRIBE_MAX], int outcome, const struct recovered *done)
{
	int n = 0;

	*buf = 0;
	if (outcome == RECOVER_REMOVED)
		n = snprintf(buf, RECOVER_DESCRIBE_MAX, "nothing had been recorded: removed");
	else if (outcome < 0)
		n = snprintf(buf, RECOVER_DESCRIBE_MAX, "%s", done->why);
	else if (outcome == RECOVER_DONE)
		n = snprintf(buf, RECOVER_DESCRIBE_MAX,
			     "recovered: %" PRIu64 " files, %" PRIu64
			     " rows, %u files finished now",
			     done->files, done->rows, done->finished);
	if (outcome >= 0 && done->damaged)
		n += snprintf(buf + n, RECOVER_DESCRIBE_MAX - n, "%s%u cannot be read",
			      n ? "; " : "", done->damaged);
	return n;
}
