// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/filters.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mounts.h"
#include "rows/operation.h"

#define FILTERS_LINE_MAX 600 /* bytes of names */

/* ---- prefixes ---- */

/* Returns a copy of PATH with all symlinks resolved as far as it exists; the rest is unchanged.
 * NULL if out of memory. */
static char *resolve_links(const char *path)
{
	char *there = strdup(path), *slash, *real, *all = NULL;
	size_t len = strlen(path);

	while (there && !(real = realpath(there, NULL)) && errno == ENOENT &&
	       (slash = strrchr(there, '/')) > there) {
		*slash = '\0';
		len = slash - there;
	}
	if (there && real &&
	    asprintf(&all, "%s%s", !strcmp(real, "/") && path[len] ? "" : real, path + len) < 0)
		all = NULL;
	if (there)
		free(real);
	free(there);
	return all;
}

/* Whether PATH is on a file system whose files the kernel generates (/proc, /sys, /dev). */
static bool is_made_up(const char *path)
{
	struct mounts *mounts;
	bool pseudo;

	if (mounts__new(&mounts))
		return false;
	pseudo = mounts__pseudo_path(mounts, path, strlen(path));
	mounts__free(mounts);
	return pseudo;
}

/* Devices, pipes and sockets are not in the default scope. */
static bool is_special(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	       !S_ISLNK(st.st_mode);
}

