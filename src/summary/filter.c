// SPDX-License-Identifier: GPL-2.0-or-later
#include "summary/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/csv.h"
#include "dataset/field.h"
#include "dataset/two_paths.h"
#include "export/session_names.h"
#include "platform/macros.h"
#include "summary/measure.h"

bool filter_list__add(struct filter_list *to, const char *list, bool whole)
{
	do {
		size_t len = whole ? strlen(list) : strcspn(list, ",");

		if (!len || to->n == FILTER_LIST_MAX)
			return false;
		to->texts[to->n] = list;
		to->lens[to->n++] = len;
		list += len + (list[len] == ',');
	} while (*list);
	return true;
}

bool filter__any(const struct filter *f)
{
	return f->slow_ns || f->errors || f->ops.n || f->paths.n || f->commands.n || f->pids.n ||
	       f->excluded_paths.n || f->excluded_commands.n || f->users.n || f->containers.n;
}

const char *filter__lacks(const struct filter *f, enum stream stream)
{
	const struct measures *has = measures__of(stream);

	if (!filter__any(f))
		return NULL;
	if (!has)
		return "operations";
	if (f->slow_ns && !has->time)
		return "times";
	if (f->errors && !has->errors)
		return "errors";
	if (f->containers.n && !row__column(stream, "container_id"))
		return "containers";
	if ((f->paths.n || f->excluded_paths.n) && !row__column(stream, "filename"))
		return "paths";
	return NULL;
}

int filter__fields(const struct filter *f, enum stream stream)
{
	static const char *const names[] = {
		"operation", "event_type", "filename", "overlay_filename", "command", "pid", "ppid"
	};
	int n = 0;

	if (f->users.n || f->containers.n)
		return (int)schema_streams[stream].n_columns;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int column = row__column(stream, names[i]);

		if (column >= n && (f->pids.n || strcmp(names[i], "ppid")))
			n = column + 1;
	}
	return n;
}

static bool is_listed(const struct filter_list *l, const struct row_field *f)
{
	for (int i = 0; i < l->n; i++)
		if (l->lens[i] == f->len && !memcmp(l->texts[i], f->s, f->len))
			return true;
	return false;
}

/* Returns the rest of the escaped text S if it begins with the N bytes of NAME, which are not
 * escaped; otherwise NULL. */
static const char *behind(const char *s, const char *end, const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s >= end || csv__next_byte(&s, end) != (uint8_t)name[i])
			return NULL;
	return s;
}

/* The same for a field that holds a name: names are given as they are, and rows escape them. */
static bool is_name_listed(const struct filter_list *l, const struct row_field *f)
{
	const char *end = f->s + f->len;

	for (int i = 0; i < l->n; i++)
		if (behind(f->s, end, l->texts[i], l->lens[i]) == end)
			return true;
	return false;
}

/* Whether PATH is one of the prefixes, or below one. */
static bool is_below(const struct filter_list *l, const char *path, size_t len)
{
	const char *end = path + len;

	for (int i = 0; i < l->n; i++) {
		size_t n = l->lens[i];
		const char *rest;

		while (n > 1 && l->texts[i][n - 1] == '/')
			n--;
		if (n == 1 && *l->texts[i] == '/')
			n = 0;
		rest = behind(path, end, l->texts[i], n);
		if (rest && (rest == end || *rest == '/'))
			return true;
	}
	return false;
}

static bool passes_path(const struct filter *f, const char *path, size_t len)
{
	return (!f->paths.n || is_below(&f->paths, path, len)) &&
	       !is_below(&f->excluded_paths, path, len);
}

/* Of a part of a file on overlayfs, the name that the process saw counts, as in a recording. */
static bool passes_paths(const struct filter *f, const struct export_row *row)
{
	int seen = row__column(row->stream, "overlay_filename");
	bool overlay = seen && row->fields[seen].len;
	int column = overlay ? seen : row__column(row->stream, "filename");
	struct two_paths paths = two_paths__split(&row->fields[column]);

	return passes_path(f, paths.first.s, paths.first.len) ||
	       (paths.two && passes_path(f, paths.second.s, paths.second.len));
}

static bool is_descendant(const struct filter *f, uint64_t pid)
{
	return pid < FILTER_PIDS_MAX && f->descendants[pid / 64] >> pid % 64 & 1;
}

static void add_descendant(struct filter *f, uint64_t pid)
{
	if (pid < FILTER_PIDS_MAX)
		f->descendants[pid / 64] |= UINT64_C(1) << pid % 64;
}

