/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of one stream, summed up by one or two dimensions. */
#ifndef IOTRC_SUMMARY_H
#define IOTRC_SUMMARY_H

#include "aggregate/groups.h"
#include "aggregate/tally.h"
#include "summary/dimension.h"

#define SUMMARY_BY_MAX 2
#define SUMMARY_COMM_MAX 64 /* bytes of a command's name, escaped */

/* A number of a tally that people see. */
enum column_kind { COLUMN_COUNT, COLUMN_TIME, COLUMN_AMOUNT, COLUMN_RATIO };
struct summary_column {
	const char *name; /* of --sort, CSV and JSON; times end in _ns */
	const char *head; /* of a table for people */
	enum column_kind kind;
	/* The value, where T is one of those that make ALL; negative where it has none. A long
	 * double has all digits of a count. */
	long double (*value)(const struct tally *t, const struct tally *all);
	bool (*applies)(enum stream stream);
	bool people; /* in tables for people, too */
};
extern const struct summary_column summary_columns[]; /* ends with a row without a name */

/* The column called NAME, with or without _ns, that STREAM has; or NULL. */
const struct summary_column *summary_column__find(const char *name, enum stream stream);

/* The columns by which STREAM is sorted unless told otherwise: by time, where it has one. */
const struct summary_column *summary_column__usual(enum stream stream);

struct summary {
	enum stream stream;
	const struct dimension *by[SUMMARY_BY_MAX];
	int n_by;
	const struct summary_column *sort; /* which groups are heavy */
	bool live;                         /* there will be no rows: summary__add() */
	struct groups *groups;             /* their values are struct summary_value */
	struct tally all, rest;            /* of all rows; and of groups that were dropped */
	int columns[SUMMARY_BY_MAX], label_column, pid_column, tid_column;
	int err; /* memory that was out: some quantile lacks something */
};

struct summary_value {
	struct tally tally;
	char label[SUMMARY_COMM_MAX]; /* of a process: its command */
};

/* What a summary may use for its groups. */
#define SUMMARY_GROUPS_MAX 100000
#define SUMMARY_BYTES_MAX (96 << 20)

/* Begins S, whose stream, by, n_by, sort and live are set and whose other members are 0. 0,
 * -ENOMEM, or -EINVAL: rows of the stream can't be grouped so. */
int summary__begin(struct summary *s);

/* How many of the first fields of a row summary__row() looks at. */
int summary__fields(const struct summary *s);

/* Adds ROW, measured as M. 0, or -ENOMEM. */
int summary__row(struct summary *s, const struct export_row *row, const struct measure *m);

/* Adds what TALLY has to the group KEY, which is as in rows: two keys have a NUL between them. 0,
 * or -ENOMEM. */
int summary__add(struct summary *s, const char *key, size_t len, const char *label,
		 const struct tally *tally);

/* Adds TALLY to the rest: groups that nobody could keep apart. 0, or -ENOMEM. */
int summary__add_rest(struct summary *s, const struct tally *tally);

/* The groups, the first by SORT first, in an array that the caller frees; or NULL. */
struct group **summary__sorted(const struct summary *s);

/* Frees what S owns. */
void summary__end(struct summary *s);

#endif
