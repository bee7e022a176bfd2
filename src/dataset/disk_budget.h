/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides whether rows may use more disk space. Checked before each block is written. All functions
 * may be called from any thread. */
#ifndef IOTRC_DISK_BUDGET_H
#define IOTRC_DISK_BUDGET_H

#include <stddef.h>
#include <stdint.h>

struct disk_budget_config {
	int fd;                        /* on the file system in question, borrowed */
	uint64_t min_free;             /* bytes reserved for other programs … */
	unsigned int min_free_percent; /* … or this share of the disk, whichever is less */
	uint64_t max_bytes;            /* of all sessions together; 0: no limit */
};

enum disk_budget_state {
	DISK_BUDGET_OK,
	DISK_BUDGET_DISK_LOW, /* less than min_free is free */
	DISK_BUDGET_USED_UP,  /* the sessions have reached max_bytes */
};

struct disk_budget;

/* 0, or -ENOMEM. */
int disk_budget__new(struct disk_budget **ret, const struct disk_budget_config *config);
/* Frees it; NULL is allowed. Returns NULL. */
struct disk_budget *disk_budget__free(struct disk_budget *r);

/* Replaces the limits, from the next check on; the fd of CONFIG is ignored. */
void disk_budget__set_limits(struct disk_budget *r, const struct disk_budget_config *config);

/* Whether LEN more bytes may be written: 0, or -ENOSPC. Queries the disk only from time to time. */
int disk_budget__check(struct disk_budget *r, size_t len);
/* Counts LEN bytes as written. */
void disk_budget__took(struct disk_budget *r, size_t len);

/* Bytes that the sessions use, as counted by disk_budget__took(). To correct the count, call
 * disk_budget__mark(), measure, and pass both to disk_budget__set_used(): the sessions used BYTES
 * at the time of MARK. */
uint64_t disk_budget__used(struct disk_budget *r);
uint64_t disk_budget__mark(struct disk_budget *r);
void disk_budget__set_used(struct disk_budget *r, uint64_t bytes, uint64_t mark);

/* The result of the last disk_budget__check(). */
enum disk_budget_state disk_budget__state(struct disk_budget *r);

/* The limit for all sessions together, in bytes; 0: none. */
uint64_t disk_budget__max_bytes(struct disk_budget *r);

/* Bytes reserved for others, and bytes free, when the disk was last queried. */
uint64_t disk_budget__min_free(struct disk_budget *r);
uint64_t disk_budget__free_bytes(struct disk_budget *r);

#endif