/* A listed process, or a child of one that has passed; its own children then pass, too. */
static bool passes_pids(struct filter *f, const struct export_row *row)
{
	int pid_column = row__column(row->stream, "pid");
	int ppid_column = row__column(row->stream, "ppid"); /* 0: there is none */
	bool listed = is_listed(&f->pids, &row->fields[pid_column]);
	uint64_t pid, ppid;

	if (!row__uint(row, pid_column, &pid))
		return listed;
	if (is_descendant(f, pid))
		return true;
	if (!listed &&
	    (!ppid_column || !row__uint(row, ppid_column, &ppid) || !is_descendant(f, ppid)))
		return false;
	add_descendant(f, pid);
	return true;
}

static bool is_text_listed(const struct filter_list *l, const char *text)
{
	return text && is_listed(l, &(struct row_field){ (char *)text, strlen(text) });
}

static bool passes_users(const struct filter *f, const struct export_row *row)
{
	char number[CSV_U64_MAX + 1];
	uint64_t pid, ns;
	uint32_t uid;

	if (!row->names || !row__uint(row, row__column(row->stream, "pid"), &pid) ||
	    !row__uint(row, row__column(row->stream, "mono_ns"), &ns) ||
	    !session_names__uid(row->names, pid, ns, &uid))
		return false;
	*csv__u64(number, uid) = '\0';
	return is_text_listed(&f->users, number) ||
	       is_text_listed(&f->users, session_names__user(row->names, uid));
}

static bool passes_containers(const struct filter *f, const struct export_row *row)
{
	const struct row_field *id = &row->fields[row__column(row->stream, "container_id")];
	const char *name = row->names ? session_names__container(row->names, id->s, id->len) : NULL;
	char text[CONTAINER_NAME_MAX];

	for (int i = 0; name && i < f->containers.n; i++)
		if ((size_t)snprintf(text, sizeof(text), "%.*s", (int)f->containers.lens[i],
				     f->containers.texts[i]) < sizeof(text) &&
		    container__is_name(name, text))
			return true;
	return is_listed(&f->containers, id);
}

/* nw_epoll has both columns. */
static const char *const op_columns[] = { "operation", "event_type" };

static bool passes_ops(const struct filter *f, const struct export_row *row)
{
	bool listed = false;

	for (size_t i = 0; i < ARRAY_SIZE(op_columns); i++) {
		int column = row__column(row->stream, op_columns[i]);

		listed |= column && is_listed(&f->ops, &row->fields[column]);
	}
	return listed != f->ops_inverted;
}

const struct row_field *filter__no_op(const struct filter *f, uint32_t streams,
				      struct row_field *ret)
{
	for (int i = 0; i < f->ops.n; i++) {
		bool known = false;

		*ret = (struct row_field){ (char *)f->ops.texts[i], f->ops.lens[i] };
		for (int s = 0; s < STREAM_COUNT; s++)
			for (size_t c = 0; streams >> s & 1 && c < ARRAY_SIZE(op_columns); c++) {
				int column = row__column(s, op_columns[c]);

				known |= column && !field__check(&schema_streams[s].columns[column],
								 ret->s, ret->len);
			}
		if (!known)
			return ret;
	}
	return NULL;
}

bool filter__passes(struct filter *f, const struct export_row *row, const struct measure *m)
{
	const struct row_field *command = &row->fields[row__column(row->stream, "command")];

	if (f->errors && !m->failed)
		return false;
	if (f->slow_ns && (!m->has_time || m->time_ns < f->slow_ns))
		return false;
	if (f->ops.n && !passes_ops(f, row))
		return false;
	if (f->commands.n && !is_name_listed(&f->commands, command))
		return false;
	if (is_name_listed(&f->excluded_commands, command))
		return false;
	if ((f->paths.n || f->excluded_paths.n) && !passes_paths(f, row))
		return false;
	if ((f->users.n && !passes_users(f, row)) ||
	    (f->containers.n && !passes_containers(f, row)))
		return false;
	return !f->pids.n || passes_pids(f, row);
}

bool filter__keeps(struct filter *f, const struct export_row *row)
{
	struct measure m = { 0 };

	if (!filter__any(f))
		return true;
	if (filter__lacks(f, row->stream))
		return false;
	return !measure__row(row, &m) && filter__passes(f, row, &m);
}

int filter__learn_fields(void)
{
	return row__column(STREAM_FS, "ppid") + 1;
}

bool filter__learn(struct filter *f, const struct export_row *row)
{
	int column = row__column(STREAM_FS, "pid");
	uint64_t pid;

	return row__uint(row, column, &pid) && !is_descendant(f, pid) && passes_pids(f, row) &&
	       is_descendant(f, pid);
}

int filter__begin(struct filter *f)
{
	if (f->pids.n)
		f->descendants = calloc(FILTER_PIDS_MAX / 64, sizeof(*f->descendants));
	return f->pids.n && !f->descendants ? -ENOMEM : 0;
}

void filter__end(struct filter *f)
{
	free(f->descendants);
	f->descendants = NULL;
}
