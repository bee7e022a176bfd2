/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A view of a part of a BPF map's memory, which moves with the reader. mmap() of a BPF map
 * populates all of its pages at once: mapping the whole map would count as memory of this process,
 * and would make the start slower. */
#ifndef IOTRC_WINDOW_H
#define IOTRC_WINDOW_H

#include <stddef.h>

struct window {
	int map_fd;   /* borrowed */
	size_t start; /* byte offset of the data in the map: the start of a page */
	size_t size;  /* bytes of data, whole pages */
	size_t at, len;
	const char *p; /* the LEN bytes from AT; NULL: nothing is mapped */
};

/* Opens it at the beginning of the data. Returns 0, or a negative errno. */
int window__open(struct window *ret, int map_fd, size_t start, size_t size);
void window__close(struct window *w);

/* Moves the window so that the LEN bytes at OFFSET of the data are in it. Returns 0, or a negative
 * errno; then nothing is mapped. */
int window__move(struct window *w, size_t offset, size_t len);

/* Returns the LEN bytes at OFFSET of the data, or NULL if they can't be mapped now. What it
 * returned before is invalid. */
static inline const void *window__see(struct window *w, size_t offset, size_t len)
{
	if ((offset < w->at || offset + len > w->at + w->len) && window__move(w, offset, len))
		return NULL;
	return w->p + (offset - w->at);
}

#endif
