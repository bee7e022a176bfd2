/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one source of the on-disk contract: header rows, manifest, format page, verification and
 * loader types all derive from these tables. */
#ifndef IOTRC_SCHEMA_H
#define IOTRC_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/streams.h"

#define SCHEMA_VERSION "1"

/* What a field of a column may contain if it is not empty. */
enum column_type {
	COL_WALL,    /* YYYY-MM-DD HH:MM:SS.ffffff, local time */
	COL_MONO,    /* CLOCK_MONOTONIC nanoseconds, never empty */
	COL_UINT,    /* unsigned decimal, below 2^63: readers that guess types get signed numbers */
	COL_INODE,   /* unsigned decimal, 64 bits: overlay and FUSE use all of them */
	COL_INT,     /* signed decimal, 64 bits */
	COL_FLOAT,   /* decimal fraction */
	COL_TEXT,    /* escaped text */
	COL_WORD,    /* one word; if the column has a closed list, one of that */
	COL_FLAGS,   /* words joined by '|' */
	COL_DEVICE,  /* major:minor */
	COL_ADDRESS, /* 0x and hexadecimal digits */
	COL_TYPES
};

/* As the manifest calls them. */
extern const char *const schema_type_names[COL_TYPES];

struct column {
	const char *name;
	enum column_type type;
	const char *unit;  /* "" if the column has none */
	const char *words; /* COL_WORD: the permitted words, a blank after or between them; NULL
				  * where the platform's headers decide (errno) */
	const char *description; /* one line, plain text */
	const char *sum;         /* what the sum over rows means; NULL: nothing */
};

struct stream_schema {
	const char *key; /* the name in the manifest and in --streams */
	const char *subdir;
	const char *prefix;      /* file names begin with it */
	const char *description; /* one line */
	const char *wall_clock;  /* the event whose time the first column is */
	const struct column *columns;
	size_t n_columns;
};

extern const struct stream_schema schema_streams[STREAM_COUNT];

/* Whether columns of TYPE are numbers, whatever their sum means. */
static inline bool schema__is_number(enum column_type type)
{
	return type == COL_UINT || type == COL_INODE || type == COL_INT || type == COL_FLOAT;
}

/* The stream of that key, or -ENOENT. */
int schema__find(const char *key);

/* The index of the column of STREAM called NAME (LEN bytes), or -1. */
int schema__column(enum stream stream, const char *name, size_t len);

/* New columns are added before the last one, so that sessions of older recorders have the first N -
 * 1 columns of STREAM and the last one. Returns the smallest N of any recorder. */
size_t schema__least_columns(enum stream stream);

/* The index of the column that field I belongs to, in a session whose STREAM has N columns. */
size_t schema__column_of_field(enum stream stream, size_t n, size_t i);

/* Writes the header row of STREAM with N columns, with its line feed, into BUF (at least
 * SCHEMA_HEADER_MAX bytes); returns its length. */
#define SCHEMA_HEADER_MAX 1024
size_t schema__header_of(enum stream stream, size_t n, char *buf);
/* … with all columns. */
size_t schema__header(enum stream stream, char *buf);

#endif
