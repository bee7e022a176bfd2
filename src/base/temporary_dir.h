/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TEMPORARY_DIR_H
#define IOTRC_TEMPORARY_DIR_H

#include <stdlib.h>

/* Returns the directory for temporary files: $TMPDIR if it is an absolute path, else /tmp. */
static inline const char *temporary_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir == '/' ? dir : "/tmp";
}

#endif
