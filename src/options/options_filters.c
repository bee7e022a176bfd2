// SPDX-License-Identifier: GPL-2.0-or-later
/* The options that filter rows. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/containers.h"
#include "base/units.h"
#include "options/options_table.h"
#include "platform/cgroup.h"
#include "rows/normalize_path.h"
#include "rows/operation.h"

#define PID_MAX (1 << 22)      /* PID_MAX_LIMIT, include/linux/threads.h */
#define UID_INVALID UINT32_MAX /* (uid_t)-1 is no user */

static int too_many(struct parse *p)
{
	return option__fail(p, "--%s: more than %d", p->row->name, SELECTION_LIST_MAX);
}

int option__set_ops(struct parse *p, const char *value)
{
	bool inverted = *value == '!';
	uint64_t ops = 0;
	char item[128];

	value += inverted;
	while (option__next_item(&value, item, sizeof(item))) {
		int op = operation__find(item, strlen(item));

		if (op < 0)
			return option__fail(
				p, "--ops: no such operation: " QUOTED " (open, read, ...)", item);
		ops |= UINT64_C(1) << op;
	}
	if (inverted && ops == ALL_OPS)
		return option__fail(p, "--ops: no operation is left");
	p->o.selection.ops = inverted ? ALL_OPS & ~ops : ops;
	p->o.selection.ops_listed = !inverted;
	return 0;
}

int option__set_pid(struct parse *p, const char *value)
{
	struct selection *s = &p->o.selection;
	char item[128];
	uint64_t pid;

	while (option__next_item(&value, item, sizeof(item))) {
		if (option__count(item, "", &pid) || !pid || pid > PID_MAX)
			return option__is_not(p, "pid", item, "a process id");
		if (s->n_pids == SELECTION_LIST_MAX)
			return too_many(p);
		s->pids[s->n_pids++] = (pid_t)pid;
	}
	return 0;
}

int option__set_command(struct parse *p, const char *value)
{
	struct comm_list *list = option__member(p);
	const char *name = p->row->name;
	char item[128];

	while (option__next_item(&value, item, sizeof(item))) {
		if (!*item)
			return option__fail(p, "--%s: an empty name", name);
		if (strlen(item) > SELECTION_COMM_MAX)
			return option__fail(p,
					    "--%s: " QUOTED " has more than the %d bytes that the "
					    "kernel keeps of a name",
					    name, item, SELECTION_COMM_MAX);
		if (list->n == SELECTION_LIST_MAX)
			return too_many(p);
		/* NOLINTNEXTLINE(*.strcpy): its length was checked */
		strcpy(list->names[list->n++], item);
	}
	return 0;
}

int option__set_uid(struct parse *p, const char *value)
{
	struct selection *s = &p->o.selection;
	char item[128];

	while (option__next_item(&value, item, sizeof(item))) {
		const struct passwd *user = NULL;
		uint64_t uid;

		if (option__count(item, "", &uid)) {
			user = *item ? getpwnam(item) : NULL;
			uid = user ? user->pw_uid : UID_INVALID;
		}
		if (uid >= UID_INVALID)
			return option__is_not(p, "uid", item, "a user's name or number");
		if (s->n_uids == SELECTION_LIST_MAX)
			return too_many(p);
		s->uids[s->n_uids++] = (uid_t)uid;
	}
	return 0;
}

static int add_cgroup(struct parse *p, uint64_t id)
{
	struct selection *s = &p->o.selection;

	if (s->n_cgroups == SELECTION_LIST_MAX)
		return too_many(p);
	s->cgroups[s->n_cgroups++] = id;
	return 0;
}

int option__set_cgroup(struct parse *p, const char *value)
{
	uint64_t id;
	int err = cgroup__id(value, &id);

	if (err == -ENODEV)
		return option__fail(p, "--cgroup: " QUOTED ": cgroup v2 is not mounted", value);
	if (err)
		return option__fail(p, "--cgroup: no such cgroup (v2): " QUOTED, value);
	return add_cgroup(p, id);
}

