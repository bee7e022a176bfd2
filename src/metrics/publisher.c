// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/publisher.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/background.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/write_all.h"
#include "metrics/listener.h"
#include "platform/macros.h"

#define LISTEN_MS 500 /* the maximum time until the thread notices that it has to end */
#define STOP_NS (NSEC_PER_SEC * 3 / 2)
#define STARVED_NS (NSEC_PER_SEC * 30) /* limit for the last write to begin, on a busy machine */
#define LOOK_NS (NSEC_PER_SEC / 100)
#define TEMPORARY_FORMAT ".%.200s.tmp"

struct publisher {
	const struct metrics_settings *settings;
	struct metrics_source source;
	pthread_mutex_t lock;
	struct metrics_values values; /* guarded by it */
	struct listener *listener;    /* or NULL */
	int dir;                      /* of the file; -1: none */
	char temporary[256];          /* name in that directory */
	uid_t uid;
	gid_t gid;
	bool failing;              /* the last write of the file failed, and has been reported */
	atomic_bool writing, last; /* the file; for the last time */
	struct background thread;
};

static int fail(char problem[PUBLISHER_PROBLEM_MAX], int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char problem[PUBLISHER_PROBLEM_MAX], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, PUBLISHER_PROBLEM_MAX, format, args);
	va_end(args);
	return err;
}

/* ---- the text ---- */

static void get_values(struct publisher *p, struct metrics_values *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->values;
	pthread_mutex_unlock(&p->lock);
}

