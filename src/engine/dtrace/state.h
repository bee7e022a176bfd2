/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this engine share. */
#ifndef IOTRC_DTRACE_STATE_H
#define IOTRC_DTRACE_STATE_H

#include <limits.h>
#include <stdatomic.h>

#include "base/mounts.h"
#include "engine/dtrace/line.h"
#include "engine/dtrace/order.h"
#include "engine/dtrace/process_table.h"
#include "engine/engine.h"

/* The scripts, each of which feeds one stream, so that what its dtrace drops is that stream's. */
enum dtrace_script { DTRACE_VFS, DTRACE_IO, DTRACE_NETWORK, DTRACE_SCRIPTS };

#define TASKS_KNOWN (1 << 14) /* a power of two */

/* The definition of a thread that was sent last of those with this slot. */
struct known_task {
	const void *source;
	uint32_t pid, tid, version, epoch;
	uint64_t id;
};

struct span_lost {
	uint64_t count, from_ns, to_ns;
};

struct dtrace;

/* A script, and the dtrace that runs it. */
struct source {
	struct dtrace *all;
	enum dtrace_script script;
	enum stream stream;
	int out, said, control; /* its lines, its messages, and what ends it; or -1 */
	char *text;             /* read, and not taken apart yet */
	size_t text_len, marked;
	bool skipping;     /* the rest of a line that is too long */
	char message[512]; /* that has begun */
	size_t message_len;
	bool begun;                 /* its dtrace records */
	bool at_end;                /* its dtrace has written that it ends */
	bool detached;              /* nothing more comes after what has been read */
	uint64_t heard_ns;          /* when it last wrote something */
	uint64_t stopped_ns;        /* since when none records, or 0 */
	uint64_t gaps;              /* that there have been */
	uint64_t left_out;          /* lines of the log */
	struct span_lost lost, gap; /* that the lost stream has not been told of yet */
	struct order *order;
	struct process_table *processes;
	atomic_uint_least64_t seen, filtered, lost_all;
};

struct dtrace {
	struct engine engine;
	const struct selection *selection;
	struct source sources[DTRACE_SCRIPTS];
	size_t n_sources;
	bool is_darwin;    /* the numbers in the lines are macOS' */
	bool can_ask;      /* the system says what other processes have open */
	int64_t offset_ns; /* the clock of events minus DTrace's */
	int watched;       /* or negative */
	uint32_t epoch;
	uint64_t ids, requests; /* the last that were given */
	struct mounts *mounts;
	const struct sink *sink; /* during drain */
	struct known_task tasks[TASKS_KNOWN];
	char path[2][2 * PATH_BYTES + 2];
};

/* DTrace's time NS on the clock of events. */
uint64_t dtrace__ns(const struct dtrace *d, uint64_t ns);

/* Turns a line into events. False: there is none of that name, or it lacks something. */
bool dtrace__call(struct source *s, const struct dtrace_line *l);
bool dtrace__block(struct source *s, const struct dtrace_line *l);
bool dtrace__socket(struct source *s, const struct dtrace_line *l);

/* ---- names.c ---- */

/* Process PID, of which all is asked that the system still says. NULL: no room. */
struct process *dtrace__process(struct source *s, uint32_t pid);
/* Takes in a line "task". */
bool dtrace__take_task(struct source *s, const struct dtrace_line *l);
/* The definition's id of thread TID, which is sent where need be. */
uint64_t dtrace__task_id(struct source *s, const struct process *p, uint32_t tid);
/* The same of an open file; 0 where it is none that rows are about. */
uint64_t dtrace__file_id(struct source *s, struct opened *o);
/* Whether the selection's filters of processes and commands leave P in. */
bool dtrace__is_wanted(const struct dtrace *d, const struct process *p);
/* Asks for what all processes have open, before the first record. */
void dtrace__ask_all(struct source *s);
/* What P has executed, as the system knows it. */
void dtrace__ask_arguments(struct process *p);

/* ---- counts ---- */

/* Hands RECORD over. */
void dtrace__event(struct source *s, const void *record, size_t size);
/* A record that a filter, or scope, leaves out. */
void dtrace__left_out(struct source *s);

#endif