int option__set_container(struct parse *p, const char *value)
{
	struct selection *s = &p->o.selection;

	if (s->n_containers == SELECTION_LIST_MAX)
		return too_many(p);
	s->containers[s->n_containers++] = value;
	return 0;
}

static bool is_pattern(const char *container)
{
	return strchr(container, '*');
}

/* Adds the cgroups of the containers of ALL that are called NAME. */
static int add_container(struct parse *p, const struct containers *all, const char *name)
{
	struct selection *s = &p->o.selection;
	bool found = false;

	for (size_t i = 0; i < containers__count(all); i++) {
		if (!container__is_called(containers__get(all, i), name))
			continue;
		if (s->n_cgroups == SELECTION_LIST_MAX)
			return option__fail(p, "--container: more than %d", SELECTION_LIST_MAX);
		found = true;
		s->cgroups[s->n_cgroups++] = containers__get(all, i)->cgroup;
	}
	return found ? 0 :
		       option__fail(
			       p, "--container: no container that runs has the name or id " QUOTED,
			       name);
}

int option__find_containers(struct parse *p)
{
	struct selection *s = &p->o.selection;
	size_t n = s->n_containers;
	struct containers *all;
	int err = n ? containers__new(&all) : 0;

	if (err == -ENODEV)
		return option__fail(p, "--container: " QUOTED ": cgroup v2 is not mounted",
				    s->containers[0]);
	if (err)
		return option__fail(p, "--container: cannot look for containers: %s",
				    strerror(-err));
	if (!n)
		return 0;
	s->n_containers = 0;
	for (size_t i = 0; i < n && !err; i++)
		if (is_pattern(s->containers[i]))
			s->containers[s->n_containers++] = s->containers[i];
		else
			err = add_container(p, all, s->containers[i]);
	containers__free(all);
	return err;
}

/* Absolute, with no empty, "." or ".." component: rows carry such paths, so nothing else could ever
 * match one. */
static bool is_normalized(const char *path, size_t len)
{
	if (!len || *path != '/')
		return false;
	for (size_t i = 1, n; i < len; i += n + 1) {
		n = strcspn(path + i, "/");
		if (!n || (n <= 2 && !memcmp(path + i, "..", n)))
			return false;
	}
	return true;
}

/* Makes VALUE a path as in rows. In a configuration file there is no directory that a relative path
 * could refer to. */
static int normalize_path(struct parse *p, const char **value)
{
	size_t len = strlen(*value);

	if (len > 1 && (*value)[len - 1] == '/')
		len--;
	if (is_normalized(*value, len) && len <= OPTIONS_PATH_MAX)
		return 0;
	if (p->in_file || !*value || !len || len > OPTIONS_PATH_MAX)
		return option__is_not(p, p->row->name, *value,
				      "an absolute path free of //, . and ..");
	if (p->o.n_paths == sizeof(p->o.paths) / sizeof(*p->o.paths))
		return too_many(p);
	*value = p->o.paths[p->o.n_paths] = normalize_path__absolute(*value);
	if (!*value)
		return option__fail(p, "--%s: cannot find the current directory", p->row->name);
	p->o.n_paths++;
	return 0;
}

int option__set_path(struct parse *p, const char *value)
{
	struct path_list *list = option__member(p);
	size_t len;

	if (normalize_path(p, &value))
		return -EINVAL;
	len = strlen(value);
	if (len > 1 && value[len - 1] == '/')
		len--;
	if (list->n == SELECTION_LIST_MAX)
		return too_many(p);
	list->at[list->n++] = (struct path_prefix){ value, len == 1 ? 0 : len };
	return 0;
}

int option__set_slow(struct parse *p, const char *value)
{
	if (units__parse_time(value, &p->o.selection.slow_ns))
		return option__is_not(p, "slow", value, "a time (10ms, 1s)");
	return 0;
}
