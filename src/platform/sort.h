/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_SORT_H
#define IOTRC_SORT_H

#include <stddef.h>

/* Sorts N elements of SIZE bytes; ARG is passed to COMPARE. The qsort_r() of C libraries differ in
 * the order of arguments. */
void sort__by(void *base, size_t n, size_t size,
	      int (*compare)(const void *a, const void *b, void *arg), void *arg);

#endif
