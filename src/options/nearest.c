// SPDX-License-Identifier: GPL-2.0-or-later
#include "options/nearest.h"

#include <string.h>

#define WORD_MAX 32

static unsigned int distance(const char *a, size_t len, const char *b)
{
	unsigned int row[WORD_MAX];
	size_t n = strlen(b);

	if (len >= WORD_MAX || n >= WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= len; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

struct nearest nearest__begin(size_t len)
{
	return (struct nearest){ .distance =
					 len < 5 ? 2 : 3 }; /* short words are like many others */
}

void nearest__try(struct nearest *n, const char *text, size_t len, const char *candidate)
{
	unsigned int d = distance(text, len, candidate);

	if (d < n->distance) {
		n->distance = d;
		n->word = candidate;
	}
}
