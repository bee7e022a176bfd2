// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"
#include "base/shown.h"
#include "base/state.h"
#include "commands/confine.h"
#include "commands/upload_continuous.h"
#include "commands/upload_lake.h"
#include "commands/upload_progress.h"
#include "dataset/journal.h"
#include "dataset/manifest.h"
#include "dataset/session_walk.h"
#include "options/command.h"
#include "platform/libc.h"
#include "platform/privileges.h"

/* <out>/<bucket>/<MACHINE_ID>/<session> */
#define DEPTH_MAX 3
#define PLACES_MAX 100000

struct found_session {
	struct queue_place place;
	uid_t uid;
	gid_t gid;
};

struct session_search {
	struct found_session *found;
	size_t n;
	uint64_t unusable; /* sessions that can't be sent */
	int base;          /* the directory that names are relative to */
	size_t base_len;   /* of its path, with the slash */
	int err;
};

/* Whether KEY is BUCKET/<16 digits>/<a name>: other paths would make keys of another form. */
static bool is_key(const char *key)
{
	const char *id = strchr(key, '/'), *session = id ? strchr(id + 1, '/') : NULL;

	return id && id != key && *key != '.' && session && session - id == 17 && session[1] &&
	       session[1] != '.' && strspn(id + 1, "0123456789ABCDEF") == 16;
}

static bool is_session(int dir, const char *name)
{
	struct stat st;

	return session_walk__has_manifest(dir) ||
	       !fstatat(dir, JOURNAL_NAME, &st, AT_SYMLINK_NOFOLLOW);
}

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct session_search *s = arg;
	const char *key = upload__key(path);
	struct found_session f = { .place = { .dir = s->base } };
	struct found_session *list;
	struct stat st;

	if (!is_key(key) || fstat(dir, &st)) {
		log__line(LOG_ERR,
			  "upload: %s: not in the directories of a dataset "
			  "(BUCKET/MACHINE_ID/SESSION)",
			  path);
		s->unusable++;
		return;
	}
	f.uid = st.st_uid;
	f.gid = st.st_gid;
	f.place.name = strdup(path + s->base_len);
	f.place.key = strdup(key);
	list = reallocarray(s->found, s->n + 1, sizeof(*list));
	if (list)
		s->found = list;
	if (!list || !f.place.name || !f.place.key || s->n == PLACES_MAX) {
		free((char *)f.place.name);
		free((char *)f.place.key);
		if (!s->err)
			log__line(LOG_ERR, "upload: %s",
				  s->n == PLACES_MAX ? "too many sessions" : "out of memory");
		s->err = -ENOMEM;
		return;
	}
	s->found[s->n++] = f;
}

static void on_failed(void *arg, const char *path, int err)
{
	struct session_search *s = arg;

	log__line(LOG_ERR, "upload: %s: %s", path, strerror(-err));
	s->err = err;
}

/* Searches DIR. Names are relative to its parent, which is opened with the current rights. */
static void search(struct session_search *s, const char *dir)
{
	const struct session_walk walk = {
		.is_session = is_session,
		.on_session = on_session,
		.on_failed = on_failed,
		.depth = DEPTH_MAX,
		.arg = s,
	};
	char *path = realpath(dir, NULL), *slash = path ? strrchr(path, '/') : NULL;
	size_t n = s->n;

	if (!path) {
		on_failed(s, dir, -errno);
		return;
	}
	*slash = 0;
	s->base = open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	s->base_len = slash - path + 1;
	if (s->base < 0)
		on_failed(s, dir, -errno);
	else
		session_walk__run(&walk, path);
	free(path);
	if (n == s->n && !s->err && !s->unusable) {
		log__line(LOG_ERR, "upload: %s: no session (" MANIFEST_NAME ") here or below", dir);
		s->err = -ENOENT;
	}
}

static int by_owner(const void *a, const void *b)
{
	const struct found_session *x = a, *y = b;

	return x->uid != y->uid ? (x->uid < y->uid ? -1 : 1) : strcmp(x->place.key, y->place.key);
}

static volatile sig_atomic_t stops;

static void stop_upload(int signal)
{
	if (stops++)
		_exit(EXIT_LOST);
}

static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = stop_upload, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void add_stats(struct queue_stats *sum, const struct queue_stats *s)
{
	sum->files_done += s->files_done;
	sum->bytes_done += s->bytes_done;
	sum->files_left += s->files_left;
	sum->bytes_left += s->bytes_left;
	sum->sessions_left += s->sessions_left;
	sum->gave_up |= s->gave_up;
	if (*s->problem)
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(sum->problem, s->problem);
}

