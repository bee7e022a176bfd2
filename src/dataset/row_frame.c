// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/row_frame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xxh64.h"
#include "dataset/frame.h"
#include "dataset/zstd_block.h"

/* With a window of 128 KiB: RFC 8878, 3.1.1.1.2. */
static const unsigned char header[FRAME_HEADER_SIZE] = { FRAME_HEADER_START, 0x38 };

struct row_frame {
	struct row_matches *matches;
	struct zstd_block *block;
	struct xxh64 checksum;
	bool begun; /* it has its header */
};

int row_frame__new(struct row_frame **ret)
{
	struct row_frame *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	if (row_matches__new(&f->matches) < 0 || zstd_block__new(&f->block) < 0) {
		row_frame__free(f);
		return -ENOMEM;
	}
	xxh64__begin(&f->checksum);
	*ret = f;
	return 0;
}

struct row_frame *row_frame__free(struct row_frame *f)
{
	if (!f)
		return NULL;
	row_matches__free(f->matches);
	zstd_block__free(f->block);
	free(f);
	return NULL;
}

size_t row_frame__bound(size_t len)
{
	return FRAME_HEADER_SIZE + ZSTD_BLOCK_MAX(len);
}

size_t row_frame__block(struct row_frame *f, const char *data, size_t len,
			const struct row_mark *marks, size_t n, char *dst)
{
	size_t done = 0, rest = row_matches__find(f->matches, data, len, marks, n, f->block);

	if (!f->begun) {
		memcpy(dst, header, sizeof(header));
		done = sizeof(header);
		f->begun = true;
	}
	xxh64__add(&f->checksum, data, len);
	return done + zstd_block__end(f->block, data, len, data + rest, len - rest, false,
				      (unsigned char *)dst + done);
}

size_t row_frame__end(struct row_frame *f, char *dst)
{
	frame__write_tail(xxh64__end(&f->checksum), (unsigned char *)dst);
	return FRAME_TAIL_SIZE;
}
