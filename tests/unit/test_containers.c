// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container_names.h"
#include "base/containers.h"
#include "commands/container_watch.h"
#include "platform/cgroup.h"
#include "platform/macros.h"
#include "tests/unit/root.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(containers, names)
{
	const struct container web = { .id = ID, .name = "web" },
			       pod = { .id = ID, .name = "shop/cart-0/redis" },
			       nameless = { .id = ID };

	cr_assert(container__is_called(&web, "web"));
	cr_assert(!container__is_called(&web, "we"));
	cr_assert(!container__is_called(&web, ""));
	cr_assert(container__is_called(&web, "0123456789ab"));
	cr_assert(container__is_called(&web, ID));
	cr_assert(!container__is_called(&web, "0123456789a"));
	cr_assert(!container__is_called(&web, ID "0"));
	cr_assert(container__is_called(&web, "w*"));
	cr_assert(container__is_called(&pod, "shop/*/*"));
	cr_assert(!container__is_called(&pod, "shop/*"));
	cr_assert(container__is_called(&pod, "redis"));
	cr_assert(!container__is_called(&pod, "cart-0"));
	cr_assert(!container__is_called(&nameless, "*"));
}

struct place {
	const char *dir;     /* below the cgroup2 mount; those above it come first */
	const char *runtime; /* of the container to which it belongs; NULL: none */
};

/* clang-format off */
static const struct place places[] = {
	{ "iotrc-unit", NULL },
	{ "iotrc-unit/libpod-" ID ".scope", "podman" },
	{ "iotrc-unit/libpod-" ID ".scope/container", "podman" },
	{ "iotrc-unit/libpod-" ID ".scope/container/deeper", "podman" },
	{ "iotrc-unit/libpod-conmon-" ID ".scope", NULL },
	{ "iotrc-unit/docker", NULL },
	{ "iotrc-unit/docker/" ID, "docker" },
	{ "iotrc-unit/docker/" ID "0", NULL },
	{ "iotrc-unit/cri-containerd-" ID ".scope", "containerd" },
	{ "iotrc-unit/crio-" ID ".scope", "cri-o" },
	{ "iotrc-unit/kubepods", NULL },
	{ "iotrc-unit/kubepods/besteffort", NULL },
	{ "iotrc-unit/kubepods/besteffort/poda1", NULL },
	{ "iotrc-unit/kubepods/besteffort/poda1/" ID, "" },
	{ "iotrc-unit/docker/" ID "/docker", "docker" },
	{ "iotrc-unit/docker/" ID "/docker/1" ID, "docker" }, /* too long for an id */
};
/* clang-format on */

static void path_of(const char *mount, const char *dir, char ret[2 * PATH_MAX])
{
	snprintf(ret, 2 * PATH_MAX, "%s/%s", mount, dir);
}

/* The kernel's own tree; its inode numbers are the oracle (test_options.c proves that these are the
 * ids). */
Test(containers, directories)
{
	char mount[PATH_MAX], path[2 * PATH_MAX];
	struct containers *all;
	bool all_named;

	root__skip_unless();
	root__expect(!cgroup__mount(mount), "find cgroup v2");
	path_of(mount, places[0].dir, path);
	root__expect(!mkdir(path, 0755), "create a cgroup");
	cr_assert_eq(containers__new(&all), 0);
	cr_assert_geq(containers__watch(all), 0);
	for (size_t i = 1; i < ARRAY_SIZE(places); i++) {
		path_of(mount, places[i].dir, path);
		cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
	}
	cr_assert(containers__refresh(all, &all_named));
	cr_assert(!containers__refresh(all, &all_named));
	cr_assert(!all_named);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		json_t *json = containers__json(all), *one;
		struct stat st;
		char key[24];

		path_of(mount, places[i].dir, path);
		cr_assert_eq(stat(path, &st), 0);
		snprintf(key, sizeof(key), "%lu", (unsigned long)st.st_ino);
		one = json_object_get(json, key);
		cr_assert_eq(!one, !places[i].runtime, "%s", path);
		if (one) {
			const char *runtime = json_string_value(json_object_get(one, "runtime"));

			cr_expect_str_eq(json_string_value(json_object_get(one, "id")), ID);
			cr_expect_str_eq(runtime ? runtime : "", places[i].runtime, "%s", path);
		}
		json_decref(json);
	}
	containers__free(all);
	for (size_t i = ARRAY_SIZE(places); i--;) {
		path_of(mount, places[i].dir, path);
		cr_assert_eq(rmdir(path), 0, "%s", path);
	}
}

/* ---- limits ---- */

#define MORE 3 /* than there is room for */

/* Creates the cgroup of container NUMBER, or removes it. */
static void set_container(const char *top, int number, bool exists)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/docker-%064x.scope", top, number);
	cr_assert_eq(exists ? mkdir(path, 0755) : rmdir(path), 0, "%s", path);
}

/* From now on stderr is the file whose descriptor is returned. */
static int keep_stderr(void)
{
	char path[] = "/tmp/iotrc-unit-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	unlink(path);
	cr_assert_geq(dup2(fd, STDERR_FILENO), 0);
	return fd;
}

