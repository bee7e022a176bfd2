/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Condition variables with timeouts on CLOCK_MONOTONIC, which setting the wall clock does not
 * affect. */
#ifndef IOTRC_COND_H
#define IOTRC_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Initialises COND for cond__wait_until(). */
void cond__init(pthread_cond_t *cond);

/* Waits until COND is signalled, at most until DUE_NS of CLOCK_MONOTONIC (UINT64_MAX: for ever).
 * LOCK must be held. Returns false after the timeout. May return true early, like
 * pthread_cond_wait(). */
bool cond__wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t due_ns);

#endif
