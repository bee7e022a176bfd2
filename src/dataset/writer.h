/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The write manager: whole rows in chunks -> bounded queue -> zstd frames -> rotated files.
 * Producers fill chunks; one thread of the writer compresses and writes them, another finishes
 * files. */
#ifndef IOTRC_WRITER_H
#define IOTRC_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/csv_file.h"
#include "schema/streams.h"

#define CHUNK_SIZE CSV_FILE_BLOCK /* bytes: a chunk is one zstd block */

/* Whole rows of one stream. The producer fills data and the counts. */
struct chunk {
	struct chunk *next; /* the queue's */
	enum stream stream;
	uint32_t len; /* bytes used */
	uint64_t rows;
	uint64_t first_ns, last_ns; /* smallest and largest mono_ns of the rows */
	char data[CHUNK_SIZE];
};

#define WRITER_LEVEL 1 /* zstd's, as a rule: on this data level 3 is slower and no smaller */

struct writer_config {
	int session_fd; /* directory of the session, borrowed */
	/* A file is finished after the first chunk that takes it to one of these; 0 is never. */
	uint32_t rotate_age_s; /* of an idle stream, too */
	uint64_t rotate_bytes; /* compressed */
	uint64_t rotate_rows;
	int level;             /* zstd's */
	uint32_t queue_chunks; /* bound of chunks in flight, all streams together */
	uid_t uid;             /* owner of what is created; -1 leaves it */
	gid_t gid;
	struct disk_budget *budget; /* what may be written; NULL: anything. Borrowed */
	/* Called on a thread of the writer's after each finished (renamed) file; may be NULL. FACTS
	 * live as long as the call. */
	void (*finished)(void *arg, const struct file_facts *facts);
	void *arg;
};

struct writer_stream_stats {
	uint64_t written_rows;                /* rows that reached a file */
	uint64_t lost_disk_rows;              /* rows that couldn't be written */
	uint64_t raw_bytes, compressed_bytes; /* of the files, header rows included */
};

struct writer;

/* Makes a writer and starts its threads. 0, or a negative errno. */
int writer__new(struct writer **ret, const struct writer_config *config);

/* An empty chunk for STREAM, now the caller's; NULL when queue_chunks are in flight (a few more for
 * the lost stream): the caller counts its rows as lost(queue). Never blocks on the disk. */
struct chunk *writer__get_chunk(struct writer *w, enum stream stream);

/* All chunks are in flight: the next writer__get_chunk() gives NULL unless one comes back. */
bool writer__busy(struct writer *w);

/* Hands a chunk over (an empty one is recycled). */
void writer__put_chunk(struct writer *w, struct chunk *chunk);

/* Finishes every open file; the next chunk of a stream opens a new one. Asynchronous. */
void writer__rotate(struct writer *w);

/* What files are finished at (see writer_config), from the next chunk or rotation on. */
void writer__set_rotation(struct writer *w, uint32_t age_s, uint64_t bytes, uint64_t rows);

void writer__stats(struct writer *w, enum stream stream, struct writer_stream_stats *ret_stats);

/* Compresses by zstd's LEVEL from now on: each stream goes on in a new file. */
void writer__set_level(struct writer *w, int level);

/* Percent of the queue that is on its way to the disk. */
unsigned int writer__fill(struct writer *w);

/* Chunks written so far, well or not; RET_IDLE: all that were put. For a watchdog, from any
 * thread. */
uint64_t writer__steps(struct writer *w, bool *ret_idle);

/* Rows are being lost since the last try to write. */
bool writer__failing(struct writer *w);

/* The first error the disk gave (negative errno), or 0. */
int writer__error(struct writer *w);

/* Writes what is queued and finishes the files of all streams but the lost one: what these lose is
 * known then, and can be told in rows of that one before writer__close(). Producers of other rows
 * must have ended. */
void writer__settle(struct writer *w);

/* Writes what is queued and finishes the files of all streams but the lost one: what these lose is
 * known then, and can be told in rows of that one before writer__close(). Producers of other rows
 * must have ended. */
void writer__settle(struct writer *w);

/* Writes what is queued, finishes every file, ends the threads. The stats stay readable. 0, or the
 * first error; a file that couldn't be finished stays as .part, and its rows count as written.
 * Chunks still held by producers must have been put back. */
int writer__close(struct writer *w);

/* Files that could not be finished. Exact after writer__close(). */
unsigned int writer__unfinished(struct writer *w);

/* Files that could not be finished. Exact after writer__close(). */
unsigned int writer__unfinished(struct writer *w);

/* Frees; accepts NULL, returns NULL. Closes first where that was not done. */
struct writer *writer__free(struct writer *w);

#endif
