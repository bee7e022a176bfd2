/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals of a recording: flags, and a descriptor that wakes the main thread. */
#ifndef IOTRC_RECORD_SIGNALS_H
#define IOTRC_RECORD_SIGNALS_H

#include <signal.h>

/* What a recording that is stopped before it has begun says. */
#define RECORD_SIGNALS_EARLY "stopped before the recording began: there is no session"

/* Set by the handlers, except the last three, which the main thread sets for the handlers. */
extern struct record_signals {
	int wake_fd;                 /* becomes readable after a signal or record_signals__wake() */
	volatile sig_atomic_t stops; /* SIGINT, SIGTERM: end the recording; a second one exits */
	volatile sig_atomic_t rotate_requested;   /* SIGHUP */
	volatile sig_atomic_t counters_requested; /* SIGUSR1 */
	volatile sig_atomic_t loading;  /* nothing has been recorded yet: the signal ends iotrc */
	volatile sig_atomic_t recorded; /* only the upload is left: exit with code_recorded */
	volatile sig_atomic_t code_recorded;
} record_signals;

/* Installs the handlers. Returns 0, or a negative errno. */
int record_signals__catch(void);

/* Wakes the main thread. From any thread, and from handlers. */
void record_signals__wake(void);

#endif
