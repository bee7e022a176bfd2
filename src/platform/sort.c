// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/sort.h"

#include <stdlib.h>

#ifdef __linux__
void sort__by(void *base, size_t n, size_t size,
	      int (*compare)(const void *a, const void *b, void *arg), void *arg)
{
	qsort_r(base, n, size, compare, arg);
}
#else
struct comparison {
	int (*compare)(const void *a, const void *b, void *arg);
	void *arg;
};

/* qsort_r(3) of macOS is BSD's: ARG comes first. */
static int compare_bsd(void *order, const void *a, const void *b)
{
	const struct comparison *o = order;

	return o->compare(a, b, o->arg);
}

void sort__by(void *base, size_t n, size_t size,
	      int (*compare)(const void *a, const void *b, void *arg), void *arg)
{
	struct comparison order = { compare, arg };

	qsort_r(base, n, size, &order, compare_bsd);
}
#endif
