/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine: a source of records. It delivers what happens as events, and the files and threads in
 * them as definitions, in the layouts of records.h; everything after that is the same for every
 * engine. The reader (capture.h) calls it on one thread, in rounds: mark, drain, wait. Records are
 * pushed into a sink, one call each.
 *
 * A new engine is a struct engine_type in the table of engine.c. It must have open, drain, counts,
 * forget and free; other members may be NULL and then do nothing. */
#ifndef IOTRC_ENGINE_H
#define IOTRC_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "aggregate/tally.h"
#include "dataset/manifest.h"
#include "dataset/memory.h"
#include "rows/matched.h"
#include "rows/reqnames.h"
#include "schema/records.h"
#include "schema/selection.h"
#include "schema/streams.h"

#define ENGINE_PROBLEM_MAX 1024 /* bytes of a problem's text, NUL included */
#define ENGINE_HOOKS_MAX 96
#define ENGINE_LIMITS_MAX 8

struct engine_config {
	const struct selection *selection;
	const struct memory_plan *memory;
	const char *file; /* of records, or the program that makes them; NULL: the default */
	const char *dir;  /* where it may create files while it records; NULL: nowhere */
	bool calls;       /* engine__calls() will be asked for */
	bool verbose;     /* its libraries' messages go to stderr */
	uint32_t sums;    /* enum sum_by: deliver sums instead of records; 0: records */
};

/* Receives records. A record is complete, 8-aligned, and only valid during the call. Events are of
 * the streams of engine_config.selection alone: others are no rows, and count as faults. */
struct sink {
	void (*define)(void *arg, const void *record, size_t size);
	void (*event)(void *arg, const void *record, size_t size);
	/* PLACE has the first bytes, sizeof(struct rec_fs), of a record that will probably come
	 * soon. It may not be complete, or no record at all. NULL: the sink does not want to
	 * know. */
	void (*expect)(void *arg, const void *place);
	/* For records of another time or machine: wall time was OFFSET_NS more than the records'
	 * clock from MONO_NS on. Called before the events it applies to. */
	void (*clock)(void *arg, uint64_t mono_ns, int64_t offset_ns);
	void *arg;
};

/* Fill level in percent of the fullest buffer of events, and of the buffer of definitions. */
struct engine_fill {
	unsigned int events, definitions;
};

/* Operations of a stream since the engine was opened. seen = filtered + lost + shed + those that
 * were or will be passed to the sink. */
struct engine_counts {
	uint64_t seen;
	uint64_t filtered; /* dropped by a filter or by the scope */
	uint64_t lost;     /* for want of room */
	uint64_t shed;     /* dropped as engine__shed() requested */
};

struct engine_loss {
	enum stream stream;
	/* ENGINE_GAP: nothing was recorded for a while. The number of missing rows is unknown:
	 * count is the number of gaps, and is part of no other count. */
	enum engine_cause { ENGINE_LOST, ENGINE_SHED, ENGINE_GAP } cause;
	uint64_t count;
	uint64_t from_ns, to_ns; /* 0 if it was shed: the caller knows when */
	int cpu;                 /* or -1 */
};

/* Sums of a group of records. Members that they are not grouped by are 0, "" or -1. */
struct engine_sum {
	enum stream stream;
	bool others;           /* the sum of all groups that did not fit: no other key is set */
	const char *operation; /* as in rows, or NULL */
	uint32_t pid;          /* 0: no process */
	const char *command;   /* of the thread; by process: of its main thread, as last seen */
	uint64_t cgroup;
	int64_t uid; /* -1: unknown */
	/* The id of a rec_path or, if dev is not 0, an inode number; 0: no file, or one that did
	 * not fit. */
	uint64_t file;
	uint32_t dev;     /* as in rec_path */
	uint32_t error;   /* errno */
	uint32_t minute;  /* since 1970; 0: unknown */
	uint64_t written; /* of the tally's amount: bytes of fs write, of block writes */
	uint64_t timed;   /* calls whose duration is in the tally's sum */
	int64_t size;     /* rounded down to a power of two, or 0; -1: no size */
	const struct tally *tally;
};

/* Returns 0, ENGINE_SUM_DROP, or a negative errno: then it is not called again. */
typedef int (*engine_sum_fn)(void *arg, const struct engine_sum *sum);
/* Reset the sum, which is one by file, to 0; what is added meanwhile may be lost. */
#define ENGINE_SUM_DROP 1

