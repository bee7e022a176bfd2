// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/containers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/inotify.h>
#endif

#include "base/array.h"
#include "base/container_names.h"
#include "platform/cgroup.h"
#include "platform/macros.h"

#define DEPTH_MAX 24
#define DIRS_MAX 65536   /* examined at each refresh */
#define WATCHES_MAX 2048 /* directories, of the 8,192 or more that a user may have */

/* A cgroup that belongs to a container. */
struct member {
	uint64_t id;
	uint32_t container; /* its index */
};

struct containers {
	char top[PATH_MAX]; /* the root of the tree of cgroups */
	struct container *list;
	struct member *members; /* by id */
	size_t n, capacity, n_members, members_capacity;
	uint64_t left_out;
	struct container_storages storages;
	int watch; /* inotify, or negative */
	size_t n_watches;
	/* during a refresh */
	char path[PATH_MAX];
	size_t dirs;
	bool grown, nameless;
};

/* ---- names of directories ---- */

/* systemd: PREFIX-ID.scope; otherwise PREFIX-ID, or the id alone below a directory of the
 * runtime's. libpod-conmon-ID and the like are not the container, but its monitor. */
static const struct {
	const char *prefix, *runtime;
} prefixes[] = {
	{ "libpod-", "podman" },
	{ "docker-", "docker" },
	{ "cri-containerd-", "containerd" },
	{ "nerdctl-", "containerd" },
	{ "crio-", "cri-o" },
	{ "", "" }, /* see parents[], or the runtime's files */
};

static const struct {
	const char *name, *runtime;
} parents[] = { { "docker", "docker" }, { "libpod_parent", "podman" } };

static const char *runtime_of(const char *prefix_runtime, const char *parent)
{
	if (*prefix_runtime)
		return prefix_runtime;
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		if (!strcmp(parent, parents[i].name))
			return parents[i].runtime;
	return "";
}

/* Fills ID and returns the runtime ("": unknown) if a container's directory is called NAME below
 * one called PARENT, otherwise NULL. */
static const char *recognise(const char *name, const char *parent, char id[CONTAINER_ID_LEN + 1])
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i].prefix);
		const char *digits = name + len, *end;

		if (strncmp(name, prefixes[i].prefix, len) != 0 ||
		    strspn(digits, "0123456789abcdef") != CONTAINER_ID_LEN)
			continue;
		end = digits + CONTAINER_ID_LEN;
		if (*end && strcmp(end, ".scope") != 0)
			continue;
		memcpy(id, digits, CONTAINER_ID_LEN);
		id[CONTAINER_ID_LEN] = 0;
		return runtime_of(prefixes[i].runtime, parent);
	}
	return NULL;
}

/* ---- the lists ---- */

