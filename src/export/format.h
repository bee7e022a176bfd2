/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats of exports: a format is a struct format, and a row in formats[]. */
#ifndef IOTRC_FORMAT_H
#define IOTRC_FORMAT_H

#include <stdio.h>

#include "export/row.h"
#include "export/table.h"

struct export
{
	FILE *out;
	FILE *map;      /* aliases and their meaning, if the format has them */
	uint32_t block; /* bytes of an object; 0: an object is a file */
	uint64_t rows;  /* number written; other rows are not requests */
	uint64_t first; /* when the first one began, in ns */
	/* The columns of csv and jsonl, and their order. */
	struct columns {
		uint8_t n, at[ROW_FIELDS_MAX];
	} columns[STREAM_COUNT];
	uint64_t latest; /* the time of the last one, in the format's unit */
	struct table table;
	void *own;       /* the format's state: begin() allocates it, free() frees it */
	const char *why; /* why begin() or row() failed, if errno is not enough */
};

struct format {
	const char *name;
	uint32_t streams; /* 1 << stream for each that can be exported */
	uint32_t usual;   /* those exported by default; 0: all */
	bool one_stream;  /* at most one of them at a time */
	bool has_map;
	bool has_blocks;                                /* has --block */
	uint64_t (*lead)(const struct export_row *row); /* see struct rows_config */
	int (*begin)(struct export *e, uint32_t streams);
	int (*row)(struct export *e, const struct export_row *row);
	int (*end)(struct export *e);
	void (*free)(struct export *e); /* frees what OWN refers to; may be NULL. OWN may be NULL */
};

extern const struct format format_csv, format_jsonl, format_msr, format_fio, format_oracle,
	format_perfetto, format_lcs, format_blkparse, format_strace, format_arrow;
extern const struct format *const formats[]; /* all of them; ends with NULL */

/* Selects the columns of LIST (a,b,c; NULL: all) for E, in each of STREAMS that has them. Returns
 * false if none of STREAMS has a column: *RET_BAD is the first such one. */
bool format__choose(struct export *e, uint32_t streams, const char *list, const char **ret_bad);

/* Returns the format called NAME, or NULL. */
const struct format *format__find(const char *name);

/* table__at() of E's table. A failure of the disk sets E->why. */
int format__remember(struct export *e, uint64_t key, uint64_t **ret);

/* Gets an id of the file of ROW, of fs, pagefault or cache, which is the same in all of them.
 * Returns false if the row has no file. */
bool format__file(const struct export_row *row, uint64_t *ret);

/* Returns the duration of ROW in ns; 0 if it is unknown, or its stream has none. Never longer than
 * the machine was up. */
uint64_t format__duration_ns(const struct export_row *row);

/* Whether ROW is an access to a known place of a file: in fs, a read or write that moved bytes; in
 * pagefault, an access to a page through a mapping; in cache, the need for pages (HIT, MISS,
 * MISS_WRITE). A page counts as 4,096 bytes. */
struct transfer {
	bool write;
	uint64_t offset, bytes;
};
bool format__transfer(const struct export_row *row, struct transfer *ret);

#endif
