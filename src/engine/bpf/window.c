// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/window.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <unistd.h>

#define WINDOW_BYTES (1u << 20) /* moving takes 1 % of the time of reading this much */

int window__open(struct window *ret, int map_fd, size_t start, size_t size)
{
	*ret = (struct window){ .map_fd = map_fd, .start = start, .size = size };
	return window__move(ret, 0, 1);
}

void window__close(struct window *w)
{
	if (w->p)
		munmap((void *)w->p, w->len);
	w->p = NULL;
	w->len = 0;
}

int window__move(struct window *w, size_t offset, size_t len)
{
	size_t page = sysconf(_SC_PAGESIZE), at = offset / page * page;
	size_t most = MAX(WINDOW_BYTES, roundup(offset + len - at, page));
	void *p;

	window__close(w);
	if (at >= w->size || offset + len > w->size)
		return -EINVAL;
	w->at = at;
	p = mmap(NULL, MIN(most, w->size - at), PROT_READ, MAP_SHARED, w->map_fd,
		 (off_t)(w->start + at));
	if (p == MAP_FAILED)
		return -errno;
	w->p = p;
	w->len = MIN(most, w->size - at);
	return 0;
}
