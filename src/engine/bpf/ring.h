/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading end of a BPF ring buffer. Unlike libbpf's, it can be told where to stop: a reader
 * notes the ends of the event rings, drains the definitions, and then the events up to there. */
#ifndef IOTRC_RING_H
#define IOTRC_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/* Maps the ring buffer of SIZE data bytes behind MAP_FD, which is borrowed. 0, or a negative
 * errno. */
int ring__new(struct ring **ret, int map_fd, size_t size);
/* Frees it; NULL is allowed. Returns NULL. */
struct ring *ring__free(struct ring *r);

/* Where the producers are now: all that was submitted before this call lies in front of it. */
uint64_t ring__end(struct ring *r);

/* Bytes that wait to be read, and that it has room for. */
size_t ring__waiting(struct ring *r);
size_t ring__size(const struct ring *r);

typedef void (*ring_record)(void *arg, const void *record, size_t size);

/* Hands each record in front of END to RECORD and frees its room. A record that a producer is still
 * writing stops it: returns false, and a later call goes on from there. */
bool ring__drain(struct ring *r, uint64_t end, ring_record record, void *arg);

#endif
