// SPDX-License-Identifier: GPL-2.0-or-later
/* faults FILE: causes faults in mappings of a file, cold and warm, and prints how many the kernel
 * counted for each run over its pages, one line each: kind, first and last address, major and minor
 * faults. */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES 61

static long page_size;
static volatile unsigned char sink;

/* Touches every page once, and nothing else that was not touched before. */
static void run(const char *what, unsigned char *map, int writes)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < PAGES; i++)
		if (writes)
			map[i * page_size + i] = i;
		else
			sink = map[i * page_size + i];
	getrusage(RUSAGE_SELF, &after);
	printf("%s %p %p %ld %ld\n", what, (void *)map, (void *)(map + PAGES * page_size - 1),
	       after.ru_majflt - before.ru_majflt, after.ru_minflt - before.ru_minflt);
}

static unsigned char *map_file(int fd, int flags, off_t offset)
{
	unsigned char *map =
		mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, flags, fd, offset);

	if (map == MAP_FAILED)
		err(1, "mmap");
	return map;
}

int main(int argc, char **argv)
{
	unsigned char *map;
	struct stat st;
	char *buf;
	int fd;

	page_size = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 256);
	fd = argc == 2 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
	buf = calloc(PAGES + 7, page_size);
	if (fd < 0 || !buf || write(fd, buf, (PAGES + 7) * page_size) < 0 || fsync(fd) ||
	    fstat(fd, &st))
		err(1, "%s", argv[1] ?: "FILE");
	printf("file %ju\n", (uintmax_t)st.st_ino);

	/* Not in the cache, and only the page itself is read: each is a major fault. */
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		errx(1, "fadvise");
	map = map_file(fd, MAP_SHARED, 7 * page_size);
	madvise(map, PAGES * page_size, MADV_RANDOM);
	run("cold-read", map, 0);
	/* Mapped, but the filesystem must be asked before a write. */
	run("warm-write-again", map, 1);
	run("nothing", map, 1);

	/* In the cache: minor faults; a read maps neighbouring pages, too. */
	run("warm-read", map_file(fd, MAP_SHARED, 0), 0);
	run("warm-write", map_file(fd, MAP_SHARED, 0), 1);
	run("private-write", map_file(fd, MAP_PRIVATE, 0), 1);
	return 0;
}
