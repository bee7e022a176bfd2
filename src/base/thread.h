/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting threads: the one place where that happens. docs/INTERNALS.md lists them all. */
#ifndef IOTRC_THREAD_H
#define IOTRC_THREAD_H

#include <pthread.h>

/* Starts RUN(ARG) in a thread called NAME (15 bytes at most), in which all signals are blocked:
 * they are the main thread's. It inherits the nice value of the caller. 0, or a negative errno. */
int thread__start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg);

#endif
