// SPDX-License-Identifier: GPL-2.0-or-later
/* Verifies a session as a whole: its manifest, the files that it lists, and the files that exist.
 * The manifest is untrusted: no file outside the session is opened, and memory is bounded. */
#include "commands/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir_names.h"
#include "base/ends_in.h"
#include "base/shown.h"
#include "base/thread.h"
#include "base/units.h"
#include "commands/confine.h"
#include "commands/read_bar.h"
#include "commands/verify_anonymous.h"
#include "dataset/journal.h"
#include "dataset/manifest.h"
#include "dataset/session_lock.h"
#include "dataset/session_reader.h"
#include "dataset/session_walk.h"
#include "dataset/verify_file.h"
#include "platform/privileges.h"

/* <out>/<bucket>/<MACHINE_ID>/<stamp>/<subdir> */
#define DEPTH_MAX 4
#define SPEC_SUBDIR "system_spec"
#define JOBS_MAX 64

/* The faults of a file, until those of the files before it have been printed. */
struct fault_text {
	char *text;
	size_t len;
};

struct verify {
	FILE *out;
	const char *dir;        /* the session's path */
	struct faults manifest; /* of manifest.json */
	uint64_t faults;        /* of the other files */
	struct session_reader reader;
	size_t n_specs;
	uint64_t rows, stream_rows[STREAM_COUNT];
	struct verify_session session;
	struct read_bar *bar; /* NULL: none */
	uint64_t bytes, read; /* compressed bytes: of all files, and read so far */
	/* Threads that check files: what they share is under the lock. */
	unsigned int jobs;
	atomic_size_t next;      /* the file to be checked next */
	struct fault_text *said; /* of each file */
	pthread_mutex_t lock;
	struct journal *journal; /* of an upload, or NULL */
	size_t uploaded;         /* files that have been uploaded and removed */
	bool lost_rows_away;     /* … including one of the lost stream */
};

static void on_manifest_fault(void *arg, const char *what)
{
	struct verify *v = arg;

	faults__add(&v->manifest, "%s", what);
}

static void show_read(void *arg, size_t bytes)
{
	struct verify *v = arg;

	pthread_mutex_lock(&v->lock);
	v->read += bytes;
	read_bar__show(v->bar, v->read, v->bytes);
	pthread_mutex_unlock(&v->lock);
}

static void read_manifest(struct verify *v)
{
	struct session_reader *r = &v->reader;

	r->fault = on_manifest_fault;
	r->arg = v;
	session_reader__read(r);
	/* Its rows are in .part files that no process will finish. */
	if (r->running && !session_lock__held(r->fd))
		faults__add(
			&v->manifest,
			"session.state: running, but its recorder has ended: run iotrc recover");
	v->session.offsets = r->offsets;
	v->session.n_offsets = r->n_offsets;
	v->session.n_columns = r->n_columns;
	v->session.read = v->bar ? show_read : NULL;
	v->session.arg = v;
	for (size_t i = 0; !r->broken && i < r->n_files; i++) {
		v->rows += r->files[i].rows;
		v->bytes += r->files[i].compressed_bytes;
		v->stream_rows[r->files[i].stream] += r->files[i].rows;
	}
}

/* ---- the accounts ---- */

struct counts {
	struct row_counts rows;
	/* Counts of a killed recorder: seen and filtered are unknown, and lost is a lower bound. */
	bool at_least;
};

static void read_counts(struct verify *v, const char *key, json_t *o, struct counts *ret)
{
	const char *lost_key;
	char where[64], where_lost[96];
	json_t *lost;

	ret->at_least = v->reader.recovered && !json_object_get(o, "seen");
	lost_key = ret->at_least ? "lost_at_least" : "lost";
	snprintf(where, sizeof(where), "diagnostics.streams.%s", key);
	snprintf(where_lost, sizeof(where_lost), "%s.%s", where, lost_key);
	if (!ret->at_least)
		ret->rows.seen = session_reader__uint(&v->reader, o, where, "seen");
	ret->rows.written = session_reader__uint(&v->reader, o, where, "written");
	if (!ret->at_least)
		ret->rows.filtered = session_reader__uint(&v->reader, o, where, "filtered");
	else if (json_object_get(o, "filtered") || json_object_get(o, "lost"))
		session_reader__break(&v->reader,
				      "%s: has what a killed recorder cannot have written", where);
	lost = session_reader__member(&v->reader, o, where, lost_key, JSON_OBJECT);
	/* Older manifests lack shed. */
	for (int k = 0; k < LOST_CAUSES; k++)
		if (k != LOST_SHED || json_object_get(lost, lost_causes[k]))
			ret->rows.lost[k] =
				session_reader__uint(&v->reader, lost, where_lost, lost_causes[k]);
}

