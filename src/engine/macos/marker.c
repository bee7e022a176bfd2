// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/marker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temporary_dir.h"

#define SUFFIX_LEN 6 /* of mkdtemp() */

struct marker {
	char dir[PATH_MAX];
	/* The end of the files' names, which is in each line about them: links in DIR may be
	 * resolved there, and what is before it may be cut. */
	char common[32];
};

static const char *const words[] = { "begin", "alive", "end" };

int marker__new(struct marker **ret, const char *dir)
{
	const char *at = dir;
	struct marker *m = calloc(1, sizeof(*m));
	size_t len;

	if (!m)
		return -ENOMEM;
	if (!at || access(at, W_OK))
		at = temporary_dir();
	len = (size_t)snprintf(m->dir, sizeof(m->dir) - 16, "%s/iotrc-mark-XXXXXX", at);
	if (len >= sizeof(m->dir) - 16 || !mkdtemp(m->dir)) {
		int err = len >= sizeof(m->dir) - 16 ? -ENAMETOOLONG : -errno;

		free(m);
		return err;
	}
	snprintf(m->common, sizeof(m->common), "iotrc-mark-%s/", m->dir + len - SUFFIX_LEN);
	*ret = m;
	return 0;
}

struct marker *marker__free(struct marker *m)
{
	if (m)
		rmdir(m->dir);
	free(m);
	return NULL;
}

void marker__touch(const struct marker *m, enum marker_word word)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", m->dir, words[word]);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	close(fd);
	unlink(path);
}

enum marker_word marker__find(const struct marker *m, const char *s, size_t len)
{
	const char *end = s + len, *at = memmem(s, len, m->common, strlen(m->common));

	if (!at)
		return MARKER_NONE;
	at += strlen(m->common);
	for (int i = 0; i < MARKER_NONE; i++)
		if ((size_t)(end - at) >= strlen(words[i]) &&
		    !memcmp(at, words[i], strlen(words[i])))
			return i;
	return MARKER_NONE;
}
