// SPDX-License-Identifier: GPL-2.0-or-later
/* One file of a dataset. */
#include "dataset/csv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/write_all.h"
#include "dataset/disk_budget.h"
#include "dataset/frame.h"
#include "dataset/row_frame.h"
#include "dataset/session.h"
#include "platform/libc.h"
#include "schema/schema.h"

/* After this many bytes, writeback is started. Otherwise it waits for up to 30 s
 * (vm.dirty_expire_centisecs), and the sync at the end has to wait for all of it. */
#define PUSH_BYTES (1 << 20)

/* The window is one block. Rows resemble their neighbours: with four times that window, level 1
 * found no more matches, and the window did not fit into the CPU's cache (docs/performance.md has
 * sizes and speeds of both). */
#define WINDOW_LOG 17

/* ZSTD_c_useBlockSplitter, an experimental parameter of <zstd.h>, and the value that disables it.
 * If zstd splits a block (at levels from 13 on), it no longer ends with a row. Versions without
 * this parameter refuse it, and never split. */
#define NO_BLOCK_SPLITTER ZSTD_c_experimentalParam13, 2

struct csv_file {
	int session_fd, dir_fd, fd;
	struct disk_budget *budget;
	uid_t uid;
	gid_t gid;
	const char *subdir;
	char *name; /* without .csv.zst */
	char *part;
	char *path;             /* facts.path */
	struct row_frame *rows; /* the compressor of marked rows … */
	ZSTD_CCtx *cctx;        /* … or of any text: one of them is NULL */
	EVP_MD_CTX *sha;        /* of the bytes in [0, len) */
	char *out;
	size_t out_size;
	off_t len;    /* end of the last whole block on disk */
	off_t pushed; /* writeback was begun up to here */
	int error;    /* why the frame ends at len */
	bool torn;    /* bytes behind len could not be truncated */
	bool ended;   /* the frame has its end */
	bool renamed;
	bool named;    /* its name has been synced as well */
	bool unsynced; /* a sync failed: cached pages may never be written */
	bool spoilt;   /* the cache does not contain what was written */
	struct file_facts facts;
};

void csv_file__name(char buf[CSV_FILE_NAME_MAX], enum stream stream, unsigned seq)
{
	struct timespec now;
	char stamp[STAMP_SIZE];

	clock_gettime(CLOCK_REALTIME, &now);
	session__stamp(stamp, &now);
	snprintf(buf, CSV_FILE_NAME_MAX, "%s_%s_%04u", schema_streams[stream].prefix, stamp, seq);
}

static void cut_torn(struct csv_file *f)
{
	f->torn = ftruncate(f->fd, f->len) < 0;
}

static int write_block(struct csv_file *f, const void *block, size_t len)
{
	int err = write_all(f->fd, block, len, f->len);

	if (err < 0) {
		cut_torn(f);
		return err;
	}
	EVP_DigestUpdate(f->sha, block, len);
	f->len += len;
	if (f->budget)
		disk_budget__took(f->budget, len);
	f->facts.compressed_bytes = f->len;
	if (f->len - f->pushed >= PUSH_BYTES) {
		sync_file_range(f->fd, f->pushed, f->len - f->pushed, SYNC_FILE_RANGE_WRITE);
		f->pushed = f->len;
	}
	return 0;
}

/* Compresses ROWS to f->out, or ends the frame if there are none. Returns the length, or
 * -ENOMEM. */
static ssize_t compress(struct csv_file *f, const struct csv_rows *rows)
{
	ZSTD_inBuffer in = { rows->data, rows->len, 0 };
	ZSTD_outBuffer out = { f->out, f->out_size - FRAME_EMPTY_BLOCK_SIZE, 0 };
	size_t left;

	if (f->rows && !rows->len)
		return row_frame__end(f->rows, f->out);
	if (f->rows)
		return row_frame__block(f->rows, rows->data, rows->len, rows->marks, rows->n_marks,
					f->out);
	left = ZSTD_compressStream2(f->cctx, &out, &in, rows->len ? ZSTD_e_flush : ZSTD_e_end);
	return ZSTD_isError(left) || left ? -ENOMEM : (ssize_t)out.pos;
}

/* Compresses and writes a block; on an error the frame ends before it. Without rows, ends the
 * frame. */
static int put(struct csv_file *f, const struct csv_rows *rows)
{
	ssize_t n = compress(f, rows);
	int err = n < 0 ? (int)n : 0;

	if (!err && rows->len) {
		memcpy(f->out + n, FRAME_EMPTY_BLOCK, FRAME_EMPTY_BLOCK_SIZE);
		n += FRAME_EMPTY_BLOCK_SIZE;
	}
	if (!err)
		err = write_block(f, f->out, n);
	if (err < 0)
		f->error = err;
	return err;
}