/* LOST_KNOWN: no row of the lost stream is lost, so its rows contain all losses. */
static void check_counts(struct verify *v, int stream, const struct counts *c, bool lost_known)
{
	unsigned __int128 sum = (unsigned __int128)c->rows.written + c->rows.filtered;
	const char *key = schema_streams[stream].key;

	if (c->rows.written != v->stream_rows[stream])
		faults__add(&v->manifest,
			    "diagnostics.streams.%s.written: %" PRIu64
			    ", but the files hold %" PRIu64 " rows",
			    key, c->rows.written, v->stream_rows[stream]);
	for (int k = 0; k < LOST_CAUSES; k++) {
		uint64_t rows = v->session.lost[stream][k];

		sum += c->rows.lost[k];
		if (lost_known && !c->at_least ? rows != c->rows.lost[k] : rows > c->rows.lost[k])
			faults__add(&v->manifest,
				    "diagnostics.streams.%s.lost%s.%s: %" PRIu64
				    ", but the lost stream counts %" PRIu64,
				    key, c->at_least ? "_at_least" : "", lost_causes[k],
				    c->rows.lost[k], rows);
	}
	if (!c->at_least && c->rows.seen != sum)
		faults__add(&v->manifest,
			    "diagnostics.streams.%s: seen %" PRIu64
			    " is not written + filtered + lost",
			    key, c->rows.seen);
}

static void check_accounts(struct verify *v)
{
	json_t *diagnostics =
		session_reader__member(&v->reader, v->reader.root, "", "diagnostics", JSON_OBJECT);
	json_t *streams = session_reader__member(&v->reader, diagnostics, "diagnostics", "streams",
						 JSON_OBJECT);
	struct counts counts[STREAM_COUNT] = { 0 };
	bool lost_known = !v->lost_rows_away;

	for (int i = 0; i < STREAM_COUNT; i++) {
		const char *key = schema_streams[i].key;
		json_t *o = json_object_get(streams, key);

		/* A stream that was off needs no counts; one with rows does, and fails below. */
		if (o)
			read_counts(v, key, o, &counts[i]);
	}
	/* While the session runs, counts and files are of different moments. */
	if (v->reader.broken || v->reader.running)
		return;
	for (int k = 0; k < LOST_CAUSES; k++)
		lost_known &= !counts[STREAM_LOST].rows.lost[k];
	for (int i = 0; i < STREAM_COUNT; i++)
		check_counts(v, i, &counts[i], lost_known);
}

/* ---- files ---- */

/* A file that a target has confirmed may have been removed locally. Under the lock. */
static bool is_uploaded(struct verify *v, const char *path, const char *sha256)
{
	bool is = v->journal && journal__elsewhere(v->journal, path, sha256);

	v->uploaded += is;
	return is;
}

static bool is_away(struct verify *v, const struct file_facts *stated)
{
	bool away;

	pthread_mutex_lock(&v->lock);
	away = is_uploaded(v, stated->path, stated->sha256);
	v->lost_rows_away |= away && stated->stream == STREAM_LOST;
	pthread_mutex_unlock(&v->lock);
	return away;
}

static void check_file(struct verify *v, const struct file_facts *stated, FILE *out)
{
	struct faults f = { out, v->dir, stated->path, 0 };
	struct verify_session session = v->session;
	int fd = session_reader__open(&v->reader, stated, false);

	memset(session.lost, 0, sizeof(session.lost));
	if (fd == -ENOENT && !is_away(v, stated))
		faults__add(&f, "missing");
	else if (fd == -ENOENT)
		;
	else if (fd == -EINVAL)
		faults__add(&f, "no regular file");
	else if (fd < 0)
		faults__add(&f, "cannot be opened: %s", strerror(-fd));
	else
		verify_file__check(&session, &f, fd, stated);
	if (fd >= 0)
		close(fd);
	faults__end(&f);
	pthread_mutex_lock(&v->lock);
	v->faults += f.count;
	for (int i = 0; i < STREAM_COUNT; i++)
		for (int k = 0; k < LOST_CAUSES; k++)
			v->session.lost[i][k] += session.lost[i][k];
	pthread_mutex_unlock(&v->lock);
}

static void *check_some(void *arg)
{
	struct verify *v = arg;
	size_t i;

	while ((i = atomic_fetch_add(&v->next, 1)) < v->reader.n_files) {
		struct fault_text *said = &v->said[i];
		FILE *out = open_memstream(&said->text, &said->len);

		check_file(v, &v->reader.files[i], out ?: v->out);
		if (out)
			fclose(out);
	}
	return NULL;
}

