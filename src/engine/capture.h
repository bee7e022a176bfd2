/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader: a thread that drains an engine, turns records into rows, hands rows to the write
 * manager, and keeps account of what is lost on the way. */
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
	bool lighten;                /* give up some rows before chance does (--on-overload) */
	struct keep *keep;           /* what gets the records, too, or NULL */
	struct latencies *latencies; /* gets the duration of each row, or NULL */
	/* Called once, on the reader's thread, when the engine has no more records; may be NULL. */
	void (*ended)(void *arg);
	void *arg;
};

/* Starts the thread. What SETUP points to is borrowed until capture__free(). 0, or a negative
 * errno. */
int capture__new(struct capture **ret, const struct capture_setup *setup);

/* Begins new files: all rows of events so far go into the old ones. Asynchronous. */
void capture__rotate(struct capture *c);

/* How full the buffers were within the last second. From any thread. */
struct engine_fill capture__fill(struct capture *c);

/* Number of events of STREAM for which no program ran, as of the last second. From any thread. */
uint64_t capture__missed(struct capture *c, enum stream stream);

/* Rounds of the reader so far, at least some each second while it lives. */
uint64_t capture__rounds(struct capture *c);

/* Detaches the engine, drains what is left, ends the thread. The writer has all rows then. */
void capture__stop(struct capture *c);
/* Tells in the lost stream of what has been lost since: after capture__stop() and writer__settle(),
 * before writer__close(). */
void capture__tell_last(struct capture *c);
/* Frees it; NULL is allowed. Returns NULL. */
struct capture *capture__free(struct capture *c);

/* A stream's account so far, from any thread; exact after capture__stop() and writer__close(). */
void capture__counts(struct capture *c, enum stream stream, struct row_counts *ret);

/* So many rows of STREAM have been lost (disk) that the writer knows nothing of: they are told in
 * the lost stream. From any thread; ROWS counts from the start. */
void capture__set_lost(struct capture *c, enum stream stream, uint64_t rows);

/* Definition records received so far: strings travel once. */
void capture__definitions(struct capture *c, uint64_t *ret_paths, uint64_t *ret_tasks);

/* Which values of the filters something has matched. After capture__stop(). */
void capture__matched(const struct capture *c, struct matched *ret);

/* Records that make no sense, or whose definition was missing: 0, or iotrc has a defect. */
uint64_t capture__unnamed(struct capture *c);

#endif
