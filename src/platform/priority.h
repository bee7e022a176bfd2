/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Priorities of threads. Where the system refuses one, nothing changes. */
#ifndef IOTRC_PRIORITY_H
#define IOTRC_PRIORITY_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* The nice value of the threads between the kernel's buffers and the disk. Among three busy
 * processes a CPU they get the little that they need, and what is recorded is not lost;
 * docs/performance.md has what that costs the others. */
#define PRIORITY_URGENT (-15)

/* Gives the calling thread, and those that it starts from now on by thread__start(), NICE. Values
 * below the present one take CAP_SYS_NICE. Returns the nice value that it had. */
int priority__set(int nice);

/* Gives the calling thread's priority to the threads that are made with ATTR. */
void priority__pass_on(pthread_attr_t *attr);

/* Lowers the calling thread below all others for CPU and disk. IDLE: on a busy machine it hardly
 * runs. */
void priority__lower(bool idle);

/* Gives THREAD, TID for the kernel, its ordinary priority again, because somebody waits for it. */
void priority__raise(pthread_t thread, pid_t tid);

#endif
