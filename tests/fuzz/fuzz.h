/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share. A target is one parser: for any bytes it returns soon, with bounded
 * memory and with some answer; which answer does not matter here. */
#ifndef IOTRC_FUZZ_H
#define IOTRC_FUZZ_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write_all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The stream to which output goes. */
static inline FILE *fuzz__sink(void)
{
	static FILE *f;

	if (!f)
		f = fopen("/dev/null", "w");
	return f;
}

/* A file with these bytes, open at its start. */
static inline int fuzz__file(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write_all(fd, data, size, 0))
		abort();
	return fd;
}

static char fuzz__path[64];

static inline void fuzz__remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", fuzz__path);
	if (system(command))
		abort();
}

/* A directory in memory, owned by this process; removed at a normal end. */
static inline int fuzz__dir(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	snprintf(fuzz__path, sizeof(fuzz__path), "/dev/shm/iotrc-fuzz.%d", getpid());
	if (mkdir(fuzz__path, 0700))
		abort();
	atexit(fuzz__remove);
	fd = open(fuzz__path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static inline void fuzz__put(int dir, const char *name, const void *data, size_t size)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	if (fd < 0 || write_all(fd, data, size, 0))
		abort();
	close(fd);
}

#endif
