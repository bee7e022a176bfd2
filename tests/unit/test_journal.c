// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/journal.h"
#include "root.h"

#define A "0000000000000000000000000000000000000000000000000000000000000000"
#define B "1111111111111111111111111111111111111111111111111111111111111111"
#define TARGET "s3://bucket/prefix"

static char dir[64];
static int fd;

static void setup(void)
{
	strcpy(dir, "/dev/shm/iotrc-journal-XXXXXX"); /* each line is synced */
	cr_assert(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(fd, 0);
}

static void teardown(void)
{
	char cmd[128];

	close(fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(journal, .init = setup, .fini = teardown, .timeout = 60);

static struct journal *open_for(const char *identity)
{
	struct journal *j;

	cr_assert_eq(journal__open(&j, fd, identity, -1, -1), 0);
	return j;
}

static void write_file(const char *name, const char *text, size_t len)
{
	int f = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(f, 0);
	cr_assert_eq(write(f, text, len), (ssize_t)len);
	close(f);
}

static bool uploaded(const char *path, const char *sha256)
{
	struct journal *j;
	bool is;

	cr_assert_eq(journal__look(&j, fd), 0);
	is = journal__elsewhere(j, path, sha256);
	journal__free(j);
	return is;
}

static size_t read_journal(char *buf, size_t size)
{
	int f = openat(fd, JOURNAL_NAME, O_RDONLY);
	ssize_t n = read(f, buf, size);

	cr_assert_geq(n, 0);
	close(f);
	return n;
}

Test(journal, what_is_confirmed_stays_confirmed)
{
	struct journal *j;

	cr_assert_eq(journal__look(&j, fd), -ENOENT);
	j = open_for(TARGET);
	cr_assert(!journal__has(j, "fs/a", A));
	cr_assert_eq(journal__confirm(j, "fs/a", A, 5), 0);
	cr_assert(journal__has(j, "fs/a", A));
	cr_assert(!journal__has(j, "fs/a", B), "other content");
	cr_assert(!journal__has(j, "fs/b", A));
	journal__free(j);
	j = open_for(TARGET);
	cr_assert(journal__has(j, "fs/a", A));
	cr_assert(!journal__elsewhere(j, "fs/a", A));
	cr_assert_eq(journal__confirm(j, "fs/a", B, 5), 0);
	cr_assert(journal__has(j, "fs/a", B) && !journal__has(j, "fs/a", A));
	journal__free(j);
	j = open_for(TARGET "2");
	cr_assert(!journal__has(j, "fs/a", B));
	cr_assert(journal__elsewhere(j, "fs/a", B));
	journal__free(j);
	cr_assert(uploaded("fs/a", B));
	cr_assert(!uploaded("fs/a", A));
}

Test(journal, progress_until_it_is_there)
{
	struct journal *j = open_for(TARGET);
	char *progress;

	cr_assert_null(journal__progress(j, "fs/a", A));
	cr_assert_eq(journal__set_progress(j, "fs/a", A, "id \"1\""), 0);
	cr_assert(!journal__has(j, "fs/a", A));
	journal__free(j);
	j = open_for(TARGET);
	progress = journal__progress(j, "fs/a", A);
	cr_assert_str_eq(progress, "id \"1\"");
	free(progress);
	cr_assert_null(journal__progress(j, "fs/a", B), "of other content");
	cr_assert(!uploaded("fs/a", A));
	cr_assert_eq(journal__set_progress(j, "fs/a", A, NULL), 0);
	cr_assert_null(journal__progress(j, "fs/a", A));
	cr_assert_eq(journal__set_progress(j, "fs/a", A, "2"), 0);
	cr_assert_eq(journal__confirm(j, "fs/a", A, 1), 0);
	cr_assert_null(journal__progress(j, "fs/a", A));
	cr_assert(journal__has(j, "fs/a", A));
	journal__free(j);
}

/* Truncated after any byte: complete lines count, and writing continues after them. */
Test(journal, killed_at_any_byte)
{
	static const char *const names[] = { "fs/a", "fs/b", "fs/c" };
	size_t ends[3], len = 0;
	char text[2048], now[2048];
	struct journal *j = open_for(TARGET);

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(journal__confirm(j, names[i], A, i), 0);
		ends[i] = len = read_journal(text, sizeof(text));
	}
	journal__free(j);
	for (size_t cut = 0; cut <= len; cut++) {
		/* Also with zeros, which some file systems leave if a crash came before the
		 * data. */
		for (int zeros = 0; zeros < 2; zeros++) {
			memset(now, 0, sizeof(now));
			memcpy(now, text, cut);
			write_file(JOURNAL_NAME, now, zeros ? len : cut);
			j = open_for(TARGET);
			for (int i = 0; i < 3; i++)
				cr_assert_eq(journal__has(j, names[i], A), ends[i] <= cut, "%zu",
					     cut);
			cr_assert_eq(journal__confirm(j, "fs/d", B, 7), 0);
			journal__free(j);
			j = open_for(TARGET);
			cr_assert(journal__has(j, "fs/d", B), "%zu", cut);
			for (int i = 0; i < 3; i++)
				cr_assert_eq(journal__has(j, names[i], A), ends[i] <= cut, "%zu",
					     cut);
			journal__free(j);
		}
	}
}

Test(journal, lines_that_are_none_of_ours)
{
	static const char text[] =
		"\n{}\n[1]\nnonsense\n{\"target\":1,\"file\":\"fs/a\",\"sha256\":\"" A "\"}\n"
		"{\"target\":\"x\",\"file\":\"fs/a\",\"sha256\":\"" A "\"}\n"
		"{\"target\":\"x\",\"file\":\"fs/b\",\"sha256\":\"" A "\",\"bytes\":1}\n";
	struct journal *j;

	write_file(JOURNAL_NAME, text, sizeof(text) - 1);
	j = open_for(TARGET);
	cr_assert(!journal__elsewhere(j, "fs/a", A));
	cr_assert(journal__elsewhere(j, "fs/b", A));
	journal__free(j);
}

Test(journal, not_through_a_symlink)
{
	struct journal *j = NULL;

	write_file("elsewhere", "", 0);
	cr_assert_eq(symlinkat("elsewhere", fd, JOURNAL_NAME), 0);
	cr_assert_eq(journal__open(&j, fd, TARGET, -1, -1), -ELOOP);
	cr_assert_eq(unlinkat(fd, JOURNAL_NAME, 0), 0);
	cr_assert_eq(mkfifoat(fd, JOURNAL_NAME, 0600), 0);
	cr_assert_eq(journal__open(&j, fd, TARGET, -1, -1), -EFBIG);
	cr_assert(!journal__session_uploaded(fd));
	cr_assert_null(j);
}

Test(journal, sha256_of_a_file)
{
	char sha256[65];
	int f;

	write_file("abc", "abc", 3);
	f = openat(fd, "abc", O_RDONLY);
	cr_assert_eq(journal__sha256(f, sha256), 0);
	/* FIPS 180-2, appendix B.1 */
	cr_assert_str_eq(sha256,
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_assert_eq(journal__sha256(fd, sha256), -EISDIR);
	close(f);
}

Test(journal, a_session_is_there_when_its_manifest_is)
{
	char sha256[65];
	struct journal *j;
	int f;

	cr_assert(!journal__session_uploaded(fd));
	write_file("manifest.json", "{}", 2);
	cr_assert(!journal__session_uploaded(fd));
	j = open_for(TARGET);
	cr_assert_eq(journal__confirm(j, "fs/a", A, 5), 0);
	cr_assert(!journal__session_uploaded(fd));
	f = openat(fd, "manifest.json", O_RDONLY);
	cr_assert_eq(journal__sha256(f, sha256), 0);
	close(f);
	cr_assert_eq(journal__set_progress(j, "manifest.json", sha256, "x"), 0);
	cr_assert(!journal__session_uploaded(fd));
	cr_assert_eq(journal__confirm(j, "manifest.json", sha256, 2), 0);
	cr_assert(journal__session_uploaded(fd));
	journal__free(j);
	write_file("manifest.json", "{ }", 3);
	cr_assert(!journal__session_uploaded(fd), "another manifest: recovered since");
	cr_assert_eq(unlinkat(fd, "manifest.json", 0), 0);
	cr_assert(journal__session_uploaded(fd), "removed after it was uploaded");
}

/* The reserved space allows a full file system to be emptied. */
Test(journal, on_a_full_file_system)
{
	struct journal *j;
	char zeros[4096] = { 0 };
	int full;

	root__tmpfs(dir, "size=256k");
	close(fd);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	j = open_for(TARGET);
	full = openat(fd, "full", O_WRONLY | O_CREAT, 0600);
	while (write(full, zeros, sizeof(zeros)) > 0)
		;
	cr_assert_eq(errno, ENOSPC);
	cr_assert_eq(journal__confirm(j, "fs/a", A, 5), 0);
	journal__free(j);
	cr_assert(uploaded("fs/a", A));
	close(full);
	close(fd);
	cr_assert_eq(umount(dir), 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
}
