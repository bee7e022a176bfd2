/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether rows may take more of the disk. Asked before each block that is written; functions may be
 * called from any thread. */
#ifndef IOTRC_ROOM_H
#define IOTRC_ROOM_H

#include <stddef.h>
#include <stdint.h>

struct disk_budget_config {
	int fd;                        /* on the file system in question, borrowed */
	uint64_t min_free;             /* bytes that stay free for others … */
	unsigned int min_free_percent; /* … or so much of the whole, whichever is less */
	uint64_t max_bytes;            /* of all sessions together; 0: any number */
};

enum room_state {
	ROOM_ENOUGH,
	ROOM_DISK_LOW, /* less than min_free is free */
	ROOM_FULL,     /* the sessions have max_bytes */
};

struct disk_budget;

/* 0, or -ENOMEM. */
int disk_budget__new(struct disk_budget **ret, const struct disk_budget_config *config);
struct disk_budget *disk_budget__free(struct disk_budget *r);

/* From the next looks on: all of CONFIG but its fd. */
void disk_budget__set_limits(struct disk_budget *r, const struct disk_budget_config *config);

/* Whether LEN more bytes may be written. 0, or -ENOSPC. Looks at the disk now and then only. */
int disk_budget__check(struct disk_budget *r, size_t len);
/* They have been written. */
void disk_budget__took(struct disk_budget *r, size_t len);

/* What the sessions use, as disk_budget__took() has it; disk_budget__set_used() corrects it: so
 * much it was, when disk_budget__mark() gave MARK. */
uint64_t disk_budget__used(struct disk_budget *r);
uint64_t disk_budget__mark(struct disk_budget *r);
void disk_budget__set_used(struct disk_budget *r, uint64_t bytes, uint64_t mark);

/* The answer to the last question. */
enum room_state disk_budget__state(struct disk_budget *r);

uint64_t disk_budget__max_bytes(struct disk_budget *r);

/* The bytes that stay free, and those that are, as of the last look at the disk. */
uint64_t disk_budget__min_free(struct disk_budget *r);
uint64_t disk_budget__free_bytes(struct disk_budget *r);

#endif
