/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State shared by the files of this engine. */
#ifndef IOTRC_DTRACE_STATE_H
#define IOTRC_DTRACE_STATE_H

#include <limits.h>
#include <stdatomic.h>

#include "base/mounts.h"
#include "engine/dtrace/line.h"
#include "engine/dtrace/order.h"
#include "engine/dtrace/process_table.h"
#include "engine/engine.h"

/* The scripts. Each feeds one stream, so that drops of its dtrace belong to that stream. */
enum dtrace_script { DTRACE_VFS, DTRACE_IO, DTRACE_NETWORK, DTRACE_SCRIPTS };

#define TASKS_KNOWN (1 << 14) /* a power of two */

/* The thread whose definition was sent last for this slot. */
struct known_task {
	const void *source;
	uint32_t pid, tid, version, epoch;
	uint64_t id;
};

struct span_lost {
	uint64_t count, from_ns, to_ns;
};

struct dtrace;

/* A script and the dtrace that runs it. */
struct source {
	struct dtrace *all;
	enum dtrace_script script;
	enum stream stream;
	int out, said, control; /* its output, its messages, and its control pipe; or -1 */
	char *text;             /* read, not split into lines yet */
	size_t text_len, marked;
	bool skipping;     /* skipping the rest of a line that is too long */
	char message[512]; /* that has begun */
	size_t message_len;
	bool begun;                 /* its dtrace records */
	bool at_end;                /* dtrace has written that it ends */
	bool detached;              /* nothing follows what has been read */
	uint64_t heard_ns;          /* the time of its last output */
	uint64_t stopped_ns;        /* since when no dtrace records, or 0 */
	uint64_t gaps;              /* that there have been */
	uint64_t left_out;          /* lines of the log */
	struct span_lost lost, gap; /* not reported in the lost stream yet */
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
	bool can_ask;      /* other processes' open files can be queried */
	int64_t offset_ns; /* the clock of events minus DTrace's */
	int watched;       /* or negative */
	uint32_t epoch;
	uint64_t ids, requests; /* the last that were given */
	struct mounts *mounts;
	const struct sink *sink; /* during drain */
	struct known_task tasks[TASKS_KNOWN];
	char path[2][2 * PATH_BYTES + 2];
};

/* Converts DTrace's time NS to the clock of events. */
uint64_t dtrace__ns(const struct dtrace *d, uint64_t ns);

/* Turns a line into events. Returns false if its name is unknown, or it lacks a field. */
bool dtrace__call(struct source *s, const struct dtrace_line *l);
bool dtrace__block(struct source *s, const struct dtrace_line *l);
bool dtrace__socket(struct source *s, const struct dtrace_line *l);

/* ---- names.c ---- */

/* Returns process PID, after querying what the system still knows about it. NULL: there is no
 * space. */
struct process *dtrace__process(struct source *s, uint32_t pid);
/* Takes in a line "task". */
bool dtrace__take_task(struct source *s, const struct dtrace_line *l);
/* Returns the id of the definition of thread TID, which is sent if necessary. */
uint64_t dtrace__task_id(struct source *s, const struct process *p, uint32_t tid);
/* The same for an open file; 0 if rows are not about it. */
uint64_t dtrace__file_id(struct source *s, struct opened *o);
/* Whether the selection's filters of processes and commands accept P. */
bool dtrace__is_wanted(const struct dtrace *d, const struct process *p);
/* Queries the open files of all processes, before the first record. */
void dtrace__ask_all(struct source *s);
/* Queries the program and arguments of P. */
void dtrace__ask_arguments(struct process *p);

/* ---- counts ---- */

/* Hands RECORD over. */
void dtrace__event(struct source *s, const void *record, size_t size);
/* Counts a record that a filter or the scope drops. */
void dtrace__left_out(struct source *s);

#endif
