// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_processes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"

static bool add_id(struct run_pids *p, uint64_t id)
{
	void *grown = array__grow(p->ids, p->n, &p->capacity, sizeof(*p->ids));

	if (!grown)
		return false;
	p->ids = grown;
	p->ids[p->n++] = id;
	return true;
}

/* A fork's row is written when the call ends; with vfork() the child has already ended then. */
void run_processes__row(struct run_processes *p, const struct export_row *row)
{
	int operation = row__column(STREAM_FS, "operation");
	uint64_t id;

	if (row__is(row, operation, "process_fork")) {
		if (row__uint(row, row__column(STREAM_FS, "return_value"), &id))
			p->full |= !add_id(&p->begun, id);
	} else if (row__is(row, operation, "process_exit")) {
		if (row__uint(row, row__column(STREAM_FS, "pid"), &id))
			p->full |= !add_id(&p->ended, id);
	}
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort(struct run_pids *p)
{
	if (p->n)
		qsort(p->ids, p->n, sizeof(*p->ids), compare_ids);
}

void run_processes__tell(struct run_processes *p, json_t *incomplete)
{
	size_t end = 0;

	sort(&p->begun);
	sort(&p->ended);
	for (size_t i = 0; i < p->begun.n; i++) {
		uint64_t id = p->begun.ids[i];

		while (end < p->ended.n && p->ended.ids[end] < id)
			end++;
		if (end < p->ended.n && p->ended.ids[end] == id)
			end++;
		else
			json_array_append_new(incomplete,
					      json_sprintf("still running: process %" PRIu64, id));
	}
	if (p->full)
		json_array_append_new(incomplete, json_string("out of memory for processes"));
}

void run_processes__clear(struct run_processes *p)
{
	free(p->begun.ids);
	free(p->ended.ids);
}
