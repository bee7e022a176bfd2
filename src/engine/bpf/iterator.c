// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/iterator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES 32 /* read at once */

/* What a read returns may end within an entry. */
int iterator__read(int fd, size_t size, iterator_fn tell, void *arg)
{
	char buf[ENTRIES * ITERATOR_ENTRY_MAX] __attribute__((aligned(8)));
	size_t len = 0, capacity = ENTRIES * size;
	ssize_t n;

	if (size > ITERATOR_ENTRY_MAX)
		return -EINVAL;
	while ((n = read(fd, buf + len, capacity - len)) > 0 || (n < 0 && errno == EINTR)) {
		size_t whole;

		if (n < 0)
			continue;
		len += n;
		whole = len / size;
		for (size_t i = 0; i < whole; i++)
			tell(arg, buf + i * size);
		len -= whole * size;
		memmove(buf, buf + whole * size, len);
	}
	return n < 0 ? -errno : 0;
}

int iterator__run(struct bpf_program *prog, size_t size, iterator_fn tell, void *arg)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	int fd, err;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? fd : iterator__read(fd, size, tell, arg);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}