static int count_in(int fd, const char *text)
{
	char said[4096] = "";
	int n = 0;

	cr_assert_geq(pread(fd, said, sizeof(said) - 1, 0), 0);
	for (const char *at = said; (at = strstr(at, text)); at++)
		n++;
	return n;
}

static int look(struct container_watch *w)
{
	w->due_ns = 0;
	return container_watch__look(w, true);
}

static int added, answer;

static int add_cgroup(struct engine *e, uint64_t cgroup)
{
	added++;
	return answer;
}

/* Creates the directory TOP with N containers, and follows those that CHOSEN selects. Returns what
 * it says. */
static int follow(struct container_watch *w, char *top, int n, const char *chosen)
{
	static const struct engine_type type = { .name = "none", .add_cgroup = add_cgroup };
	static struct engine engine = { .type = &type };
	static struct selection selection = { .n_containers = 1 };
	struct containers *all;
	int said;

	cr_assert_not_null(mkdtemp(top));
	for (int i = 0; i < n; i++)
		set_container(top, i, true);
	cr_assert_eq(containers__new_at(&all, top), 0);
	selection.containers[0] = chosen;
	said = keep_stderr();
	container_watch__begin(w, all, &engine, &selection, false);
	return said;
}

static void end(struct container_watch *w, const char *top, int n)
{
	container_watch__end(w);
	for (int i = 0; i < n; i++)
		set_container(top, i, false);
	rmdir(top);
}

/* The containers beyond the limit are counted, and that they are not followed is said once. */
Test(containers, limit)
{
	char top[] = "/dev/shm/iotrc-unit-XXXXXX"; /* thousands of directories */
	struct container_watch w;
	int said = follow(&w, top, CONTAINERS_MAX - 1, "shop/*/*");

	cr_assert_eq(containers__count(w.all), CONTAINERS_MAX - 1);
	cr_assert_eq(containers__left_out(w.all), 0);
	for (int i = 0; i < MORE + 1; i++) {
		set_container(top, CONTAINERS_MAX - 1 + i, true);
		cr_assert_eq(look(&w), !i, "only the first one has a place");
		cr_assert_eq(containers__count(w.all), CONTAINERS_MAX);
		cr_assert_eq(containers__left_out(w.all), (uint64_t)i);
	}
	cr_assert_eq(added, 0, "none has a name");
	cr_assert_eq(count_in(said, "too many containers"), 1);
	end(&w, top, CONTAINERS_MAX + MORE);
}

/* An engine without room is said to be so once, although each look tries again. */
/* Directories whose own are not searched any more are counted; those without any are not. */
Test(containers, levels)
{
	char top[] = "/tmp/iotrc-test-XXXXXX", path[512], command[64];
	struct containers *c;
	bool all_named;
	char *end;

	cr_assert(mkdtemp(top));
	end = path + snprintf(path, sizeof(path), "%s", top);
	for (int i = 0; i < 24; i++) {
		cr_assert_eq(containers__new_at(&c, top), 0);
		containers__refresh(c, &all_named);
		cr_expect_eq(containers__left_out(c), 0, "%d levels", i);
		containers__free(c);
		end += sprintf(end, "/%d", i);
		cr_assert_eq(mkdir(path, 0700), 0);
	}
	sprintf(end, "/below");
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(containers__new_at(&c, top), 0);
	containers__refresh(c, &all_named);
	cr_expect_eq(containers__left_out(c), 1);
	containers__free(c);
	snprintf(command, sizeof(command), "rm -r %s", top);
	cr_expect_eq(system(command), 0);
}

Test(containers, a_full_filter)
{
	char top[] = "/tmp/iotrc-unit-XXXXXX";
	struct container_watch w;
	int said = follow(&w, top, 2, "000000000000");

	cr_assert_eq(added, 2);
	cr_assert_eq(count_in(said, "from now on"), 2);
	answer = -ENOSPC;
	for (int i = 0; i < 3; i++)
		look(&w);
	cr_assert_eq(added, 8);
	cr_assert_eq(count_in(said, "cannot record all containers"), 1);
	end(&w, top, 2);
}

/* Whether the name of a container is found in a file of containers/storage with MORE other values,
 * which any user may have written. */
static bool is_found_among(size_t more)
{
	struct container c = { .id = ID, .runtime = "podman" };
	struct container_storages all = { .n = 1, .paths = { "/tmp/iotrc-unit-XXXXXX" } };
	int fd = mkstemp(all.paths[0]);
	FILE *f = fdopen(fd, "w");

	cr_assert(f);
	fputs("[{\"id\": \"" ID "\", \"names\": [\"web\"]}", f);
	for (size_t i = 0; i < more; i++)
		fputs(",0", f);
	fputs("]", f);
	cr_assert(!fclose(f));
	container_names__find(&c, "/nonexistent", &all);
	unlink(all.paths[0]);
	return !strcmp(c.name, "web");
}

/* Values take far more memory than their text. */
Test(containers, a_file_of_many_values)
{
	cr_assert(is_found_among(0));
	cr_assert(is_found_among(400000));
	cr_assert(!is_found_among(600000));
}
