/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the rows of one trace file, finished or not: a Zstandard frame of CSV lines. What is in the
 * file may be anybody's: memory and work are bounded by its size. Used by one thread at a time. */
#ifndef IOTRC_ROW_FILE_H
#define IOTRC_ROW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/frame.h"

/* Bytes of a line. Two paths, an argv and the rest of a row stay far below it, all bytes
 * escaped. */
#define ROW_FILE_LINE_MAX (1024 * 1024)

/* Bytes behind a line that row_file__next() has given that may be read, whatever they are. */
#define ROW_FILE_SLACK 8

struct row_file;

struct row_file_config {
	int fd;             /* read from where it stands; borrowed */
	uint64_t raw_bytes; /* more content than this is refused; 0: any */
	/* Called with each piece of the compressed file as it is read; or NULL. */
	void (*compressed)(void *arg, const void *data, size_t len);
	void *arg;
};

/* 0, or -ENOMEM. CONFIG is copied. */
int row_file__new(struct row_file **ret, const struct row_file_config *config);

/* The next line, the header row first, without its line feed, in *RET_LINE until the next call; it
 * may be changed there. 1: there is one. 0: the file ends, after its frame or in it, see
 * row_file__ended(). A negative errno, and the same again from then on: row_file__why() says more.
 * The last piece of a frame that broke off has whole lines only (csv_file.h). */
int row_file__next(struct row_file *f, char **ret_line, size_t *ret_len);

/* After row_file__next() returned 0: whether the frame was whole. A .part file's isn't. */
bool row_file__ended(const struct row_file *f);

/* After row_file__next() returned 0: bytes after the last line feed, which are no line. */
size_t row_file__torn(const struct row_file *f);

/* Why row_file__next() failed, in words; static. */
const char *row_file__why(const struct row_file *f);

/* Bytes read so far, and what they were decompressed to. */
uint64_t row_file__compressed(const struct row_file *f);
uint64_t row_file__raw(const struct row_file *f);

/* After row_file__next() failed: reads the rest of the file as bytes, so that it is counted and
 * given to the configuration's compressed(). */
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
	char *s; /* not ended at len */
	size_t len;
};

/* Takes the CSV quotes off the LEN bytes of LINE, in place. Returns how many fields there are,
 * also past ROW_FIELDS_MAX, or -1 with the reason, static, in *RET_WHY: it isn't as csv.h writes
 * it. */
int row_file__split(char *line, size_t len, struct row_field fields[ROW_FIELDS_MAX],
		    const char **ret_why);

#endif
