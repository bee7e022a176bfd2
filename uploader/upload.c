// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/upload.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/state.h"
#include "commands/record.h"
#include "commands/status.h"
#include "dataset/journal.h"
#include "dataset/manifest.h"
#include "platform/machine_id.h"

#define SECOND UINT64_C(1000000000)
#define UPLOADED "uploaded" /* in the state directory, once something was */
#define BAR_WIDTH 24
#define ERASE_LINE "\r\033[K"
/* <out>/<bucket>/<MACHINE_ID>/<session> */
#define DEPTH_MAX 3
#define PLACES_MAX 100000
#define TEST_BUCKET "linux_v1"

static struct target_config target_config(const struct options *o)
{
	return (struct target_config){
		.url = o->upload,
		.s3_endpoint = o->s3_endpoint,
		.s3_region = o->s3_region,
		.credentials = o->upload_credentials,
		.ca_file = o->upload_ca,
		.rate = o->upload_rate,
	};
}

/* What makes two targets one: the URL, and where an S3 store is. */
static int identify(const struct options *o, char *buf, size_t size)
{
	size_t len = strlen(o->upload);
	const char *endpoint = "";

	while (len && o->upload[len - 1] == '/')
		len--;
	if (!strncmp(o->upload, "s3://", 5))
		endpoint = o->s3_endpoint                        ?:
				   getenv("AWS_ENDPOINT_URL_S3") ?:
				   getenv("AWS_ENDPOINT_URL")    ?:
								   "";
	return snprintf(buf, size, "%.*s %s", (int)len, o->upload, endpoint) < (int)size ?
		       0 :
		       -ENAMETOOLONG;
}

static void mark_uploaded(const struct options *o)
{
	int dir = state__open(o->state);

	if (dir < 0)
		return;
	state__mark(dir, UPLOADED);
	close(dir);
}

/* ---- the bar ---- */

struct bar {
	bool shown, wanted;
	uint64_t begun_ns, ends_ns; /* UINT64_MAX: never */
	uint64_t before;            /* bytes that had been sent when it began */
	uint64_t alive_ns;          /* when the service manager is to be told again */
	struct queue *q;
};

static void bar__begin(struct bar *b, struct queue *q, bool quiet, uint64_t timeout_ns)
{
	struct queue_stats s;
	uint64_t now = clock__mono_ns();

	queue__stats(q, &s);
	*b = (struct bar){
		.wanted = !quiet && !log__unattended() && isatty(STDERR_FILENO),
		.begun_ns = now,
		.ends_ns = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX,
		.before = s.bytes_done + s.bytes_sent,
		.q = q,
	};
}

static void bar__end(struct bar *b)
{
	if (b->shown)
		fputs(ERASE_LINE, stderr);
	b->shown = false;
}

static void bar__draw(struct bar *b, const struct queue_stats *s)
{
	uint64_t now = clock__mono_ns(), sent = s->bytes_done + s->bytes_sent;
	uint64_t total = s->bytes_done + s->bytes_left, done = total ? BAR_WIDTH * sent / total : 0;
	double seconds = (double)(now - b->begun_ns) / SECOND;
	char a[16], t[16], r[16], end[48] = "";

	if (done > BAR_WIDTH)
		done = BAR_WIDTH;
	if (b->ends_ns != UINT64_MAX && b->ends_ns > now)
		snprintf(end, sizeof(end), "  %d s left", (int)((b->ends_ns - now) / SECOND) + 1);
	fprintf(stderr, ERASE_LINE "uploading [%.*s%.*s] %llu/%llu files  %sB of %sB  %sB/s%s%s",
		(int)done, "########################", (int)(BAR_WIDTH - done),
		"........................", (unsigned long long)s->files_done,
		(unsigned long long)(s->files_done + s->files_left), status__bytes(a, sent),
		status__bytes(t, total),
		status__bytes(r,
			      seconds > 0 && sent > b->before ? (sent - b->before) / seconds : 0),
		end, s->troubled ? "  (failing)" : "");
	fflush(stderr);
	b->shown = true;
}

static void bar__tick(void *arg, const struct queue_stats *s)
{
	struct bar *b = arg;
	char news[QUEUE_NEWS_MAX];

	while (queue__news(b->q, news)) {
		bar__end(b);
		log__line(LOG_WARNING, "upload: %s", news);
	}
	if (b->wanted)
		bar__draw(b, s);
	if (clock__mono_ns() >= b->alive_ns) {
		notify__send("WATCHDOG=1");
		b->alive_ns = clock__mono_ns() + SECOND;
	}
}

