// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/temporary_dir.h"

int spill_file__open(void)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/iotrc-spill-XXXXXX", temporary_dir()) < 0)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	else
		fd = -errno;
	free(path);
	return fd;
}

const char *spill_file__advice(int err)
{
	switch (err) {
	case 0:
	case -ENOMEM:
	case -E2BIG:
	case -EFBIG:
		return NULL;
	case -ENOSPC:
	case -EDQUOT:
		return "no room for temporary files: set TMPDIR to a directory with more";
	default:
		return "temporary files cannot be kept in $TMPDIR or /tmp: set TMPDIR to another directory";
	}
}
