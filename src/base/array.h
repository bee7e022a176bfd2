/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_ARRAY_H
#define IOTRC_ARRAY_H

#include <stdlib.h>

/* Makes room for one more item in ITEMS, an array of N items of SIZE bytes that can hold *CAPACITY,
 * by doubling that if necessary. Returns the array, which may have moved, or NULL if out of memory;
 * then ITEMS is unchanged. */
static inline void *array__grow(void *items, size_t n, size_t *capacity, size_t size)
{
	size_t more = *capacity ? 2 * *capacity : 64;
	void *grown;

	if (n < *capacity)
		return items;
	grown = reallocarray(items, more, size);
	if (grown)
		*capacity = more;
	return grown;
}

#endif
