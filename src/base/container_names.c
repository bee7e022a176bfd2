// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/container_names.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_text.h"
#include "platform/macros.h"
#include "platform/process_files.h"

#define FILE_MAX (16 << 20) /* bytes of a runtime's file */
/* A user may have written the file, and a value takes about 100 bytes of memory. The file of 4,096
 * containers has fewer. */
#define VALUES_MAX 500000
#define ARGS_BYTES 8192 /* of a monitor's arguments */
#define PARENTS_MAX 32  /* between a container's process and its monitor */

/* ---- files ---- */

/* Reads the regular file PATH. Returns NULL if it is not a regular file, too large, or not JSON. */
static json_t *load(const char *path)
{
	/* O_NONBLOCK: a user may have put a FIFO there. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	json_t *root;

	if (fd < 0)
		return NULL;
	root = json_text__read_value(fd, FILE_MAX, VALUES_MAX);
	close(fd);
	return root;
}

/* Copies TEXT as a whole, or nothing: a name that is cut would be another one. */
static void keep(char *to, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (!len || len >= size)
		return;
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]))
			return;
	memcpy(to, text, len + 1);
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- the files of each runtime ---- */

/* containers.json of containers/storage (podman, CRI-O): a list; metadata is JSON in a string. */
static bool read_storage(struct container *c, const char *path)
{
	json_t *all = load(path), *one;
	size_t i;

	json_array_foreach(all, i, one) {
		const char *id = text_at(one, "id");
		const char *text = text_at(one, "metadata") ?: "";
		json_t *metadata;

		if (!id || strcmp(id, c->id) != 0)
			continue;
		metadata = json_text__value(text, strlen(text), VALUES_MAX);
		keep(c->image, sizeof(c->image), text_at(metadata, "image-name"));
		/* CRI-O's names are k8s_CONTAINER_POD_...: its annotations have better ones. */
		if (!*c->name && !text_at(metadata, "pod-name"))
			keep(c->name, sizeof(c->name),
			     text_at(metadata, "name") ?:
							 json_string_value(
								 json_array_get(json_object_get(one, "names"), 0)));
		json_decref(metadata);
		break;
	}
	json_decref(all);
	return *c->name;
}

/* Annotations of the OCI runtime's config.json, in which Kubernetes' runtimes keep names. */
static const struct {
	const char *runtime, *space, *pod, *name, *image;
} annotations[] = {
	{ "containerd", "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name",
	  "io.kubernetes.cri.container-name", "io.kubernetes.cri.image-name" },
	{ "cri-o", "io.kubernetes.pod.namespace", "io.kubernetes.pod.name",
	  "io.kubernetes.container.name", "io.kubernetes.cri-o.ImageName" },
	{ "containerd", NULL, NULL, "nerdctl/name", NULL },
};

/* A pod's sandbox has no name of its own. */
#define SANDBOX_NAME "POD"

static bool take_annotations(struct container *c, const json_t *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(annotations); i++) {
		const char *space = annotations[i].space ? text_at(a, annotations[i].space) : NULL,
			   *pod = annotations[i].pod ? text_at(a, annotations[i].pod) : NULL,
			   *name = text_at(a, annotations[i].name);
		char whole[CONTAINER_NAME_MAX];

		if (annotations[i].pod ? !pod || !space : !name)
			continue;
		if (!annotations[i].pod)
			keep(c->name, sizeof(c->name), name);
		else if ((size_t)snprintf(whole, sizeof(whole), "%s/%s/%s", space, pod,
					  name ? name : SANDBOX_NAME) < sizeof(whole))
			keep(c->name, sizeof(c->name), whole);
		if (annotations[i].image)
			keep(c->image, sizeof(c->image), text_at(a, annotations[i].image));
		c->runtime = annotations[i].runtime;
		return *c->name;
	}
	return false;
}

/* Docker's own file, in DIR. */
static bool read_docker(struct container *c, const char *dir)
{
	char path[PATH_MAX];
	json_t *root;
	const char *name;

	if ((size_t)snprintf(path, sizeof(path), "%s/config.v2.json", dir) >= sizeof(path))
		return false;
	root = load(path);
	name = text_at(root, "Name");
	if (name) {
		keep(c->name, sizeof(c->name), name + (*name == '/'));
		keep(c->image, sizeof(c->image), text_at(json_object_get(root, "Config"), "Image"));
		c->runtime = "docker";
	}
	json_decref(root);
	return *c->name;
}