/* Rows with marks have a compressor of their own, which is faster than the fastest level of zstd
 * and as good as level 1. Higher levels are for those who want fewer bytes. */
static int new_compressor(struct csv_file *f, int level)
{
	if (level <= 1 && MARKED_STREAMS >> f->facts.stream & 1)
		return row_frame__new(&f->rows);
	f->cctx = ZSTD_createCCtx();
	if (!f->cctx)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(f->cctx, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(f->cctx, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(f->cctx, ZSTD_c_windowLog, WINDOW_LOG);
	ZSTD_CCtx_setParameter(f->cctx, NO_BLOCK_SPLITTER);
	return 0;
}

static int open_files(struct csv_file *f, uid_t uid, gid_t gid)
{
	f->dir_fd = session__enter(f->session_fd, f->subdir, uid, gid);
	if (f->dir_fd < 0)
		return f->dir_fd;
	f->fd = session__create(f->dir_fd, f->part, uid, gid);
	if (f->fd < 0) {
		unlinkat(f->session_fd, f->subdir, AT_REMOVEDIR); /* fails unless empty */
		return f->fd;
	}
	return 0;
}

int csv_file__new(struct csv_file **ret, const struct csv_file_config *config)
{
	struct csv_file *f = calloc(1, sizeof(*f));
	char header[SCHEMA_HEADER_MAX + ROW_MATCHES_SLACK];
	struct csv_rows head = { .data = header };
	int err = -ENOMEM;

	if (!f)
		return -ENOMEM;
	if (config->budget && disk_budget__check(config->budget, CSV_FILE_BLOCK) < 0) {
		free(f);
		return -ENOSPC;
	}
	f->budget = config->budget;
	f->uid = config->uid;
	f->gid = config->gid;
	f->session_fd = config->session_fd;
	f->dir_fd = f->fd = -1;
	f->subdir = schema_streams[config->stream].subdir;
	f->facts.stream = config->stream;
	f->name = strdup(config->name);
	if (asprintf(&f->part, "%s.csv.zst.part", config->name) < 0)
		f->part = NULL;
	/* The frame's header is included, at most 18 bytes. */
	f->out_size =
		MAX(ZSTD_compressBound(CSV_FILE_BLOCK) + 32, row_frame__bound(CSV_FILE_BLOCK)) +
		FRAME_EMPTY_BLOCK_SIZE;
	f->out = malloc(f->out_size);
	f->sha = EVP_MD_CTX_new();
	if (!f->name || !f->part || !f->out || !f->sha ||
	    new_compressor(f, config->level ?: 1) < 0 ||
	    EVP_DigestInit_ex(f->sha, EVP_sha256(), NULL) != 1)
		goto fail;
	err = open_files(f, config->uid, config->gid);
	if (err < 0)
		goto fail;
	head.len = schema__header(config->stream, header);
	err = put(f, &head);
	if (err < 0) {
		csv_file__abandon(f);
		return err;
	}
	f->facts.raw_bytes = head.len;
	*ret = f;
	return 0;
fail:
	csv_file__free(f);
	return err;
}

int csv_file__append(struct csv_file *f, const struct csv_rows *rows)
{
	struct file_facts *facts = &f->facts;
	int err;

	if (rows->len > CSV_FILE_BLOCK)
		return -E2BIG;
	if (f->error)
		return f->error;
	if (f->ended)
		return -EBADF;
	if (!rows->len)
		return 0;
	if (f->budget && disk_budget__check(f->budget, rows->len) < 0)
		return -ENOSPC;
	err = put(f, rows);
	if (err < 0)
		return err;
	if (rows->n && (!facts->rows || rows->first_ns < facts->first_mono_ns))
		facts->first_mono_ns = rows->first_ns;
	if (rows->n && rows->last_ns > facts->last_mono_ns)
		facts->last_mono_ns = rows->last_ns;
	facts->rows += rows->n;
	facts->raw_bytes += rows->len;
	return 0;
}

/* The compressor cannot undo the block that did not fit, so the end of such a frame is computed
 * from what is on disk. */
static int end_open_frame(struct csv_file *f)
{
	struct frame_end end;
	int err;

	if (!f->error)
		return put(f, &(struct csv_rows){ 0 });
	err = frame__find_end(f->fd, f->len, NULL, NULL, &end);
	if (!err && end.len + FRAME_EMPTY_BLOCK_SIZE != f->len)
		err = -EBADMSG;
	return err < 0 ? err : write_block(f, end.tail, sizeof(end.tail));
}

static int rename_file(struct csv_file *f, const char *name)
{
	char *path;
	const char *file;
	int err;

	if (asprintf(&path, "%s/%s.csv.zst", f->subdir, name) < 0)
		return -ENOMEM;
	file = path + strlen(f->subdir) + 1;
	if (renameat(f->dir_fd, f->part, f->dir_fd, file) < 0) {
		err = -errno;
		free(path);
		return err;
	}
	f->path = path;
	f->facts.path = path;
	f->renamed = true;
	return 0;
}

static void get_sha256(EVP_MD_CTX *sha, char ret[65])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	EVP_DigestFinal_ex(sha, md, &n);
	for (unsigned i = 0; i < n && i < 32; i++)
		snprintf(ret + 2 * i, 3, "%02x", md[i]);
}

/* EINVAL: a file system whose directories cannot be synced. */
static int sync_dir(int fd)
{
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int csv_file__sync(struct csv_file *f)
{
	int err = 0;

	if (fdatasync(f->fd) < 0) {
		f->unsynced = true;
		return -errno;
	}
	if (!f->named) {
		err = sync_dir(f->dir_fd);
		if (!err)
			err = sync_dir(f->session_fd);
		f->named = !err;
	}
	return err;
}

/* Copies the file's content from the page cache to TO, if it is what was written. */
static int copy_to(struct csv_file *f, int to)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	char buf[16384], sha256[65] = "";
	int err = sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

	for (off_t at = 0; at < f->len && !err;) {
		size_t want = f->len - at < (off_t)sizeof(buf) ? f->len - at : (off_t)sizeof(buf);
		ssize_t n = pread(f->fd, buf, want, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : -EIO;
			break;
		}
		EVP_DigestUpdate(sha, buf, n);
		err = write_all(to, buf, n, at);
		at += n;
	}
	if (!err) {
		get_sha256(sha, sha256);
		f->spoilt = strcmp(sha256, f->facts.sha256);
		err = f->spoilt ? -EBADMSG : 0;
	}
	EVP_MD_CTX_free(sha);
	if (!err && fdatasync(to) < 0)
		err = -errno;
	return err;
}

/* If a page could not be written, the kernel marks it clean nevertheless, and a later sync succeeds
 * without it. Writing the page again does not help: ext4 leaves an extent 'unwritten' after a
 * failed I/O (ext4_end_io_end(), fs/ext4/page-io.c), so that it reads as zeroes once the cache is
 * dropped. A new file gets blocks of its own. */
static int write_again(struct csv_file *f)
{
	char *name;
	int fd, err;

	if (asprintf(&name, ".%s" CSV_FILE_COPY_END, f->name) < 0)
		return -ENOMEM;
	fd = session__create(f->dir_fd, name, f->uid, f->gid);
	err = fd < 0 ? fd : copy_to(f, fd);
	if (!err && renameat(f->dir_fd, name, f->dir_fd, f->part) < 0)
		err = -errno;
	if (!err && dup3(fd, f->fd, O_CLOEXEC) < 0)
		err = -errno;
	if (fd >= 0 && err)
		unlinkat(f->dir_fd, name, 0);
	if (fd >= 0)
		close(fd);
	free(name);
	return err;
}

int csv_file__finish(struct csv_file *f, const char *name)
{
	int err;

	if (!f->ended) {
		err = end_open_frame(f);
		if (err < 0)
			return err;
		get_sha256(f->sha, f->facts.sha256);
		f->ended = true;
	}
	if (f->torn) {
		cut_torn(f);
		if (f->torn)
			return -errno;
	}
	if (f->unsynced && !f->renamed) {
		err = write_again(f);
		if (err < 0)
			return err;
		f->unsynced = false;
	}
	err = csv_file__sync(f);
	if (err < 0)
		return err;
	if (!f->renamed) {
		err = rename_file(f, name ? name : f->name);
		if (err < 0)
			return err;
	}
	return sync_dir(f->dir_fd);
}

bool csv_file__lost(const struct csv_file *f)
{
	struct stat st;

	return f->spoilt || (fstat(f->fd, &st) == 0 && !st.st_nlink);
}

const struct file_facts *csv_file__facts(const struct csv_file *f)
{
	return &f->facts;
}

struct csv_file *csv_file__free(struct csv_file *f)
{
	if (!f)
		return NULL;
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	row_frame__free(f->rows);
	ZSTD_freeCCtx(f->cctx);
	EVP_MD_CTX_free(f->sha);
	free(f->out);
	free(f->name);
	free(f->part);
	free(f->path);
	free(f);
	return NULL;
}

struct csv_file *csv_file__abandon(struct csv_file *f)
{
	if (f && !f->renamed) {
		unlinkat(f->dir_fd, f->part, 0);
		unlinkat(f->session_fd, f->subdir, AT_REMOVEDIR); /* fails unless empty */
	}
	return csv_file__free(f);
}
