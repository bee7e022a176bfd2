// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_tree.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/csv.h"
#include "platform/macros.h"

enum process_column { OPERATION, PID, PPID, COMMAND, CMDLINE, ERRNO, COLUMNS };

static int column_of_process(enum process_column c)
{
	static const char *const names[COLUMNS] = { "operation", "pid",     "ppid",
						    "command",   "cmdline", "errno" };
	static int columns[COLUMNS];
	static bool known;

	if (!known)
		for (int i = 0; i < COLUMNS; i++)
			columns[i] = row__column(STREAM_FS, names[i]);
	known = true;
	return columns[c];
}

struct pid_entry {
	uint64_t pid;
	uint32_t program;
	bool ended; /* the next row with this pid belongs to another process */
};

static int compare_pids(const void *a, const void *b)
{
	uint64_t x = ((const struct pid_entry *)a)->pid, y = ((const struct pid_entry *)b)->pid;

	return (x > y) - (x < y);
}

/* Returns the entry of PID, which is created if it is missing; NULL if out of memory. */
static struct pid_entry *entry_of(struct run_tree *t, uint64_t pid)
{
	struct pid_entry wanted = { .pid = pid }, **found = tfind(&wanted, &t->index, compare_pids);
	struct pid_entry *made;

	if (found)
		return *found;
	made = malloc(sizeof(*made));
	if (!made)
		return NULL;
	*made = (struct pid_entry){ .pid = pid, .program = RUN_TREE_NONE };
	if (tsearch(made, &t->index, compare_pids))
		return made;
	free(made);
	return NULL;
}

static uint32_t add_program(struct run_tree *t, const struct export_row *row, uint64_t pid,
			    bool executed)
{
	const struct row_field *arguments = &row->fields[column_of_process(CMDLINE)];
	struct run_program *p = NULL;

	if (t->n < RUN_TREE_MAX)
		p = array__grow(t->programs, t->n, &t->capacity, sizeof(*p));
	if (!p)
		return RUN_TREE_NONE;
	t->programs = p;
	if (!arguments->len)
		arguments = &row->fields[column_of_process(COMMAND)];
	p = &t->programs[t->n];
	*p = (struct run_program){ .pid = pid, .executed = executed };
	row__uint(row, column_of_process(PPID), &p->parent);
	p->arguments = csv__unescape(arguments->s, arguments->len, NULL);
	return p->arguments ? t->n++ : RUN_TREE_NONE;
}

uint32_t run_tree__row(struct run_tree *t, const struct export_row *row)
{
	bool executes = row__is(row, column_of_process(OPERATION), "process_exec") &&
			!row->fields[column_of_process(ERRNO)].len;
	struct pid_entry *e;
	uint64_t pid;

	if (!row__uint(row, column_of_process(PID), &pid))
		return RUN_TREE_NONE;
	if (t->last < t->n && t->programs[t->last].pid == pid && !executes &&
	    !row__is(row, column_of_process(OPERATION), "process_exit"))
		return t->last;
	e = entry_of(t, pid);
	if (e && (e->program == RUN_TREE_NONE || e->ended || executes)) {
		if (e->program != RUN_TREE_NONE && !e->ended)
			t->programs[e->program].replaced = true;
		e->program = add_program(t, row, pid, executes);
		e->ended = false;
	}
	t->full |= !e || e->program == RUN_TREE_NONE;
	if (!e)
		return RUN_TREE_NONE;
	e->ended = row__is(row, column_of_process(OPERATION), "process_exit");
	t->last = e->ended ? RUN_TREE_NONE : e->program;
	return e->program;
}

void run_tree__clear(struct run_tree *t)
{
	while (t->index) {
		void *entry = *(void **)t->index;

		tdelete(entry, &t->index, compare_pids);
		free(entry);
	}
	for (size_t i = 0; i < t->n; i++)
		free(t->programs[i].arguments);
	free(t->programs);
}