/* Checks several files at a time; messages are nevertheless printed in the order of the files. */
static void check_files(struct verify *v)
{
	pthread_t threads[JOBS_MAX];
	size_t files = v->reader.n_files, n = 0;

	v->said = v->jobs > 1 && files > 1 ? calloc(files, sizeof(*v->said)) : NULL;
	if (!v->said) {
		for (size_t i = 0; i < files; i++)
			check_file(v, &v->reader.files[i], v->out);
		return;
	}
	while (n + 1 < MIN(v->jobs, files) &&
	       !thread__start(&threads[n], "iotrc-verify", check_some, v))
		n++;
	check_some(v);
	while (n)
		pthread_join(threads[--n], NULL);
	for (size_t i = 0; i < files; i++) {
		fputs(v->said[i].text ?: "", v->out);
		free(v->said[i].text);
	}
	free(v->said);
}

static void check_entry(struct verify *v, const char *path)
{
	struct faults f = { v->out, v->dir, path, 0 };

	/* A session that runs, or was killed, has files that its last manifest does not list. */
	if (v->reader.running)
		return;
	if (ends_in(path, ".part"))
		faults__add(&f, "not finished, but the session is");
	else if (ends_in(path, ".csv.zst") && !session_reader__find(&v->reader, path))
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
	const char *path = session_reader__string(&v->reader, file, where, "path");
	const char *stated = session_reader__string(&v->reader, file, where, "sha256");
	uint64_t stated_bytes = session_reader__uint(&v->reader, file, where, "bytes"), bytes;
	struct faults f = { v->out, v->dir, path, 0 };
	char sha256[65], shown[SHOWN_SIZE];
	int fd, err;

	if (v->reader.broken)
		return;
	if (!is_spec_path(path)) {
		faults__add(&v->manifest, "%s.path: '%s' is not a file of " SPEC_SUBDIR, where,
			    faults__show(shown, path, strlen(path)));
		return;
	}
	fd = session_reader__open_in(v->reader.fd, SPEC_SUBDIR, strchr(path, '/') + 1);
	if (fd == -ENOENT && is_uploaded(v, path, stated))
		;
	else if (fd == -ENOENT)
		faults__add(&f, "missing");
	else if (fd == -EINVAL)
		faults__add(&f, "no regular file");
	else if (fd < 0)
		faults__add(&f, "cannot be opened: %s", strerror(-fd));
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

/* A recording may run without them, so the list is optional. */
static void check_spec(struct verify *v)
{
	json_t *list = json_object_get(v->reader.root, SPEC_SUBDIR), *file;
	size_t i;

	if (list && !json_is_array(list))
		session_reader__break(&v->reader, SPEC_SUBDIR ": wrong type (array)");
	json_array_foreach(list, i, file) {
		char where[64];

		snprintf(where, sizeof(where), SPEC_SUBDIR "[%zu]", i);
		check_spec_file(v, file, where);
	}
}

static void check_entries(struct verify *v, int dir, const char *subdir);

/* NOLINTNEXTLINE(misc-no-recursion): SUBDIR is NULL but once */
static void check_subdir(struct verify *v, const char *name)
{
	int sub = openat(v->reader.fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (sub < 0) {
		if (errno != ENOENT)
			faults__add(&v->manifest, "%s: cannot be read: %s", name, strerror(errno));
		return;
	}
	check_entries(v, sub, name);
	close(sub);
}

/* Trace files are in the subdirectories of a session, not deeper. SUBDIR is NULL for the session
 * itself. */
/* NOLINTNEXTLINE(misc-no-recursion): SUBDIR is NULL but once */
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

struct verify_walk {
	FILE *out;
	struct read_bar *bar; /* or NULL */
	unsigned int jobs;
	uint64_t sessions, faults;
};

static uint64_t verify_session(const char *path, int fd, const struct verify_walk *w)
{
	FILE *out = w->out;
	struct verify v = {
		.out = out,
		.dir = path,
		.bar = w->bar,
		.jobs = w->jobs,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.reader.fd = fd,
		.manifest = { out, path, MANIFEST_NAME, 0 },
	};
	char away[64] = "";

	read_manifest(&v);
	if (!v.reader.broken) {
		journal__look(&v.journal, v.reader.fd);
		check_files(&v);
		check_spec(&v);
		check_entries(&v, fd, NULL);
		check_accounts(&v);
	}
	if (v.reader.broken)
		faults__add(&v.manifest, "%s", v.reader.why);
	faults__end(&v.manifest);
	v.faults += v.manifest.count;
	if (w->bar)
		read_bar__clear(w->bar);
	if (v.uploaded)
		snprintf(away, sizeof(away), "; %zu of them are uploaded, and not here",
			 v.uploaded);
	if (v.faults)
		shown__line(out, "%s: %" PRIu64 " fault%s", path, v.faults,
			    v.faults > 1 ? "s" : "");
	else
		shown__line(out, "%s: %zu files, %" PRIu64 " rows: sound%s%s", path,
			    v.reader.n_files + v.n_specs, v.rows,
			    v.reader.running ? " so far; the session is not finished" : "", away);
	journal__free(v.journal);
	session_reader__clear(&v.reader);
	return v.faults;
}

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct verify_walk *w = arg;

	w->sessions++;
	w->faults += verify_session(path, dir, w);
}

static void on_other(void *arg, const char *name, const char *path)
{
	struct verify_walk *w = arg;

	if (!ends_in(name, ".csv.zst") && !ends_in(name, ".part"))
		return;
	shown__line(w->out, "%s: no " MANIFEST_NAME " above it", path);
	w->faults++;
}

static void on_failed(void *arg, const char *path, int err)
{
	struct verify_walk *w = arg;

	shown__line(w->out, "%s: cannot be read: %s", path, strerror(-err));
	w->faults++;
}

static uint64_t verify_dir(const char *dir, FILE *out, struct read_bar *bar, unsigned int jobs)
{
	struct verify_walk w = { .out = out, .bar = bar, .jobs = jobs };
	const struct session_walk walk = {
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

uint64_t verify__dir(const char *dir, FILE *out)
{
	return verify_dir(dir, out, NULL, 1);
}

static const struct command_option verify_options[] = {
	{ "anonymous", 0, NULL, "search for names left readable" },
	{ "against", 0, "FILE", "search for each line of FILE" },
	{ "live", 0, NULL,
	  "search for this machine's host name, users, homes,\naddresses, and names of files outside system\n"
	  "directories (/usr, /etc, ...), as whole words" },
	{ "jobs", 'j', "N", "check N files at a time (default 1)" },
	{ .name = NULL },
};
enum { ANONYMOUS, AGAINST, LIVE, JOBS };

static int verify(int argc, char **argv)
{
	const struct command *c = &verify_command;
	struct command_line l;
	const char *against = NULL;
	bool anonymous = false, live = false;
	struct read_bar bar;
	unsigned long jobs = 1;
	uint64_t faults;
	int option;

	command__begin(&l, c, argc, argv, false);
	while ((option = command__next(&l)) >= 0) {
		anonymous |= option == ANONYMOUS;
		live |= option == LIVE;
		if (option == AGAINST)
			against = l.value;
		if (option == JOBS && (units__parse_number(l.value, JOBS_MAX, &jobs) || !jobs))
			return command__usage(c, "--jobs: '%s' is not 1 to %d", l.value, JOBS_MAX);
	}
	if (option != COMMAND_END)
		return command__ended(&l, option);
	if (argc - l.at != 1)
		return command__usage(c, "exactly one DIR is needed");
	if (anonymous != (against || live))
		return command__usage(c, "--anonymous goes with --against FILE or --live");
	read_bar__begin(&bar);
	confine(&(struct confinement){
		.state = -1,
		.keep = privileges__needed(&(struct privileges_use){ .reads_all_files = true }) });
	faults = anonymous ? verify_anonymous__dir(argv[l.at], against, live, stdout) :
			     verify_dir(argv[l.at], stdout, &bar, jobs);
	return command__flush(c, faults ? EXIT_CANNOT : EXIT_OK);
}

const struct command verify_command = {
	.name = "verify",
	.usage = "DIR",
	.summary = "check sessions against their manifests",
	.synopsis = "DIR\n--anonymous DIR --against FILE | --live",
	.description =
		"Reads every file of the session in DIR, or of all sessions below DIR, and checks it\n"
		"against the schema and the session's manifest.json: complete frames, the header, each\n"
		"field, wall time against mono_ns, counts, sizes, SHA-256, missing and unlisted files, and\n"
		"seen = written + filtered + lost. For an unfinished session it also checks that its\n"
		"recorder is still running. Prints a line for each fault (row 1 is the first after the\n"
		"header) and a line for each session. A terminal shows how much has been read.\n"
		"\n"
		"With --anonymous it searches all files, including the manifest and other JSON, for names\n"
		"that must not occur in anonymised sessions, and prints a line for each one found.",
	.options = verify_options,
	.exit_codes =
		"0 no faults (nothing found), 1 faults (something found) or no session, 2 usage.",
	.examples = "iotrc verify iotrc-traces                     # every session\n"
		    "iotrc verify iotrc-traces/linux_v1/0123456789ABCDEF/20260131_120000_000\n"
		    "iotrc verify iotrc-traces && echo no faults\n"
		    "sudo iotrc verify --anonymous iotrc-traces --live --against names.txt",
	.main = verify,
};
