// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 5    /* fs/exec.c: scripts whose interpreters are scripts */
#define HEAD_BYTES 256 /* BINPRM_BUF_SIZE: all that the kernel reads of the first line */

/* Gets the interpreter named in the first line of PATH. Returns false if it is not a script. */
static bool interpreter(const char *path, char ret[HEAD_BYTES])
{
	char head[HEAD_BYTES + 1], *name;
	/* A FIFO must not block, and a terminal must not become the controlling one. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? 0 : read(fd, head, HEAD_BYTES);

	if (fd >= 0)
		close(fd);
	if (n < 3 || head[0] != '#' || head[1] != '!')
		return false;
	head[n] = 0;
	name = head + 2 + strspn(head + 2, " \t");
	name[strcspn(name, " \t\n")] = 0;
	snprintf(ret, HEAD_BYTES, "%s", name);
	return *name == '/';
}

void program__find(const char *name, char ret[PATH_MAX], bool *ret_setuid)
{
	char next[HEAD_BYTES], real[PATH_MAX];
	struct stat st;

	*ret_setuid = false;
	snprintf(ret, PATH_MAX, "%s", name);
	for (int i = 0; i < DEPTH_MAX; i++) {
		if (realpath(ret, real))
			snprintf(ret, PATH_MAX, "%s", real);
		if (!interpreter(ret, next))
			break;
		snprintf(ret, PATH_MAX, "%s", next);
	}
	*ret_setuid = !stat(ret, &st) && S_ISREG(st.st_mode) && st.st_mode & (S_ISUID | S_ISGID);
}
