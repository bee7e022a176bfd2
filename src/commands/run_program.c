// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/libc.h"

#define PATH_DEFAULT "/bin:/usr/bin" /* of execvp(3), if $PATH is not set */

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
