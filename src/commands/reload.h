/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGHUP: the log file is reopened and the configuration is read again. A file system that does not
 * answer, or a FIFO in place of the file, blocks the thread that opens it. So a separate thread
 * does this while the recording goes on. */
#ifndef IOTRC_RELOAD_H
#define IOTRC_RELOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/daemon.h"
#include "options/options.h"

/* A zeroed struct has no reload in progress. */
struct reload {
	const struct options *options; /* borrowed, as are the next two */
	struct daemon *daemon;         /* NULL: none */
	void (*done)(void);            /* called by the thread at its end */
	pthread_t thread;
	bool running;
	atomic_bool ready;

	/* The result. */
	int log_err;        /* of daemon__reopen() */
	bool parsed;        /* NEW is set, to be freed by the caller; false: no file, or MESSAGE */
	struct options new; /* the command line and the current content of the file */
	char message[OPTIONS_MESSAGE_MAX]; /* the error in the file, or empty */
};

/* Starts the thread. Returns 0; -EBUSY: the previous one still waits for a file; or another
 * negative errno. */
int reload__begin(struct reload *r, const struct options *options, struct daemon *daemon,
		  void (*done)(void));

/* Whether the thread has ended since the last call: the result can be read. */
bool reload__take(struct reload *r);

/* Frees a result that was not taken. Returns false if the thread still waits for a file and uses
 * R. */
bool reload__end(struct reload *r);

#endif
