// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/row_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "dataset/frame.h"
#include "platform/libc.h"

#define IN_SIZE (128 * 1024)
/* The largest window that the zstd tool and most libraries accept by default: 128 MiB. */
#define WINDOW_LOG_MAX 27
#define BUF_SIZE (ROW_FILE_LINE_MAX + ZSTD_BLOCKSIZE_MAX)
#define ROW_TOO_LONG "a row of more than a megabyte"

struct row_file {
	struct row_file_config config;
	ZSTD_DCtx *ctx;
	ZSTD_inBuffer in;
	uint64_t compressed, raw, lines;
	bool begun, has_checksum, frame_ended, eof;
	bool full; /* the decoder's output buffer was full */
	int error; /* a negative errno; sticks */
	const char *why;
	size_t start, fill; /* buf[start..fill) has not been returned yet */
	unsigned char input[IN_SIZE];
	char buf[BUF_SIZE + ROW_FILE_SLACK];
};

int row_file__new(struct row_file **ret, const struct row_file_config *config)
{
	struct row_file *f = malloc(sizeof(*f));

	if (!f)
		return -ENOMEM;
	memset(f, 0, offsetof(struct row_file, input));
	f->config = *config;
	f->in.src = f->input;
	f->ctx = ZSTD_createDCtx();
	if (!f->ctx) {
		free(f);
		return -ENOMEM;
	}
	ZSTD_DCtx_setParameter(f->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	*ret = f;
	return 0;
}

struct row_file *row_file__free(struct row_file *f)
{
	if (f)
		ZSTD_freeDCtx(f->ctx);
	free(f);
	return NULL;
}

static int stop_reading(struct row_file *f, int err, const char *why)
{
	f->error = err;
	f->why = why;
	return err;
}

/* RFC 8878, 3.1.1: the magic number, then the frame header descriptor. Its bit 2 says that a
 * checksum of the content follows the blocks. */
static int check_frame_header(struct row_file *f)
{
	static const unsigned char magic[] = { FRAME_MAGIC };

	if (f->in.size < 5 || memcmp(f->input, magic, sizeof(magic)))
		return stop_reading(f, -EBADMSG, "no Zstandard frame");
	f->has_checksum = f->input[4] & 4;
	f->begun = true;
	return 0;
}

/* Reads the next bytes, at most IN_SIZE. */
static int read_input(struct row_file *f)
{
	size_t fill = 0;

	while (fill < IN_SIZE) {
		ssize_t n = read(f->config.fd, f->input + fill, IN_SIZE - fill);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stop_reading(f, -errno, strerror(errno));
		if (!n)
			break;
		fill += n;
	}
	f->eof = !fill;
	f->in.size = fill;
	f->in.pos = 0;
	f->compressed += fill;
	if (fill && f->config.compressed)
		f->config.compressed(f->config.arg, f->input, fill);
	return 0;
}

static int read_more(struct row_file *f)
{
	int err = read_input(f);

	return err || f->begun || f->eof ? err : check_frame_header(f);
}

void row_file__skip(struct row_file *f)
{
	int error = f->error;
	const char *why = f->why;

	while (!f->eof && !read_input(f))
		;
	f->error = error;
	f->why = why;
}

/* Frees space in buf, which then begins with the incomplete line. */
static void compact(struct row_file *f)
{
	memmove(f->buf, f->buf + f->start, f->fill - f->start);
	f->fill -= f->start;
	f->start = 0;
}

/* Returns the number of bytes behind the last line feed, to detect lines that are too long. */
static size_t unended(const struct row_file *f)
{
	const char *lf =
		f->fill < ROW_FILE_LINE_MAX ? f->buf + f->fill : memrchr(f->buf, '\n', f->fill);

	return lf ? (size_t)(f->buf + f->fill - lf) : f->fill;
}

/* Decompresses more. Returns 0, or a negative errno. */
static int decompress(struct row_file *f)
{
	ZSTD_outBuffer out = { f->buf, BUF_SIZE, f->fill };
	size_t left;

	if (f->frame_ended && f->in.pos < f->in.size)
		return stop_reading(f, -EBADMSG, "data after the end of the frame");
	left = ZSTD_decompressStream(f->ctx, &out, &f->in);
	if (ZSTD_isError(left))
		return stop_reading(f, -EBADMSG, ZSTD_getErrorName(left));
	f->raw += out.pos - f->fill;
	f->fill = out.pos;
	f->full = out.pos == out.size;
	f->frame_ended = !left;
	if (unended(f) >= ROW_FILE_LINE_MAX)
		return stop_reading(f, -EBADMSG, ROW_TOO_LONG);
	if (frame__is_bomb(f->compressed, f->raw, f->lines))
		return stop_reading(f, -EBADMSG, FRAME_BOMB);
	if (f->config.raw_bytes && f->raw > f->config.raw_bytes)
		return stop_reading(f, -EBADMSG, "more data than raw_bytes states");
	return 0;
}

/* Appends content behind fill. Returns 1, 0 at the end, or a negative errno. */
static int more(struct row_file *f)
{
	size_t before = f->fill;
	int err = 0;

	while (!err && f->fill == before) {
		/* A decoder that filled the buffer may have more output, without more input. */
		if (f->in.pos == f->in.size && !f->full) {
			err = f->eof ? 0 : read_more(f);
			if (!err && f->eof)
				return 0;
		}
		if (!err)
			err = decompress(f);
	}
	return err ? err : 1;
}

int row_file__next(struct row_file *f, char **ret_line, size_t *ret_len)
{
	size_t looked = f->start;
	int got;

	if (f->error)
		return f->error;
	for (;;) {
		char *lf = memchr(f->buf + looked, '\n', f->fill - looked);

		if (lf) {
			*ret_line = f->buf + f->start;
			*ret_len = lf - *ret_line;
			f->start = lf + 1 - f->buf;
			f->lines++;
			return 1;
		}
		if (f->fill - f->start >= ROW_FILE_LINE_MAX)
			return stop_reading(f, -EBADMSG, ROW_TOO_LONG);
		compact(f);
		looked = f->fill;
		got = more(f);
		if (got <= 0)
			return got;
	}
}

bool row_file__ended(const struct row_file *f)
{
	return f->frame_ended;
}

size_t row_file__torn(const struct row_file *f)
{
	return f->fill - f->start;
}

const char *row_file__why(const struct row_file *f)
{
	return f->why ?: "";
}

uint64_t row_file__compressed(const struct row_file *f)
{
	return f->compressed;
}

uint64_t row_file__raw(const struct row_file *f)
{
	return f->raw;
}

bool row_file__is_frame(const struct row_file *f)
{
	return f->begun;
}

bool row_file__has_checksum(const struct row_file *f)
{
	return f->has_checksum;
}

/* ---- the fields of a line ---- */

static void add_field(struct row_field fields[ROW_FIELDS_MAX], int *n, char *start, char *end)
{
	if (*n < ROW_FIELDS_MAX)
		fields[*n] = (struct row_field){ start, end - start };
	++*n;
}

/* Sixteen bytes, compared at once on processors that can do that. */
typedef uint8_t vector __attribute__((vector_size(16)));

/* Adds the fields between START and END, which contain no quotes, to the N fields. Returns the new
 * number. */
static int split_plain(char *start, char *end, struct row_field fields[ROW_FIELDS_MAX], int n)
{
	const vector comma = { ',', ',', ',', ',', ',', ',', ',', ',',
			       ',', ',', ',', ',', ',', ',', ',', ',' };
	char *at = start;

	for (; end - at >= 16; at += 16) {
		vector bytes;
		uint64_t equal[2]; /* each byte that is a comma is 0xff, the others are 0 */

		memcpy(&bytes, at, sizeof(bytes));
		bytes = (vector)(bytes == comma);
		memcpy(equal, &bytes, sizeof(equal));
		for (int half = 0; half < 2; half++)
			for (uint64_t rest = le64toh(equal[half]); rest;) {
				unsigned int bit = __builtin_ctzll(rest);
				char *found = at + 8 * half + bit / 8;

				rest &= ~(UINT64_C(0xff) << bit);
				add_field(fields, &n, start, found);
				start = found + 1;
			}
	}
	for (; at < end; at++)
		if (*at == ',') {
			add_field(fields, &n, start, at);
			start = at + 1;
		}
	add_field(fields, &n, start, end);
	return n;
}

/* Unquotes, in place, the field whose opening quote is at AT. Returns the position after its
 * closing quote, or NULL with a message in *RET_WHY. */
static char *take_quoted(char *at, char *end, struct row_field *ret, const char **ret_why)
{
	char *to = at + 1, *from = to, *quote;
	bool needed = false;

	*ret = (struct row_field){ to, 0 };
	for (;;) {
		size_t len;

		quote = memchr(from, '"', end - from);
		if (!quote) {
			*ret_why = "an unterminated quote";
			return NULL;
		}
		len = quote - from;
		needed = needed || memchr(from, ',', len);
		if (to != from)
			memmove(to, from, len);
		to += len;
		if (quote + 1 == end || quote[1] != '"')
			break;
		*to++ = '"';
		needed = true;
		from = quote + 2;
	}
	ret->len = to - ret->s;
	if (quote + 1 < end && quote[1] != ',')
		*ret_why = "text after a quote";
	else if (!needed)
		*ret_why = "quotes without need";
	else
		return quote + 1;
	return NULL;
}

int row_file__split(char *line, size_t len, struct row_field fields[ROW_FIELDS_MAX],
		    const char **ret_why)
{
	char *at = line, *end = line + len, *quote;
	int n = 0;

	while ((quote = memchr(at, '"', end - at))) {
		struct row_field field;

		if (quote > at && quote[-1] != ',') {
			*ret_why = "a quote in a field without quotes";
			return -1;
		}
		if (quote > at)
			n = split_plain(at, quote - 1, fields, n);
		at = take_quoted(quote, end, &field, ret_why);
		if (!at)
			return -1;
		add_field(fields, &n, field.s, field.s + field.len);
		if (at == end)
			return n;
		at++;
	}
	return split_plain(at, end, fields, n);
}