/* A call in progress. Its strings are valid during the call of engine_call_fn. */
struct engine_call {
	enum stream stream;
	const char *operation; /* as in rows */
	uint32_t pid, tid;
	const char *command; /* of the thread */
	uint64_t began_ns;   /* CLOCK_MONOTONIC */
	int fd;              /* of the open file that the call acts on, or -1 */
	int dir_fd;          /* of the directory that PATH is relative to, or AT_FDCWD */
	const char *path;    /* as passed; empty: none, or unknown */
};

/* What engine__describe_call() returns about a system call. */
struct engine_call_kind {
	enum stream stream;
	const char *operation; /* as in rows; may be NULL for streams other than fs */
	/* Which arguments are the open file, the path, and the directory that the path is relative
	 * to; -1: none. */
	int fd, path, dir_fd;
};

typedef void (*engine_call_fn)(void *arg, const struct engine_call *call);

typedef void (*engine_loss_fn)(void *arg, const struct engine_loss *loss);
/* TEXT: a line for people. */
typedef void (*engine_gap_fn)(void *arg, const char *text);

struct engine;

struct engine_type {
	const char *name; /* in the manifest */
	bool patient;     /* records can wait for any length of time */
	bool (*serves)(enum stream stream);
	int (*open)(struct engine **ret, const struct engine_config *config, char *problem);
	void (*mark)(struct engine *e);
	void (*drain)(struct engine *e, const struct sink *sink);
	void (*wait)(struct engine *e, int timeout_ms);
	int (*watch)(struct engine *e, int fd);
	bool (*ended)(const struct engine *e);
	struct engine_fill (*fill)(struct engine *e);
	void (*counts)(struct engine *e, enum stream stream, struct engine_counts *ret);
	void (*losses)(struct engine *e, engine_loss_fn tell, void *arg);
	void (*missed)(struct engine *e, uint64_t ret[STREAM_CAPTURED]);
	void (*shed)(struct engine *e, uint64_t ops);
	void (*forget)(struct engine *e);
	size_t (*hooks)(struct engine *e, struct manifest_hook *ret);
	size_t (*limits)(const struct engine *e, const char *ret[ENGINE_LIMITS_MAX]);
	const char *(*warning)(const struct engine *e);
	json_t *(*drop_reasons)(const struct engine *e);
	json_t *(*unfilled)(const struct engine *e);
	const struct reqnames *(*request_names)(const struct engine *e);
	pid_t (*own_pid)(const struct engine *e);
	void (*matched)(const struct engine *e, struct matched *ret);
	int (*add_cgroup)(struct engine *e, uint64_t cgroup);
	void (*gaps)(struct engine *e, engine_gap_fn tell, void *arg);
	int (*flows)(struct engine *e, enum flow_event event, const struct sink *sink);
	int (*unfinished)(struct engine *e, const struct sink *sink);
	int (*calls)(struct engine *e, engine_call_fn tell, void *arg);
	bool (*describe_call)(struct engine *e, long nr, struct engine_call_kind *ret);
	int (*sums)(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed);
	void (*detach)(struct engine *e);
	void (*free)(struct engine *e);
};

/* The first member of each engine's own struct. */
struct engine {
	const struct engine_type *type;
};

extern const struct engine_type engine_bpf, engine_dtrace, engine_eslogger, engine_fs_usage,
	engine_replay, engine_strace;

/* All engines, ending with NULL; the first one is this machine's own. */
extern const struct engine_type *const engines[];

/* The engine called NAME, or NULL. */
const struct engine_type *engine__find(const char *name);

/* Opens an engine, which records from now on. Returns 0, or a negative errno and the reason in
 * PROBLEM (ENGINE_PROBLEM_MAX bytes) as text for people. CONFIG is borrowed for the call, the
 * selection until engine__free(). */
int engine__open(struct engine **ret, const struct engine_type *type,
		 const struct engine_config *config, char *problem);
/* Frees it; NULL is allowed. Returns NULL. */
struct engine *engine__free(struct engine *e);

