/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_ARRAY_H
#define IOTRC_ARRAY_H

#include <stdlib.h>

/* Makes room for one more item in ITEMS, an array with N items of SIZE bytes and room for *ROOM,
 * by doubling that if necessary. Returns the array, which may have moved, or NULL if out of memory;
 * then ITEMS is unchanged. */
static inline void *array__grow(void *items, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *grown;

	if (n < *room)
		return items;
	grown = reallocarray(items, more, size);
	if (grown)
		*room = more;
	return grown;
}

#endif
