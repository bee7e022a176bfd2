/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer: chunks of whole rows -> bounded queue -> zstd frames -> rotated files. Producers fill
 * chunks; one thread of the writer compresses and writes them, another one finishes files. */
#ifndef IOTRC_WRITER_H
#define IOTRC_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/csv_file.h"
#include "schema/streams.h"

#define CHUNK_SIZE CSV_FILE_BLOCK /* bytes: a chunk is one zstd block */
#define CHUNK_MARKS 768           /* rows: few are so short that more would fit */

/* Whole rows of one stream. The producer fills data and the counts. */
struct chunk {
	struct chunk *next; /* used by the queue */
	enum stream stream;
	uint32_t len; /* bytes used */
	uint64_t rows;
	uint64_t first_ns, last_ns; /* smallest and largest mono_ns of the rows */
	char data[CHUNK_SIZE];
	uint32_t n_marks; /* of the first rows; for MARKED_STREAMS */
	struct row_mark marks[CHUNK_MARKS];
};

_Static_assert(CHUNK_MARKS * sizeof(struct row_mark) >= ROW_MATCHES_SLACK, "csv_rows.data");

#define WRITER_LEVEL 1 /* default zstd level: on this data, level 3 is slower and no smaller */

struct writer_config {
	int session_fd; /* directory of the session, borrowed */
	/* A file is finished after the first chunk with which it reaches one of these; 0: no
	 * limit. */
	uint32_t rotate_age_s; /* also applies to an idle stream */
	uint64_t rotate_bytes; /* compressed */
	uint64_t rotate_rows;
	int level;             /* zstd level */
	uint32_t queue_chunks; /* maximum number of chunks in flight, all streams together */
	uid_t uid;             /* owner of new files; -1: unchanged */
	gid_t gid;
	struct disk_budget *budget; /* limit on what is written; NULL: none. Borrowed */
	/* Called in a thread of the writer after each finished (renamed) file; may be NULL. FACTS
	 * is valid during the call. */
	void (*finished)(void *arg, const struct file_facts *facts);
	void *arg;
};

struct writer_stream_stats {
	uint64_t written_rows;                /* rows that reached a file */
	uint64_t lost_disk_rows;              /* rows that could not be written */
	uint64_t raw_bytes, compressed_bytes; /* of the files, header rows included */
};

struct writer;

/* Creates a writer and starts its threads. 0, or a negative errno. */
int writer__new(struct writer **ret, const struct writer_config *config);

/* Gets an empty chunk for STREAM, which the caller owns until writer__put(). NULL if queue_chunks
 * are in flight (a few more for the lost stream): the caller counts its rows as lost (queue). Never
 * blocks on the disk. */
struct chunk *writer__get_chunk(struct writer *w, enum stream stream);

/* Whether all chunks are in flight, so that writer__get_chunk() returns NULL until one is free. */
bool writer__busy(struct writer *w);

/* Passes a chunk to the writer; an empty one is recycled. Unless in a HURRY, the writer's thread is
 * not woken for a few chunks, since that costs as much as a few dozen rows. Returns whether it will
 * write the chunk at once; if not, the caller puts one in a hurry later. */
bool writer__put_chunk(struct writer *w, struct chunk *chunk, bool hurry);

/* Finishes all open files; the next chunk of a stream opens a new one. Asynchronous. */
void writer__rotate(struct writer *w);

/* Sets the limits at which files are finished (see writer_config), from the next chunk on. */
void writer__set_rotation(struct writer *w, uint32_t age_s, uint64_t bytes, uint64_t rows);

/* Returns what was written of STREAM so far. Any thread; takes no lock. */
void writer__stats(struct writer *w, enum stream stream, struct writer_stream_stats *ret_stats);

/* Sets the zstd LEVEL; each stream continues in a new file. */
void writer__set_level(struct writer *w, int level);

/* Share of the queue that is in use, in percent. */
unsigned int writer__fill(struct writer *w);

/* Number of chunks processed so far, with or without success; RET_IDLE: whether that is all. For a
 * watchdog, from any thread. */
uint64_t writer__steps(struct writer *w, bool *ret_idle);

/* Whether the last attempt to write failed, so that rows are being lost. */
bool writer__failing(struct writer *w);

/* The first error from the disk (negative errno), or 0. */
int writer__error(struct writer *w);

/* Writes all queued rows and finishes the files of all streams except lost. All losses are known
 * then and can be written to the lost stream before writer__close(). Producers of other rows must
 * have ended. */
void writer__settle(struct writer *w);

/* Writes all queued rows, finishes all files and ends the threads. The stats remain readable. 0, or
 * the first error; a file that could not be finished keeps its name .part, and its rows count as
 * written. Producers must have returned all chunks. */
int writer__close(struct writer *w);

/* Number of files that could not be finished. Exact after writer__close(). */
unsigned int writer__unfinished(struct writer *w);

/* Frees W, after closing it if needed. Accepts NULL, returns NULL. */
struct writer *writer__free(struct writer *w);

#endif
