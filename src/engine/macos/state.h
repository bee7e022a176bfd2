/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State shared by the engines that read the output of a macOS tracer: DTrace, eslogger,
 * fs_usage. */
#ifndef IOTRC_MACOS_STATE_H
#define IOTRC_MACOS_STATE_H

#include <limits.h>
#include <stdatomic.h>

#include "base/mounts.h"
#include "engine/engine.h"
#include "engine/macos/call_line.h"
#include "engine/macos/order.h"
#include "engine/macos/process_table.h"

#define SOURCES_MAX 3

/* What a tracer cannot report, by design; each is counted. */
enum hole {
	HOLE_FAILED,    /* calls that fail: eslogger does not report them */
	HOLE_CUT,       /* paths that were cut */
	HOLE_RENAME,    /* renames whose new name is unknown */
	HOLE_TWO_PATHS, /* other calls on two files of which one is unknown */
	HOLE_FILE,      /* calls on descriptors that were opened unseen */
	HOLE_THREAD,    /* threads whose process is unknown */
	HOLE_MAP,       /* writable mappings, which may be private */
	HOLE_SPAWN,     /* programs started by posix_spawn() */
	HOLE_CALL,      /* calls that are not in fs_usage.c */
	HOLES
};

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

struct macos;
struct source;

/* A tracer whose output feeds one stream, so that its drops belong to that stream. */
struct source_kind {
	enum stream stream;
	const char *name; /* for people, and in the manifest */
	/* It prints when it begins and ends, and heartbeats. Otherwise the engine touches a marker
	 * (marker.h), which then has to appear in the output. */
	bool beats;
	/* Parses a line of its output, in place, and passes its calls to macos__queue(). Returns
	 * false if it does not understand the line. */
	bool (*read)(struct source *s, char *text, size_t len);
	/* Turns a queued call into events; called in the order of time. Returns false if it does
	 * not understand the call. */
	bool (*take)(struct source *s, const struct call_line *l);
	/* Handles a line of its standard error. Returns false if the line is for the user. */
	bool (*said)(struct source *s, const char *text);
};

struct source {
	struct macos *all;
	const struct source_kind *kind;
	int out, said, control; /* its output, its messages, and its control pipe; or -1 */
	char *text;             /* read, not split into lines yet */
	size_t text_len, marked;
	bool is_full;      /* a process did not fit */
	bool skipping;     /* skipping the rest of a line that is too long */
	char message[512]; /* the beginning of a message */
	size_t message_len;
	bool begun;          /* its tracer records */
	bool at_end;         /* the tracer has written that it ends */
	bool detached;       /* nothing follows what has been read */
	uint64_t heard_ns;   /* the time of its last output */
	uint64_t stopped_ns; /* since when no tracer records, or 0 */
	uint64_t gaps;       /* that there have been */
	uint64_t left_out;   /* lines of the log */
	uint64_t sequence;   /* of eslogger's, the next; 0: unknown */
	uint64_t touched_ns; /* when the marker was touched last */
	atomic_uint_least64_t holes[HOLES];
	struct span_lost lost, gap; /* not reported in the lost stream yet */
	struct order *order;
	struct process_table *processes;
	atomic_uint_least64_t seen, filtered, lost_all;
};

struct macos {
	struct engine engine;
	const struct selection *selection;
	struct source sources[SOURCES_MAX];
	size_t n_sources;
	struct marker *marker;      /* or NULL */
	const char *dir;            /* for the marker, or NULL */
	void *own;                  /* of fs_usage.c */
	uint64_t (*clock_ns)(void); /* the tracer's clock */
	bool is_darwin;             /* the numbers in the lines are macOS' */
	bool can_ask;               /* other processes' open files can be queried */
	int64_t offset_ns;          /* the clock of events minus the tracer's */
	int watched;                /* or negative */
	uint32_t epoch;
	uint64_t ids, requests; /* the last that were given */
	struct mounts *mounts;
	const struct sink *sink; /* during drain */
	struct known_task tasks[TASKS_KNOWN];
	char path[2][2 * PATH_BYTES + 2];
};

