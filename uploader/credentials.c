// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/credentials.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/secret_memory.h"
#include "uploader/target_kind.h"

#define FILE_MAX (64 << 10)

static const struct {
	const char *name, *variable;
	size_t offset, size;
} values[] = {
#define VALUE(name, variable, field) \
	{ \
		name, variable, offsetof(struct credentials, field), \
			sizeof(((struct credentials *)NULL)->field) \
	}
	VALUE("aws_access_key_id", "AWS_ACCESS_KEY_ID", key_id),
	VALUE("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", secret),
	VALUE("aws_session_token", "AWS_SESSION_TOKEN", session_token),
	VALUE("token", "IOTRC_UPLOAD_TOKEN", token),
#undef VALUE
};
#define N_VALUES ARRAY_SIZE(values)

bool credentials__is_name(const char *name)
{
	for (size_t i = 0; i < N_VALUES; i++)
		if (!strcmp(name, values[i].name))
			return true;
	return false;
}

struct credentials *credentials__free(struct credentials *c)
{
	if (c)
		secret_memory__free(c, sizeof(*c));
	return NULL;
}

/* Returns false if VALUE does not fit, or contains a character that would end a header. */
static bool set_value(struct credentials *c, size_t i, const char *value, size_t len)
{
	char *to = (char *)c + values[i].offset;

	if (len >= values[i].size)
		return false;
	for (size_t k = 0; k < len; k++)
		if ((unsigned char)value[k] <= ' ' || value[k] == 0x7f)
			return false;
	memcpy(to, value, len);
	to[len] = 0;
	return true;
}

static int read_file(char text[FILE_MAX + 1], const char *path, char problem[TARGET_REASON_MAX])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0) {
		err = -errno;
		target__say(problem, "can't read the credentials in %.300s: %s", path,
			    strerror(-err));
		return err;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		target__say(problem, "%.300s is not a file with credentials", path);
		err = -EINVAL;
	} else if (st.st_mode & 077) {
		target__say(problem, "%.300s has secrets and others may read it: chmod 600 it",
			    path);
		err = -EPERM;
	} else if (st.st_uid != geteuid() && st.st_uid != 0) {
		target__say(problem, "%.300s must belong to this user or to root", path);
		err = -EPERM;
	} else {
		n = read(fd, text, FILE_MAX + 1);
		if (n < 0 || n > FILE_MAX) {
			err = n < 0 ? -errno : -EFBIG;
			target__say(problem, "can't read the credentials in %.300s: %s", path,
				    strerror(-err));
		} else {
			text[n] = 0;
		}
	}
	close(fd);
	return err;
}

static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (isspace((unsigned char)*s))
		s++;
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = 0;
	return s;
}

/* The format of AWS's shared credentials file: [PROFILE], NAME = VALUE, # and ; before remarks.
 * Lines before the first profile apply to all. */
static int parse(struct credentials *c, char *text, const char *path, const char *profile,
		 char problem[TARGET_REASON_MAX])
{
	bool ours = true;
	unsigned int number = 0;

	for (char *line = text, *next; line; line = next) {
		char *name, *equals;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		number++;
		name = trim(line);
		if (!*name || *name == '#' || *name == ';')
			continue;
		if (*name == '[') {
			char *end = strchr(name, ']');

			if (end)
				*end = 0;
			ours = !strcmp(trim(name + 1), profile);
			continue;
		}
		equals = strchr(name, '=');
		if (!ours || !equals)
			continue;
		*equals = 0;
		name = trim(name);
		for (size_t i = 0; i < N_VALUES; i++) {
			char *value;

			if (strcmp(name, values[i].name))
				continue;
			value = trim(equals + 1);
			if (!set_value(c, i, value, strlen(value))) {
				target__say(problem, "%.300s line %u: %s has an invalid value",
					    path, number, name);
				return -EINVAL;
			}
		}
	}
	return 0;
}

static const char *profile(void)
{
	const char *name = getenv("AWS_PROFILE");

	return name && *name ? name : "default";
}

