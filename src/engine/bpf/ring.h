/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading end of a BPF ring buffer. Unlike libbpf's, it can stop at a given position: the
 * reader notes the ends of the event rings, drains the definitions, and then the events up to
 * there. */
#ifndef IOTRC_RING_H
#define IOTRC_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* Maps the ring buffer MAP_FD, which is borrowed, with SIZE data bytes. Returns 0, or a negative
 * errno. */
int ring__new(struct ring **ret, int map_fd, size_t size);
/* Frees it; NULL is allowed. Returns NULL. */
struct ring *ring__free(struct ring *r);

/* The current position of the producers: everything submitted before this call is before it. */
uint64_t ring__end(struct ring *r);

/* The number of bytes that wait to be read, and the capacity. */
size_t ring__waiting(struct ring *r);
size_t ring__size(const struct ring *r);

/* Receives records. */
struct ring_sink {
	void (*record)(void *arg, const void *record, size_t size);
	/* See engine.h: struct sink. */
	void (*expect)(void *arg, const void *place);
	void *arg;
};

/* Passes each record before END to SINK and releases its space. Returns false at a record that a
 * producer is still writing, or that cannot be mapped for lack of memory; a later call continues
 * there. */
bool ring__drain(struct ring *r, uint64_t end, const struct ring_sink *sink);

/* Gives memory of the ring back that has not been read since the last call. */
void ring__trim(struct ring *r);

#endif
