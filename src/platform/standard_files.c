// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/standard_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int standard_files__occupy(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* The way that they are not used in. */
		int way = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		/* All lower numbers are in use, so it gets this one. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", way | O_CLOEXEC) < 0)
			return -errno;
	}
	return 0;
}
