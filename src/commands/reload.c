// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/reload.h"

#include <errno.h>

#include "base/thread.h"

static void *read_again(void *arg)
{
	struct reload *r = arg;

	r->log_err = r->daemon ? daemon__reopen(r->daemon) : 0;
	r->parsed = r->options->config &&
		    !options__parse(&r->new, r->options->argc, r->options->argv, r->message);
	atomic_store(&r->ready, true);
	r->done();
	return NULL;
}

int reload__begin(struct reload *r, const struct options *options, struct daemon *daemon,
		  void (*done)(void))
{
	int err;

	if (r->running)
		return -EBUSY;
	*r = (struct reload){ .options = options, .daemon = daemon, .done = done };
	err = thread__start(&r->thread, "reload", read_again, r);
	r->running = !err;
	return err;
}

bool reload__take(struct reload *r)
{
	if (!r->running || !atomic_load(&r->ready))
		return false;
	pthread_join(r->thread, NULL);
	r->running = false;
	return true;
}

bool reload__end(struct reload *r)
{
	if (reload__take(r) && r->parsed)
		options__done(&r->new);
	return !r->running;
}
