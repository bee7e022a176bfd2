/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guesses which word was meant. */
#ifndef IOTRC_NEAREST_H
#define IOTRC_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word; /* the most similar candidate so far, borrowed; NULL: none is similar */
	unsigned int distance;
};

/* Begins a search for words similar to one of LEN bytes. */
struct nearest nearest__begin(size_t len);

/* Compares TEXT (LEN bytes) with CANDIDATE by Levenshtein distance. Words of 32 bytes and more are
 * similar to none. */
void nearest__try(struct nearest *n, const char *text, size_t len, const char *candidate);

#endif
