/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row as the figures of each stream count it: its fields, and what all rows are added to. */
#ifndef IOTRC_FIGURE_ROW_H
#define IOTRC_FIGURE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataset/row_file.h"
#include "report/figures.h"
#include "schema/streams.h"

/* Parses a field as a number; returns false if it is empty or not a number. */
bool figures__number(const struct row_field *f, uint64_t *ret);
/* Parses a fraction, in millionths, in the same way. */
bool figures__millionths(const struct row_field *f, uint64_t *ret);
/* MAJOR:MINOR as major << 20 | minor; 0 if it is not a device. */
uint32_t figures__device(const struct row_field *f);

/* Returns the group of KEY in TABLE, with WEIGHT added; NULL if out of memory. */
struct group *figures__group(struct figures *t, enum figures_table table, const char *key,
			     size_t len, uint64_t weight);

/* Whether a field is WORD. */
static inline bool figures__is(const struct row_field *f, const char *word)
{
	return f->len == strlen(word) && !memcmp(f->s, word, f->len);
}

/* Copies a field to a text of SIZE bytes, cut at a character, with a NUL. */
void figures__text(char *to, size_t size, const struct row_field *f);

/* A row for the timeline, the samples and the totals. */
struct figure_row {
	enum channel channel;
	uint64_t mono_ns, ns, bytes, at, pid;
	uint32_t device;
	bool failed, has_ns, has_bytes, has_at, read, write;
	const struct row_field *name; /* the file; NULL: none */
};

/* Adds a row to T. */
void totals__add(struct totals *t, const struct figure_row *row);
/* Counts N items of ROW->channel, and adds it to a grid. */
unsigned int figures__when(struct figures *t, const struct figure_row *row, uint64_t n);
/* Offers the row of thread, process or CPU WHO to a sample. Returns 0, or -ENOMEM. */
int figures__sample(struct figures *t, enum figures_sample which, const struct figure_row *row,
		    uint64_t who);
/* Adds to OPERATION of STREAM. */
int figures__operation(struct figures *t, enum stream stream, const struct row_field *operation,
		       const struct figure_row *row);
/* Counts the row under its ERROR and OPERATION. Returns 0, or -ENOMEM. */
int figures__error(struct figures *t, const struct row_field *operation,
		   const struct row_field *error, const struct row_field *command,
		   const struct figure_row *row);

#endif