/* Docker mounts files of its own directory of the container (/etc/hostname and others) into it. */
static bool read_docker_by_mounts(struct container *c, const json_t *mounts)
{
	const json_t *one;
	size_t i;

	json_array_foreach(mounts, i, one) {
		const char *source = text_at(one, "source"),
			   *slash = source ? strrchr(source, '/') : NULL;
		char dir[PATH_MAX];
		size_t len = slash ? (size_t)(slash - source) : 0;

		if (len < CONTAINER_ID_LEN || len >= sizeof(dir) ||
		    memcmp(slash - CONTAINER_ID_LEN, c->id, CONTAINER_ID_LEN) != 0)
			continue;
		memcpy(dir, source, len);
		dir[len] = 0;
		if (read_docker(c, dir))
			return true;
	}
	return false;
}

/* config.json of the OCI runtime. */
static bool read_bundle(struct container *c, const char *path)
{
	json_t *root = load(path);
	bool found = take_annotations(c, json_object_get(root, "annotations")) ||
		     read_docker_by_mounts(c, json_object_get(root, "mounts"));

	json_decref(root);
	return found;
}

static bool read_docker_default(struct container *c, const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, c->id);
	return read_docker(c, path);
}

static bool read_bundle_default(struct container *c, const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/config.json", dir, c->id);
	return read_bundle(c, path);
}

/* Of containers/storage, a container's directory has the bundle in "userdata". */
static bool read_userdata_default(struct container *c, const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/userdata/config.json", dir, c->id);
	return read_bundle(c, path);
}

#define STORAGE "/var/lib/containers/storage/"
#define TASKS "/io.containerd.runtime.v2.task/"

/* Where the files are by default. CRI-O's bundles come before its storage, whose names are not
 * Kubernetes'. */
static const struct {
	const char *runtime; /* "": of any */
	bool (*read)(struct container *c, const char *path);
	const char *path;
} defaults[] = {
	{ "cri-o", read_userdata_default, "/run/containers/storage/overlay-containers" },
	{ "podman", read_storage, STORAGE "overlay-containers/containers.json" },
	{ "podman", read_storage, STORAGE "vfs-containers/containers.json" },
	{ "podman", read_storage, STORAGE "btrfs-containers/containers.json" },
	{ "docker", read_docker_default, "/var/lib/docker/containers" },
	{ "containerd", read_bundle_default, "/run/containerd" TASKS "k8s.io" },
	{ "containerd", read_bundle_default, "/run/k3s/containerd" TASKS "k8s.io" },
	{ "containerd", read_bundle_default, "/run/containerd" TASKS "default" },
};

static bool find_by_default(struct container *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if ((!*c->runtime || !strcmp(c->runtime, defaults[i].runtime)) &&
		    defaults[i].read(c, defaults[i].path)) {
			if (!*c->runtime)
				c->runtime = defaults[i].runtime;
			return true;
		}
	return false;
}

/* ---- the monitor: the parent of a container's first process ---- */

struct arguments {
	char text[ARGS_BYTES];
	size_t len;
};

/* Returns what follows the argument OPTION, or NULL. */
static const char *option(const struct arguments *a, const char *name)
{
	const char *p = a->text, *end = a->text + a->len;

	for (; p < end; p += strlen(p) + 1) {
		const char *next = p + strlen(p) + 1;

		if (!strcmp(p, name) && next < end)
			return next;
	}
	return NULL;
}

/* The name of the program. */
static const char *program(const struct arguments *a)
{
	const char *slash = strrchr(a->text, '/');

	return a->len ? slash ? slash + 1 : a->text : "";
}

static void remember(struct container_storages *all, const char *path)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->paths[i], path))
			return;
	if (all->n < CONTAINER_STORAGES_MAX && strlen(path) < CONTAINER_STORAGE_LEN)
		/* NOLINTNEXTLINE(*.strcpy): its length was checked */
		strcpy(all->paths[all->n++], path);
}

static bool find_remembered(struct container *c, const struct container_storages *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (read_storage(c, all->paths[i]))
			return true;
	return false;
}

