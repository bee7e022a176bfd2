// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/background.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/dir_names.h"
#include "dataset/journal.h"
#include "dataset/recover.h"
#include "dataset/session_lock.h"
#include "platform/macros.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define SCAN_NS (10 * NSEC_PER_SEC) /* between two measurements of the sessions' size */
#define STOP_NS NSEC_PER_SEC
/* Delay until sessions that were in use are tried again: the first, and the maximum. */
#define RETRY_NS (2 * NSEC_PER_SEC)
#define RETRY_MAX_NS (300 * NSEC_PER_SEC)
#define LINES 16 /* lines that wait for staging__line() */
/* Uploaded sessions are removed before the budget is used up. */
#define NEARLY(bytes) ((bytes) - (bytes) / 8)
/* Prefix of a session that is being removed: if the program is killed meanwhile, the rest does not
 * look like a session. */
#define REMOVED_START ".removed."

struct staging {
	struct staging_config config;
	struct background thread;
	uint64_t scanned_ns;
	uint64_t recover_due_ns, retry_ns;
	enum disk_budget_state reported;
	bool reported_foreign; /* reported: another user's directory is at its path */
	enum session_place place;
	unsigned first, n; /* for lines; protected by the thread's lock */
	struct staging_line lines[LINES];
};

static void say(struct staging *s, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool stopped(struct staging *s)
{
	return background__stopped(&s->thread);
}

/* Waits while LINES lines are queued. */
static void say(struct staging *s, int level, const char *format, ...)
{
	struct staging_line line = { .level = level };
	va_list args;

	va_start(args, format);
	vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	pthread_mutex_lock(&s->thread.lock);
	while (s->n == LINES && !stopped(s))
		pthread_cond_wait(&s->thread.wake, &s->thread.lock);
	if (s->n < LINES)
		s->lines[(s->first + s->n++) % LINES] = line;
	pthread_mutex_unlock(&s->thread.lock);
	s->config.said(s->config.arg);
}

bool staging__line(struct staging *s, struct staging_line *ret)
{
	bool any;

	pthread_mutex_lock(&s->thread.lock);
	any = s->n;
	if (any) {
		*ret = s->lines[s->first];
		s->first = (s->first + 1) % LINES;
		s->n--;
		pthread_cond_broadcast(&s->thread.wake);
	}
	pthread_mutex_unlock(&s->thread.lock);
	return any;
}

/* Opens the directory of all sessions, which contains ours. Returns a negative errno on failure. */
static int open_all(struct staging *s)
{
	int fd = openat(s->config.session->fd, "..", DIR_FLAGS);

	return fd < 0 ? -errno : fd;
}

static bool is_ours(struct staging *s, const char *name)
{
	return !strcmp(name, strrchr(s->config.session->path, '/') + 1);
}

/* ---- recovery ---- */

/* Returns false if the session is in use. */
static bool recover_one(struct staging *s, int all, const char *name)
{
	char text[RECOVER_DESCRIBE_MAX];
	struct recovered done;
	int outcome = recover__session(all, name, &s->thread.stop, &done);

	if (outcome == -EWOULDBLOCK)
		return false;
	if (outcome != -EINTR && outcome != RECOVER_REMOVED &&
	    recover__describe(text, outcome, &done))
		say(s, outcome < 0 || done.damaged ? LOG_WARNING : LOG_INFO, "session %s: %s", name,
		    text);
	return true;
}

/* The holder of a session's lock may only check whether it can be sent, like the uploader of this
 * recording, or may be a recorder that is killed later. So sessions in use are tried again. */
static void recover_all(struct staging *s)
{
	struct dir_names sessions;
	int all = open_all(s);
	bool in_use = false;

	s->retry_ns = s->retry_ns ? s->retry_ns * 2 : RETRY_NS;
	if (s->retry_ns > RETRY_MAX_NS)
		s->retry_ns = RETRY_MAX_NS;
	s->recover_due_ns = UINT64_MAX;
	if (all < 0)
		return;
	dir_names__choose(&sessions, all, session__is_stamp);
	for (size_t i = 0; i < sessions.n && !stopped(s); i++)
		if (!is_ours(s, sessions.names[i]))
			in_use |= !recover_one(s, all, sessions.names[i]);
	dir_names__clear(&sessions);
	close(all);
	if (in_use)
		s->recover_due_ns = clock__mono_ns() + s->retry_ns;
}

/* ---- the size of the sessions ---- */

/* <session>/<subdir>/<file> */
#define DEPTH_MAX 2

/* Returns the size in bytes of NAME in DIR; REMOVE: removes it as well. */
/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static uint64_t add_up(int dir, const char *name, int depth, bool remove)
{
	struct dir_names entries = { 0 };
	uint64_t bytes = 0;
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode)) {
		if (remove)
			unlinkat(dir, name, 0);
		return st.st_blocks * UINT64_C(512);
	}
	fd = depth ? openat(dir, name, DIR_FLAGS) : -1;
	if (fd >= 0)
		dir_names__read(&entries, fd);
	for (size_t i = 0; i < entries.n; i++)
		bytes += add_up(fd, entries.names[i], depth - 1, remove);
	dir_names__clear(&entries);
	if (fd >= 0)
		close(fd);
	if (remove)
		unlinkat(dir, name, AT_REMOVEDIR);
	return bytes;
}