/* Returns where the cgroup ID is, or belongs. */
static size_t place(const struct containers *c, uint64_t id)
{
	size_t low = 0, high = c->n_members;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->members[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes room for one more element of SIZE bytes, up to MAX elements. */
static bool grow(void **list, size_t n, size_t *capacity, size_t size, size_t max)
{
	void *grown = n < max ? array__grow(*list, n, capacity, size) : NULL;

	*list = grown ?: *list;
	return grown;
}

/* Notes that cgroup ID belongs to CONTAINER. Returns false if there is no room. */
static bool add_member(struct containers *c, uint64_t id, uint32_t container)
{
	size_t at = place(c, id);

	if (at < c->n_members && c->members[at].id == id)
		return true;
	if (!grow((void **)&c->members, c->n_members, &c->members_capacity, sizeof(*c->members),
		  CONTAINERS_CGROUPS_MAX))
		return false;
	memmove(c->members + at + 1, c->members + at, (c->n_members - at) * sizeof(*c->members));
	c->members[at] = (struct member){ id, container };
	c->n_members++;
	c->grown = true;
	return true;
}

/* Looks for the name, unless it is known. */
static void name_it(struct containers *c, struct container *one)
{
	if (!*one->name) {
		container_names__find(one, c->path, &c->storages);
		c->grown |= *one->name;
	}
	c->nameless |= !*one->name;
}

/* Returns the index of the container whose topmost cgroup is CGROUP; negative: there is no room. */
static int64_t add_container(struct containers *c, uint64_t cgroup, const char *id,
			     const char *runtime)
{
	size_t at = place(c, cgroup);
	int64_t index = at < c->n_members && c->members[at].id == cgroup ?
				(int64_t)c->members[at].container :
				(int64_t)c->n;

	if (index == (int64_t)c->n) {
		if (!grow((void **)&c->list, c->n, &c->capacity, sizeof(*c->list),
			  CONTAINERS_MAX) ||
		    !add_member(c, cgroup, (uint32_t)index))
			return -ENOSPC;
		c->list[c->n] = (struct container){ .cgroup = cgroup, .runtime = runtime };
		/* NOLINTNEXTLINE(*.strcpy): of the same size */
		strcpy(c->list[c->n++].id, id);
	}
	name_it(c, &c->list[index]);
	return index;
}

/* ---- the tree ---- */

static void watch_dir(struct containers *c)
{
#ifdef __linux__
	/* Watching a directory twice returns the same watch. */
	if (c->watch >= 0 && c->n_watches < WATCHES_MAX) {
		int wd = inotify_add_watch(c->watch, c->path, IN_CREATE | IN_ONLYDIR);

		if (wd >= 0 && (size_t)wd > c->n_watches)
			c->n_watches = (size_t)wd;
	}
#endif
}

static void walk(struct containers *c, int fd, const char *name, int64_t owner, int depth);

/* NOLINTBEGIN(misc-no-recursion): DEPTH_MAX levels */

/* NAME is a directory in C's path, whose last part is PARENT. */
static void visit(struct containers *c, int dir, const char *name, const char *parent,
		  int64_t owner, int depth)
{
	size_t len = strlen(c->path);
	char id[CONTAINER_ID_LEN + 1];
	const char *runtime = recognise(name, parent, id);
	struct stat st;
	int fd;

	if (c->dirs++ >= DIRS_MAX || (size_t)snprintf(c->path + len, sizeof(c->path) - len, "/%s",
						      name) >= sizeof(c->path) - len) {
		c->path[len] = 0;
		c->left_out++;
		return;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The inode number is the cgroup's id; see platform/cgroup.c. */
	if (fd >= 0 && !fstat(fd, &st)) {
		if (runtime)
			owner = add_container(c, st.st_ino, id, runtime);
		else if (owner >= 0 && !add_member(c, st.st_ino, (uint32_t)owner))
			owner = -ENOSPC;
		if (owner == -ENOSPC)
			c->left_out++;
		/* What is below it is not searched. cgroupfs counts directories as links. */
		if (depth + 1 == DEPTH_MAX && st.st_nlink > 2)
			c->left_out++;
		walk(c, fd, name, owner == -ENOSPC ? -1 : owner, depth + 1);
		fd = -1; /* closed there */
	}
	if (fd >= 0)
		close(fd);
	c->path[len] = 0;
}

/* Examines all directories below FD, which it closes. They belong to container OWNER, unless that
 * is negative. */
static void walk(struct containers *c, int fd, const char *name, int64_t owner, int depth)
{
	DIR *d = depth < DEPTH_MAX ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!d) {
		close(fd);
		return;
	}
	watch_dir(c);
	while ((entry = readdir(d)))
		if (entry->d_type == DT_DIR && *entry->d_name != '.')
			visit(c, dirfd(d), entry->d_name, name, owner, depth);
	closedir(d);
}

/* NOLINTEND(misc-no-recursion) */

bool containers__refresh(struct containers *c, bool *ret_all_named)
{
	int fd = open(c->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	c->dirs = 0;
	c->left_out = 0;
	c->grown = c->nameless = false;
	snprintf(c->path, sizeof(c->path), "%s", c->top);
	if (fd >= 0)
		walk(c, fd, "", -1, 0);
	*ret_all_named = !c->nameless;
	return c->grown;
}

int containers__new_at(struct containers **ret, const char *top)
{
	struct containers *c = calloc(1, sizeof(*c));
	bool all_named;

	if (!c)
		return -ENOMEM;
	c->watch = -1;
	snprintf(c->top, sizeof(c->top), "%s", top);
	containers__refresh(c, &all_named);
	*ret = c;
	return 0;
}

int containers__new(struct containers **ret)
{
	char mount[PATH_MAX];
	int err = cgroup__mount(mount);

	return err ? err : containers__new_at(ret, mount);
}

struct containers *containers__free(struct containers *c)
{
	if (!c)
		return NULL;
	if (c->watch >= 0)
		close(c->watch);
	free(c->list);
	free(c->members);
	free(c);
	return NULL;
}

int containers__watch(struct containers *c)
{
#ifdef __linux__
	bool all_named;

	if (c->watch < 0) {
		c->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		containers__refresh(c, &all_named);
	}
#endif
	return c->watch;
}

void containers__watched(struct containers *c)
{
	char events[4096];

	while (c->watch >= 0 && read(c->watch, events, sizeof(events)) > 0)
		;
}

/* ---- what is known ---- */

size_t containers__count(const struct containers *c)
{
	return c->n;
}

const struct container *containers__get(const struct containers *c, size_t i)
{
	return &c->list[i];
}

const char *containers__name(const struct containers *c, uint64_t cgroup)
{
	size_t at = place(c, cgroup);
	const struct container *one;

	if (at == c->n_members || c->members[at].id != cgroup)
		return NULL;
	one = &c->list[c->members[at].container];
	return *one->name ? one->name : one->id;
}

uint64_t containers__left_out(const struct containers *c)
{
	return c->left_out;
}

static void set(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

json_t *containers__json(const struct containers *c)
{
	json_t *all = json_object();

	for (size_t i = 0; all && i < c->n_members; i++) {
		const struct container *one = &c->list[c->members[i].container];
		json_t *o = json_object();
		char key[24];

		set(o, "name", one->name);
		set(o, "image", one->image);
		set(o, "runtime", one->runtime);
		set(o, "id", one->id);
		snprintf(key, sizeof(key), "%" PRIu64, c->members[i].id);
		if (json_object_set_new(all, key, o))
			all = (json_decref(all), NULL);
	}
	return all;
}
