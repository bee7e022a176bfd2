/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process a thread belongs to, as the system tells. */
#ifndef IOTRC_MACOS_THREAD_MAP_H
#define IOTRC_MACOS_THREAD_MAP_H

#include <stdint.h>
#include <sys/types.h>

struct thread_map;

/* Returns NULL if there is no memory. */
struct thread_map *thread_map__new(void);
/* Frees it; NULL is allowed. Returns NULL. */
struct thread_map *thread_map__free(struct thread_map *m);

/* The process of THREAD; 0: it has ended, or nobody knows. For a thread that is not known yet all
 * of the system's are looked at, if that is not too soon after the last time. */
pid_t thread_map__find(struct thread_map *m, uint64_t thread);

#endif