static bool is_session_or_removed(const char *name)
{
	return session__is_stamp(name) || !strncmp(name, REMOVED_START, strlen(REMOVED_START));
}

static bool is_uploaded(int all, const char *name)
{
	int fd = openat(all, name, DIR_FLAGS),
	    lock = fd < 0 ? -1 : session_lock__take(fd, SESSION_LOCK_ALL);
	bool uploaded = lock >= 0 && journal__session_uploaded(fd);

	if (lock >= 0)
		close(lock);
	if (fd >= 0)
		close(fd);
	return uploaded;
}

/* Removes session NAME if all of it has been uploaded and nobody uses it. */
static bool drop(struct staging *s, int all, const char *name)
{
	char removed[sizeof(REMOVED_START) + STAMP_SIZE];

	if (is_ours(s, name) || !is_uploaded(all, name))
		return false;
	snprintf(removed, sizeof(removed), REMOVED_START "%.*s", STAMP_SIZE - 1, name);
	if (renameat(all, name, all, removed) < 0)
		return false;
	add_up(all, removed, DEPTH_MAX, true);
	say(s, LOG_INFO, "session %s was uploaded and has been removed to free space (--max-disk)",
	    name);
	return true;
}

/* Measures all sessions, and removes uploaded ones, oldest first, while they exceed the limit. */
static void free_space(struct staging *s, uint64_t max_bytes)
{
	uint64_t mark = disk_budget__mark(s->config.budget), used = 0;
	struct dir_names sessions;
	int all = open_all(s);
	uint64_t *bytes;

	if (all < 0)
		return;
	dir_names__choose(&sessions, all, is_session_or_removed);
	bytes = sessions.n ? calloc(sessions.n, sizeof(*bytes)) : NULL;
	for (size_t i = 0; i < sessions.n && bytes; i++)
		used += bytes[i] =
			add_up(all, sessions.names[i], DEPTH_MAX, *sessions.names[i] == '.');
	for (size_t i = 0; i < sessions.n && bytes && !stopped(s) && used > NEARLY(max_bytes); i++)
		if (*sessions.names[i] == '.' || drop(s, all, sessions.names[i]))
			used -= bytes[i];
	if (bytes)
		disk_budget__set_used(s->config.budget, used, mark);
	dir_names__clear(&sessions);
	free(bytes);
	close(all);
}

