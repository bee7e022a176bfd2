// SPDX-License-Identifier: GPL-2.0-or-later
/* The target file://: what is stored under a key, and what is not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/macros.h"
#include "uploader/target.h"

#define KEY "linux_v1/00112233AABBCCDD/20261121_100000_000/fs/fs_0001.csv.zst"

static char share[] = "/tmp/iotrc-share-XXXXXX";
static struct target *target;
static struct target_result result;

static struct target *make(const struct target_config *config)
{
	struct target *t = NULL;
	char problem[TARGET_REASON_MAX];

	cr_assert_eq(target__new(&t, config, problem), 0, "%s", problem);
	return t;
}

static void set_up(void)
{
	char url[64];

	cr_assert(mkdtemp(share));
	snprintf(url, sizeof(url), "file://%s", share);
	target = make(&(struct target_config){ .url = url });
}

static void tear_down(void)
{
	char command[64];

	target__free(target);
	snprintf(command, sizeof(command), "rm -rf %s", share);
	cr_assert_eq(system(command), 0);
}

TestSuite(target_file, .init = set_up, .fini = tear_down);

/* An unnamed file of SIZE bytes that do not repeat. */
static struct target_object object(const char *key, size_t size)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	uint32_t block[1024], x = 1;

	cr_assert_geq(fd, 0);
	for (size_t at = 0; at < size; at += sizeof(block)) {
		size_t n = size - at < sizeof(block) ? size - at : sizeof(block);

		for (size_t i = 0; i < ARRAY_SIZE(block); i++)
			block[i] = x = x * 1664525 + 1013904223;
		cr_assert_eq(pwrite(fd, block, n, at), (ssize_t)n);
	}
	return (struct target_object){ .key = key, .fd = fd, .size = size };
}

static const char *at(const char *key)
{
	static char paths[2][512]; /* link() takes two */
	static int turn;

	turn = !turn;
	snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", share, key);
	return paths[turn];
}

static bool exists(const char *key)
{
	struct stat st;

	return lstat(at(key), &st) == 0;
}

/* cmp(1) is the judge. */
static bool same(const char *key, int fd)
{
	char command[1024];

	snprintf(command, sizeof(command), "cmp -s %s /proc/%d/fd/%d", at(key), (int)getpid(), fd);
	return system(command) == 0;
}

static enum target_verdict put(const struct target_object *o)
{
	memset(&result, 0xff, sizeof(result));
	target__put(target, o, NULL, &result);
	return result.verdict;
}

Test(target_file, copies)
{
	static const size_t sizes[] = { 0, 1, 4096, (3 << 20) + 5 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct target_object o = object(KEY, sizes[i]);
		struct stat st;

		cr_assert_eq(put(&o), TARGET_DONE, "%s", result.reason);
		cr_assert(same(KEY, o.fd));
		cr_assert_eq(stat(at(KEY), &st), 0);
		cr_assert_eq(st.st_mode & 07, 0);
		cr_assert_not(exists(
			"linux_v1/00112233AABBCCDD/20261121_100000_000/fs/.fs_0001.csv.zst.part"));
		close(o.fd);
	}
}

Test(target_file, a_part_left_behind_is_begun_again)
{
	struct target_object o = object("a/b", 100000);

	cr_assert_eq(mkdir(at("a"), 0750), 0);
	close(creat(at("a/.b.part"), 0640));
	cr_assert_eq(truncate(at("a/.b.part"), 200000), 0);
	cr_assert_eq(put(&o), TARGET_DONE, "%s", result.reason);
	cr_assert(same("a/b", o.fd));
	cr_assert_not(exists("a/.b.part"));
	close(o.fd);
}

Test(target_file, no_symlink_is_followed)
{
	struct target_object o = object("a/b", 10);
	struct stat st;

	cr_assert_eq(mkdir(at("elsewhere"), 0750), 0);
	cr_assert_eq(symlink("elsewhere", at("a")), 0);
	cr_assert_eq(put(&o), TARGET_REFUSED);
	cr_assert(strstr(result.reason, "symlink"), "%s", result.reason);
	cr_assert_not(exists("elsewhere/b"));

	/* It follows a symlink neither for the part, nor under the name itself, which rename
	 * replaces. */
	unlink(at("a"));
	cr_assert_eq(mkdir(at("a"), 0750), 0);
	close(creat(at("victim"), 0640));
	cr_assert_eq(symlink("../victim", at("a/.b.part")), 0);
	cr_assert_eq(put(&o), TARGET_REFUSED);
	unlink(at("a/.b.part"));
	cr_assert_eq(link(at("victim"), at("a/.b.part")), 0);
	cr_assert_eq(symlink("../victim", at("a/b")), 0);
	cr_assert_eq(put(&o), TARGET_DONE, "%s", result.reason);
	cr_assert_eq(stat(at("victim"), &st), 0);
	cr_assert_eq(st.st_size, 0);
	cr_assert_eq(lstat(at("a/b"), &st), 0);
	cr_assert(S_ISREG(st.st_mode));
	close(o.fd);
}

