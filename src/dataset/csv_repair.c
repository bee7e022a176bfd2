// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/csv_repair.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write_all.h"
#include "dataset/field.h"
#include "dataset/frame.h"
#include "platform/libc.h"
#include "schema/schema.h"

/* Maximum number of bytes written at once: a block and an empty one. */
#define WRITE_MAX (128 * 1024 + 16)

/* The shortest row has two times and a line feed. */
#define ROWS_MAX (FRAME_BLOCK_MAX / (CLOCK_WALL_LEN + 3))

struct row_time {
	int64_t wall_us;
	uint64_t mono_ns;
};

struct repair_scan {
	const struct csv_repair *repair;
	struct file_facts *facts;
	char header[SCHEMA_HEADER_MAX];
	size_t header_len;
	bool stopped, refused;
	struct field_second second;
	struct row_time times[ROWS_MAX + 1]; /* of a block */
};

/* Returns the comma-separated field that begins at *S and moves *S behind it. For lines without
 * quotes only. */
static bool next_field(const char **s, const char *end, char *buf, size_t size)
{
	const char *comma = memchr(*s, ',', end - *s);

	if (!comma || (size_t)(comma - *s) >= size)
		return false;
	memcpy(buf, *s, comma - *s);
	buf[comma - *s] = 0;
	*s = comma + 1;
	return true;
}

static void tell_lost(const struct csv_repair *r, const char *row, const char *end)
{
	char wall[CLOCK_WALL_LEN + 1], stream[32], cause[16], count[24];
	uint64_t n;

	if (next_field(&row, end, wall, sizeof(wall)) &&
	    next_field(&row, end, stream, sizeof(stream)) &&
	    next_field(&row, end, cause, sizeof(cause)) &&
	    next_field(&row, end, count, sizeof(count)) && field__uint(count, strlen(count), &n))
		r->lost(r->arg, stream, cause, n);
}

/* In all streams, a row begins with its wall time and ends with its mono_ns. */
static bool read_row(struct repair_scan *s, const char *row, const char *end, struct row_time *ret)
{
	const char *comma = memrchr(row, ',', end - row);

	return end - row > CLOCK_WALL_LEN && row[CLOCK_WALL_LEN] == ',' &&
	       field__wall_near(&s->second, row, CLOCK_WALL_LEN, &ret->wall_us) &&
	       field__uint(comma + 1, end - comma - 1, &ret->mono_ns);
}

static void tell_rows(const struct repair_scan *s, const char *row, const char *end, size_t n)
{
	const struct csv_repair *r = s->repair;

	for (size_t i = 0; r->row && i < n; i++)
		r->row(r->arg, s->times[i].wall_us, s->times[i].mono_ns);
	for (const char *lf; r->lost && s->facts->stream == STREAM_LOST && row < end;
	     row = lf + 1) {
		lf = memchr(row, '\n', end - row);
		tell_lost(r, row, lf);
	}
}

/* Accepts all rows of a block, or none. */
static bool take_rows(struct repair_scan *s, const char *content, size_t len)
{
	struct file_facts *f = s->facts, now = *f;
	const char *end = content + len, *lf;
	size_t n = 0;

	if (content[len - 1] != '\n')
		return false;
	now.raw_bytes += len;
	if (!f->raw_bytes) {
		if (len != s->header_len || memcmp(content, s->header, len))
			return false;
		*f = now;
		return true;
	}
	for (const char *row = content; row < end; row = lf + 1) {
		struct row_time *t = &s->times[n++];

		lf = memchr(row, '\n', end - row);
		if (!read_row(s, row, lf, t))
			return false;
		if (!now.rows++ || t->mono_ns < now.first_mono_ns)
			now.first_mono_ns = t->mono_ns;
		if (t->mono_ns > now.last_mono_ns)
			now.last_mono_ns = t->mono_ns;
	}
	tell_rows(s, content, end, n);
	*f = now;
	return true;
}

static bool take(void *arg, const char *content, size_t len)
{
	struct repair_scan *s = arg;

	s->stopped = s->repair->stop && atomic_load_explicit(s->repair->stop, memory_order_relaxed);
	s->refused = s->stopped || !take_rows(s, content, len);
	return !s->refused;
}

