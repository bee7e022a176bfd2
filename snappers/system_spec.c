// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/system_spec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"
#include "dataset/session.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/registry.h"
#include "snappers/spec.h"

#define SUBDIR "system_spec"

/* ---- reading ---- */

static bool read_line(char *buf, size_t size, const char *format, va_list args)
{
	char path[4096];
	FILE *f;
	bool got;

	*buf = 0;
	vsnprintf(path, sizeof(path), format, args);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* Reading some sysfs files returns an error. */
	got = fgets(buf, (int)size, f);
	fclose(f);
	for (size_t n = strlen(buf); n && (buf[n - 1] == '\n' || buf[n - 1] == ' '); n--)
		buf[n - 1] = 0;
	return got;
}

bool spec__line(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	bool got;

	va_start(args, format);
	got = read_line(buf, size, format, args);
	va_end(args);
	return got;
}

json_t *spec__number(const char *format, ...)
{
	char text[256], *end;
	va_list args;
	bool got;
	long long n;

	va_start(args, format);
	got = read_line(text, sizeof(text), format, args);
	va_end(args);
	errno = 0;
	n = strtoll(text, &end, 10);
	return got && !errno && end != text && !*end ? json_integer(n) : json_null();
}

json_t *spec__string(const char *format, ...)
{
	char text[1024];
	va_list args;
	bool got;

	va_start(args, format);
	got = read_line(text, sizeof(text), format, args);
	va_end(args);
	return got && *text ? json_text(text) : json_null();
}

json_t *spec__registry_number(const char *name)
{
	int64_t n;

	return registry__number(name, &n) ? json_integer(n) : json_null();
}

json_t *spec__registry_string(const char *name)
{
	char text[1024];

	return registry__text(name, text, sizeof(text)) ? json_text(text) : json_null();
}

static json_t *tokens(const struct spec *s, const char *text,
		      char *(*make)(struct anonymizer *a, char *out, const char *s, size_t len))
{
	size_t len = strlen(text);
	json_t *json;
	char *buf;

	if (!s->anon)
		return json_text(text);
	buf = malloc(ANONYMIZE_MAX(len) + 1);
	if (!buf)
		return NULL;
	*make(s->anon, buf, text, len) = 0;
	json = json_text(buf);
	free(buf);
	return json;
}

json_t *spec__name(const struct spec *s, const char *name)
{
	return tokens(s, name, anonymize__name);
}

json_t *spec__path(const struct spec *s, const char *path)
{
	return tokens(s, path, anonymize__path);
}

void spec__each(const char *path, const char *prefix, void (*found)(const char *name, void *arg),
		void *arg)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, versionsort);

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (*name != '.' && !strncmp(name, prefix, strlen(prefix)))
			found(name, arg);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* ---- writing ---- */

static const struct {
	const char *name;
	json_t *(*make)(const struct spec *s);
} files[] = {
	{ "cpu_info.json", spec__cpu },   { "memory_info.json", spec__memory },
	{ "disk_info.json", spec__disk }, { "network_info.json", spec__network },
	{ "os_info.json", spec__os },
};

static int put(const struct system_spec_config *c, int dir, const char *name, const char *text,
	       size_t len)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	char part[64], path[128], sha256[65];
	int fd, err;

	snprintf(part, sizeof(part), "%s.part", name);
	fd = session__create(dir, part, c->uid, c->gid);
	if (fd < 0)
		return fd;
	err = write_all(fd, text, len, 0);
	if (!err && fdatasync(fd) < 0)
		err = -errno;
	close(fd);
	if (!err && renameat(dir, part, dir, name) < 0)
		err = -errno;
	if (err) {
		unlinkat(dir, part, 0);
		return err;
	}
	if (!c->finished || !EVP_Digest(text, len, md, NULL, EVP_sha256(), NULL))
		return 0;
	for (int i = 0; i < 32; i++)
		snprintf(sha256 + 2 * i, 3, "%02x", md[i]);
	snprintf(path, sizeof(path), SUBDIR "/%s", name);
	c->finished(c->arg, path, len, sha256);
	return 0;
}

static int write_file(const struct system_spec_config *c, const struct spec *s, int dir, size_t i)
{
	json_t *json = files[i].make(s);
	char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
	size_t len;
	int err = -ENOMEM;

	if (text) {
		len = strlen(text);
		text[len] = '\n'; /* replaces the NUL, which is not written */
		err = put(c, dir, files[i].name, text, len + 1);
	}
	free(text);
	json_decref(json);
	return err;
}

int system_spec__write(const struct system_spec_config *config)
{
	struct spec s = { .network = config->network, .anon = config->anon };
	int dir = session__enter(config->session_fd, SUBDIR, config->uid, config->gid), err = 0;

	if (dir < 0)
		return dir;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int one = write_file(config, &s, dir, i);

		err = err ? err : one;
	}
	if (fsync(dir) < 0 && errno != EINVAL)
		err = err ? err : -errno;
	close(dir);
	return err;
}
