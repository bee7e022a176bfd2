/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A view of a BPF map's memory that maps only the parts being read. mmap() of a BPF map populates
 * all of its pages at once: mapping the whole map would count as memory of this process, and would
 * make the start slower. A part stays mapped as long as it is in use, since mapping a page takes as
 * long as formatting a row. */
#ifndef IOTRC_WINDOW_H
#define IOTRC_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#define WINDOW_PARTS 64

struct window {
	int map_fd;   /* borrowed */
	size_t start; /* byte offset of the data in the map: the start of a page */
	size_t size;  /* bytes of data, whole pages */
	unsigned int part_bits;
	struct window_part {
		const char *p; /* LEN bytes from the beginning of the part on; NULL: not mapped */
		size_t len;
		bool used; /* since the last window__trim() */
	} parts[WINDOW_PARTS];
};

/* Opens it at the beginning of the data. Returns 0, or a negative errno. */
int window__open(struct window *ret, int map_fd, size_t start, size_t size);
void window__close(struct window *w);

/* Maps at least the first LEN bytes of a part, which may end beyond it. Returns 0, or a negative
 * errno; then the part is not mapped. */
int window__map(struct window *w, size_t part, size_t len);

/* Unmaps the parts that have not been used since the last call. */
void window__trim(struct window *w);

/* Returns the LEN bytes at OFFSET, which is in the data, or NULL if they can't be mapped now. What
 * it returned before of the same part may be invalid then. */
static inline const void *window__see(struct window *w, size_t offset, size_t len)
{
	struct window_part *part = &w->parts[offset >> w->part_bits];
	size_t in_part = offset & (((size_t)1 << w->part_bits) - 1);

	if (in_part + len > part->len && window__map(w, offset >> w->part_bits, in_part + len))
		return NULL;
	part->used = true;
	return part->p + in_part;
}

/* The same, but NULL if they are not mapped. */
static inline const void *window__peek(const struct window *w, size_t offset, size_t len)
{
	const struct window_part *part = &w->parts[offset >> w->part_bits];
	size_t in_part = offset & (((size_t)1 << w->part_bits) - 1);

	return in_part + len <= part->len ? part->p + in_part : NULL;
}

#endif