/* The metrics as text, which the caller frees; NULL if out of memory. */
static char *make_text(void *arg, size_t *ret_len)
{
	struct publisher *p = arg;
	struct metrics_values values;
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (!out)
		return NULL;
	get_values(p, &values);
	metrics__print(out, &p->source, &values);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- the file ---- */

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_directory(struct publisher *p, char problem[PUBLISHER_PROBLEM_MAX])
{
	const char *path = p->settings->file, *name = name_of(path);
	char *directory;
	struct stat st;

	if (!*name || strlen(name) > 200)
		return fail(problem, -EINVAL, "--metrics-file: '%.100s' names no file", path);
	directory = name == path ? strdup(".") : strndup(path, name - path);
	if (!directory)
		return fail(problem, -ENOMEM, "out of memory");
	p->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		fail(problem, -errno, "cannot open directory %.300s: %s", directory,
		     strerror(errno));
	free(directory);
	snprintf(p->temporary, sizeof(p->temporary), TEMPORARY_FORMAT, name);
	/* A file must not take the place of /dev/null. */
	if (p->dir >= 0 && !fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISREG(st.st_mode))
		return fail(problem, -EINVAL, "--metrics-file: %.300s is not a regular file", path);
	return p->dir < 0 ? -EINVAL : 0;
}

/* Writes TEXT to the temporary file, and renames that. */
static int replace_file(struct publisher *p, const char *text, size_t len)
{
	int fd, err;

	if (unlinkat(p->dir, p->temporary, 0) && errno != ENOENT)
		return -errno;
	fd = openat(p->dir, p->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, len, 0);
	/* node_exporter runs as a user of its own, whatever the umask. */
	if (!err && fchmod(fd, 0644))
		err = -errno;
	if (!err && p->uid != (uid_t)-1 && fchown(fd, p->uid, p->gid))
		err = -errno;
	close(fd);
	if (!err && renameat(p->dir, p->temporary, p->dir, name_of(p->settings->file)))
		err = -errno;
	if (err)
		unlinkat(p->dir, p->temporary, 0);
	return err;
}

static int write_file(struct publisher *p)
{
	size_t len;
	char *text = make_text(p, &len);
	int err = text ? replace_file(p, text, len) : -ENOMEM;

	free(text);
	return err;
}

/* Reports the first of several failures, and the end of them. */
static void update_file(struct publisher *p)
{
	int err;

	atomic_store(&p->writing, true);
	err = write_file(p);
	atomic_store(&p->writing, false);
	if (err && !p->failing)
		log__line(LOG_WARNING, "cannot write %s: %s", p->settings->file, strerror(-err));
	else if (!err && p->failing)
		log__line(LOG_NOTICE, "%s is written again", p->settings->file);
	p->failing = err;
}

/* ---- the thread ---- */

static void publish(void *arg)
{
	struct publisher *p = arg;
	uint64_t due = clock__mono_ns() + PUBLISHER_PERIOD_S * NSEC_PER_SEC;

	while (!background__stopped(&p->thread)) {
		if (p->listener)
			listener__serve(p->listener, LISTEN_MS);
		else
			background__wait(&p->thread, due);
		if (p->dir < 0 || clock__mono_ns() < due)
			continue;
		update_file(p);
		due = clock__mono_ns() + PUBLISHER_PERIOD_S * NSEC_PER_SEC;
	}
	atomic_store(&p->last, true);
	if (p->dir >= 0)
		update_file(p);
}

int publisher__new(struct publisher **ret, const struct metrics_settings *settings,
		   char problem[PUBLISHER_PROBLEM_MAX])
{
	struct publisher *p = calloc(1, sizeof(*p));
	int err = p ? 0 : fail(problem, -ENOMEM, "out of memory");

	if (!p)
		return err;
	pthread_mutex_init(&p->lock, NULL);
	p->settings = settings;
	p->dir = -1;
	if (settings->file)
		err = open_directory(p, problem);
	if (!err && settings->listen && !listener__new)
		err = fail(problem, -ENOSYS,
			   "--metrics-listen: this is the static iotrc, without an HTTP server; "
			   "use --metrics-file");
	else if (!err && settings->listen)
		err = listener__new(&p->listener, settings->listen, make_text, p, problem,
				    PUBLISHER_PROBLEM_MAX);
	if (err)
		return publisher__free(p), err;
	*ret = p;
	return 0;
}

int publisher__start(struct publisher *p, const struct metrics_source *source,
		     const struct metrics_values *values, uid_t uid, gid_t gid,
		     char problem[PUBLISHER_PROBLEM_MAX])
{
	int err;

	if (!p)
		return 0;
	p->source = *source;
	p->values = *values;
	p->uid = uid;
	p->gid = gid;
	err = p->dir >= 0 ? write_file(p) : 0;
	if (err)
		return fail(problem, err, "cannot write %.300s: %s", p->settings->file,
			    strerror(-err));
	err = background__start(&p->thread, "metrics", publish, p);
	if (err)
		return fail(problem, err, "cannot start a thread: %s", strerror(-err));
	return 0;
}

void publisher__set(struct publisher *p, const struct metrics_values *values)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->values = *values;
	pthread_mutex_unlock(&p->lock);
}

/* A thread that waits for a CPU is not stuck, and the file must not say for ever that the recording
 * is running. So only a thread that a file system blocks is abandoned early. */
static void wait_for_last(struct publisher *p)
{
	uint64_t now = clock__mono_ns(), until = now + STARVED_NS, held_until = now + STOP_NS;

	while (!atomic_load(&p->last) && now < until && now < held_until) {
		clock__sleep(LOOK_NS);
		now = clock__mono_ns();
		if (!atomic_load(&p->writing))
			held_until = now + STOP_NS;
	}
}

bool publisher__stop(struct publisher *p)
{
	if (!p)
		return true;
	background__ask(&p->thread);
	if (p->thread.thread.running && !p->thread.stuck)
		wait_for_last(p);
	return background__stop(&p->thread, STOP_NS);
}

struct publisher *publisher__free(struct publisher *p)
{
	if (!p || !publisher__stop(p))
		return NULL;
	background__done(&p->thread);
	pthread_mutex_destroy(&p->lock);
	if (p->listener)
		listener__free(p->listener);
	if (p->dir >= 0)
		close(p->dir);
	free(p);
	return NULL;
}
