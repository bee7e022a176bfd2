/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A uniform sample of rows, of bounded size. The priority of a row depends only on the row, and
 * rows with the lowest priorities stay, so that the sample is the same for any order of rows and
 * any number of threads. */
#ifndef IOTRC_SAMPLE_H
#define IOTRC_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sampled {
	uint64_t priority;
	uint64_t mono_ns, ns; /* of its end; its duration */
	uint64_t bytes;       /* moved; pages, of the cache */
	uint64_t at;          /* offset in the file or on the device */
	uint64_t file;        /* sample__name() of the file's name; 0: none */
	uint32_t pid, device; /* device: major << 20 | minor */
	uint8_t channel;      /* enum channel */
	bool failed, has_ns, has_at;
};

struct sample {
	struct sampled *rows;
	size_t n, size; /* at most 2 * MAX */
	size_t max;
	uint64_t limit; /* rows with at least this priority are dropped */
};

/* In a new one, all members except MAX are 0. */
void sample__begin(struct sample *s, size_t max);

/* Whether a row of PRIORITY may belong to the sample. */
static inline bool sample__wants(const struct sample *s, uint64_t priority)
{
	return priority < s->limit;
}

/* 0, or -ENOMEM. */
int sample__add(struct sample *s, const struct sampled *row);

/* Adds the rows of FROM. Returns 0, or -ENOMEM. */
int sample__merge(struct sample *s, const struct sample *from);

/* Reduces it to the MAX rows with the lowest priorities, sorted by time. */
void sample__finish(struct sample *s, size_t max);

/* Frees what S holds. */
void sample__clear(struct sample *s);

/* The priority of a row of the thread, process or CPU WHO at MONO_NS. */
uint64_t sample__priority(uint64_t mono_ns, uint64_t who, uint64_t kind);

/* A number for a name, not 0. */
uint64_t sample__name(const char *name, size_t len);

#endif