static bool is_absent(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Logs hints about PREFIX, which is number GIVEN, and adds the path that it resolves to. */
static void look_at_path(const struct selection *s, struct filter_paths *f, const char *prefix,
			 size_t given)
{
	struct path_list *list = f->list;
	/* Links in /proc resolve differently for each process (self). */
	bool made_up = is_made_up(prefix);
	char *real = made_up ? NULL : resolve_links(prefix);
	const char *path = real ?: prefix;

	if (is_absent(path))
		log__line(LOG_WARNING, "--%s %s: no such file%s", f->option, prefix,
			  f->excludes ? "" : "; recorded once there is one");
	if (!f->excludes && !s->scope_all && (made_up || is_made_up(path) || is_special(path)))
		log__line(
			LOG_WARNING,
			"--path %s: devices, pipes, sockets and what lies in /proc, /sys and the like are left "
			"out without --scope all",
			prefix);
	if (!real || !strcmp(real, prefix)) {
		free(real);
		return;
	}
	log__line(LOG_WARNING, "--%s %s leads to %s, the name that rows have: both are %s",
		  f->option, prefix, real, f->excludes ? "left out" : "recorded");
	f->resolved[list->n - f->n_given].path = real;
	f->resolved[list->n - f->n_given].given = given;
	list->at[list->n++] = (struct path_prefix){ real, strcmp(real, "/") ? strlen(real) : 0 };
}

static void look_at_paths(const struct selection *s, struct filter_paths *f)
{
	f->n_given = f->list->n;
	for (size_t i = 0; i < f->n_given; i++) {
		const struct path_prefix *p = &f->list->at[i];
		char *given = p->len ? strndup(p->text, p->len) : strdup("/");

		if (given)
			look_at_path(s, f, given, i);
		free(given);
	}
}

/* ---- processes ---- */

/* Returns the process of thread PID (/proc/PID/status), or 0 if that cannot be read. */
static pid_t process_of(pid_t pid)
{
	char name[64], line[256];
	pid_t tgid = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	file = fopen(name, "re");
	while (file && !tgid && fgets(line, sizeof(line), file))
		sscanf(line, "Tgid: %d", &tgid);
	if (file)
		fclose(file);
	return tgid;
}

static void look_at_pid(pid_t pid)
{
	pid_t process = process_of(pid);

	if (!process && kill(pid, 0) < 0 && errno == ESRCH)
		log__line(LOG_WARNING, "--pid %d: no such process", pid);
	else if (process && process != pid)
		log__line(LOG_WARNING,
			  "--pid %d: a thread of process %d: give the id of the process", pid,
			  process);
}

/* ---- all of them ---- */

void filters__look(struct filters *f, struct selection *s)
{
	*f = (struct filters){ .selection = s,
			       .paths = { .list = &s->paths, .option = "path" },
			       .excluded = { .list = &s->excluded_paths,
					     .option = "exclude-path",
					     .excludes = true } };
	look_at_paths(s, &f->paths);
	look_at_paths(s, &f->excluded);
	for (size_t i = 0; i < s->n_pids; i++)
		look_at_pid(s->pids[i]);
}

void filters__done(struct filters *f)
{
	for (size_t i = 0; i < SELECTION_LIST_MAX; i++) {
		free(f->paths.resolved[i].path);
		free(f->excluded.resolved[i].path);
	}
	*f = (struct filters){ 0 };
}

/* ---- what nothing has matched ---- */

/* A prefix has matched if the path that it resolves to has. */
static uint32_t given_ones(const struct filter_paths *f, uint32_t matched)
{
	for (size_t i = f->n_given; f->list && i < f->list->n; i++)
		if (matched >> i & 1)
			matched |= UINT32_C(1) << f->resolved[i - f->n_given].given;
	return matched;
}

static void name_paths(FILE *out, const struct filter_paths *f, uint32_t matched)
{
	matched = given_ones(f, matched);
	for (size_t i = 0; i < f->n_given; i++)
		if (!(matched >> i & 1))
			fprintf(out, " --%s %.*s", f->option, (int)(f->list->at[i].len ?: 1),
				f->list->at[i].text);
}

static void name_commands(FILE *out, const char *option, const struct comm_list *list,
			  uint32_t matched)
{
	for (size_t i = 0; i < list->n; i++)
		if (!(matched >> i & 1))
			fprintf(out, " --%s %.*s", option, SELECTION_COMM_MAX, list->names[i]);
}

static void name_ops(FILE *out, const struct selection *s, uint64_t matched)
{
	if (!s->ops_listed || !selection__stream(s, STREAM_FS))
		return;
	for (unsigned int op = 1; op < FS_OP_COUNT; op++)
		if (selection__op(s, op) && !(matched >> op & 1))
			fprintf(out, " --ops %s", operation__name(STREAM_FS, op));
}

/* Prints the filters as given, except those of M, cut to SIZE bytes. */
static void name_values(const struct filters *f, const struct matched *m, char *buf, size_t size)
{
	const struct selection *s = f->selection;
	FILE *out = fmemopen(buf, size, "w");

	*buf = '\0';
	if (!out)
		return;
	name_paths(out, &f->paths, m->paths);
	name_paths(out, &f->excluded, m->excluded_paths);
	for (size_t i = 0; i < s->n_pids; i++)
		if (!(m->pids >> i & 1) && !m->strangers)
			fprintf(out, " --pid %d", s->pids[i]);
	name_commands(out, "command", &s->commands, m->commands);
	name_commands(out, "exclude-command", &s->excluded_commands, m->excluded_commands);
	for (size_t i = 0; i < s->n_uids; i++)
		if (!(m->uids >> i & 1))
			fprintf(out, " --uid %u", s->uids[i]);
	for (size_t i = 0; i < s->n_cgroups; i++)
		if (!(m->cgroups >> i & 1))
			fprintf(out, " --cgroup %" PRIu64, s->cgroups[i]);
	name_ops(out, s, m->ops);
	fclose(out);
	buf[size - 1] = '\0';
}

static void name_other_filters(const struct selection *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s", s->ops != ALL_OPS ? " --ops" : "",
		 s->errors ? " --errors" : "", s->slow_ns ? " --slow" : "",
		 s->n_containers ? " --container" : "");
}

void filters__tell_end(const struct filters *f, const struct matched *matched,
		       const struct status_snapshot *counts)
{
	/* Then --ops is named without its values. */
	static const struct matched none = { .ops = ALL_OPS };
	unsigned long long seen = 0, rows = 0;
	char names[FILTERS_LINE_MAX], others[48];

	for (int i = 0; i < STREAM_CAPTURED; i++) {
		const struct status_stream *n = &counts->streams[i];

		seen += n->rows.seen;
		rows += n->rows.written + row_counts__lost(&n->rows);
	}
	name_values(f, rows ? matched : &none, names, sizeof(names));
	name_other_filters(f->selection, others, sizeof(others));
	if (rows && *names)
		log__line(LOG_WARNING, "nothing matched%s", names);
	else if (!rows && (*names || *others))
		log__line(LOG_WARNING, "no rows: of %llu events none passed%s%s", seen, names,
			  others);
}