/* Returns -ENODATA if there is no row, -EBADMSG if the file is not a recorder's. */
static int scan_rows(const struct csv_repair *r, int fd, off_t size, struct file_facts *f,
		     struct frame_end *ret)
{
	struct repair_scan s = { .repair = r, .facts = f };
	int err;

	s.header_len = schema__header(f->stream, s.header);
	err = frame__find_end(fd, size, take, &s, ret);
	if (s.stopped)
		return -EINTR;
	if (err == -EBADMSG && size < FRAME_HEADER_SIZE)
		return -ENODATA;
	if (err || f->rows)
		return err;
	/* The recorder may have died before the header row, or the first rows, were written. */
	return !s.refused && size - ret->len <= WRITE_MAX ? -ENODATA : -EBADMSG;
}

static int set_sha256(int fd, struct file_facts *f)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char md[EVP_MAX_MD_SIZE];
	char buf[16384];
	ssize_t n = 0;
	off_t at = 0;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		return -ENOMEM;
	}
	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		EVP_DigestUpdate(ctx, buf, n);
		at += n;
	}
	EVP_DigestFinal_ex(ctx, md, NULL);
	EVP_MD_CTX_free(ctx);
	if (n < 0)
		return -errno;
	for (int i = 0; i < 32; i++)
		snprintf(f->sha256 + 2 * i, 3, "%02x", md[i]);
	f->compressed_bytes = at;
	return 0;
}

/* A directory that others can write to may contain links to files that we must not change. */
static int open_for_repair(int dir, const char *name, int flags, off_t *ret_size)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0) /* a symlink, a directory, a socket */
		return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EBADMSG : -errno;
	err = fstat(fd, &st) < 0 ? -errno : !S_ISREG(st.st_mode) || st.st_nlink != 1 ? -EBADMSG : 0;
	if (err) {
		close(fd);
		return err;
	}
	*ret_size = st.st_size;
	return fd;
}

static int complete_frame(int fd, const struct frame_end *end)
{
	int err;

	if (end->whole)
		return 0;
	if (ftruncate(fd, end->len) < 0)
		return -errno;
	err = write_all(fd, end->tail, FRAME_TAIL_SIZE, end->len);
	return err < 0 ? err : 0;
}

int csv_repair__finish(const struct csv_repair *r, int dir, enum stream stream, const char *name,
		       const char *final, struct file_facts *ret)
{
	struct file_facts f = { .stream = stream };
	char part[NAME_MAX + 1], path[NAME_MAX + 1];
	struct frame_end end;
	off_t size = 0;
	int fd, err;

	snprintf(part, sizeof(part), "%s.csv.zst.part", name);
	snprintf(path, sizeof(path), "%s.csv.zst", final);
	fd = open_for_repair(dir, part, O_RDWR, &size);
	if (fd < 0)
		return fd;
	err = scan_rows(r, fd, size, &f, &end);
	if (!err)
		err = complete_frame(fd, &end);
	if (!err)
		err = set_sha256(fd, &f);
	if (!err && fdatasync(fd) < 0)
		err = -errno;
	if (!err && renameat2(dir, part, dir, path, RENAME_NOREPLACE) < 0)
		err = errno != EINVAL && errno != ENOSYS ? -errno :
		      renameat(dir, part, dir, path) < 0 ? -errno :
							   0;
	close(fd);
	if (!err)
		*ret = f;
	return err;
}

int csv_repair__read(const struct csv_repair *r, int dir, enum stream stream, const char *name,
		     struct file_facts *ret)
{
	struct file_facts f = { .stream = stream };
	char path[NAME_MAX + 1];
	struct frame_end end;
	off_t size = 0;
	int fd, err;

	snprintf(path, sizeof(path), "%s.csv.zst", name);
	fd = open_for_repair(dir, path, O_RDONLY, &size);
	if (fd < 0)
		return fd;
	err = scan_rows(r, fd, size, &f, &end);
	if ((!err || err == -ENODATA) && f.raw_bytes && end.whole)
		err = 0; /* a snapshot without entries has only the header row */
	else if (!err || err == -ENODATA)
		err = -EBADMSG;
	if (!err)
		err = set_sha256(fd, &f);
	close(fd);
	if (!err)
		*ret = f;
	return err;
}
