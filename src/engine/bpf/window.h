/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A view of a part of a BPF map's memory, which moves with the reader. A map is mapped page by page
 * at once, so that all of it would count as memory of this process, and take time at the start. */
#ifndef IOTRC_WINDOW_H
#define IOTRC_WINDOW_H

#include <stddef.h>

struct window {
	int map_fd;   /* borrowed */
	size_t start; /* where the data begin in the map, in bytes: a page's start */
	size_t size;  /* of the data in bytes, whole pages */
	size_t at, len;
	const char *p; /* the LEN bytes from AT on; NULL: nothing is mapped */
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
