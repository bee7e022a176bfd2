// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/state.h"
#include "base/units.h"
#include "dataset/journal.h"
#include "dataset/session.h"
#include "platform/machine_id.h"
#include "platform/macros.h"

#define UPLOADED "uploaded" /* in the state directory, once something was uploaded */

int upload__check(const struct upload_settings *settings, char problem[TARGET_REASON_MAX])
{
	struct target *t;
	int err = target__new(&t, &settings->target, problem);

	if (!err)
		target__free(t);
	return err;
}

int upload__test(const struct upload_settings *settings, bool *ret_works,
		 char reason[TARGET_REASON_MAX])
{
	char machine_id[17];
	struct target_result r;
	struct target *t;
	int err = machine_id__get(machine_id);

	if (err) {
		snprintf(reason, TARGET_REASON_MAX, "cannot read the machine id: %s",
			 strerror(-err));
		return err;
	}
	err = target__new(&t, &settings->target, reason);
	if (err)
		return err;
	target__test(t, SESSION_BUCKET, machine_id, NULL, &r);
	target__free(t);
	snprintf(reason, TARGET_REASON_MAX, "%s", r.reason);
	*ret_works = r.verdict == TARGET_DONE;
	return 0;
}

/* The first of the variables that names an S3 store is used. */
static const char *endpoint_of(const struct target_config *target)
{
	static const char *const variables[] = { "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL" };
	const char *endpoint = target->s3_endpoint;

	for (size_t i = 0; !endpoint && i < ARRAY_SIZE(variables); i++)
		endpoint = getenv(variables[i]);
	return endpoint ?: "";
}

int upload__queue_config(const struct upload_settings *settings, char identity[UPLOAD_IDENTITY_MAX],
			 struct queue_config *ret_config)
{
	const char *url = settings->target.url;
	bool is_s3 = !strncmp(url, "s3://", 5);
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	if (snprintf(identity, UPLOAD_IDENTITY_MAX, "%.*s %s", (int)len, url,
		     is_s3 ? endpoint_of(&settings->target) : "") >= UPLOAD_IDENTITY_MAX)
		return -ENAMETOOLONG;
	*ret_config = (struct queue_config){
		.target = &settings->target,
		.identity = identity,
		.parallel = settings->parallel,
		.rate = settings->target.rate,
		.keep = settings->keep,
		.telemetry = settings->telemetry,
	};
	return 0;
}

const char *upload__key(const char *path)
{
	const char *s = path + strlen(path);
	int slashes = 0;

	while (s > path && (s[-1] != '/' || ++slashes < 3))
		s--;
	return s;
}

const char *upload__directory(const struct upload_settings *settings)
{
	static const char scheme[] = "file://";
	const char *url = settings->target.url;

	return url && !strncmp(url, scheme, sizeof(scheme) - 1) ? url + sizeof(scheme) - 1 : NULL;
}

void upload__mark(const char *state)
{
	int dir = state__open(state);

	if (dir < 0)
		return;
	state__mark(dir, UPLOADED);
	close(dir);
}

bool upload__marked(const char *state)
{
	int dir = state__open(state);
	bool marked = dir >= 0 && state__marked(dir, UPLOADED);

	if (dir >= 0)
		close(dir);
	return marked;
}

int upload__leave(const struct upload_settings *settings, const struct session *session, uid_t uid,
		  gid_t gid)
{
	char identity[UPLOAD_IDENTITY_MAX];
	struct queue_config config;
	struct journal *journal = NULL;
	int err = upload__queue_config(settings, identity, &config);

	if (!err)
		err = journal__open(&journal, session->fd, identity, uid, gid);
	journal__free(journal);
	return err;
}

/* ---- during a recording ---- */

struct upload {
	const struct upload_settings *settings;
	const char *state;
	struct queue *q;
	int parent;
	char *parent_key, *key;
	struct queue_place live;
	bool marked;
};

static int begin_upload(struct upload *u, const struct session *session, uid_t uid, gid_t gid,
			char *problem)
{
	char identity[UPLOAD_IDENTITY_MAX];
	struct queue_config config;
	char *slash;
	int err = upload__queue_config(u->settings, identity, &config);

	u->key = strdup(upload__key(session->path));
	u->parent_key = strdup(upload__key(session->path));
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
	config.uid = uid;
	config.gid = gid;
	config.live = &u->live;
	config.parent = u->parent;
	config.parent_key = u->parent_key;
	return queue__new(&u->q, &config, problem);
}

int upload__new(struct upload **ret, const struct upload_settings *settings, const char *state,
		const struct session *session, uid_t uid, gid_t gid,
		char problem[TARGET_REASON_MAX])
{
	struct upload *u = calloc(1, sizeof(*u));
	int err;

	if (!u) {
		snprintf(problem, TARGET_REASON_MAX, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	u->settings = settings;
	u->state = state;
	u->parent = -1;
	err = begin_upload(u, session, uid, gid, problem);
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

/* The uploading thread has no access to the state directory. */
static void note_uploaded(struct upload *u, const struct queue_stats *s)
{
	if (s->files_done && !u->marked)
		upload__mark(u->state);
	u->marked |= s->files_done != 0;
}

void upload__note(struct upload *u, char note[UPLOAD_NOTE_MAX])
{
	struct queue_stats s;
	char n[UNITS_SIZE];

	*note = 0;
	if (!u)
		return;
	queue__stats(u->q, &s);
	note_uploaded(u, &s);
	if (s.files_left || s.troubled)
		snprintf(note, UPLOAD_NOTE_MAX, "to upload %llu (%sB)%s",
			 (unsigned long long)s.files_left, units__bytes(n, s.bytes_left),
			 s.troubled ? " failing" : "");
}

struct queue *upload__queue(struct upload *u)
{
	return u->q;
}

bool upload__finish(struct upload *u, void (*tick)(void *arg, const struct queue_stats *stats),
		    void *arg, struct queue_stats *ret_stats)
{
	static const volatile int never;
	bool ended;

	queue__wait(u->q, u->settings->timeout_ns, &never, tick, arg);
	ended = queue__stop(u->q);
	queue__stats(u->q, ret_stats);
	note_uploaded(u, ret_stats);
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
