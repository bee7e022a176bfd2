// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/system_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"
#include "dataset/session.h"
#include "platform/macros.h"
#include "snappers/spec.h"

#define SUBDIR "system_spec"

static const struct {
	const char *name;
	json_t *(*make)(const struct spec *s);
} files[] = {
	{ "cpu_info.json", spec__cpu },   { "memory_info.json", spec__memory },
	{ "disk_info.json", spec__disk }, { "network_info.json", spec__network },
	{ "os_info.json", spec__os },
};

static int put_file(const struct system_spec_config *c, int dir, const char *name, const char *text,
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
		err = put_file(c, dir, files[i].name, text, len + 1);
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