/* Uploads the sessions of one owner with the owner's rights only. */
static int send_group(const struct options *o, const struct found_session *f, size_t n,
		      struct queue_stats *sum)
{
	char identity[UPLOAD_IDENTITY_MAX], problem[TARGET_REASON_MAX];
	struct queue_place *places = calloc(n, sizeof(*places));
	struct queue_config config;
	struct queue_stats s;
	struct queue *q;
	int err = places ? upload__queue_config(&o->upload, identity, &config) : -ENOMEM;

	for (size_t i = 0; places && i < n; i++)
		places[i] = f[i].place;
	if (err) {
		snprintf(problem, sizeof(problem), "%s", strerror(-err));
	} else {
		config.uid = geteuid() ? (uid_t)-1 : f->uid;
		config.gid = geteuid() ? (gid_t)-1 : f->gid;
		config.places = places;
		config.n_places = n;
		err = queue__new(&q, &config, problem);
	}
	if (err) {
		log__line(LOG_ERR, "cannot upload: %s", problem);
		free(places);
		return err;
	}
	if (!upload_progress__run(q, o->quiet, UINT64_MAX, &stops, &s)) {
		output__end();
		_exit(EXIT_LOST);
	}
	add_stats(sum, &s);
	queue__free(q);
	free(places);
	return 0;
}

static int try_target(const struct options *o)
{
	char reason[TARGET_REASON_MAX];
	bool works;

	if (upload__test(&o->upload, &works, reason) || !works) {
		log__line(LOG_ERR, "cannot upload: %s", reason);
		return EXIT_CANNOT;
	}
	shown__line(stdout, "uploads will work%s%s", *reason ? ": " : "", reason);
	return EXIT_OK;
}

static int send_all(const struct options *o, struct session_search *s)
{
	struct queue_stats sum = { .sessions_left = s->unusable };
	int err = 0;

	if (s->n) /* an empty array is NULL, which qsort() does not allow */
		qsort(s->found, s->n, sizeof(*s->found), by_owner);
	for (size_t i = 0, n; !err && i < s->n && !stops; i += n) {
		for (n = 1; i + n < s->n && s->found[i + n].uid == s->found[i].uid; n++)
			;
		err = send_group(o, s->found + i, n, &sum);
	}
	if (err)
		return EXIT_CANNOT;
	if (sum.files_done)
		upload__mark(o->state);
	upload_progress__conclude(&sum, o->quiet, "");
	if (sum.gave_up)
		return EXIT_CANNOT;
	return sum.files_left || sum.sessions_left || stops ? EXIT_LOST : EXIT_OK;
}

/* Each owner's sessions are sent with the owner's rights. */
static void confine_upload(const struct options *o, int state)
{
	const char *target = upload__directory(&o->upload);

	confine(&(struct confinement){ .dirs = o->dirs,
				       .n_dirs = (int)o->n_dirs,
				       .target = target,
				       .state = state,
				       .network = !target,
				       .keep = privileges__needed(&(struct privileges_use){
					       .gives_files = true, .reads_all_files = true }) });
}

/* Sends the sessions' files as they are. */
static int send_files(const struct options *o)
{
	struct session_search s = { 0 };
	int code, state;

	s.err = output__begin();
	if (s.err)
		log__line(LOG_ERR, "upload: cannot start a thread: %s", strerror(-s.err));
	if (!s.err && o->upload_continuous) {
		code = upload_continuous__run(o, &stops);
		output__end();
		return code;
	}
	state = state__open(o->state);
	confine_upload(o, state);
	for (size_t i = 0; i < o->n_dirs && !s.err; i++)
		search(&s, o->dirs[i]);
	code = s.err ? EXIT_CANNOT : send_all(o, &s);
	for (size_t i = 0; i < s.n; i++) {
		free((char *)s.found[i].place.name);
		free((char *)s.found[i].place.key);
	}
	free(s.found);
	if (state >= 0)
		close(state);
	output__end();
	return code;
}

int upload__run(const struct options *o)
{
	int lake = EXIT_OK, files;

	if (o->upload_test) {
		confine_upload(o, -1);
		return try_target(o);
	}
	handle_signals();
	/* First, because files may be removed once they are sent, and before this process is
	 * confined, because DuckDB needs more rights. */
	if (o->upload_parquet)
		lake = upload_lake__run(o, &stops);
	if (o->upload_no_csv || lake == EXIT_CANNOT)
		return lake;
	files = send_files(o);
	return files ?: lake;
}

int upload__reward(const struct options *o)
{
	if (!o->reward_code) {
		log__line(LOG_ERR, "no study's code: 'reward-code' is in the study's configuration "
				   "(iotrc --reward --config FILE)");
		return EXIT_CANNOT;
	}
	if (!upload__marked(o->state)) {
		log__line(LOG_ERR,
			  "this machine has not uploaded anything yet%s; the code comes after "
			  "the first upload",
			  geteuid() ? ", or only root knows (try sudo)" : "");
		return EXIT_CANNOT;
	}
	puts(o->reward_code);
	return EXIT_OK;
}
