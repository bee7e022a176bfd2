// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/container_follower.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "commands/container_watch.h"
#include "platform/macros.h"
#include "platform/privileges.h"

#define WAIT_MAX_MS 60000

struct container_follower {
	struct container_watch watch;
	pthread_t thread;
	int end[2]; /* closing the second one ends the thread */
};

/* Until when to wait. */
static int wait_ms(const struct container_follower *f)
{
	uint64_t now = clock__mono_ns(), due = MAX(f->watch.due_ns, now);

	return (int)MIN((due - now) / NSEC_PER_MSEC + 1, WAIT_MAX_MS);
}

static void *follow_containers(void *arg)
{
	struct container_follower *f = arg;
	struct pollfd p[] = { { .fd = f->end[0], .events = POLLIN },
			      { .fd = f->watch.fd, .events = POLLIN } };

	privileges__drop(0);
	while (!p[0].revents) {
		container_watch__look(&f->watch, p[1].revents & POLLIN);
		poll(p, ARRAY_SIZE(p), wait_ms(f));
	}
	return NULL;
}

static struct container_follower *free_follower(struct container_follower *f)
{
	for (int i = 0; i < 2; i++)
		if (f->end[i] >= 0)
			close(f->end[i]);
	container_watch__end(&f->watch);
	free(f);
	return NULL;
}

int container_follower__new(struct container_follower **ret, struct engine *engine,
			    const struct selection *selection, bool quiet)
{
	struct container_follower *f;
	struct containers *all;
	int err;

	*ret = NULL;
	if (!container_watch__follows(selection))
		return 0;
	err = containers__new(&all);
	if (err)
		return err;
	f = calloc(1, sizeof(*f));
	if (!f) {
		containers__free(all);
		return -ENOMEM;
	}
	f->end[0] = f->end[1] = -1;
	container_watch__begin(&f->watch, all, engine, selection, quiet);
	err = pipe2(f->end, O_CLOEXEC) ?
		      -errno :
		      thread__start(&f->thread, "containers", follow_containers, f);
	if (err)
		free_follower(f);
	else
		*ret = f;
	return err;
}

struct container_follower *container_follower__free(struct container_follower *f)
{
	if (!f)
		return NULL;
	close(f->end[1]);
	f->end[1] = -1;
	pthread_join(f->thread, NULL);
	return free_follower(f);
}
