/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether rows may take more of the disk. Asked before each block that is written; functions may be
 * called from any thread. */
#ifndef IOTRC_ROOM_H
#define IOTRC_ROOM_H

#include <stddef.h>
#include <stdint.h>

struct room_config {
	int fd;                      /* on the file system in question, borrowed */
	uint64_t min_free;           /* bytes that stay free for others … */
	unsigned int min_free_percent; /* … or so much of the whole, whichever is less */
	uint64_t max_bytes;          /* of all sessions together; 0: any number */
};

enum room_state {
	ROOM_ENOUGH,
	ROOM_DISK_LOW,               /* less than min_free is free */
	ROOM_FULL,                   /* the sessions have max_bytes */
};

struct room;

/* 0, or -ENOMEM. */
int room__new(struct room **ret, const struct room_config *config);
struct room *room__free(struct room *r);

/* From the next looks on: all of CONFIG but its fd. */
void room__set_limits(struct room *r, const struct room_config *config);

/* Whether LEN more bytes may be written. 0, or -ENOSPC. Looks at the disk now and then only. */
int room__check(struct room *r, size_t len);
/* They have been written. */
void room__took(struct room *r, size_t len);

/* What the sessions use, as room__took() has it; room__set_used() corrects it: so much it was, when
 * room__mark() gave MARK. */
uint64_t room__used(struct room *r);
uint64_t room__mark(struct room *r);
void room__set_used(struct room *r, uint64_t bytes, uint64_t mark);

/* The answer to the last question. */
enum room_state room__state(struct room *r);

uint64_t room__max_bytes(struct room *r);

/* The bytes that stay free, and those that are, as of the last look at the disk. */
uint64_t room__min_free(struct room *r);
uint64_t room__free_bytes(struct room *r);

#endif
