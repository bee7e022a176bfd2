/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which word was meant? */
#ifndef IOTRC_NEAREST_H
#define IOTRC_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word; /* the nearest candidate so far, borrowed; NULL: none is near */
	unsigned int distance;
};

/* Looks for what resembles LEN bytes of a word. */
struct nearest nearest__begin(size_t len);

/* Compares the LEN bytes of TEXT with CANDIDATE by Levenshtein's distance. Words of 32 bytes and
 * more resemble none. */
void nearest__try(struct nearest *n, const char *text, size_t len, const char *candidate);

#endif
