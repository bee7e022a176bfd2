/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine: a source of records. It tells of what happens as events, and of the files and threads
 * in them as definitions, in the layouts of records.h; all that comes after is the same for every
 * engine. The reader (capture.h) asks it, on one thread, in rounds: mark, drain, wait. Records are
 * pushed into a sink, one call each.
 *
 * A new engine is a struct engine_type in the table of engine.c. It has serves, open, drain,
 * counts, forget and free; what else it leaves NULL does nothing. */
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
#include "rows/reqnames.h"
#include "schema/selection.h"
#include "schema/streams.h"

#define ENGINE_PROBLEM_MAX 1024 /* bytes of a problem's text, NUL included */
#define ENGINE_HOOKS_MAX 64
#define ENGINE_LIMITS_MAX 8

struct engine_config {
	const struct selection *selection;
	const struct memory_plan *memory;
	const char *file; /* that the records are in, of an engine that reads a file */
	bool verbose;     /* what its libraries say goes to stderr */
	uint32_t sums;    /* enum sum_by: it sums up, and delivers nothing; 0: it delivers */
};

/* Where records go. A record is whole, begins on 8 bytes, and is the engine's again when the call
 * returns. */
struct sink {
	void (*define)(void *arg, const void *record, size_t size);
	void (*event)(void *arg, const void *record, size_t size);
	/* Of records that aren't of here and now: wall time was OFFSET_NS more than the records'
	 * clock from MONO_NS on. Comes before the events that it holds for. */
	void (*clock)(void *arg, uint64_t mono_ns, int64_t offset_ns);
	void *arg;
};

/* Percent of the fullest buffer that holds events, and of that of definitions. */
struct engine_fill {
	unsigned int events, definitions;
};

/* Operations of a stream since the engine was opened. seen = filtered + lost + shed + what went, or
 * will go, into the sink. */
struct engine_counts {
	uint64_t seen;
	uint64_t filtered; /* left out by a filter or by scope */
	uint64_t lost;     /* for want of room */
	uint64_t shed;     /* left out as engine__shed() asked */
};

struct engine_loss {
	enum stream stream;
	enum engine_cause { ENGINE_LOST, ENGINE_SHED } cause;
	uint64_t count;
	uint64_t from_ns, to_ns; /* 0 of what was shed: the caller knows */
	int cpu;                 /* or -1 */
};

/* What was summed up of a group of records. What it isn't by is 0, "" or -1. */
struct engine_sum {
	enum stream stream;
	bool others;           /* of all groups for which there was no room: nothing else is set */
	const char *operation; /* as in rows, or NULL */
	uint32_t pid;          /* 0: nobody's */
	const char *command;   /* of the thread; by process: of its first one, as last seen */
	uint64_t cgroup;
	int64_t uid;    /* -1: unknown */
	uint32_t dev;   /* as in rec_path */
	uint32_t error; /* errno */
	int64_t size;   /* the power of two that isn't more, or 0; -1: it has none */
	const struct tally *tally;
};

typedef int (*engine_sum_fn)(void *arg, const struct engine_sum *sum);

typedef void (*engine_loss_fn)(void *arg, const struct engine_loss *loss);
/* TEXT: a line for people. */
typedef void (*engine_gap_fn)(void *arg, const char *text);

struct engine;

struct engine_type {
	const char *name; /* in the manifest */
	bool patient;     /* records wait for as long as one likes */
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
	const struct reqnames *(*request_names)(const struct engine *e);
	pid_t (*own_pid)(const struct engine *e);
	void (*gaps)(struct engine *e, engine_gap_fn tell, void *arg);
	int (*sums)(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed);
	void (*detach)(struct engine *e);
	void (*free)(struct engine *e);
};

/* What each engine's own struct begins with. */
struct engine {
	const struct engine_type *type;
};

extern const struct engine_type engine_bpf, engine_replay, engine_strace;

/* All engines, NULL at the end; the first is this machine's own. */
extern const struct engine_type *const engines[];

/* The engine called NAME, or NULL. */
const struct engine_type *engine__find(const char *name);

/* Opens an engine: from now on it records. 0, or a negative errno and PROBLEM (room for
 * ENGINE_PROBLEM_MAX), why it can't, in words for a person. CONFIG is borrowed for the call, the
 * selection until engine__free(). */
int engine__open(struct engine **ret, const struct engine_type *type,
		 const struct engine_config *config, char *problem);
/* Frees it; NULL is allowed. Returns NULL. */
struct engine *engine__free(struct engine *e);

/* Writes PROBLEM by FORMAT and returns ERR. */
int engine__problem(char *problem, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- the reader's thread ---- */

/* Notes what has been recorded so far … */
void engine__mark(struct engine *e);

/* … and hands all of that to SINK: definitions before the events that use them. */
void engine__drain(struct engine *e, const struct sink *sink);

/* Waits until a buffer asks to be read, a watched descriptor can be, or TIMEOUT_MS have gone by. */
void engine__wait(struct engine *e, int timeout_ms);

/* FD, which is borrowed, ends waiting as well when it can be read. 0, or a negative errno. */
int engine__watch(struct engine *e, int fd);

/* Whether there will be no more records: the file ends here. Never of an engine that watches a
 * machine. */
bool engine__ended(const struct engine *e);

/* How full the fullest buffers are, as struct engine_fill says. */
struct engine_fill engine__fill(struct engine *e);

/* Tells what was lost and shed since the last call, and when. */
void engine__losses(struct engine *e, engine_loss_fn tell, void *arg);

/* Leaves out the fs operations in OPS, a bit each; what that costs in rows is counted as shed. */
void engine__shed(struct engine *e, uint64_t ops);

/* Each definition is sent again before the next event that uses it. */
void engine__forget(struct engine *e);

/* Tells all sums, after engine__detach(), of an engine that was opened for them. UNTIMED: calls
 * whose times are in no quantile, for want of room. 0, a negative errno, -ENOTSUP where it can't
 * sum up, or what TELL has returned but 0, which ends it. */
int engine__sums(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed);

/* Ends recording; what has been recorded can still be drained. */
void engine__detach(struct engine *e);

/* ---- any thread ---- */

/* The counts of STREAM so far. */
void engine__counts(struct engine *e, enum stream stream, struct engine_counts *ret);

/* Adds to RET how many events of a stream the machine has kept from the engine: how many rows those
 * would have been nobody knows. Until engine__detach() some of them may come yet. */
void engine__missed(struct engine *e, uint64_t ret[STREAM_CAPTURED]);

/* After the last engine__drain(): tells what happened that the engine can't see, a line each. */
void engine__gaps(struct engine *e, engine_gap_fn tell, void *arg);

/* Fills RET (room for ENGINE_HOOKS_MAX) with the hooks in use; returns their number. Names are
 * static. */
size_t engine__hooks(struct engine *e, struct manifest_hook *ret);

/* What this machine is too old, or too new, for, in words; each static. Returns their number. */
size_t engine__limits(const struct engine *e, const char *ret[ENGINE_LIMITS_MAX]);

/* What a person should know of how it records, or NULL. Lives as long as the engine. */
const char *engine__warning(const struct engine *e);

/* Names of the numbers in nw_drop's drop_reason, for the caller to release; NULL: it knows none. */
json_t *engine__drop_reasons(const struct engine *e);

/* Names of the numbers in block's records, or NULL: it knows none. Lives as long as the engine. */
const struct reqnames *engine__request_names(const struct engine *e);

/* Our process id as records have it: getpid() but in a PID namespace. */
pid_t engine__own_pid(const struct engine *e);

#endif
