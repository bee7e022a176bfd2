// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir_names.h"

Test(dir_names, all_but_itself_in_order)
{
	static const char *const expected[] = { "", "A", "a", "b", "\xff" };
	char path[] = "/tmp/iotrc-test-XXXXXX", hidden[256], command[300];
	struct dir_names names;
	int fd;

	cr_assert(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_expect_eq(dir_names__read(&names, fd), 0);
	cr_expect_eq(names.n, 0);
	dir_names__clear(&names);
	memset(hidden, '.', 255);
	hidden[255] = 0;
	close(openat(fd, hidden, O_CREAT | O_WRONLY, 0600));
	mkdirat(fd, "b", 0700);
	cr_assert_eq(symlinkat("nowhere", fd, "a"), 0);
	mkfifoat(fd, "A", 0600);
	close(openat(fd, "\xff", O_CREAT | O_WRONLY, 0600));
	/* Twice: each read starts at the beginning. */
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(dir_names__read(&names, fd), 0);
		cr_assert_eq(names.n, 5);
		cr_expect_str_eq(names.names[0], hidden);
		for (size_t k = 1; k < 5; k++)
			cr_expect_str_eq(names.names[k], expected[k]);
		dir_names__clear(&names);
	}
	close(fd);
	snprintf(command, sizeof(command), "rm -rf %s", path);
	cr_expect_eq(system(command), 0);
}

Test(dir_names, what_is_no_directory)
{
	struct dir_names names;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_expect_eq(dir_names__read(&names, fd), -ENOTDIR);
	cr_expect_eq(names.n, 0);
	cr_expect_eq(dir_names__read(&names, -1), -EBADF);
	close(fd);
}
