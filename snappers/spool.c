// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/state.h"
#include "base/write_all.h"

#define BUFFER (256 * 1024)

struct spool {
	int fd;
	off_t read, written; /* offsets of the part on disk */
	char *first, *last;  /* read, not yet returned; not yet written */
	size_t first_at, first_len, last_len, last_capacity;
	char *record;
	size_t capacity;
};

int spool__new(struct spool **ret, int dir)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fd = state__temporary(dir);
	s->first = malloc(BUFFER);
	s->last = malloc(BUFFER);
	if (s->fd < 0 || !s->first || !s->last) {
		int err = s->fd < 0 ? s->fd : -ENOMEM;

		spool__free(s);
		return err;
	}
	*ret = s;
	return 0;
}

struct spool *spool__free(struct spool *s)
{
	if (!s)
		return NULL;
	if (s->fd >= 0)
		close(s->fd);
	free(s->first);
	free(s->last);
	free(s->record);
	free(s);
	return NULL;
}

static int append_bytes(struct spool *s, const char *data, size_t len)
{
	int err;

	while (len) {
		size_t n = BUFFER - s->last_len < len ? BUFFER - s->last_len : len;

		memcpy(s->last + s->last_len, data, n);
		s->last_len += n;
		data += n;
		len -= n;
		if (s->last_len < BUFFER)
			return 0;
		err = write_all(s->fd, s->last, BUFFER, s->written);
		if (err)
			return err;
		s->written += BUFFER;
		s->last_len = 0;
	}
	return 0;
}

int spool__put(struct spool *s, const void *record, uint32_t len)
{
	int err = append_bytes(s, (const char *)&len, sizeof(len));

	return err ? err : append_bytes(s, record, len);
}

/* Refills the buffer that records are returned from. */
static int refill_first(struct spool *s)
{
	s->first_at = s->first_len = 0;
	if (s->read < s->written) {
		ssize_t n = pread(s->fd, s->first, BUFFER, s->read);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		s->read += n;
		s->first_len = n;
		return 0;
	}
	/* The whole file has been read: start over at its beginning. */
	if (s->written && ftruncate(s->fd, 0) < 0)
		return -errno;
	s->read = s->written = 0;
	memcpy(s->first, s->last, s->last_len);
	s->first_len = s->last_len;
	s->last_len = 0;
	return s->first_len ? 0 : -ENODATA;
}

static int take_bytes(struct spool *s, char *to, size_t len)
{
	while (len) {
		size_t n = s->first_len - s->first_at < len ? s->first_len - s->first_at : len;
		int err;

		memcpy(to, s->first + s->first_at, n);
		s->first_at += n;
		to += n;
		len -= n;
		if (len && (err = refill_first(s)))
			return err;
	}
	return 0;
}

int spool__take(struct spool *s, const void **ret_record, uint32_t *ret_len)
{
	uint32_t len;
	int err = take_bytes(s, (char *)&len, sizeof(len));

	if (err)
		return err == -ENODATA ? 0 : err;
	if (len > s->capacity) {
		char *record = realloc(s->record, len);

		if (!record)
			return -ENOMEM;
		s->record = record;
		s->capacity = len;
	}
	err = take_bytes(s, s->record, len);
	if (err)
		return err;
	*ret_record = s->record;
	*ret_len = len;
	return 1;
}
