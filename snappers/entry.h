/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file as found by a walk. */
#ifndef IOTRC_SNAP_ENTRY_H
#define IOTRC_SNAP_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "platform/file_state.h"

/* Longer absolute paths are not entered. */
#define ENTRY_PATH_MAX (1024 * 1024)

enum entry_flags {
	ENTRY_NO_BTIME = 1 << 0,
	ENTRY_BLIND = 1 << 1, /* no file: this path and those below it could not be read */
};

struct snap_entry {
	uint64_t mono_ns; /* when it was examined */
	/* A file has changed if one of the fields from here to path has. */
	uint64_t size, physical, inode;
	struct file_time birth, modified, accessed;
	uint32_t major, minor, nlink, mode;
	uint32_t attributes; /* as in struct file_state */
	uint32_t flags;
	uint32_t len; /* of path, which has no NUL */
	char path[];
} __attribute__((packed, aligned(4)));

#define ENTRY_SIZE(len) (sizeof(struct snap_entry) + (len))

/* Fills in all fields except len and path from FACTS, seen at MONO_NS. */
void entry__set(struct snap_entry *e, uint64_t mono_ns, const struct file_state *facts);

/* Orders by path, ascending, each directory directly before what is below it; of two entries with
 * one path, the blind one (ENTRY_BLIND) is first. */
int entry__order(const void *a, const void *b);
/* The same for two paths. */
int entry__order_paths(const char *a, size_t a_len, const char *b, size_t b_len);
/* Whether PATH is DIR or is below it. */
bool entry__below(const char *dir, size_t dir_len, const char *path, size_t len);
/* Whether the fields from size to flags are equal. */
bool entry__same(const struct snap_entry *a, const struct snap_entry *b);

/* Writes the row at P, which has SNAP_ROW_MAX bytes. GONE: writes a tombstone of MONO_NS. */
char *entry__row(const struct snap_entry *e, bool gone, uint64_t mono_ns, struct clock *clock,
		 struct anonymizer *anon, char *p);

#endif
