/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_THREAD_NAME_H
#define IOTRC_THREAD_NAME_H

#include <pthread.h>

/* Names THREAD, for ps and debuggers; names are cut to 15 bytes. */
void thread_name__set(pthread_t thread, const char *name);

#endif
