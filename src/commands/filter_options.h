/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorder's filters as options of `iotrc watch` and `iotrc summary`. Live they are passed to
 * the engine, as in a recording; of a session, rows are compared. */
#ifndef IOTRC_FILTER_OPTIONS_H
#define IOTRC_FILTER_OPTIONS_H

#include "options/command.h"
#include "options/options.h"
#include "summary/filter.h"

#define FILTER_OPTIONS_MAX 64 /* on a command line */

/* Rows for the table of such a command, which may have more letters or words for some of these. */
#define FILTER_OPTION_ROWS \
	{ "exclude-path", 0, "PREFIX", "not files at or below PREFIX; may be repeated" }, \
		{ "exclude-command", 0, "LIST", "not threads of these names" }, \
		{ "follow", 0, NULL, "live, with --command: also what those threads start" }, \
		{ "uid", 0, "LIST", "only processes of these users" }, \
		{ "cgroup", 0, "PATH|ID", "live: only processes of this cgroup (v2)" }, \
	{ \
		"container", 0, "NAME", \
			"only processes of this container, or of all that a\npattern (shop/*/*) matches; " \
			"live: also later ones" \
	}

/* The filters of rows, for the table of a command whose letters mean something else. */
#define FILTER_ROWS \
	{ "ops", 0, "LIST", "only these operations (or event types), or with ! all others" }, \
		{ "path", 0, "PREFIX", "only files at or below PREFIX; may be repeated" }, \
		{ "exclude-path", 0, "PREFIX", "not files at or below PREFIX; may be repeated" }, \
		{ "pid", 0, "LIST", "only these processes and their descendants" }, \
		{ "command", 0, "LIST", "only threads of these names" }, \
		{ "exclude-command", 0, "LIST", "not threads of these names" }, \
		{ "uid", 0, "LIST", "only processes of these users" }, \
		{ "container", 0, "LIST", "only processes of these containers (also shop/*/*)" }, \
		{ "slow", 0, "TIME", "only what took at least TIME (1ms)" }, \
	{ \
		"errors", 0, NULL, "only what failed" \
	}

struct filter_options {
	struct {
		const char *name;  /* with its dashes, static */
		const char *value; /* borrowed; NULL: takes none */
	} given[FILTER_OPTIONS_MAX];
	int n;
	bool too_many;
	char *paths[2 * FILTER_LIST_MAX]; /* own: made absolute */
	int n_paths;
};

/* Returns whether OPTION is a filter; if so, notes it and its VALUE. */
bool filter_options__take(struct filter_options *f, const struct command_option *option,
			  const char *value);

/* Whether the filter NAME was given. */
bool filter_options__has(const struct filter_options *f, const char *name);

/* Fills RET with the filters for rows of STREAMS of sessions. What RET refers to is valid until
 * filter_options__done(). Returns 0, or an exit code after a message of command C. */
int filter_options__session(struct filter_options *f, const struct command *c, uint32_t streams,
			    struct filter *ret);

/* Parses the filters as options of a recording into RET, which the caller releases with
 * options__done(). Returns 0, or an exit code after a message of command C. */
int filter_options__live(const struct filter_options *f, const struct command *c,
			 struct options *ret);

/* Frees what F owns. */
void filter_options__done(struct filter_options *f);

#endif
