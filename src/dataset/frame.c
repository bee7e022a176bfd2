// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/xxh64.h"
#include "dataset/zstd_block.h"

/* The largest window that the zstd tool and most libraries accept by default: 128 MiB. */
#define WINDOW_LOG_MAX 27

struct frame {
	int fd;
	off_t size;
	ZSTD_DCtx *dctx;
	struct xxh64 hash; /* of the content */
	char *in, *content;
};

void frame__write_tail(uint64_t checksum, unsigned char *ret)
{
	/* Last_Block, Raw_Block, no bytes (RFC 8878, 3.1.1.2). */
	*ret++ = 1;
	*ret++ = 0;
	*ret++ = 0;
	for (int i = 0; i < 4; i++)
		*ret++ = checksum >> 8 * i;
}

/* Reads LEN bytes into f->in + SKIP. Returns 1, 0 if there are fewer, or a negative errno. */
static int read_at(struct frame *f, size_t skip, size_t len, off_t at)
{
	if ((off_t)len > f->size - at)
		return 0;
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(f->fd, f->in + skip + done, len - done, at + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		done += n;
	}
	return 1;
}

/* Decodes LEN bytes of f->in. Returns false if they are not valid. */
static bool decode(struct frame *f, size_t len, size_t *ret_content)
{
	ZSTD_inBuffer in = { f->in, len, 0 };
	ZSTD_outBuffer out = { f->content, FRAME_BLOCK_MAX + 1, 0 };

	while (in.pos < in.size) {
		size_t before = in.pos, r = ZSTD_decompressStream(f->dctx, &out, &in);

		if (ZSTD_isError(r) || r == 0 || in.pos == before)
			return false;
	}
	*ret_content = out.pos;
	return out.pos <= FRAME_BLOCK_MAX;
}

/* Reads the block at AT into f->in. Returns 1, 0 if it is incomplete or the last one, or a negative
 * errno. */
static int read_block(struct frame *f, off_t at, size_t *ret_len)
{
	const unsigned char *in = (const unsigned char *)f->in;
	int r = read_at(f, 0, ZSTD_BLOCK_HEADER_SIZE, at);
	size_t size, on_disk;
	enum zstd_block_type type;

	if (r <= 0)
		return r;
	type = in[0] >> 1 & 3;
	size = (in[0] | in[1] << 8 | in[2] << 16) >> 3;
	on_disk = type == RLE_BLOCK ? 1 : size;
	if (in[0] & 1 || type == RESERVED_BLOCK || size > FRAME_BLOCK_MAX)
		return 0;
	r = read_at(f, ZSTD_BLOCK_HEADER_SIZE, on_disk, at + ZSTD_BLOCK_HEADER_SIZE);
	if (r > 0)
		*ret_len = ZSTD_BLOCK_HEADER_SIZE + on_disk;
	return r;
}

static uint64_t count_lines(const char *content, size_t len)
{
	const char *end = content + len, *lf;
	uint64_t n = 0;

	for (; content < end && (lf = memchr(content, '\n', end - content)); content = lf + 1)
		n++;
	return n;
}

static int walk(struct frame *f, bool (*take)(void *arg, const char *content, size_t len),
		void *arg, struct frame_end *ret)
{
	static const unsigned char start[FRAME_HEADER_SIZE - 1] = { FRAME_HEADER_START };
	off_t at = FRAME_HEADER_SIZE;
	uint64_t total = 0, lines = 0;
	size_t len, content;
	int r = read_at(f, 0, FRAME_HEADER_SIZE, 0);

	if (r < 0)
		return r;
	if (!r || memcmp(f->in, start, sizeof(start)))
		return -EBADMSG;
	f->in[4] = 0; /* the decoder need not compute the checksum, too */
	if (!decode(f, FRAME_HEADER_SIZE, &content))
		return -EBADMSG;
	ret->len = at;
	while ((r = read_block(f, at, &len)) > 0) {
		if (!decode(f, len, &content))
			break;
		total += content;
		lines += count_lines(f->content, content);
		if (frame__is_bomb(at + len, total, lines))
			break;
		if (content && take && !take(arg, f->content, content))
			break;
		xxh64__add(&f->hash, f->content, content);
		at += len;
		if (content)
			ret->len = at;
	}
	if (r < 0)
		return r;
	frame__write_tail(xxh64__end(&f->hash), ret->tail);
	ret->whole = f->size == at + FRAME_TAIL_SIZE && read_at(f, 0, FRAME_TAIL_SIZE, at) > 0 &&
		     !memcmp(f->in, ret->tail, FRAME_TAIL_SIZE);
	return 0;
}

int frame__find_end(int fd, off_t size, bool (*take)(void *arg, const char *content, size_t len),
		    void *arg, struct frame_end *ret)
{
	struct frame f = {
		.fd = fd,
		.size = size,
		.dctx = ZSTD_createDCtx(),
		.in = malloc(ZSTD_BLOCK_HEADER_SIZE + FRAME_BLOCK_MAX),
		.content = malloc(FRAME_BLOCK_MAX + 1),
	};
	struct frame_end end = { 0 };
	int err = -ENOMEM;

	if (f.dctx && f.in && f.content) {
		ZSTD_DCtx_setParameter(f.dctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
		xxh64__begin(&f.hash);
		err = walk(&f, take, arg, &end);
	}
	if (!err)
		*ret = end;
	ZSTD_freeDCtx(f.dctx);
	free(f.in);
	free(f.content);
	return err;
}
