/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all options of a recording, for the parser and for the texts derived from it. It is
 * in options.c. */
#ifndef IOTRC_OPTIONS_TABLE_H
#define IOTRC_OPTIONS_TABLE_H

#include "options/options.h"

/* Options of SERVICE and OTHER are for the command line only. */
enum option_group {
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

/* The state of the parser. */
struct parse {
	struct options o;
	char *message;
	const struct option_row *row; /* the option being set */
	bool upload;                  /* the command line is that of `iotrc upload` */
	bool reward;
	bool secrets;                         /* the file contains secrets */
	bool in_file;                         /* the file is being parsed */
	bool overruling;                      /* the command line is being parsed, after a file */
	bool overruled[OPTIONS_ROWS_MAX];     /* … and has set this option */
	unsigned int lines[OPTIONS_ROWS_MAX]; /* of the file, where the option was given */
};

/* An ARG in brackets is optional; if it begins with '=', it must be joined to the option by that.
 * An option without SET belongs to another version: it is refused by name, and not listed. */
struct option_row {
	const char *name;
	char brief;
	const char *arg;
	enum option_group group;
	int (*set)(struct parse *p, const char *value);
	const char *help;
	const char *conf; /* if it has a value: the one that the configuration file shows */
	bool active;      /* … which is not commented out, as it applies to the service */
	bool live;        /* can be changed during a recording */
	size_t counter;   /* if it can be repeated: offset of the number of its values; or 0 */
	size_t member;    /* offset in struct options, for a setter shared by several options */
	bool with_upload; /* also an option of `iotrc upload`, like those of its group */
};

/* Ends with a row without a name. */
extern const struct option_row option_rows[];
extern const char *const option_group_titles[GROUP_COUNT];

/* ---- options_values.c ---- */

#define QUOTED "'%.100s'" /* an argument inside a message */

/* Writes a line to P->message, escaped. Returns -EINVAL. */
int option__fail(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an OPTION whose VALUE is not a WHAT. */
int option__is_not(struct parse *p, const char *option, const char *value, const char *what);

/* The member of the option being set (option_row.member). */
void *option__member(struct parse *p);

/* Parses a number with at most one of SUFFIXES, of which the first multiplies by 1024, the second
 * by 1024 squared and so on. Returns 0, or -1. */
int option__count(const char *text, const char *suffixes, uint64_t *ret_n);

/* Copies the next item of a comma-separated list to ITEM (SIZE bytes). Returns false at the end. An
 * item that does not fit is cut: the caller then finds it too long or unknown. */
bool option__next_item(const char **list, char *item, size_t size);

/* ---- options_filters.c ---- */

/* The setters of some rows of the table: `set` in struct option_row. */
int option__set_ops(struct parse *p, const char *value);
int option__set_pid(struct parse *p, const char *value);
int option__set_command(struct parse *p, const char *value);
int option__set_uid(struct parse *p, const char *value);
int option__set_cgroup(struct parse *p, const char *value);
int option__set_container(struct parse *p, const char *value);

/* Replaces names of --container by the cgroups of the containers that run; patterns stay. Returns
 * 0, or -EINVAL with a message if there is none. */
int option__find_containers(struct parse *p);
int option__set_path(struct parse *p, const char *value);
int option__set_slow(struct parse *p, const char *value);

/* Whether OPTION requires a value. */
bool option__takes_value(const struct option_row *option);

/* Whether it is also an option of `iotrc upload`. */
bool option__goes_with_upload(const struct option_row *option);

#endif
