/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums of the rows of one stream by one or two dimensions. */
#ifndef IOTRC_SUMMARY_H
#define IOTRC_SUMMARY_H

#include "aggregate/groups.h"
#include "aggregate/tally.h"
#include "summary/dimension.h"

#define SUMMARY_BY_MAX 2
#define SUMMARY_COMM_MAX 64 /* bytes of a command's name, escaped */

/* A number computed from a tally. */
enum column_kind { COLUMN_COUNT, COLUMN_TIME, COLUMN_AMOUNT, COLUMN_RATIO };
struct summary_column {
	const char *name; /* of --sort, CSV and JSON; names of times end in _ns */
	const char *head; /* of a table for people */
	enum column_kind kind;
	/* Returns the value; T is one of the tallies that make ALL. Negative: it has none. A long
	 * double holds all digits of a count. */
	long double (*value)(const struct tally *t, const struct tally *all);
	bool (*applies)(enum stream stream);
	bool people; /* in tables for people, too */
};
extern const struct summary_column summary_columns[]; /* ends with a row without a name */

/* Returns the column NAME of STREAM, with or without _ns, or NULL. */
const struct summary_column *summary_column__find(const char *name, enum stream stream);

/* The default column by which STREAM is sorted: time if it has one. */
const struct summary_column *summary_column__usual(enum stream stream);

struct summary {
	enum stream stream;
	const struct dimension *by[SUMMARY_BY_MAX];
	int n_by;
	const struct summary_column *sort; /* which groups are heavy */
	bool live;                         /* there are no rows: summary__add() */
	struct groups *groups;             /* the values are struct summary_value */
	struct tally all, rest;            /* of all rows; and of dropped groups */
	int columns[SUMMARY_BY_MAX], label_column, pid_column, tid_column;
	int err; /* out of memory: some quantiles are incomplete */
};

struct summary_value {
	struct tally tally;
	char label[SUMMARY_COMM_MAX]; /* of a process: its command */
};

/* Memory limit for the groups of a summary. */
#define SUMMARY_GROUPS_MAX 100000
#define SUMMARY_BYTES_MAX (96 << 20)

/* Begins S, in which stream, by, n_by, sort and live are set and all other members are 0. Returns
 * 0, -ENOMEM, or -EINVAL if rows of the stream cannot be grouped in this way. */
int summary__begin(struct summary *s);

/* How many of the first fields of a row summary__row() reads. */
int summary__fields(const struct summary *s);

/* Adds ROW, measured as M. Returns 0, or -ENOMEM. */
int summary__row(struct summary *s, const struct export_row *row, const struct measure *m);

/* Adds TALLY to the group KEY, in the form of rows; two keys have a NUL between them. Returns 0, or
 * -ENOMEM. */
int summary__add(struct summary *s, const char *key, size_t len, const char *label,
		 const struct tally *tally);

/* Adds TALLY to the rest, for groups that could not be kept. Returns 0, or -ENOMEM. */
int summary__add_rest(struct summary *s, const struct tally *tally);

/* Returns the groups, sorted by SORT, in an array that the caller frees; or NULL. */
struct group **summary__sorted(const struct summary *s);

/* Frees what S owns. */
void summary__end(struct summary *s);

#endif