/* conmon -c ID -n NAME -b STORAGE/ID/userdata */
static bool ask_conmon(struct container *c, const struct arguments *a,
		       struct container_storages *storages)
{
	const char *id = option(a, "-c"), *bundle = option(a, "-b"), *name = option(a, "-n"), *at;
	char path[PATH_MAX];

	if (!id || strcmp(id, c->id) != 0 || !bundle)
		return false;
	if ((size_t)snprintf(path, sizeof(path), "%s/config.json", bundle) < sizeof(path) &&
	    read_bundle(c, path))
		return true;
	if (!strcmp(c->runtime, ""))
		c->runtime = "podman";
	keep(c->name, sizeof(c->name), name);
	at = strstr(bundle, c->id);
	if (at && (size_t)snprintf(path, sizeof(path), "%.*scontainers.json", (int)(at - bundle),
				   bundle) < sizeof(path)) {
		read_storage(c, path);
		remember(storages, path);
	}
	return *c->name;
}

/* containerd-shim-runc-v2 -namespace SPACE -id ID -address /run/containerd/containerd.sock: one
 * shim may stand for all containers of a pod. */
static bool ask_shim(struct container *c, const struct arguments *a)
{
	const char *space = option(a, "-namespace"), *socket = option(a, "-address"),
		   *slash = socket ? strrchr(socket, '/') : NULL;
	char path[PATH_MAX];

	if (!space || !slash || strchr(space, '/') ||
	    (size_t)snprintf(path, sizeof(path), "%.*s" TASKS "%s/%s/config.json",
			     (int)(slash - socket), socket, space, c->id) >= sizeof(path))
		return false;
	return read_bundle(c, path);
}

static bool ask_monitor(struct container *c, pid_t pid, struct container_storages *storages)
{
	struct arguments a;
	ssize_t n;
	bool cut;

	n = process_files__arguments(pid, a.text, sizeof(a.text) - 1, &cut);
	a.len = n > 0 ? (size_t)n : 0;
	a.text[a.len] = 0;
	if (!strcmp(program(&a), "conmon"))
		return ask_conmon(c, &a, storages);
	return !strncmp(program(&a), "containerd-shim", 15) && ask_shim(c, &a);
}

/* Reads the line of /proc/PID/NAME that starts with KEY. Returns false if there is none. */
static bool proc_line(pid_t pid, const char *name, const char *key, char *ret, int size)
{
	char path[64];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "re");
	while (f && !found && fgets(ret, size, f))
		found = !strncmp(ret, key, strlen(key));
	if (f)
		fclose(f);
	return found;
}

static pid_t parent_of(pid_t pid)
{
	char line[128];

	return proc_line(pid, "status", "PPid:", line, sizeof(line)) ? atoi(line + 5) : 0;
}

/* Whether PID is in the cgroup at DIR or below. A container's process could call itself conmon, but
 * monitors are outside. */
static bool is_inside(const char *dir, pid_t pid)
{
	const char *name = strrchr(dir, '/');
	char line[PATH_MAX];

	return !proc_line(pid, "cgroup", "0::", line, sizeof(line)) || (name && strstr(line, name));
}

/* The first process in the cgroup at DIR. 0: it has none. */
static pid_t first_process(const char *dir)
{
	static const char *const nested[] = { "", "/container", "/init", "/init.scope" };
	char path[PATH_MAX];
	int pid = 0;

	for (size_t i = 0; i < ARRAY_SIZE(nested) && pid <= 0; i++) {
		FILE *f;

		if ((size_t)snprintf(path, sizeof(path), "%s%s/cgroup.procs", dir, nested[i]) >=
		    sizeof(path))
			return 0;
		f = fopen(path, "re");
		if (f && fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			fclose(f);
	}
	return pid;
}

void container_names__find(struct container *c, const char *cgroup_dir,
			   struct container_storages *storages)
{
	pid_t pid;

	if (find_by_default(c) || find_remembered(c, storages))
		return;
	pid = first_process(cgroup_dir);
	for (int i = 0; i < PARENTS_MAX && pid > 1 && is_inside(cgroup_dir, pid); i++)
		pid = parent_of(pid);
	if (pid > 1)
		ask_monitor(c, pid, storages);
}
