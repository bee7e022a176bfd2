/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a frame of random sequences, and what it stands for. Oracle: libzstd decodes the frame. */
#ifndef IOTRC_TEST_BLOCKS_H
#define IOTRC_TEST_BLOCKS_H

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "dataset/zstd_block.h"

#define BLOCKS_WINDOW (128 * 1024)

struct blocks {
	struct zstd_block *z;
	unsigned char *content, *frame;
	size_t len, frame_len, size, begin; /* BEGIN: of the block */
	unsigned char *literals;            /* behind the last match */
};

/* For content of up to SIZE bytes, in any number of blocks up to SIZE. */
static inline int blocks__new(struct blocks *b, size_t size)
{
	/* Magic number, no content size, no checksum, a window of 128 KiB: RFC 8878, 3.1.1.1. */
	static const unsigned char header[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 0x38 };

	*b = (struct blocks){ .size = size };
	b->content = malloc(size + ZSTD_BLOCK_SLACK);
	b->frame = malloc(sizeof(header) + size + (size + 1) * ZSTD_BLOCK_HEADER_SIZE);
	if (!b->content || !b->frame || zstd_block__new(&b->z) < 0)
		return -1;
	memset(b->content, 0, size + ZSTD_BLOCK_SLACK);
	memcpy(b->frame, header, sizeof(header));
	b->frame_len = sizeof(header);
	b->literals = b->content;
	return 0;
}

/* The bytes that the block can still take. */
static inline size_t blocks__capacity(const struct blocks *b)
{
	size_t block = ZSTD_BLOCK_CONTENT_MAX - (b->len - b->begin), all = b->size - b->len;

	return block < all ? block : all;
}

static inline void blocks__literal(struct blocks *b, unsigned char byte)
{
	if (blocks__capacity(b))
		b->content[b->len++] = byte;
}

/* A match, made shorter and nearer as far as necessary; none if there is no room. */
static inline void blocks__match(struct blocks *b, size_t len, size_t offset)
{
	unsigned char *at = b->content + b->len;

	if (offset > b->len)
		offset = b->len;
	if (offset > BLOCKS_WINDOW)
		offset = BLOCKS_WINDOW;
	if (len > blocks__capacity(b))
		len = blocks__capacity(b);
	if (len < ZSTD_BLOCK_MATCH_MIN || !offset)
		return;
	for (size_t i = 0; i < len; i++)
		at[i] = *(at + i - offset);
	zstd_block__add(b->z, b->literals, at - b->literals, len, offset);
	b->len += len;
	b->literals = b->content + b->len;
}

static inline void blocks__end_block(struct blocks *b, bool last)
{
	const unsigned char *end = b->content + b->len;

	b->frame_len += zstd_block__end(b->z, b->content + b->begin, b->len - b->begin, b->literals,
					end - b->literals, last, b->frame + b->frame_len);
	b->begin = b->len;
	b->literals = b->content + b->len;
}

/* Ends the frame. Returns whether libzstd decodes it to the content. */
static inline bool blocks__hold(struct blocks *b)
{
	unsigned char *got = malloc(b->size + 1);
	size_t n;
	bool same;

	blocks__end_block(b, true);
	n = ZSTD_decompress(got, b->size + 1, b->frame, b->frame_len);
	same = !ZSTD_isError(n) && n == b->len && !memcmp(got, b->content, n);
	free(got);
	return same;
}

static inline void blocks__free(struct blocks *b)
{
	zstd_block__free(b->z);
	free(b->content);
	free(b->frame);
}

#endif