static void keep_bound(struct staging *s, uint64_t now)
{
	uint64_t max_bytes = disk_budget__max_bytes(s->config.budget);
	bool full = disk_budget__used(s->config.budget) > NEARLY(max_bytes);

	if (!max_bytes || (now - s->scanned_ns < SCAN_NS && !full && s->scanned_ns))
		return;
	free_space(s, max_bytes);
	s->scanned_ns = now;
}

/* ---- the running session ---- */

static void tell_budget(struct staging *s)
{
	enum disk_budget_state state;
	unsigned long long mib = 1 << 20;

	disk_budget__check(s->config.budget, 0);
	state = disk_budget__state(s->config.budget);
	if (state == s->reported)
		return;
	s->reported = state;
	if (state == DISK_BUDGET_DISK_LOW)
		say(s, LOG_WARNING,
		    "the disk has %llu MiB free, and %llu MiB are reserved (--min-free): "
		    "rows are being lost until more is free",
		    disk_budget__free_bytes(s->config.budget) / mib,
		    disk_budget__min_free(s->config.budget) / mib);
	else if (state == DISK_BUDGET_USED_UP)
		say(s, LOG_WARNING,
		    "the sessions use %llu MiB (--max-disk), and none of them is uploaded: "
		    "rows are being lost until one is uploaded or removed",
		    disk_budget__max_bytes(s->config.budget) / mib);
	else
		say(s, LOG_INFO, "the disk has free space again: rows are written");
}

/* Rows continue to go to the open directory, wherever it is now. */
static void tell_place(struct staging *s)
{
	enum session_place place = session__place(s->config.session);

	if (place == s->place)
		return;
	s->place = place;
	if (place == SESSION_UNMOUNTED)
		say(s, LOG_WARNING,
		    "%s: its disk was unmounted, and rows still go there: they are out of reach until it is "
		    "mounted again",
		    s->config.session->path);
	else if (place == SESSION_RENAMED)
		say(s, LOG_WARNING,
		    "%s is no longer the session's directory, which was renamed or mounted over; rows still go "
		    "there",
		    s->config.session->path);
	else
		say(s, LOG_INFO, "%s is the session's directory again", s->config.session->path);
}

static void keep_session(struct staging *s)
{
	const struct staging_config *c = &s->config;
	int r = session_origin__restore(c->origin, c->session, c->failing(c->arg), c->uid, c->gid);

	if (!r)
		tell_place(s);
	if (r == -EPERM && !s->reported_foreign)
		say(s, LOG_WARNING,
		    "%s was replaced by a directory that belongs to somebody else: not used",
		    s->config.session->path);
	s->reported_foreign = r == -EPERM;
	if (r <= 0)
		return;
	say(s, LOG_WARNING, "%s was removed with its content: created again",
	    s->config.session->path);
	s->config.moved(s->config.arg);
}

/* ---- the thread ---- */

static void keep_house(void *arg)
{
	struct staging *s = arg;

	/* What is not written yet may exceed the limit from the start. */
	tell_budget(s);
	if (disk_budget__max_bytes(s->config.budget))
		keep_bound(s, clock__mono_ns());
	while (!stopped(s)) {
		if (clock__mono_ns() >= s->recover_due_ns)
			recover_all(s);
		keep_session(s);
		keep_bound(s, clock__mono_ns());
		tell_budget(s);
		background__wait(&s->thread, clock__mono_ns() + NSEC_PER_SEC);
	}
}

int staging__new(struct staging **ret, const struct staging_config *config)
{
	struct staging *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->config = *config;
	err = background__start(&s->thread, "staging", keep_house, s);
	if (err) {
		staging__free(s);
		return err;
	}
	*ret = s;
	return 0;
}

bool staging__stop(struct staging *s)
{
	return !s || background__stop(&s->thread, STOP_NS);
}

struct staging *staging__free(struct staging *s)
{
	if (!s || !staging__stop(s))
		return NULL; /* the thread may still come back to it */
	background__done(&s->thread);
	free(s);
	return NULL;
}
