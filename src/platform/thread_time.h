/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_THREAD_TIME_H
#define IOTRC_THREAD_TIME_H

#include <pthread.h>
#include <stdint.h>

/* The CPU time that THREAD has used so far, in ns (pthread_getcpuclockid(3)). 0 if it has ended,
 * and on macOS, which has no such clock. THREAD must not have been joined. */
uint64_t thread_time__ns(pthread_t thread);

#endif
