/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rows are exported to. A format is a struct format, and a row in formats[]. */
#ifndef IOTRC_FORMAT_H
#define IOTRC_FORMAT_H

#include <stdio.h>

#include "export/row.h"
#include "export/table.h"

struct export
{
	FILE *out;
	FILE *map;      /* aliases and what they stand for; only where the format has one */
	uint32_t block; /* bytes of an object; 0: an object is a file */
	uint64_t rows;  /* that were written; others are no requests */
	uint64_t first; /* ns at which the first one began */
	/* Which columns, and in which order, of csv and jsonl. */
	struct columns {
		uint8_t n, at[ROW_FIELDS_MAX];
	} columns[STREAM_COUNT];
	uint64_t latest; /* what the last one was given as its time, in the format's unit */
	struct table table;
	void *own;       /* the format's; its begin() allocates it, free() frees it */
	const char *why; /* why begin() or row() failed, if errno says too little */
};

struct format {
	const char *name;
	uint32_t streams; /* 1 << stream for each that can be exported */
	uint32_t usual;   /* those that are exported when nobody says which; 0: all */
	bool one_stream;  /* not more than one of them at once */
	bool has_map;
	bool has_blocks; /* has --block */
	bool patches;    /* needs an output in which it can go back */
	uint64_t (*lead)(const struct export_row *row); /* see struct rows_config */
	int (*begin)(struct export *e, uint32_t streams);
	int (*row)(struct export *e, const struct export_row *row);
	int (*end)(struct export *e);
	void (*free)(struct export *e); /* what OWN refers to; may be NULL. OWN may be NULL */
};

extern const struct format format_csv, format_jsonl, format_msr, format_fio, format_oracle,
	format_perfetto, format_lcs, format_blkparse, format_strace, format_arrow;
extern const struct format *const formats[]; /* all of them; ends with NULL */

/* The columns of LIST (a,b,c), or NULL: all, into E, of those of STREAMS that have them. False, and
 * *RET_BAD is the first one that none of these has, when there is such a one. */
bool format__choose(struct export *e, uint32_t streams, const char *list, const char **ret_bad);

/* The format called NAME, or NULL. */
const struct format *format__find(const char *name);

/* A number that stands for the file of ROW, of fs, pagefault or cache: the same in all of them.
 * False where the row names none. */
bool format__file(const struct export_row *row, uint64_t *ret);

/* How long ROW took, in ns; 0 where that is unknown, or its stream has no such thing. Never longer
 * than the machine was up. */
uint64_t format__duration_ns(const struct export_row *row);

/* Was ROW an access to a known place of a file: of fs a read or a write that moved something, of
 * pagefault an access to a page through a mapping, of cache the need for pages (HIT, MISS,
 * MISS_WRITE)? A page counts as 4,096 bytes. */
struct transfer {
	bool write;
	uint64_t offset, bytes;
};
bool format__transfer(const struct export_row *row, struct transfer *ret);

#endif
