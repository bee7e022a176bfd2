// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/upload_continuous.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/output.h"
#include "base/state.h"
#include "commands/confine.h"
#include "commands/upload_progress.h"
#include "dataset/session.h"
#include "options/command.h"
#include "platform/libc.h"
#include "platform/machine_id.h"
#include "platform/macros.h"
#include "platform/privileges.h"

#define TICK_NS NSEC_PER_SEC

struct continuous {
	const struct options *options;
	const volatile sig_atomic_t *stops;
	const char *dir; /* <out> */
	char key[sizeof(SESSION_BUCKET "/") + MACHINE_ID_SIZE];
	int parent; /* <out>/<bucket>/<MACHINE_ID> */
	int state;
	bool marked;
};

static int open_below(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the directory of this machine's sessions. 0, or a negative errno. */
static int open_parent(struct continuous *c)
{
	int out = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int bucket = out < 0 ? -1 : open_below(out, SESSION_BUCKET);
	int err;

	c->parent = bucket < 0 ? -1 : open_below(bucket, strchr(c->key, '/') + 1);
	err = c->parent < 0 ? -errno : 0;
	if (bucket >= 0)
		close(bucket);
	if (out >= 0)
		close(out);
	return err;
}

/* Waits for the first recording. 0, or a negative errno; without a directory if told to stop. */
static int wait_for_parent(struct continuous *c)
{
	int err;

	while ((err = open_parent(c)) == -ENOENT && !*c->stops)
		clock__sleep(TICK_NS);
	return err == -ENOENT ? 0 : err;
}

static void confine_uploads(const struct continuous *c)
{
	const char *target = upload__directory(&c->options->upload);

	confine(&(struct confinement){ .dirs = &c->dir,
				       .n_dirs = 1,
				       .target = target,
				       .state = c->state,
				       .network = !target,
				       .keep = privileges__needed(&(struct privileges_use){
					       .gives_files = true, .in_background = true }) });
}

/* The threads have the rights of the directory's owner. */
static int begin_sending(const struct continuous *c, char identity[UPLOAD_IDENTITY_MAX],
			 struct queue **ret)
{
	char problem[TARGET_REASON_MAX];
	struct queue_config config;
	struct stat st;
	int err = upload__queue_config(&c->options->upload, identity, &config);

	if (!err && fstat(c->parent, &st) < 0)
		err = -errno;
	if (err) {
		log__line(LOG_ERR, "cannot upload: %s", strerror(-err));
		return err;
	}
	config.continuous = true;
	config.parent = c->parent;
	config.parent_key = c->key;
	config.uid = geteuid() || !st.st_uid ? (uid_t)-1 : st.st_uid;
	config.gid = geteuid() || !st.st_uid ? (gid_t)-1 : st.st_gid;
	err = queue__new(ret, &config, problem);
	if (err)
		log__line(LOG_ERR, "cannot upload: %s", problem);
	return err;
}

static void mark(struct continuous *c, const struct queue_stats *s)
{
	if (s->files_done && !c->marked)
		upload__mark(c->options->state);
	c->marked |= s->files_done != 0;
}

/* Sends until told to stop, then the rest. */
static int send_until_stopped(struct continuous *c, struct queue *q)
{
	static const volatile sig_atomic_t never;
	const struct options *o = c->options;
	struct upload_progress progress;
	struct queue_stats s;

	upload_progress__begin(&progress, q, true, UINT64_MAX);
	do {
		queue__stats(q, &s);
		upload_progress__tick(&progress, &s);
		mark(c, &s);
		clock__sleep(TICK_NS);
	} while (!*c->stops && !s.gave_up);
	upload_progress__end(&progress);
	if (!upload_progress__run(q, o->quiet, o->upload.timeout_ns, &never, &s)) {
		output__end();
		_exit(EXIT_LOST);
	}
	mark(c, &s);
	upload_progress__conclude(&s, o->quiet, " for next time");
	if (s.gave_up)
		return EXIT_CANNOT;
	return s.files_left || s.sessions_left ? EXIT_LOST : EXIT_OK;
}

int upload_continuous__run(const struct options *options, const volatile sig_atomic_t *stops)
{
	char identity[UPLOAD_IDENTITY_MAX], machine_id[MACHINE_ID_SIZE];
	struct continuous c = {
		.options = options,
		.stops = stops,
		.dir = options->n_dirs ? options->dirs[0] : options->output,
		.parent = -1,
	};
	struct queue *q = NULL;
	int err = machine_id__get(machine_id), code = EXIT_CANNOT;

	if (err) {
		log__line(LOG_ERR, "cannot read the machine id: %s", strerror(-err));
		return EXIT_CANNOT;
	}
	snprintf(c.key, sizeof(c.key), "%s/%s", SESSION_BUCKET, machine_id);
	err = wait_for_parent(&c);
	if (err)
		log__line(LOG_ERR, "upload: %s/%s: %s", c.dir, c.key, strerror(-err));
	if (err || c.parent < 0)
		return err ? EXIT_CANNOT : EXIT_OK;
	c.state = state__open(options->state);
	confine_uploads(&c);
	if (!begin_sending(&c, identity, &q))
		code = send_until_stopped(&c, q);
	queue__free(q);
	close(c.parent);
	if (c.state >= 0)
		close(c.state);
	return code;
}