static int from_file(struct credentials *c, const char *path, char problem[TARGET_REASON_MAX])
{
	char *text = secret_memory__new(FILE_MAX + 1);
	int err;

	if (!text) {
		target__say(problem, "out of memory");
		return -ENOMEM;
	}
	err = read_file(text, path, problem);
	if (!err)
		err = parse(c, text, path, profile(), problem);
	secret_memory__free(text, FILE_MAX + 1);
	return err;
}

static int from_environment(struct credentials *c, char problem[TARGET_REASON_MAX])
{
	for (size_t i = 0; i < N_VALUES; i++) {
		const char *value = getenv(values[i].variable);

		if (value && !set_value(c, i, value, strlen(value))) {
			target__say(problem, "the environment variable %s has an invalid value",
				    values[i].variable);
			return -EINVAL;
		}
	}
	return 0;
}

static bool has_keys(const struct credentials *c)
{
	return *c->key_id && *c->secret;
}

static int shared_file(char path[PATH_MAX])
{
	const char *file = getenv("AWS_SHARED_CREDENTIALS_FILE"), *home = getenv("HOME");
	int n;

	if (file && *file)
		n = snprintf(path, PATH_MAX, "%s", file);
	else if (home && *home)
		n = snprintf(path, PATH_MAX, "%s/.aws/credentials", home);
	else
		return -ENOENT;
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int find_keys(struct credentials *c, const char *file, char problem[TARGET_REASON_MAX])
{
	char path[PATH_MAX];
	int err;

	if (file) {
		err = from_file(c, file, problem);
		if (err || has_keys(c))
			return err;
		target__say(problem,
			    "%.200s has no aws_access_key_id and aws_secret_access_key for "
			    "profile %.60s",
			    file, profile());
		return -ENOENT;
	}
	err = from_environment(c, problem);
	if (err || has_keys(c))
		return err;
	/* Key and secret must come from the same place. */
	explicit_bzero(c, sizeof(*c));
	if (shared_file(path) == 0 &&
	    (access(path, F_OK) == 0 || getenv("AWS_SHARED_CREDENTIALS_FILE"))) {
		err = from_file(c, path, problem);
		if (err || has_keys(c))
			return err;
		target__say(problem, "%.200s has no keys for profile %.60s", path, profile());
		return -ENOENT;
	}
	target__say(
		problem,
		"no credentials for s3://: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
		"(sudo drops them: --preserve-env=NAME,...), or put them into $HOME/.aws/credentials "
		"(under sudo that is root's) or in a file for --upload-credentials");
	return -ENOENT;
}

static int find_token(struct credentials *c, const char *file, char problem[TARGET_REASON_MAX])
{
	int err;

	if (!file)
		return from_environment(c, problem);
	err = from_file(c, file, problem);
	if (err || *c->token)
		return err;
	target__say(problem, "%.200s has no line 'token = ...'", file);
	return -ENOENT;
}

static int look_up(struct credentials **ret, const char *file, char problem[TARGET_REASON_MAX],
		   int (*how)(struct credentials *, const char *, char *))
{
	struct credentials *c = secret_memory__new(sizeof(*c));
	int err;

	if (!c) {
		target__say(problem, "out of memory");
		return -ENOMEM;
	}
	err = how(c, file, problem);
	if (err)
		credentials__free(c);
	else
		*ret = c;
	return err;
}

int credentials__keys(struct credentials **ret, const char *file, char problem[TARGET_REASON_MAX])
{
	return look_up(ret, file, problem, find_keys);
}

int credentials__token(struct credentials **ret, const char *file, char problem[TARGET_REASON_MAX])
{
	return look_up(ret, file, problem, find_token);
}

void credentials__renew(struct credentials **c, const char *file,
			int (*find)(struct credentials **, const char *, char *))
{
	char problem[TARGET_REASON_MAX];
	struct credentials *now;

	if (find(&now, file, problem))
		return;
	credentials__free(*c);
	*c = now;
}
