// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/window.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

#define PART_BITS_MIN 20
/* Mapped beyond the end of a part, for a record that ends there. For a longer one it is mapped
 * again. */
#define BEYOND (64 * 1024)

int window__open(struct window *ret, int map_fd, size_t start, size_t size)
{
	*ret = (struct window){
		.map_fd = map_fd,
		.start = start,
		.size = size,
		.part_bits = PART_BITS_MIN,
	};
	while ((size - 1) >> ret->part_bits >= WINDOW_PARTS)
		ret->part_bits++;
	return window__map(ret, 0, 1);
}

static void unmap(struct window_part *part)
{
	if (part->p)
		munmap((void *)part->p, part->len);
	*part = (struct window_part){ 0 };
}

void window__close(struct window *w)
{
	for (size_t i = 0; i < WINDOW_PARTS; i++)
		unmap(&w->parts[i]);
}

int window__map(struct window *w, size_t part, size_t len)
{
	size_t at = part << w->part_bits, page = sysconf(_SC_PAGESIZE);
	size_t most = MAX(((size_t)1 << w->part_bits) + BEYOND, roundup(len, page));
	struct window_part *mapped = &w->parts[part];
	void *p;

	unmap(mapped);
	if (at >= w->size || len > w->size - at)
		return -EINVAL;
	most = MIN(most, w->size - at);
	p = mmap(NULL, most, PROT_READ, MAP_SHARED, w->map_fd, (off_t)(w->start + at));
	if (p == MAP_FAILED)
		return -errno;
	mapped->p = p;
	mapped->len = most;
	return 0;
}

void window__trim(struct window *w)
{
	for (size_t i = 0; i < WINDOW_PARTS; i++) {
		if (!w->parts[i].used)
			unmap(&w->parts[i]);
		w->parts[i].used = false;
	}
}