/* Converts the tracer's time NS to the clock of events. */
uint64_t macos__ns(const struct macos *d, uint64_t ns);

/* ---- source.c: what all engines share ---- */

/* Allocates an engine of TYPE. Returns 0, or a negative errno and the reason in PROBLEM. */
int macos__new(struct macos **ret, const struct engine_type *type,
	       const struct engine_config *config, char *problem);
/* Starts ARGV, which feeds a source of KIND. The same. */
int macos__begin_source(struct macos *d, const struct source_kind *kind, char *const argv[],
			char *problem);
/* Waits until the source records. Returns 0; -ECHILD: its tracer has ended, having said SAID (SIZE
 * bytes); or another negative errno and the reason in PROBLEM. */
int macos__wait_for_begin(struct source *s, char *said, size_t size, char *problem);
/* Notes that the tracer records, from NS of its clock on. */
void macos__has_begun(struct source *s, uint64_t ns);
/* Queues a copy of L, whose texts are in TEXT (LEN bytes), until its time has come. */
void macos__queue(struct source *s, const struct call_line *l, const char *text, size_t len);
/* Counts N rows as lost, between FROM and TO. */
void macos__lose(struct source *s, uint64_t n, uint64_t from, uint64_t to);
/* Counts what the tracer could not report. */
void macos__hole(struct source *s, enum hole hole);

/* The functions of engine.h with the same names. */
void macos__mark(struct engine *e);
void macos__drain(struct engine *e, const struct sink *sink);
void macos__wait(struct engine *e, int timeout_ms);
int macos__watch(struct engine *e, int fd);
void macos__counts(struct engine *e, enum stream stream, struct engine_counts *ret);
void macos__losses(struct engine *e, engine_loss_fn tell, void *arg);
void macos__gaps(struct engine *e, engine_gap_fn tell, void *arg);
void macos__forget(struct engine *e);
size_t macos__hooks(struct engine *e, struct manifest_hook *ret);
void macos__detach(struct engine *e);
void macos__free(struct engine *e);

/* The members of engine_type that are the same for all of these engines. */
/* clang-format off */
#define MACOS_ENGINE \
	.mark = macos__mark, .drain = macos__drain, .wait = macos__wait, .watch = macos__watch, \
	.counts = macos__counts, .losses = macos__losses, .gaps = macos__gaps, \
	.forget = macos__forget, .hooks = macos__hooks, .detach = macos__detach
/* clang-format on */

/* ---- calls.c, blocks.c, sockets.c ---- */

/* Turns a line into events. Returns false if its name is unknown, or it lacks a field. */
bool macos__call(struct source *s, const struct call_line *l);
bool macos__block(struct source *s, const struct call_line *l);
bool macos__socket(struct source *s, const struct call_line *l);

/* ---- names.c ---- */

/* Returns process PID, after querying what the system still knows about it. NULL: there is no
 * space. */
struct process *macos__process(struct source *s, uint32_t pid);
/* Returns the process of a call. NULL: there is no space, and its row counts as lost. */
struct process *macos__process_of(struct source *s, const struct call_line *l);
/* Handles a line "task". */
bool macos__take_task(struct source *s, const struct call_line *l);
/* Returns the id of the definition of thread TID, which is sent if necessary. */
uint64_t macos__task_id(struct source *s, const struct process *p, uint32_t tid);
/* The same for an open file; 0 if rows are not about it. */
uint64_t macos__file_id(struct source *s, struct opened *o);
/* Whether the selection's filters of processes and commands accept P. */
bool macos__is_wanted(const struct macos *d, const struct process *p);
/* Queries the open files of all processes, before the first record. */
void macos__ask_all(struct source *s);
/* Queries the program and arguments of P. */
void macos__ask_arguments(struct process *p);

/* ---- counts ---- */

/* Passes RECORD to the sink. */
void macos__event(struct source *s, const void *record, size_t size);
/* Counts a record that a filter or the scope drops. */
void macos__left_out(struct source *s);

#endif