/* What has come of it, in a line. */
static void conclude(const struct queue_stats *s, bool quiet, const char *later)
{
	char done[16], left[16], what[128] = "";

	if (s->files_left)
		snprintf(what, sizeof(what), " (%llu files of %sB at hand)",
			 (unsigned long long)s->files_left, status__bytes(left, s->bytes_left));
	if (s->files_left || s->sessions_left)
		log__line(LOG_WARNING, "uploaded %llu files (%sB); left%s: %llu session%s%s%s%s",
			  (unsigned long long)s->files_done, status__bytes(done, s->bytes_done),
			  later, (unsigned long long)s->sessions_left,
			  s->sessions_left == 1 ? "" : "s", what, *s->problem ? ": " : "",
			  s->problem);
	else if (!quiet)
		log__line(LOG_INFO, "uploaded %llu files (%sB): all is at the target",
			  (unsigned long long)s->files_done, status__bytes(done, s->bytes_done));
}

/* ---- beside a recording ---- */

struct upload {
	const struct options *options;
	struct queue *q;
	int parent;
	char *parent_key, *key;
	struct queue_place live;
	bool marked;
};

/* BUCKET/MACHINE_ID/SESSION at the end of PATH. */
static const char *key_of(const char *path)
{
	const char *s = path + strlen(path);
	int slashes = 0;

	while (s > path && (s[-1] != '/' || ++slashes < 3))
		s--;
	return s;
}

static int begin(struct upload *u, const struct session *session, uid_t uid, gid_t gid,
		 char *problem)
{
	const struct options *o = u->options;
	struct target_config target = target_config(o);
	char identity[2 * OPTIONS_PATH_MAX + 2];
	struct queue_config config = {
		.target = &target,
		.identity = identity,
		.parallel = o->upload_parallel,
		.rate = o->upload_rate,
		.keep = o->keep_uploaded,
		.telemetry = o->telemetry,
		.uid = uid,
		.gid = gid,
		.live = &u->live,
	};
	char *slash;
	int err = identify(o, identity, sizeof(identity));

	u->key = strdup(key_of(session->path));
	u->parent_key = strdup(key_of(session->path));
	u->parent = openat(session->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!err && u->parent < 0)
		err = -errno;
	if (!err && (!u->key || !u->parent_key))
		err = -ENOMEM;
	if (err) {
		snprintf(problem, TARGET_REASON_MAX, "%s", strerror(-err));
		return err;
	}
	slash = strrchr(u->parent_key, '/');
	*slash = 0;
	u->live = (struct queue_place){ u->parent, strrchr(u->key, '/') + 1, u->key };
	config.parent = u->parent;
	config.parent_key = u->parent_key;
	return queue__new(&u->q, &config, problem);
}

int upload__check(const struct options *o, char problem[TARGET_REASON_MAX])
{
	struct target_config target = target_config(o);
	struct target *t;
	int err = target__new(&t, &target, problem);

	if (!err)
		target__free(t);
	return err;
}

