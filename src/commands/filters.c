// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/filters.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mounts.h"

#define TOLD_MAX 600 /* bytes of filters in a line */

/* ---- prefixes ---- */

/* Returns a copy of PATH with all symlinks resolved as far as it exists; the rest is unchanged.
 * NULL if out of memory. */
static char *follow(const char *path)
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
static void look_at_path(struct filters *f, const char *prefix, size_t given)
{
	struct selection *s = f->selection;
	/* Links in /proc resolve differently for each process (self). */
	bool made_up = is_made_up(prefix);
	char *real = made_up ? NULL : follow(prefix);
	const char *path = real ?: prefix;

	if (is_absent(path))
		log__line(LOG_WARNING, "--path %s: no such file now; rows come once there is one",
			  prefix);
	if (!s->scope_all && (made_up || is_made_up(path) || is_special(path)))
		log__line(
			LOG_WARNING,
			"--path %s: devices, pipes, sockets and what lies in /proc, /sys and the like are left "
			"out without --scope all",
			prefix);
	if (!real || !strcmp(real, prefix)) {
		free(real);
		return;
	}
	log__line(LOG_WARNING, "--path %s leads to %s: rows have that name, and both are recorded",
		  prefix, real);
	f->resolved[s->n_paths - f->n_given].path = real;
	f->resolved[s->n_paths - f->n_given].given = given;
	s->paths[s->n_paths++] = (struct path_prefix){ real, strcmp(real, "/") ? strlen(real) : 0 };
}

static void look_at_paths(struct filters *f)
{
	for (size_t i = 0; i < f->n_given; i++) {
		const struct path_prefix *p = &f->selection->paths[i];
		char *given = p->len ? strndup(p->text, p->len) : strdup("/");

		if (given)
			look_at_path(f, given, i);
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
			  "--pid %d: a thread of process %d, and only a process's id selects", pid,
			  process);
}

/* ---- both ---- */

void filters__look(struct filters *f, struct selection *selection)
{
	*f = (struct filters){ .selection = selection, .n_given = selection->n_paths };
	look_at_paths(f);
	for (size_t i = 0; i < selection->n_pids; i++)
		look_at_pid(selection->pids[i]);
}

void filters__done(struct filters *f)
{
	for (size_t i = 0; i < SELECTION_LIST_MAX; i++)
		free(f->resolved[i].path);
	*f = (struct filters){ 0 };
}

/* Prints the filters as given, except those of MATCHED, cut to SIZE bytes. */
static void name_values(const struct filters *f, const struct matched *matched, char *buf,
			size_t size)
{
	const struct selection *s = f->selection;
	FILE *out = fmemopen(buf, size, "w");

	*buf = '\0';
	if (!out)
		return;
	for (size_t i = 0; i < f->n_given; i++)
		if (!(matched->paths >> i & 1))
			fprintf(out, " --path %.*s", (int)(s->paths[i].len ?: 1), s->paths[i].text);
	for (size_t i = 0; i < s->n_pids; i++)
		if (!(matched->pids >> i & 1) && !matched->strangers)
			fprintf(out, " --pid %d", s->pids[i]);
	for (size_t i = 0; i < s->n_commands; i++)
		if (!(matched->commands >> i & 1))
			fprintf(out, " --command %.*s", SELECTION_COMM_MAX, s->commands[i]);
	fclose(out);
	buf[size - 1] = '\0';
}

static void name_others(const struct selection *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s", s->cgroup_id ? " --cgroup" : "",
		 s->ops != ALL_OPS ? " --ops" : "");
}

/* A prefix has matched if the path that it resolves to has. */
static struct matched given_ones(const struct filters *f, const struct matched *matched)
{
	struct matched m = *matched;

	for (size_t i = f->n_given; i < f->selection->n_paths; i++)
		if (m.paths >> i & 1)
			m.paths |= UINT32_C(1) << f->resolved[i - f->n_given].given;
	return m;
}

void filters__tell_end(const struct filters *f, const struct matched *matched,
		       const struct status_snapshot *counts)
{
	static const struct matched none;
	struct matched m = given_ones(f, matched);
	unsigned long long seen = 0, rows = 0;
	char names[TOLD_MAX], others[32];

	for (int i = 0; i < STREAM_CAPTURED; i++) {
		const struct status_stream *n = &counts->streams[i];

		seen += n->rows.seen;
		rows += n->rows.written + row_counts__lost(&n->rows);
	}
	name_values(f, rows ? &m : &none, names, sizeof(names));
	name_others(f->selection, others, sizeof(others));
	if (rows && *names)
		log__line(LOG_WARNING, "nothing matched%s", names);
	else if (!rows && (*names || *others))
		log__line(LOG_WARNING, "no row came: of %llu events none passed%s%s", seen, names,
			  others);
}
