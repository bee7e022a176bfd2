// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_text.h"
#include "base/write_all.h"
#include "dataset/manifest.h"
#include "dataset/session.h"
#include "platform/libc.h"

#define JOURNAL_MAX (64 << 20)
/* Disk space that is reserved for the journal, so that uploaded files can be removed from a full
 * disk. */
#define JOURNAL_RESERVE (64 << 10)
#define TARGET_SIZE 17
/* Our lines contain a name and the target's state of an upload in parts, of which there are 10,000
 * at most. */
#define LINE_MAX_BYTES (4 << 20)

struct journal {
	pthread_mutex_t lock;
	int fd;
	off_t end; /* of the last whole line */
	char target[TARGET_SIZE];
	json_t *targets; /* target: { path: { sha256, progress? } } */
};

static void hex(char *out, const unsigned char *md, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", md[i]);
}

static void hash_target(char ret[TARGET_SIZE], const char *identity)
{
	unsigned char md[EVP_MAX_MD_SIZE];

	EVP_Digest(identity, strlen(identity), md, NULL, EVP_sha256(), NULL);
	hex(ret, md, (TARGET_SIZE - 1) / 2);
}

int journal__sha256(int fd, char ret[65])
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	unsigned char md[EVP_MAX_MD_SIZE];
	size_t size = 128 << 10;
	char *buf = malloc(size);
	off_t at = 0;
	ssize_t n = -1;

	errno = ENOMEM;
	if (sha && buf && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) == 1)
		while ((n = pread(fd, buf, size, at)) > 0) {
			EVP_DigestUpdate(sha, buf, n);
			at += n;
		}
	if (!n) {
		EVP_DigestFinal_ex(sha, md, NULL);
		hex(ret, md, 32);
	} else {
		n = -errno;
	}
	EVP_MD_CTX_free(sha);
	free(buf);
	return (int)n;
}

/* ---- lines: {"target":T,"file":PATH,"sha256":S,"bytes":N}: uploaded; with "progress" instead of
 * "bytes": the upload has begun, or (null) was given up ---- */

static json_t *entry(json_t *targets, const char *target, const char *path, const char *sha256)
{
	json_t *e = json_object_get(json_object_get(targets, target), path);
	const char *s = json_string_value(json_object_get(e, "sha256"));

	return s && !strcmp(s, sha256) ? e : NULL;
}

/* The last line about a file is valid. Returns 0, or a negative errno. */
static int learn(json_t *targets, json_t *line)
{
	const char *target, *path, *sha256;
	json_t *files, *bytes, *progress, *e;

	if (json_unpack(line, "{s:s, s:s, s:s}", "target", &target, "file", &path, "sha256",
			&sha256) < 0)
		return -EINVAL;
	bytes = json_object_get(line, "bytes");
	progress = json_object_get(line, "progress");
	if (!json_is_integer(bytes) && !json_is_string(progress) && !json_is_null(progress))
		return -EINVAL;
	files = json_object_get(targets, target);
	if (!files) {
		files = json_object();
		if (json_object_set_new(targets, target, files) < 0)
			return -ENOMEM;
	}
	if (json_is_null(progress)) {
		json_object_del(files, path);
		return 0;
	}
	e = json_pack("{s:s, s:O*}", "sha256", sha256, "progress", progress);
	return json_object_set_new(files, path, e) < 0 ? -ENOMEM : 0;
}

