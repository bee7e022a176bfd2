// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int entries__add(struct entries *e, const char *key, const char *text, uint64_t n)
{
	struct entry added = { .key = strdup(key), .text = strdup(text), .n = n, .seen = 1 };
	struct entry *more = array__grow(e->at, e->n, &e->capacity, sizeof(*more));

	e->at = more ?: e->at;
	if (!added.key || !added.text || !more) {
		free(added.key);
		free(added.text);
		return -ENOMEM;
	}
	e->at[e->n++] = added;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

void entries__unite(struct entries *e)
{
	size_t n = 0;

	if (e->n)
		qsort(e->at, e->n, sizeof(*e->at), by_key);
	for (size_t i = 0; i < e->n; i++) {
		if (n && !strcmp(e->at[n - 1].key, e->at[i].key)) {
			e->at[n - 1].n += e->at[i].n;
			e->at[n - 1].seen++;
			free(e->at[i].key);
			free(e->at[i].text);
		} else {
			e->at[n++] = e->at[i];
		}
	}
	e->n = n;
}

struct entry *entries__find(struct entries *e, const char *key)
{
	struct entry wanted = { .key = (char *)key };

	return e->n ? bsearch(&wanted, e->at, e->n, sizeof(*e->at), by_key) : NULL;
}

void entries__clear(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->at[i].key);
		free(e->at[i].text);
	}
	free(e->at);
	*e = (struct entries){ .n = 0 };
}
