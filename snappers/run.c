// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/run.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/write_all.h"

/* Small windows and buffers: dozens of runs are read at the same time. */
#define WINDOW_LOG 17
#define IN_SIZE (64 * 1024)
#define OUT_SIZE (64 * 1024)
#define END_MARK UINT32_MAX

struct run_writer {
	int fd, error;
	off_t at;
	ZSTD_CCtx *ctx;
	size_t fill;
	char in[IN_SIZE], out[OUT_SIZE];
};

struct run_reader {
	int fd;
	off_t at;
	ZSTD_DCtx *ctx;
	ZSTD_inBuffer in;
	size_t from, to; /* part of OUT not yet returned */
	bool frame_ended;
	char *record;
	size_t capacity;
	char in_buf[IN_SIZE], out[OUT_SIZE];
};

int run_writer__new(struct run_writer **ret, int fd)
{
	struct run_writer *w = malloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->error = 0;
	w->at = 0;
	w->fill = 0;
	w->ctx = ZSTD_createCCtx();
	if (!w->ctx) {
		free(w);
		return -ENOMEM;
	}
	ZSTD_CCtx_setParameter(w->ctx, ZSTD_c_compressionLevel, 1);
	ZSTD_CCtx_setParameter(w->ctx, ZSTD_c_windowLog, WINDOW_LOG);
	ZSTD_CCtx_setParameter(w->ctx, ZSTD_c_checksumFlag, 1);
	*ret = w;
	return 0;
}

struct run_writer *run_writer__free(struct run_writer *w)
{
	if (w)
		ZSTD_freeCCtx(w->ctx);
	free(w);
	return NULL;
}

static int compress(struct run_writer *w, ZSTD_EndDirective op)
{
	ZSTD_inBuffer in = { w->in, w->fill, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { w->out, OUT_SIZE, 0 };

		left = ZSTD_compressStream2(w->ctx, &out, &in, op);
		if (ZSTD_isError(left))
			w->error = -ENOMEM;
		else if (!w->error)
			w->error = write_all(w->fd, w->out, out.pos, w->at);
		w->at += out.pos;
	} while (!w->error && (in.pos < in.size || (op == ZSTD_e_end && left)));
	w->fill = 0;
	return w->error;
}

static int write_bytes(struct run_writer *w, const char *s, size_t len)
{
	while (len && !w->error) {
		size_t n = IN_SIZE - w->fill < len ? IN_SIZE - w->fill : len;

		memcpy(w->in + w->fill, s, n);
		w->fill += n;
		s += n;
		len -= n;
		if (w->fill == IN_SIZE)
			compress(w, ZSTD_e_continue);
	}
	return w->error;
}

int run_writer__add(struct run_writer *w, const void *record, uint32_t len)
{
	write_bytes(w, (const char *)&len, sizeof(len));
	return write_bytes(w, record, len);
}

int run_writer__end(struct run_writer *w)
{
	uint32_t mark = END_MARK;

	write_bytes(w, (const char *)&mark, sizeof(mark));
	return w->error ? w->error : compress(w, ZSTD_e_end);
}

int run_reader__new(struct run_reader **ret, int fd)
{
	struct run_reader *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	memset(r, 0, offsetof(struct run_reader, in_buf));
	r->fd = fd;
	r->ctx = ZSTD_createDCtx();
	if (!r->ctx) {
		free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

struct run_reader *run_reader__free(struct run_reader *r)
{
	if (!r)
		return NULL;
	ZSTD_freeDCtx(r->ctx);
	free(r->record);
	free(r);
	return NULL;
}

/* Fills OUT. */
static int decompress_more(struct run_reader *r)
{
	while (!r->frame_ended) {
		ZSTD_outBuffer out = { r->out, OUT_SIZE, 0 };
		size_t left;

		if (r->in.pos == r->in.size) {
			ssize_t n = pread(r->fd, r->in_buf, IN_SIZE, r->at);

			if (n <= 0)
				return n < 0 ? -errno : -EBADMSG;
			r->at += n;
			r->in = (ZSTD_inBuffer){ r->in_buf, n, 0 };
		}
		left = ZSTD_decompressStream(r->ctx, &out, &r->in);
		if (ZSTD_isError(left))
			return -EBADMSG;
		r->frame_ended = !left;
		if (out.pos) {
			r->from = 0;
			r->to = out.pos;
			return 0;
		}
	}
	return -EBADMSG;
}

static int read_bytes(struct run_reader *r, char *to, size_t len)
{
	while (len) {
		size_t n = r->to - r->from < len ? r->to - r->from : len;
		int err;

		memcpy(to, r->out + r->from, n);
		r->from += n;
		to += n;
		len -= n;
		if (len && (err = decompress_more(r)))
			return err;
	}
	return 0;
}

/* The frame must end after the mark: only then has its checksum been verified. */
static int check_end(struct run_reader *r)
{
	if (r->from < r->to)
		return -EBADMSG;
	if (r->frame_ended)
		return 0;
	return decompress_more(r) == -EBADMSG && r->frame_ended ? 0 : -EBADMSG;
}

int run_reader__next(struct run_reader *r, const void **ret_record, uint32_t *ret_len)
{
	uint32_t len;
	int err = read_bytes(r, (char *)&len, sizeof(len));

	if (err)
		return err;
	if (len == END_MARK)
		return check_end(r);
	if (len > RUN_RECORD_MAX)
		return -EBADMSG;
	if (len > r->capacity || !r->record) {
		char *record = realloc(r->record, len + 1);

		if (!record)
			return -ENOMEM;
		r->record = record;
		r->capacity = len;
	}
	err = read_bytes(r, r->record, len);
	if (err)
		return err;
	*ret_record = r->record;
	*ret_len = len;
	return 1;
}
