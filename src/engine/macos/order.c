// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/array.h"

/* A CPU without output for this long is considered offline and not waited for. */
#define SILENT_NS UINT64_C(2000000000)

struct waiting {
	uint64_t number; /* in the order of arrival, for equal times */
	size_t size;
	struct call_line line;
	char text[];
};

struct order {
	struct waiting **heap; /* the earliest first */
	size_t n, capacity, bytes;
	uint64_t number, newest;
	unsigned int cpus; /* of the machine */
	unsigned int seen; /* highest CPU so far, plus one */
	uint64_t reached[ORDER_CPUS_MAX];
	struct waiting *given;
};

int order__new(struct order **ret, unsigned int cpus)
{
	struct order *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->cpus = o->seen = MIN(cpus, ORDER_CPUS_MAX);
	*ret = o;
	return 0;
}

struct order *order__free(struct order *o)
{
	for (size_t i = 0; o && i < o->n; i++)
		free(o->heap[i]);
	if (o) {
		free(o->given);
		free(o->heap);
	}
	free(o);
	return NULL;
}

static bool is_before(const struct waiting *a, const struct waiting *b)
{
	return a->line.ns != b->line.ns ? a->line.ns < b->line.ns : a->number < b->number;
}

static void sift_up(struct order *o, size_t i)
{
	struct waiting *w = o->heap[i];

	for (; i && is_before(w, o->heap[(i - 1) / 2]); i = (i - 1) / 2)
		o->heap[i] = o->heap[(i - 1) / 2];
	o->heap[i] = w;
}

static void sift_down(struct order *o)
{
	struct waiting *w = o->heap[0];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < o->n) {
		if (child + 1 < o->n && is_before(o->heap[child + 1], o->heap[child]))
			child++;
		if (!is_before(o->heap[child], w))
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	o->heap[i] = w;
}

void order__beat(struct order *o, uint32_t cpu, uint64_t ns)
{
	o->newest = MAX(o->newest, ns);
	if (cpu >= ORDER_CPUS_MAX)
		return;
	o->seen = MAX(o->seen, cpu + 1);
	o->reached[cpu] = MAX(o->reached[cpu], ns);
}

void order__restart(struct order *o, uint64_t ns)
{
	for (unsigned int i = 0; i < o->cpus; i++)
		order__beat(o, i, ns);
}

uint64_t order__reached(const struct order *o, uint32_t cpu)
{
	return cpu < ORDER_CPUS_MAX ? o->reached[cpu] : 0;
}

size_t order__count(const struct order *o)
{
	return o->n;
}

static bool reserve_heap(struct order *o)
{
	struct waiting **heap = array__grow(o->heap, o->n, &o->capacity, sizeof(struct waiting *));

	o->heap = heap ?: o->heap;
	return heap;
}

int order__put(struct order *o, const struct call_line *line, const char *text, size_t len)
{
	struct waiting *w = reserve_heap(o) ? malloc(sizeof(*w) + len) : NULL;

	if (!w)
		return -ENOMEM;
	*w = (struct waiting){ .number = o->number++, .size = sizeof(*w) + len, .line = *line };
	memcpy(w->text, text, len);
	for (size_t i = 0; i < line->n_texts; i++)
		w->line.text[i].s = w->text + (line->text[i].s - text);
	order__beat(o, line->cpu, line->ns);
	o->heap[o->n++] = w;
	o->bytes += w->size;
	sift_up(o, o->n - 1);
	return 0;
}

/* Each CPU has come this far. */
static uint64_t all_reached(const struct order *o)
{
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < o->seen; i++)
		if (o->reached[i] && o->reached[i] + SILENT_NS > o->newest)
			least = MIN(least, o->reached[i]);
	return least;
}

const struct call_line *order__next(struct order *o, bool all)
{
	bool full = o->n >= ORDER_RECORDS_MAX || o->bytes >= ORDER_BYTES_MAX;

	free(o->given);
	o->given = NULL;
	if (!o->n || (!all && !full && o->heap[0]->line.ns > all_reached(o)))
		return NULL;
	o->given = o->heap[0];
	o->bytes -= o->given->size;
	o->heap[0] = o->heap[--o->n];
	if (o->n)
		sift_down(o);
	return &o->given->line;
}
