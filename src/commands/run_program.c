// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_DEFAULT "/bin:/usr/bin" /* execvp(3), where $PATH isn't set */

static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || access(path, X_OK))
		return -EACCES;
	return 0;
}

int run_program__find(const char *name, char ret[PATH_MAX])
{
	const char *dirs = getenv("PATH") ?: PATH_DEFAULT, *end;
	int err = -ENOENT, found;

	if (strchr(name, '/')) {
		snprintf(ret, PATH_MAX, "%s", name);
		return executable(ret);
	}
	if (!*name)
		return -ENOENT;
	for (; dirs; dirs = *end ? end + 1 : NULL) {
		end = strchrnul(dirs, ':');
		snprintf(ret, PATH_MAX, "%.*s%s%s", (int)(end - dirs), dirs, end > dirs ? "/" : "",
			 name);
		found = executable(ret);
		if (!found)
			return 0;
		if (found == -EACCES)
			err = found;
	}
	return err;
}

bool run_program__is_text(const char *program)
{
	char head[128];
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof(head));

	if (fd >= 0)
		close(fd);
	return n > 0 && !(n > 1 && !memcmp(head, "#!", 2)) && !memchr(head, 0, n);
}

char **run_program__for_shell(char **argv, char *program)
{
	size_t n = 0;
	char **all;

	while (argv[n])
		n++;
	all = calloc(n + 2, sizeof(*all));
	if (!all)
		return NULL;
	all[0] = "/bin/sh";
	all[1] = program;
	memcpy(all + 2, argv + 1, n * sizeof(*argv));
	return all;
}
