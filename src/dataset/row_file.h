/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the rows of one trace file, finished or not: a Zstandard frame of CSV lines. The content is
 * untrusted: memory and work are bounded by the file's size. For one thread at a time. */
#ifndef IOTRC_ROW_FILE_H
#define IOTRC_ROW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/frame.h"
#include "platform/libc.h"

/* Maximum length of a line in bytes. Two paths, an argv and the other columns need far less, even
 * with all bytes escaped. */
#define ROW_FILE_LINE_MAX FRAME_ROW_MAX

/* Bytes that may be read behind a line from row_file__next(); they may contain anything. */
#define ROW_FILE_SLACK 8

struct row_file;

struct row_file_config {
	int fd;             /* read from its current position; borrowed */
	uint64_t raw_bytes; /* maximum size of the content; 0: no limit */
	/* Called with each piece of compressed data; or NULL. */
	void (*compressed)(void *arg, const void *data, size_t len);
	void *arg;
};

/* 0, or -ENOMEM. CONFIG is copied. */
int row_file__new(struct row_file **ret, const struct row_file_config *config);

/* Gets the next line, without its line feed, in *RET_LINE; the first one is the header row. The
 * line is valid until the next call, and the caller may modify it. 1; 0 at the end of the file,
 * which may be inside the frame, see row_file__ended(); or a negative errno, again in all later
 * calls, see row_file__why(). A frame that broke off ends with a whole line (csv_file.h). */
int row_file__next(struct row_file *f, char **ret_line, size_t *ret_len);

/* After row_file__next() returned 0: whether the frame was complete. That of a .part file is
 * not. */
bool row_file__ended(const struct row_file *f);

/* After row_file__next() returned 0: number of bytes after the last line feed. */
size_t row_file__torn(const struct row_file *f);

/* Why row_file__next() failed: a static message. */
const char *row_file__why(const struct row_file *f);

/* Bytes read so far, and bytes decompressed. */
uint64_t row_file__compressed(const struct row_file *f);
uint64_t row_file__raw(const struct row_file *f);

/* After row_file__next() failed: reads the rest of the file without decompressing it, counts it and
 * passes it to compressed(). */
void row_file__skip(struct row_file *f);

/* Whether the file begins with a Zstandard frame. */
bool row_file__is_frame(const struct row_file *f);

/* Whether the frame has a checksum of its content. */
bool row_file__has_checksum(const struct row_file *f);

/* Frees it; NULL is allowed. Returns NULL. */
struct row_file *row_file__free(struct row_file *f);

/* ---- the fields of a line ---- */

#define ROW_FIELDS_MAX 32

struct row_field {
	char *s; /* not NUL-terminated */
	size_t len;
};

/* Returns the eight bytes at S; the first is the lowest. */
static inline uint64_t row_field__word(const char *s)
{
	uint64_t word;

	__builtin_memcpy(&word, s, sizeof(word));
	return le64toh(word);
}

/* The top bit of each byte of WORD that is a comma. Bytes do not carry into each other: those with
 * the top bit set are taken out first. */
static inline uint64_t row_field__commas(uint64_t word)
{
	const uint64_t each = UINT64_C(0x0101010101010101), low = 0x7f * each;
	uint64_t x = word ^ ',' * each;

	return ~(((x & low) + low) | x | low);
}

/* Splits the LEN bytes of LINE into fields and removes CSV quotes, in place. Returns the number of
 * fields, which may exceed ROW_FIELDS_MAX, or -1 with a static message in *RET_WHY if the line is
 * not as csv.h writes it. */
int row_file__split(char *line, size_t len, struct row_field fields[ROW_FIELDS_MAX],
		    const char **ret_why);

#endif
