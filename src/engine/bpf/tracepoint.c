// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/tracepoint.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/macros.h"

static const char *const mounted[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

/* Mounts a private tracefs. */
static int open_tracefs(void)
{
	int context = fsopen("tracefs", FSOPEN_CLOEXEC), fd = -1;

	if (context < 0)
		return -errno;
	if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		fd = -errno;
	close(context);
	return fd;
}

/* Takes ownership of the directory DIR. */
static int read_id(int dir, const char *name)
{
	char path[128], text[16] = "";
	int fd, id = -ENOENT;

	if (dir < 0)
		return dir;
	snprintf(path, sizeof(path), "events/%s/id", name);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		id = -errno;
	else if (read(fd, text, sizeof(text) - 1) > 0)
		id = atoi(text);
	if (fd >= 0)
		close(fd);
	close(dir);
	return id;
}

int tracepoint__id(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounted); i++) {
		int dir = open(mounted[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		int id = dir < 0 ? -errno : read_id(dir, name);

		if (id >= 0)
			return id;
	}
	return read_id(open_tracefs(), name);
}

int tracepoint__open(const char *name)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int id = tracepoint__id(name), fd;

	if (id < 0)
		return id;
	attr.config = id;
	/* The CPU does not matter: the program belongs to the tracepoint. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

struct bpf_link *tracepoint__attach(struct bpf_program *prog, const char *name)
{
	struct bpf_link *link;
	int fd = tracepoint__open(name);

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event(prog, fd);
	if (!link)
		close(fd);
	return link;
}
