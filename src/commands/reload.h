/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGHUP: the log file is opened again and the configuration read again. A file system that does
 * not answer, or a FIFO in the file's place, holds up whoever opens them; here that is a thread of
 * its own, and the recording goes on. */
#ifndef IOTRC_RELOAD_H
#define IOTRC_RELOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/daemon.h"
#include "options/options.h"

/* A zeroed struct has nothing under way. */
struct reload {
	const struct options *options; /* borrowed, as are the next two */
	struct daemon *daemon;         /* NULL: none */
	void (*done)(void);            /* called by the thread at its end */
	pthread_t thread;
	bool running;
	atomic_bool ready;

	/* The result. */
	int log_err;        /* of daemon__reopen() */
	bool parsed;        /* NEW is set, and the caller's to free; false: no file, or MESSAGE */
	struct options new; /* the command line and the file as it is now */
	char message[OPTIONS_MESSAGE_MAX]; /* what is wrong with the file, or empty */
};

/* Starts the thread. 0; -EBUSY: the last one still waits for a file; or another negative errno. */
int reload__begin(struct reload *r, const struct options *options, struct daemon *daemon,
		  void (*done)(void));

/* Whether the thread has ended since it was last asked: the result can be read. */
bool reload__take(struct reload *r);

/* Frees a result that nobody took. False: the thread still waits for a file, and uses all this. */
bool reload__end(struct reload *r);

#endif
