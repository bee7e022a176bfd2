/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all options of a recording, for those that parse by it and that print it. options.c
 * has it. */
#ifndef IOTRC_OPTIONS_TABLE_H
#define IOTRC_OPTIONS_TABLE_H

#include "options/options.h"

/* What is in SERVICE and OTHER is for the command line only. */
enum group {
	RECORDING,
	CONTENT,
	SNAPSHOTS,
	FILTERS,
	FILES,
	UPLOAD,
	METRICS,
	SERVICE,
	OTHER,
	GROUP_COUNT
};

#define STREAM_BIT(n) (UINT32_C(1) << (n))
#define STREAMS_CACHE (STREAM_BIT(STREAM_CACHE) | STREAM_BIT(STREAM_PAGEFAULT))

/* What is read so far. */
struct parse {
	struct options o;
	char *message;
	const struct option_row *row; /* the option that is being set */
	bool upload;                  /* it is the command's line */
	bool reward;
	bool secrets;                         /* the file has some */
	bool in_file;                         /* it is the file that is read */
	bool overruling;                      /* the command line, after a file */
	bool overruled[OPTIONS_ROWS_MAX];     /* … and it has this option */
	unsigned int lines[OPTIONS_ROWS_MAX]; /* of the file: where the option was given */
};

/* An ARG in brackets may be left out: where it begins with '=' it comes after that only. Without
 * SET the option is another version's: refused by name, not listed. */
struct option_row {
	const char *name;
	char brief;
	const char *arg;
	enum group group;
	int (*set)(struct parse *p, const char *value);
	const char *help;
	const char *conf; /* of one with a value: what the configuration file shows */
	bool active;      /* … and that holds for the service */
	bool live;        /* can be changed in a recording that runs */
	size_t counter;   /* of one that adds up: where its entries are counted; or 0 */
	size_t member;    /* of struct options, for a setter that several options share */
	bool with_upload; /* one of `iotrc upload` too, as those of its group are */
};

/* Ends with a row without a name. */
extern const struct option_row option_rows[];
extern const char *const option_group_titles[GROUP_COUNT];

#define QUOTED "'%.100s'" /* an argument inside a message */

/* Writes the one line of P->message, printable whatever the arguments hold; returns -EINVAL. */
int option__fail(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an OPTION whose VALUE is not WHAT. */
int option__is_not(struct parse *p, const char *option, const char *value, const char *what);

/* The member that the option being set names (option_row.member). */
void *option__member(struct parse *p);

/* A number with at most one of SUFFIXES, of which the first multiplies by 1024, the second by 1024
 * squared and so on, into RET_N. 0, or -1. */
int option__count(const char *text, const char *suffixes, uint64_t *ret_n);

/* Takes the next item off a comma-separated list into ITEM (of SIZE); false at the end. An item
 * that doesn't fit is cut: its caller sees it as too long or unknown. */
bool option__next_item(const char **list, char *item, size_t size);

/* ---- options_filters.c: setters of the table's rows, as of struct option_row ---- */

int option__set_ops(struct parse *p, const char *value);
int option__set_pid(struct parse *p, const char *value);
int option__set_command(struct parse *p, const char *value);
int option__set_uid(struct parse *p, const char *value);
int option__set_cgroup(struct parse *p, const char *value);
int option__set_container(struct parse *p, const char *value);
int option__set_path(struct parse *p, const char *value);
int option__set_slow(struct parse *p, const char *value);

/* Whether OPTION can't be given without a value. */
bool option__takes_value(const struct option_row *option);

/* Whether it is one of `iotrc upload`, too. */
bool option__goes_with_upload(const struct option_row *option);

#endif