/* Reads FD's lines and ignores incomplete and unknown ones. */
static int load(int fd, json_t *targets, off_t *ret_end)
{
	int copy = dup(fd), err = 0;
	FILE *f = copy < 0 ? NULL : fdopen(copy, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	*ret_end = 0;
	if (!f) {
		err = -errno;
		if (copy >= 0)
			close(copy);
		return err;
	}
	while (!err && (len = getline(&line, &size, f)) > 0 && line[len - 1] == '\n') {
		char why[JSON_WHY_MAX];
		json_t *json = NULL;

		err = len <= LINE_MAX_BYTES ? json_text__parse(line, len, &json, why) : -EBADMSG;
		if (!err)
			err = learn(targets, json);
		err = err == -ENOMEM ? err : 0;
		json_decref(json);
		*ret_end += len;
	}
	if (!err && len < 0 && !feof(f))
		err = ferror(f) ? -EIO : -ENOMEM;
	free(line);
	fclose(f);
	return err;
}

static int open_journal(int session_fd, uid_t uid, gid_t gid, bool make)
{
	int flags = (make ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(session_fd, JOURNAL_NAME, flags);
	struct stat st;

	if (fd < 0 && errno == ENOENT && make) {
		fd = session__create(session_fd, JOURNAL_NAME, uid, gid);
		/* EINVAL: a file system whose directories cannot be synced. */
		if (fd >= 0 && fsync(session_fd) < 0 && errno != EINVAL) {
			int err = -errno;

			close(fd);
			return err;
		}
	} else if (fd < 0) {
		fd = -errno;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > JOURNAL_MAX) {
		close(fd);
		return -EFBIG;
	}
	return fd;
}

/* ---- the object ---- */

/* Removes an incomplete last line and frees the space reserved behind it. */
static int cut_rest(struct journal *j)
{
	return ftruncate(j->fd, j->end) < 0 ? -errno : 0;
}

struct journal *journal__free(struct journal *j)
{
	if (!j)
		return NULL;
	if (j->fd >= 0) {
		cut_rest(j);
		close(j->fd);
	}
	json_decref(j->targets);
	pthread_mutex_destroy(&j->lock);
	free(j);
	return NULL;
}

int journal__open(struct journal **ret, int session_fd, const char *identity, uid_t uid, gid_t gid)
{
	struct journal *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return -ENOMEM;
	pthread_mutex_init(&j->lock, NULL);
	hash_target(j->target, identity);
	j->targets = json_object();
	err = j->fd = open_journal(session_fd, uid, gid, true);
	if (err >= 0)
		err = load(j->fd, j->targets, &j->end);
	if (!err)
		err = cut_rest(j);
	if (err < 0) {
		journal__free(j);
		return err;
	}
	/* If no space can be reserved, later writes use what is free then. */
	(void)fallocate(j->fd, FALLOC_FL_KEEP_SIZE, 0, j->end + JOURNAL_RESERVE);
	*ret = j;
	return 0;
}

static bool is_there(json_t *e)
{
	return e && !json_object_get(e, "progress");
}

bool journal__has(struct journal *j, const char *path, const char *sha256)
{
	bool has;

	pthread_mutex_lock(&j->lock);
	has = is_there(entry(j->targets, j->target, path, sha256));
	pthread_mutex_unlock(&j->lock);
	return has;
}

/* NOT: the target to ignore, or NULL. */
static bool any_has(json_t *targets, const char * not, const char *path, const char *sha256)
{
	const char *target;
	json_t *files;

	json_object_foreach(targets, target, files)
		if ((!not || strcmp(target, not )) &&
		    is_there(entry(targets, target, path, sha256)))
			return true;
	return false;
}

bool journal__elsewhere(struct journal *j, const char *path, const char *sha256)
{
	bool has;

	pthread_mutex_lock(&j->lock);
	has = any_has(j->targets, j->target, path, sha256);
	pthread_mutex_unlock(&j->lock);
	return has;
}

/* LINE is stolen. */
static int append_line(struct journal *j, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	int err = text ? 0 : -ENOMEM;

	pthread_mutex_lock(&j->lock);
	if (!err && j->end + (off_t)len + 1 > JOURNAL_MAX)
		err = -EFBIG;
	if (!err) {
		text[len] = '\n'; /* at the place of the NUL, which is not written */
		err = write_all(j->fd, text, len + 1, j->end);
		if (!err && fdatasync(j->fd) < 0)
			err = -errno;
		if (!err) {
			j->end += len + 1;
			err = learn(j->targets, line);
		} else {
			cut_rest(j);
		}
	}
	pthread_mutex_unlock(&j->lock);
	free(text);
	json_decref(line);
	return err;
}

int journal__confirm(struct journal *j, const char *path, const char *sha256, uint64_t bytes)
{
	return append_line(j, json_pack("{s:s, s:s, s:s, s:I}", "target", j->target, "file", path,
					"sha256", sha256, "bytes", (json_int_t)bytes));
}

int journal__set_progress(struct journal *j, const char *path, const char *sha256,
			  const char *progress)
{
	return append_line(j, json_pack("{s:s, s:s, s:s, s:s?}", "target", j->target, "file", path,
					"sha256", sha256, "progress", progress));
}

char *journal__progress(struct journal *j, const char *path, const char *sha256)
{
	const char *progress;
	char *copy;

	pthread_mutex_lock(&j->lock);
	progress = json_string_value(
		json_object_get(entry(j->targets, j->target, path, sha256), "progress"));
	copy = progress ? strdup(progress) : NULL;
	pthread_mutex_unlock(&j->lock);
	return copy;
}

/* ---- for others ---- */

/* Returns the journal's entry, or NULL. */
static json_t *read_targets(int session_fd)
{
	int fd = open_journal(session_fd, -1, -1, false);
	json_t *targets = fd < 0 ? NULL : json_object();
	off_t end;

	if (targets && load(fd, targets, &end) < 0) {
		json_decref(targets);
		targets = NULL;
	}
	if (fd >= 0)
		close(fd);
	return targets;
}

int journal__look(struct journal **ret, int session_fd)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	pthread_mutex_init(&j->lock, NULL);
	j->fd = -1;
	j->targets = read_targets(session_fd);
	if (!j->targets) {
		journal__free(j);
		return -ENOENT;
	}
	*ret = j;
	return 0;
}

bool journal__session_uploaded(int session_fd)
{
	json_t *targets = read_targets(session_fd), *files;
	int fd = manifest_file__open(session_fd);
	bool gone = fd == -ENOENT, has = false;
	char sha256[65];
	const char *target;

	if (fd >= 0 && !journal__sha256(fd, sha256))
		has = any_has(targets, NULL, MANIFEST_NAME, sha256);
	json_object_foreach(targets, target, files)
		if (gone && is_there(json_object_get(files, MANIFEST_NAME)))
			has = true;
	if (fd >= 0)
		close(fd);
	json_decref(targets);
	return has;
}