int upload__new(struct upload **ret, const struct options *options, const struct session *session,
		uid_t uid, gid_t gid, char problem[TARGET_REASON_MAX])
{
	struct upload *u = calloc(1, sizeof(*u));
	int err;

	if (!u) {
		snprintf(problem, TARGET_REASON_MAX, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	u->options = options;
	u->parent = -1;
	err = begin(u, session, uid, gid, problem);
	if (err) {
		upload__free(u);
		return err;
	}
	*ret = u;
	return 0;
}

void upload__poke(struct upload *u)
{
	if (u)
		queue__poke(u->q);
}

void upload__set_rate(struct upload *u, uint64_t rate)
{
	if (u)
		queue__set_rate(u->q, rate);
}

bool upload__news(struct upload *u, char news[QUEUE_NEWS_MAX])
{
	return u && queue__news(u->q, news);
}

/* The thread that uploads has no right to the state directory. */
static void note_uploaded(struct upload *u, const struct queue_stats *s)
{
	if (s->files_done && !u->marked)
		mark_uploaded(u->options);
	u->marked |= s->files_done != 0;
}

void upload__note(struct upload *u, char note[UPLOAD_NOTE_MAX])
{
	struct queue_stats s;
	char n[16];

	*note = 0;
	if (!u)
		return;
	queue__stats(u->q, &s);
	note_uploaded(u, &s);
	if (s.files_left || s.troubled)
		snprintf(note, UPLOAD_NOTE_MAX, "to upload %llu (%sB)%s",
			 (unsigned long long)s.files_left, status__bytes(n, s.bytes_left),
			 s.troubled ? " failing" : "");
}

bool upload__finish(struct upload *u, bool quiet)
{
	static const volatile int never;
	uint64_t timeout = u ? u->options->upload_timeout_ns : 0;
	struct queue_stats s;
	struct bar bar;
	bool ended;

	if (!u)
		return true;
	bar__begin(&bar, u->q, quiet, timeout);
	queue__wait(u->q, timeout, &never, bar__tick, &bar);
	ended = queue__stop(u->q);
	queue__stats(u->q, &s);
	bar__tick(&bar, &s);
	bar__end(&bar);
	note_uploaded(u, &s);
	conclude(&s, quiet, " for next time");
	return ended;
}

struct upload *upload__free(struct upload *u)
{
	if (!u)
		return NULL;
	queue__free(u->q);
	if (u->parent >= 0)
		close(u->parent);
	free(u->key);
	free(u->parent_key);
	free(u);
	return NULL;
}

/* ---- the command ---- */

struct found {
	struct queue_place place;
	uid_t uid;
	gid_t gid;
};

struct search {
	struct found *found;
	size_t n;
	uint64_t unusable; /* sessions that can't be sent */
	int base;          /* the directory that names are relative to */
	size_t base_len;   /* of its path, the slash included */
	int err;
};

static bool exists(const char *path, const char *name)
{
	char full[PATH_MAX];
	struct stat st;

	return snprintf(full, sizeof(full), "%s/%s", path, name) < PATH_MAX && !lstat(full, &st);
}

/* BUCKET/<16 digits>/<a name>: anything else would go to a key of another shape. */
static bool is_key(const char *key)
{
	const char *id = strchr(key, '/'), *session = id ? strchr(id + 1, '/') : NULL;

	return id && id != key && *key != '.' && session && session - id == 17 && session[1] &&
	       session[1] != '.' && strspn(id + 1, "0123456789ABCDEF") == 16;
}

static void add_found(struct search *s, const char *path)
{
	const char *key = key_of(path);
	struct found f = { .place = { .dir = s->base } };
	struct found *list;
	struct stat st;

	if (!is_key(key) || lstat(path, &st)) {
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
		s->err = -ENOMEM;
		return;
	}
	s->found[s->n++] = f;
}

static void search_dir(struct search *s, char path[PATH_MAX], int depth)
{
	size_t len = strlen(path);
	struct dirent **entries;
	struct stat st;
	int n;

	if (exists(path, MANIFEST_NAME) || exists(path, JOURNAL_NAME)) {
		add_found(s, path);
		return;
	}
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0) {
		log__line(LOG_ERR, "upload: %s: %s", path, strerror(errno));
		s->err = -errno;
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (*name != '.' && depth < DEPTH_MAX && len + strlen(name) + 2 <= PATH_MAX) {
			sprintf(path + len, "/%s", name);
			if (!lstat(path, &st) && S_ISDIR(st.st_mode))
				search_dir(s, path, depth + 1);
			path[len] = 0;
		}
		free(entries[i]);
	}
	free(entries);
}

/* Names are kept relative to the parent of DIR, which is opened with the rights that there are now. */
static void search(struct search *s, const char *dir)
{
	char path[PATH_MAX], *slash;
	size_t n = s->n;

	if (!realpath(dir, path)) {
		log__line(LOG_ERR, "upload: %s: %s", dir, strerror(errno));
		s->err = -errno;
		return;
	}
	slash = strrchr(path, '/');
	*slash = 0;
	s->base = open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	s->base_len = slash - path + 1;
	if (s->base < 0) {
		log__line(LOG_ERR, "upload: %s: %s", dir, strerror(errno));
		s->err = -errno;
		return;
	}
	search_dir(s, path, 0);
	if (n == s->n && !s->err && !s->unusable) {
		log__line(LOG_ERR, "upload: %s: no session (" MANIFEST_NAME ") here or below", dir);
		s->err = -ENOENT;
	}
}

static int by_owner(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->uid != y->uid ? (x->uid < y->uid ? -1 : 1) : strcmp(x->place.key, y->place.key);
}

static volatile sig_atomic_t stops;

static void on_signal(int signal)
{
	if (stops++)
		_exit(EXIT_LOST);
}

static void add(struct queue_stats *sum, const struct queue_stats *s)
{
	sum->files_done += s->files_done;
	sum->bytes_done += s->bytes_done;
	sum->files_left += s->files_left;
	sum->bytes_left += s->bytes_left;
	sum->sessions_left += s->sessions_left;
	sum->gave_up |= s->gave_up;
	if (*s->problem)
		strcpy(sum->problem, s->problem);
}

/* The sessions of one owner, with the owner's rights and no others. */
static int send_group(const struct options *o, const struct found *f, size_t n,
		      struct queue_stats *sum)
{
	struct target_config target = target_config(o);
	char identity[2 * OPTIONS_PATH_MAX + 2], problem[TARGET_REASON_MAX];
	struct queue_place *places = calloc(n, sizeof(*places));
	struct queue_config config = {
		.target = &target,
		.identity = identity,
		.parallel = o->upload_parallel,
		.rate = o->upload_rate,
		.keep = o->keep_uploaded,
		.telemetry = o->telemetry,
		.uid = geteuid() ? (uid_t)-1 : f->uid,
		.gid = geteuid() ? (gid_t)-1 : f->gid,
		.places = places,
		.n_places = n,
	};
	struct queue_stats s;
	struct queue *q;
	struct bar bar;
	int err = places ? identify(o, identity, sizeof(identity)) : -ENOMEM;

	for (size_t i = 0; places && i < n; i++)
		places[i] = f[i].place;
	if (err)
		snprintf(problem, sizeof(problem), "%s", strerror(-err));
	else
		err = queue__new(&q, &config, problem);
	if (err) {
		log__line(LOG_ERR, "cannot upload: %s", problem);
		free(places);
		return err;
	}
	bar__begin(&bar, q, o->quiet, UINT64_MAX);
	queue__wait(q, UINT64_MAX, &stops, bar__tick, &bar);
	if (!queue__stop(q))
		_exit(EXIT_LOST);
	queue__stats(q, &s);
	bar__tick(&bar, &s);
	bar__end(&bar);
	add(sum, &s);
	queue__free(q);
	free(places);
	return 0;
}

int upload__test(const struct options *o, bool *ret_works, char reason[TARGET_REASON_MAX])
{
	struct target_config config = target_config(o);
	char machine_id[17];
	struct target_result r;
	struct target *t;
	int err = machine_id__get(machine_id);

	if (err) {
		snprintf(reason, TARGET_REASON_MAX, "cannot read the machine id: %s",
			 strerror(-err));
		return err;
	}
	err = target__new(&t, &config, reason);
	if (err)
		return err;
	target__test(t, TEST_BUCKET, machine_id, NULL, &r);
	target__free(t);
	snprintf(reason, TARGET_REASON_MAX, "%s", r.reason);
	*ret_works = r.verdict == TARGET_DONE;
	return 0;
}

static int test(const struct options *o)
{
	char reason[TARGET_REASON_MAX];
	bool works;

	if (upload__test(o, &works, reason) || !works) {
		log__line(LOG_ERR, "cannot upload: %s", reason);
		return EXIT_CANNOT;
	}
	printf("uploads will work%s%s\n", *reason ? ": " : "", reason);
	return EXIT_OK;
}

static int send_all(const struct options *o, struct search *s)
{
	struct queue_stats sum = { .sessions_left = s->unusable };
	int err = 0;

	qsort(s->found, s->n, sizeof(*s->found), by_owner);
	for (size_t i = 0, n; !err && i < s->n && !stops; i += n) {
		for (n = 1; i + n < s->n && s->found[i + n].uid == s->found[i].uid; n++)
			;
		err = send_group(o, s->found + i, n, &sum);
	}
	if (err)
		return EXIT_CANNOT;
	if (sum.files_done)
		mark_uploaded(o);
	conclude(&sum, o->quiet, "");
	if (sum.gave_up)
		return EXIT_CANNOT;
	return sum.files_left || sum.sessions_left || stops ? EXIT_LOST : EXIT_OK;
}

int upload__main(const struct options *o)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct search s = { 0 };
	int code;

	if (o->upload_test)
		return test(o);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < o->n_dirs && !s.err; i++)
		search(&s, o->dirs[i]);
	code = s.err ? EXIT_CANNOT : send_all(o, &s);
	for (size_t i = 0; i < s.n; i++) {
		free((char *)s.found[i].place.name);
		free((char *)s.found[i].place.key);
	}
	free(s.found);
	return code;
}

/* ---- thanks ---- */

int upload__reward(const struct options *o)
{
	int dir;
	bool uploaded;

	if (!o->reward_code) {
		log__line(LOG_ERR, "no study's code: 'reward-code' is in the study's configuration "
				   "(iotrc --reward --config FILE)");
		return EXIT_CANNOT;
	}
	dir = state__open(o->state);
	uploaded = dir >= 0 && state__marked(dir, UPLOADED);
	if (dir >= 0)
		close(dir);
	if (!uploaded) {
		log__line(LOG_ERR,
			  "this machine has not uploaded anything yet%s; the code comes after "
			  "the first upload",
			  geteuid() ? ", or only root knows (try sudo)" : "");
		return EXIT_CANNOT;
	}
	puts(o->reward_code);
	return EXIT_OK;
}
