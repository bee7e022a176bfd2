/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader: a thread that drains an engine, turns records into rows, passes rows to the writer,
 * and counts what is lost on the way. */
#ifndef IOTRC_CAPTURE_H
#define IOTRC_CAPTURE_H

#include <stdbool.h>

#include "dataset/manifest.h"
#include "dataset/writer.h"
#include "engine/engine.h"
#include "engine/keep.h"
#include "metrics/latency.h"
#include "rows/encode.h"

struct capture;

/* Whether records of STREAM have an encoder. */
bool capture__encodes(enum stream stream);

struct capture_setup {
	struct engine *engine;
	struct writer *writer;
	struct encoder_config encoder;
	bool shed;                   /* shed some rows before others are lost (--on-overload) */
	uint32_t rotate_s;           /* seconds between rows of connections that live; 0: none */
	bool distinct;               /* no rows for records that repeat others (repeats.h) */
	struct keep *keep;           /* a second receiver of the records, or NULL */
	struct latencies *latencies; /* gets the duration of each row, or NULL */
	/* Called once, on the reader's thread, when the engine has no more records; may be NULL. */
	void (*ended)(void *arg);
	void *arg;
};

/* Starts the thread. What SETUP points to is borrowed until capture__free(). Returns 0, or a
 * negative errno. */
int capture__new(struct capture **ret, const struct capture_setup *setup);

/* Starts new files: rows of all events so far go into the old ones. Asynchronous. */
void capture__rotate(struct capture *c);

/* Changes capture_setup.rotate_s. From any thread. */
void capture__set_rotation(struct capture *c, uint32_t seconds);

/* How full the buffers were within the last second. From any thread. */
struct engine_fill capture__fill(struct capture *c);

/* Number of events of STREAM for which no program ran, and of gaps in which nothing was recorded,
 * as of the last second. From any thread. */
uint64_t capture__missed(struct capture *c, enum stream stream);

/* Number of the reader's rounds so far; it increases every second while the reader lives. */
uint64_t capture__rounds(struct capture *c);

/* Detaches the engine, drains the rest and ends the thread. The writer then has all rows. */
void capture__stop(struct capture *c);
/* Writes rows of the lost stream about losses since the last ones; to be called after
 * capture__stop() and writer__settle(), before writer__close(). */
void capture__tell_last(struct capture *c);
/* Frees it; NULL is allowed. Returns NULL. */
struct capture *capture__free(struct capture *c);

/* Returns a stream's counts so far, from any thread; exact after capture__stop() and
 * writer__close(). */
void capture__counts(struct capture *c, enum stream stream, struct row_counts *ret);

/* Reports that ROWS rows of STREAM, counted from the start, were lost (disk) without the writer's
 * knowledge; they get a row in the lost stream. From any thread. */
void capture__set_lost(struct capture *c, enum stream stream, uint64_t rows);

/* Number of definition records received so far. Each string is sent once. */
void capture__definitions(struct capture *c, uint64_t *ret_paths, uint64_t *ret_tasks);

/* Returns the number of extent rows of kind unknown so far, by enum extent_reason. */
void capture__unknown_extents(struct capture *c, uint64_t ret[UNKNOWN_REASONS]);

/* Returns which values of the filters matched something; to be called after capture__stop(). */
void capture__matched(const struct capture *c, struct matched *ret);

/* Fills RET with the number of records that only a bug can make, and returns their sum. */
uint64_t capture__faults(struct capture *c, uint64_t ret[FAULTS]);

#endif
