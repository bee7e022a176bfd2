/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line and the configuration file as a value. Parsing prints nothing. It asks the
 * system only for its size, for the cgroups of --cgroup and --container, and for the file of
 * --config. */
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
	ACTION_UPLOAD, /* iotrc upload */
	ACTION_UPLOAD_HELP,
};

#define OPTIONS_CONFIG "/etc/iotrc/iotrc.conf" /* of the service */
#define OPTIONS_ROWS_MAX 96
#define OPTIONS_PARALLEL_MAX 16

/* Strings are borrowed from argv or from config_text. */
struct options {
	enum options_action action;
	bool dev;   /* developer mode */
	bool quiet; /* neither status line nor summary */
	bool verbose;

	const char *output;       /* never NULL */
	const char *keep_records; /* --keep-records: file for the engine's records, or NULL */
	const char *replay;       /* file to read records from; NULL: record this machine */
	const char *dtrace;       /* the dtrace program, or NULL */
	const char *strace;       /* strace's output (set by `iotrc run`), or NULL */
	const char *engine;       /* its name (set by `iotrc run`), or NULL */
	bool distinct;            /* no rows that repeat others (repeats.h; set by `iotrc run`) */
	const char *bucket;       /* --trace-bucket; NULL: the engine's default */
	uint64_t duration_ns;     /* 0: until a signal */

	struct selection selection;

	uint32_t rotate_age_s; /* at least 1 */
	uint64_t rotate_bytes; /* compressed, at least 1 */
	uint64_t rotate_rows;  /* 0: never by rows */

	uint64_t min_free;             /* bytes that stay free on the disk, … */
	unsigned int min_free_percent; /* … or this share of it, whichever is less */
	uint64_t max_disk;             /* bytes of all sessions together; 0: no limit */

	bool shed;       /* --on-overload: shed cheap rows deliberately before others are lost */
	uint64_t memory; /* bytes (src/dataset/memory.h); 0: the default */

	struct snapshots_settings snapshots;
	bool anonymize, anonymize_keep_system;
	const char *state; /* the state directory; NULL: the default */

	struct upload_settings upload;   /* target.url NULL: nothing leaves this machine */
	struct metrics_settings metrics; /* NULL: none */
	const char *reward_code;         /* the study's; NULL: there is none */
	bool upload_parquet;             /* upload to a lake, too, or (no CSV) only to one */
	bool upload_no_csv;
	bool upload_test;       /* upload --test */
	bool upload_continuous; /* upload --continuous */
	const char **dirs;      /* of upload; owned */
	size_t n_dirs;

	bool daemon;                         /* go to the background once recording has begun */
	const char *pid_file, *log_file;     /* only with daemon; NULL: none */
	char *paths[2 * SELECTION_LIST_MAX]; /* made absolute; owned */
	size_t n_paths;
	const char *config;                 /* the file that was read, or NULL */
	char *config_text;                  /* owned */
	int argc;                           /* what was parsed, … */
	char **argv;                        /* … to parse it again when the file has changed */
	uint32_t digests[OPTIONS_ROWS_MAX]; /* hashes of options' values, to find changes */
};

/* Parses the file of --config, then argv[1..argc), which overrides the file. Returns 0, or -EINVAL
 * with one line of text, without program name and line feed, in MESSAGE. -h, -V and --computer-id
 * end parsing: the rest is ignored. */
int options__parse(struct options *ret_options, int argc, char **argv,
		   char message[OPTIONS_MESSAGE_MAX]);

/* Frees what OPTIONS own. */
void options__done(struct options *o);

/* Lists the options that differ between A and B and cannot be changed during a recording: their
 * names, each after a blank, cut to the size of the buffer. */
void options__fixed_changes(const struct options *a, const struct options *b, char *buf,
			    size_t size);

/* Whether the streams of the page cache are on by default on a machine with N_CPUS and MEMORY
 * bytes. A machine of 16 GiB counts as such although firmware and kernel reserve a part. */
bool options__cache_affordable(unsigned int n_cpus, uint64_t memory);

/* Prints the text of --help, and of upload --help. */
void options__help(FILE *out);
void options__upload_help(FILE *out);

/* An option, for help texts. */
struct option_text {
	const char *name; /* without its dashes */
	char brief;       /* the letter of its short form, or 0 */
	const char *arg;  /* the name of its value; NULL: none; "[...": optional */
	const char *help; /* lines */
};

/* Gets option I, in the order of --help. Returns false after the last one. */
bool options__text(size_t i, struct option_text *ret);

/* Prints the service's configuration file: all options that it may contain, commented out except
 * those whose defaults differ for a service. */
void options__conf(FILE *out);

#endif