/* Formats PROBLEM and returns ERR. */
int engine__problem(char *problem, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- the reader's thread ---- */

/* Marks what has been recorded so far … */
void engine__mark(struct engine *e);

/* … and passes all of that to SINK: definitions before the events that use them. */
void engine__drain(struct engine *e, const struct sink *sink);

/* Waits until a buffer needs to be read, a watched descriptor is readable, or TIMEOUT_MS have
 * passed. */
void engine__wait(struct engine *e, int timeout_ms);

/* Makes engine__wait() return also when FD, which is borrowed, is readable. Returns 0, or a
 * negative errno. */
int engine__watch(struct engine *e, int fd);

/* Whether there will be no more records, at the end of a file. Never true for an engine that
 * records a machine. */
bool engine__ended(const struct engine *e);

/* Returns how full the fullest buffers are; see struct engine_fill. */
struct engine_fill engine__fill(struct engine *e);

/* Reports what was lost and shed since the last call, with its time span. */
void engine__losses(struct engine *e, engine_loss_fn tell, void *arg);

/* Drops the fs operations in OPS (a bit each) from now on, and counts their rows as shed. */
void engine__shed(struct engine *e, uint64_t ops);

/* Passes to SINK a record for each open connection or socket of nw_flow, and for each socket that
 * has ended without one; with FLOW_END only the latter. To be called every second. After FLOW_STOP
 * there are no more records of connections; an engine that delivers sums then adds them to its
 * sums. Returns 0, or a negative errno. */
int engine__flows(struct engine *e, enum flow_event event, const struct sink *sink);

/* Passes to SINK a record for each fs call that is in progress and has taken at least the
 * selection's slow_ns, if that is set. To be called once, at the end. Returns 0, or a negative
 * errno. */
int engine__unfinished(struct engine *e, const struct sink *sink);

/* Makes the engine send each definition again before the next event that uses it. */
void engine__forget(struct engine *e);

/* Passes all sums so far to TELL, if the engine was opened for sums; after engine__detach() they
 * are final. UNTIMED: the number of calls whose durations are in no quantile because there was no
 * room. Returns 0, a negative errno (also TELL's), or -ENOTSUP if the engine has no sums. */
int engine__sums(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed);

/* Passes to TELL the calls of the selection that are in progress, if the engine was opened for
 * that; not those that began before it was opened. Returns 0, a negative errno, or -ENOTSUP. */
int engine__calls(struct engine *e, engine_call_fn tell, void *arg);

/* Describes system call NR of this machine. Returns false if it is never recorded. */
bool engine__describe_call(struct engine *e, long nr, struct engine_call_kind *ret);

/* Ends recording; what has been recorded can still be drained. */
void engine__detach(struct engine *e);

/* ---- any thread ---- */

/* Returns the counts of STREAM so far. */
void engine__counts(struct engine *e, enum stream stream, struct engine_counts *ret);

/* Adds to RET how many events of each stream the machine did not pass to the engine; how many rows
 * they would have made is unknown. Until engine__detach() some of them may still be passed. */
void engine__missed(struct engine *e, uint64_t ret[STREAM_CAPTURED]);

/* Adds a cgroup, and those below it, to the selection, which has patterns for containers. What
 * processes do from now on is recorded. Returns 0, 1 if it was there already, -ENOSPC, or -ENOTSUP.
 * Needs no privilege; by one thread at a time. */
int engine__add_cgroup(struct engine *e, uint64_t cgroup);

/* Adds to RET the values of filters that the engine itself has compared and that matched
 * something. */
void engine__matched(const struct engine *e, struct matched *ret);

/* To be called after the last engine__drain(): reports, a line each, what happened that the engine
 * cannot record. */
void engine__gaps(struct engine *e, engine_gap_fn tell, void *arg);

/* Fills RET (ENGINE_HOOKS_MAX entries) with the hooks in use; returns their number. Names are
 * static. */
size_t engine__hooks(struct engine *e, struct manifest_hook *ret);

/* Fills RET with static texts about features that this machine's kernel is too old, or too new,
 * for. Returns their number. */
size_t engine__limits(const struct engine *e, const char *ret[ENGINE_LIMITS_MAX]);

/* Returns a note for people about how it records, or NULL. Valid until engine__free(). */
const char *engine__warning(const struct engine *e);

/* Returns the names of the numbers in nw_drop's drop_reason, to be released by the caller, or NULL
 * if unknown. */
json_t *engine__drop_reasons(const struct engine *e);

/* For the manifest: returns the columns that the engine cannot fill, by stream, to be released by
 * the caller; NULL: it fills all. */
json_t *engine__unfilled(const struct engine *e);

/* Returns the names of the numbers in block's records, or NULL if unknown. Valid until
 * engine__free(). */
const struct reqnames *engine__request_names(const struct engine *e);

/* Our process id as in records: getpid(), except in a PID namespace. */
pid_t engine__own_pid(const struct engine *e);

#endif
