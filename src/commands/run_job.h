/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs and records a command and reports on it, for `iotrc run` and `iotrc check`. */
#ifndef IOTRC_RUN_JOB_H
#define IOTRC_RUN_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands/run_after.h"
#include "commands/run_engine.h"
#include "commands/run_files.h"
#include "commands/run_processes.h"
#include "commands/run_report.h"
#include "commands/run_tree.h"
#include "options/command.h"

struct run_job {
	const struct command *command; /* messages begin with its name */
	const char *output, *json, *workspace, *keep, *engine;
	bool no_ignore, processes; /* .processes: the report contains what each process did */
	bool wait;                 /* for all descendants */
	size_t n_ignores;
	struct run_scope scope;
	struct run_facts facts; /* .argv is the caller's */
	struct run_engine tracer;
	char *temporary;   /* the recording, unless it is kept */
	FILE *text, *data; /* where reports go; NULL: not requested */
	struct run_files files;
	struct run_processes unended;
	struct run_tree tree;
	struct run_span ran;
	bool broke_off; /* the recorder was killed */
};

/* The options of both commands, as the first rows of their tables. */
/* clang-format off */
#define RUN_JOB_OPTIONS \
	{ "output", 'o', "FILE", "write the report to FILE, not stderr" }, \
	{ "json", 'j', "[FILE]", "write the report as JSON, with all lists; without\nFILE, or with -, to stdout" }, \
	{ "workspace", 'w', "DIR", "report files below DIR (default: the working\ndirectory)" }, \
	{ "all", 'a', NULL, "also report files outside of it" }, \
	{ "ignore", 'i', "GLOB", \
	  "leave these out as well (besides .git,\nnode_modules, .nx); may be repeated" }, \
	{ "no-ignore", 0, NULL, "leave out only what --ignore names" }, \
	{ "stat", 0, NULL, "count files whose attributes were read as read" }, \
	{ "keep", 'k', "DIR", "keep the whole recording in DIR" }, \
	{ "engine", 'e', "NAME", "bpf, strace, eslogger, fs_usage, macos (eslogger, or\nfs_usage where that cannot start), or auto (the\ndefault): bpf for root, strace for others; on macOS,\nmacos" }, \
	{ "wait", 0, NULL, "wait for all processes that CMD has started, not\nonly for CMD" }
/* clang-format on */
#define RUN_JOB_OPTION_COUNT 10

/* Sets option OPTION, one of the above, to VALUE (may be NULL). Returns false after a message if it
 * is invalid. */
bool run_job__option(struct run_job *j, int option, const char *value);

/* Finds the workspace. Returns 0, or the exit code after a message. */
int run_job__prepare(struct run_job *j);

/* Opens the files of -o and --json. Returns 0, or the exit code after a message. */
int run_job__open_reports(struct run_job *j);

/* Writes REPORT to the file of --json, if any. *RET_TEXT is where the report for people goes, or
 * NULL: nowhere. Returns 0, or the exit code after a message. */
int run_job__write_json(struct run_job *j, const json_t *report, FILE **ret_text);

/* Runs and records the command, and returns the report in *RET, which the caller owns. Returns 0,
 * or the exit code after a message. */
int run_job__run(struct run_job *j, json_t **ret);

/* Adds a row of stream fs, in the order of time; all engines deliver their observations in this
 * form. */
void run_job__row(struct run_job *j, const struct export_row *row);

/* Adds TEXT to the reasons why something may be missing. */
void run_job__incomplete(struct run_job *j, const char *text);

/* Opens file NAME like fopen(3), with the rights and the ownership of the user who runs the
 * command. */
FILE *run_job__open(const char *name, const char *mode);

/* Frees what J holds. */
void run_job__clear(struct run_job *j);

#endif
