/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person asks of `iotrc`: the command line as a value. Parsing prints nothing and asks the
 * system only for its size, to resolve --cgroup and --container, and for the file that --config
 * names. */
#ifndef IOTRC_OPTIONS_H
#define IOTRC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "metrics/publisher.h"
#include "schema/selection.h"
#include "snappers/snapshots.h"
#include "uploader/upload.h"

#define OPTIONS_PATH_MAX 4095
#define OPTIONS_MESSAGE_MAX 512

enum options_action {
	ACTION_RECORD,
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_COMPUTER_ID,
	ACTION_CHECK_CONFIG,
	ACTION_REWARD,
	ACTION_UPLOAD, /* the command */
	ACTION_UPLOAD_HELP,
};

#define OPTIONS_CONFIG "/etc/iotrc/iotrc.conf" /* the service's */
#define OPTIONS_ROWS_MAX 96
#define OPTIONS_PARALLEL_MAX 16

/* Strings are borrowed from argv, or lie in config_text. */
struct options {
	enum options_action action;
	bool dev;   /* developer mode */
	bool quiet; /* neither status line nor summary */
	bool verbose;

	const char *output;       /* never NULL */
	const char *keep_records; /* a file that gets what the engine delivers, or NULL */
	const char *replay;       /* one that records are read from, or NULL: of this machine */
	const char *dtrace;       /* the program that runs the scripts of DTrace, or NULL */
	const char *strace;       /* one that strace writes to (no option: `iotrc run`), or NULL */
	const char *engine;       /* its name (no option: `iotrc run`), or NULL */
	bool distinct;            /* no rows that repeat others (repeats.h; no option, likewise) */
	const char *bucket;       /* --trace-bucket; NULL: the engine's own */
	uint64_t duration_ns;     /* 0: until a signal */

	struct selection selection;

	uint32_t rotate_age_s; /* at least 1 */
	uint64_t rotate_bytes; /* compressed, at least 1 */
	uint64_t rotate_rows;  /* 0: never by rows */

	uint64_t min_free;             /* bytes that stay free on the disk, … */
	unsigned int min_free_percent; /* … or so much of it, whichever is less */
	uint64_t max_disk;             /* bytes of all sessions together; 0: any number */

	bool shed;       /* --on-overload: shed cheap rows deliberately before others are lost */
	uint64_t memory; /* bytes to do with (src/dataset/memory.h); 0: the default */

	struct snapshots_settings snapshots;
	bool anonymize, anonymize_keep_system;
	const char *state; /* the state directory; NULL: the default */

	struct upload_settings upload;   /* target.url NULL: nothing leaves this machine */
	struct metrics_settings metrics; /* NULL: none */
	const char *reward_code;         /* the study's; NULL: there is none */
	bool upload_parquet;             /* … also, or (no CSV) only, to a lake at the target */
	bool upload_no_csv;
	bool upload_test;       /* upload --test */
	bool upload_continuous; /* upload --continuous */
	const char **dirs;      /* of upload; ours */
	size_t n_dirs;

	bool daemon;                         /* go into the background once recording has begun */
	const char *pid_file, *log_file;     /* only with daemon; NULL: none */
	char *paths[2 * SELECTION_LIST_MAX]; /* that were made absolute; ours */
	size_t n_paths;
	const char *config;                 /* the file that was read, or NULL */
	char *config_text;                  /* ours */
	int argc;                           /* what was parsed, */
	char **argv;                        /* to be parsed again when the file has changed */
	uint32_t digests[OPTIONS_ROWS_MAX]; /* of each option's values: what has changed? */
};

/* Parses argv[1..argc), and before it what --config names: the command line overrules the file. 0,
 * or -EINVAL with one line of text, without program name and line feed, in MESSAGE. -h, -V and
 * --computer-id end the parsing: the rest is not looked at. */
int options__parse(struct options *ret_options, int argc, char **argv,
		   char message[OPTIONS_MESSAGE_MAX]);

/* Frees what OPTIONS own. */
void options__done(struct options *o);

/* The names, each after a blank, of the options that differ between A and B and can't be changed in
 * a recording that runs; what doesn't fit is cut off. */
void options__fixed_changes(const struct options *a, const struct options *b, char *buf,
			    size_t size);

/* Whether the page cache's streams are on by default on a machine of N_CPUS and MEMORY bytes: what
 * firmware and kernel keep of 16 GiB is allowed for. */
bool options__cache_affordable(unsigned int n_cpus, uint64_t memory);

/* The text of --help, and of upload --help. */
void options__help(FILE *out);
void options__upload_help(FILE *out);

/* An option as people are told of it. */
struct option_text {
	const char *name; /* without its dashes */
	char brief;       /* the letter of its short form, or 0 */
	const char *arg;  /* what its value is; NULL: takes none; "[...": needs none */
	const char *help; /* lines */
};

/* The I-th option, in the order of --help; false past the last. */
bool options__text(size_t i, struct option_text *ret);

/* The service's configuration file: every option that may be in one, commented out but for those in
 * which a service differs from a person. */
void options__conf(FILE *out);

#endif