Test(target_file, keys_stay_in_their_place)
{
	static const char *const keys[] = { "",     "/etc/x", "../x", "a/../x",
					    "a//b", "a/.",    "a/",   ".." };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct target_object o = object(keys[i], 1);

		cr_assert_eq(put(&o), TARGET_LOCAL, "%s", keys[i]);
		close(o.fd);
	}
}

Test(target_file, the_file_itself)
{
	struct target_object o = { .key = "a/b", .size = 5 };

	cr_assert_eq(mkdir(at("a"), 0750), 0);
	o.fd = open(at("a/b"), O_RDWR | O_CREAT, 0640);
	cr_assert_eq(write(o.fd, "hello", 5), 5);
	cr_assert_eq(put(&o), TARGET_REFUSED);
	cr_assert(result.general);
	cr_assert(same("a/b", o.fd));
	close(o.fd);
}

Test(target_file, only_what_was_recorded)
{
	struct target_object o = object("a", 5);

	o.size = 6;
	cr_assert_eq(put(&o), TARGET_LOCAL, "%s", result.reason);
	/* printf '' | sha256sum */
	o.size = 5;
	o.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	cr_assert_eq(put(&o), TARGET_LOCAL, "%s", result.reason);
	cr_assert_not(exists("a"));
	o.size = 0;
	cr_assert_eq(put(&o), TARGET_DONE, "%s", result.reason);
	close(o.fd);
}

static bool three_times(void *data, uint64_t sent)
{
	return ++*(int *)data < 3;
}

Test(target_file, cancelled)
{
	struct target_object o = object("a", 4 << 20);
	int calls = 0;
	struct target_hooks hooks = { .data = &calls, .progress = three_times };

	target__put(target, &o, &hooks, &result);
	cr_assert_eq(result.verdict, TARGET_CANCELLED);
	cr_assert_eq(calls, 3);
	cr_assert_not(exists("a"));
	cr_assert_not(exists(".a.part"));
	close(o.fd);
}

Test(target_file, at_its_rate)
{
	struct target_object o = object("a", 100000);
	struct timespec from, to;
	char url[64];
	struct target *slow;

	snprintf(url, sizeof(url), "file://%s", share);
	slow = make(&(struct target_config){ .url = url, .rate = 200000 });
	clock_gettime(CLOCK_MONOTONIC, &from);
	target__put(slow, &o, NULL, &result);
	clock_gettime(CLOCK_MONOTONIC, &to);
	cr_assert_eq(result.verdict, TARGET_DONE, "%s", result.reason);
	cr_assert_geq((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000,
		      499);
	target__free(slow);
	close(o.fd);
}

Test(target_file, a_share_that_is_not_there)
{
	struct target *absent = make(&(struct target_config){ .url = "file:///nonexistent/share" });
	struct target_object o = object("a", 1);

	target__put(absent, &o, NULL, &result);
	cr_assert_eq(result.verdict, TARGET_REFUSED);
	cr_assert(result.general);
	cr_assert(strstr(result.reason, "mounted"), "%s", result.reason);
	target__free(absent);
	close(o.fd);
}

Test(target_file, test_leaves_nothing)
{
	target__test(target, "linux_v1", "00112233AABBCCDD", NULL, &result);
	cr_assert_eq(result.verdict, TARGET_DONE, "%s", result.reason);
	cr_assert_str_empty(result.reason);
	cr_assert_not(exists("linux_v1"));
}

Test(target, urls)
{
	static const char *const wrong[] = { "",         "s4://x",          "/mnt",
					     "file://",  "file://host/dir", "file:/mnt",
					     "ftp://x/y" };
	struct target *t = NULL;
	char problem[TARGET_REASON_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct target_config config = { .url = wrong[i] };

		*problem = 0;
		cr_assert_eq(target__new(&t, &config, problem), -EINVAL, "%s", wrong[i]);
		cr_assert_str_not_empty(problem);
		cr_assert_null(t);
	}
}
