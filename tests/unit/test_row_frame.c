// SPDX-License-Identifier: GPL-2.0-or-later
/* Oracles: libzstd decodes what row_frame.c writes, and compresses the same rows. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "dataset/frame.h"
#include "dataset/row_frame.h"

#define ROWS_MAX 768
#define BLOCKS 40
#define CONTENT_MAX (BLOCKS * FRAME_BLOCK_MAX)

static char block[FRAME_BLOCK_MAX + ROW_MATCHES_SLACK], content[CONTENT_MAX], got[CONTENT_MAX];
static char *frame;
static size_t content_len, frame_len;
static struct row_mark marks[ROWS_MAX];
static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static void setup(void)
{
	seed = 1;
	content_len = frame_len = 0;
	frame = malloc(BLOCKS * row_frame__bound(FRAME_BLOCK_MAX) + FRAME_TAIL_SIZE);
}

static void teardown(void)
{
	free(frame);
}

TestSuite(row_frame, .init = setup, .fini = teardown);

/* A row as the encoder makes it, and its mark. */
static size_t make_row(char *p, struct row_mark *mark, uint64_t ns)
{
	static const char *const operations[] = { "read", "open", "getattr", "close" };
	static const char *const flags[] = { "", "O_RDONLY", "O_RDONLY|O_CLOEXEC",
					     "AT_EMPTY_PATH" };
	static const char *const args[] = { "cat", "\"tar x,v\"", "find / -type f -print0" };
	uint32_t operation = draw(4), task = draw(3), path = draw(8) ? draw(50) : draw(1000000);
	char *row = p;

	p += sprintf(p, "2026-11-30 12:00:%02" PRIu64 ".%06" PRIu64, ns / 1000000000 % 60,
		     ns / 1000 % 1000000);
	p += sprintf(p, ",%s,%u,%u,task%u", operations[operation], 10 + task, 1000 + task, task);
	mark->end[PART_COMMAND] = p - row;
	p += sprintf(p, ",/usr/share/doc/%u/file%u", path / 10, path);
	mark->end[PART_FILENAME] = p - row;
	p += sprintf(p, operation ? "," : ",4096");
	mark->end[PART_SIZE] = p - row;
	p += operation ? sprintf(p, ",") : sprintf(p, ",%u", draw(1000) * 4096);
	mark->end[PART_OFFSET] = p - row;
	p += sprintf(p, operation ? "," : ",4096");
	mark->end[PART_BYTES] = p - row;
	p += sprintf(p, ",%u", 100000 + path);
	mark->end[PART_INODE] = p - row;
	p += sprintf(p, ",8:1");
	mark->end[PART_DEVICE] = p - row;
	p += sprintf(p, ",%s", flags[draw(8) ? operation : draw(4)]);
	mark->end[PART_FLAGS] = p - row;
	p += sprintf(p, ",%u", draw(10) ? 300 + draw(700) : draw(10000000));
	mark->end[PART_DURATION] = p - row;
	p += sprintf(p, ",%u", operation ? 0 : 4096);
	mark->end[PART_RETURN] = p - row;
	p += sprintf(p, ",,,,");
	mark->end[PART_ADDRESS] = p - row;
	p += sprintf(p, ",%s,%u,1,ext4", args[task], 5 + task);
	mark->end[PART_FS_TYPE] = p - row;
	p += sprintf(p, ",%" PRIu64, ns);
	mark->end[PART_MONO] = p - row;
	*p++ = '\n';
	mark->operation = operation;
	mark->task = task + 1;
	mark->path = path;
	return p - row;
}

/* Makes a block of rows of at most SIZE bytes. Returns the number of rows. */
static size_t make_rows(size_t size, size_t *ret_len)
{
	static uint64_t ns = UINT64_C(41000000000000);
	size_t n = 0, len = 0;

	while (n < ROWS_MAX && len + 512 < size)
		len += make_row(block + len, &marks[n++], ns += 500 + draw(3000));
	*ret_len = len;
	return n;
}

static void write_block(struct row_frame *f, size_t len, size_t n)
{
	memcpy(content + content_len, block, len);
	content_len += len;
	frame_len += row_frame__block(f, block, len, marks, n, frame + frame_len);
}

/* Ends the frame; libzstd must give the content, and accept the checksum. */
static void assert_decodes(struct row_frame *f)
{
	size_t r;

	frame_len += row_frame__end(f, frame + frame_len);
	r = ZSTD_decompress(got, sizeof(got), frame, frame_len);
	cr_assert(!ZSTD_isError(r), "%s", ZSTD_getErrorName(r));
	cr_assert_eq(r, content_len);
	cr_assert_arr_eq(got, content, content_len);
	row_frame__free(f);
}

static struct row_frame *new_frame(void)
{
	struct row_frame *f;

	cr_assert_eq(row_frame__new(&f), 0);
	return f;
}

/* The bytes that libzstd takes for the content at LEVEL. */
static size_t zstd_len(int level)
{
	static char out[CONTENT_MAX];

	return ZSTD_compress(out, sizeof(out), content, content_len, level);
}

Test(row_frame, rows)
{
	struct row_frame *f = new_frame();

	for (int i = 0; i < BLOCKS; i++) {
		size_t len, n = make_rows(i % 7 ? FRAME_BLOCK_MAX : 2000, &len);

		write_block(f, len, n);
	}
	assert_decodes(f);
	cr_assert_lt(frame_len, zstd_len(1), "%zu, %zu of %zu", frame_len, zstd_len(1),
		     content_len);
}

/* What is wrong in the marks must not change what is written. */
Test(row_frame, marks_that_are_wrong)
{
	struct row_frame *f = new_frame();

	for (int i = 0; i < BLOCKS; i++) {
		size_t len, n = make_rows(FRAME_BLOCK_MAX, &len);

		for (size_t row = 0; row < n; row++) {
			struct row_mark *mark = &marks[row];

			mark->operation = draw(3);
			mark->task = draw(3);
			mark->path = draw(3);
			for (int part = 1; part < PART_MONO && !draw(4); part++)
				mark->end[part] = mark->end[part - 1];
		}
		if (!draw(3))
			marks[draw(n)].end[PART_MONO] = UINT16_MAX;
		if (!draw(3))
			marks[draw(n)].end[PART_MONO] = 0;
		write_block(f, len, draw(3) ? n : draw(n));
	}
	assert_decodes(f);
}

Test(row_frame, no_marks)
{
	struct row_frame *f = new_frame();

	for (int i = 0; i < 5; i++) {
		size_t len;

		make_rows(FRAME_BLOCK_MAX, &len);
		write_block(f, len, 0);
	}
	assert_decodes(f);
}

/* Nothing in these bytes repeats. */
Test(row_frame, noise)
{
	struct row_frame *f = new_frame();

	for (int i = 0; i < 6; i++) {
		size_t len = FRAME_BLOCK_MAX, n = 0;

		if (i % 2)
			n = make_rows(FRAME_BLOCK_MAX, &len);
		for (size_t at = 0; !(i % 2) && at < len; at++)
			block[at] = (char)draw(256);
		write_block(f, len, n);
	}
	assert_decodes(f);
}

Test(row_frame, blocks_of_one_row)
{
	struct row_frame *f = new_frame();

	for (int i = 0; i < 3000; i++) {
		size_t len, n = make_rows(600, &len);

		write_block(f, len, n);
	}
	assert_decodes(f);
}

Test(row_frame, nothing)
{
	struct row_frame *f = new_frame();

	write_block(f, 0, 0);
	assert_decodes(f);
}
