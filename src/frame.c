// SPDX-License-Identifier: GPL-2.0-only
/* Closing a Zstandard frame that broke off. The checksum at a frame's end is of its content alone
 * (RFC 8878, 3.1.1), so that zstd itself computes it: the content goes through a second, throw-away
 * compression, whose last four bytes it is. */
#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

struct frame {
	ZSTD_DCtx *dctx;
	ZSTD_CCtx *cctx;
	char *in, *content, *out;
	size_t in_size, content_size, out_size;
	unsigned char last[4]; /* of the second compression's output */
};

static int feed(struct frame *f, const void *content, size_t len, ZSTD_EndDirective op)
{
	ZSTD_inBuffer in = { content, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { f->out, f->out_size, 0 };
		size_t keep;

		left = ZSTD_compressStream2(f->cctx, &out, &in, op);
		if (ZSTD_isError(left))
			return -ENOMEM;
		keep = out.pos < sizeof(f->last) ? out.pos : sizeof(f->last);
		memmove(f->last, f->last + keep, sizeof(f->last) - keep);
		memcpy(f->last + sizeof(f->last) - keep, f->out + out.pos - keep, keep);
	} while (op == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

static int decode(struct frame *f, int fd, off_t len)
{
	int err;

	for (off_t at = 0; at < len;) {
		size_t want = (off_t)f->in_size < len - at ? f->in_size : (size_t)(len - at);
		ssize_t n = pread(fd, f->in, want, at);
		ZSTD_inBuffer in = { f->in, n > 0 ? n : 0, 0 };
		ZSTD_outBuffer out;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		at += n;
		/* Output that fills the buffer may have left more inside the decoder. */
		do {
			size_t r;

			out = (ZSTD_outBuffer){ f->content, f->content_size, 0 };
			r = ZSTD_decompressStream(f->dctx, &out, &in);
			if (ZSTD_isError(r) || r == 0) /* 0: the frame has its end already */
				return -EBADMSG;
			err = feed(f, f->content, out.pos, ZSTD_e_continue);
			if (err < 0)
				return err;
		} while (in.pos < in.size || out.pos == out.size);
	}
	return feed(f, NULL, 0, ZSTD_e_end);
}

int frame__tail(int fd, off_t len, unsigned char ret_tail[FRAME_TAIL_SIZE])
{
	struct frame f = {
		.dctx = ZSTD_createDCtx(),
		.cctx = ZSTD_createCCtx(),
		.in_size = ZSTD_DStreamInSize(),
		.content_size = ZSTD_DStreamOutSize(),
		.out_size = ZSTD_CStreamOutSize(),
	};
	int err = -ENOMEM;

	f.in = malloc(f.in_size);
	f.content = malloc(f.content_size);
	f.out = malloc(f.out_size);
	if (f.dctx && f.cctx && f.in && f.content && f.out) {
		ZSTD_CCtx_setParameter(f.cctx, ZSTD_c_compressionLevel, 1);
		ZSTD_CCtx_setParameter(f.cctx, ZSTD_c_checksumFlag, 1);
		err = decode(&f, fd, len);
	}
	if (!err) {
		/* Last_Block, Raw_Block, no bytes (RFC 8878, 3.1.1.2). */
		memcpy(ret_tail, "\1\0\0", 3);
		memcpy(ret_tail + 3, f.last, sizeof(f.last));
	}
	ZSTD_freeDCtx(f.dctx);
	ZSTD_freeCCtx(f.cctx);
	free(f.in);
	free(f.content);
	free(f.out);
	return err;
}
