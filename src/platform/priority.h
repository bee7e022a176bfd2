/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Priorities of threads. If the system refuses a change, nothing happens. */
#ifndef IOTRC_PRIORITY_H
#define IOTRC_PRIORITY_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* The nice value of the threads between the kernel's buffers and the disk. With it they get the
 * little CPU time that they need even among three busy processes per CPU, so that no records are
 * lost; docs/performance.md says what this costs other processes. */
#define PRIORITY_URGENT (-15)

/* Sets the nice value of the calling thread, and of threads that it starts with thread__start()
 * from now on, to NICE. Lower values than the current one need CAP_SYS_NICE. Returns the previous
 * nice value. */
int priority__set(int nice);

/* Makes threads created with ATTR inherit the calling thread's priority. */
void priority__pass_on(pthread_attr_t *attr);

/* Gives the calling thread the lowest priority for CPU and disk. IDLE: it hardly runs on a busy
 * machine. */
void priority__lower(bool idle);

/* Gives THREAD, TID in the kernel, normal priority again, because another thread waits for it. */
void priority__raise(pthread_t thread, pid_t tid);

#endif
