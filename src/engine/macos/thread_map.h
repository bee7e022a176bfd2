/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process a thread belongs to, according to the system. */
#ifndef IOTRC_MACOS_THREAD_MAP_H
#define IOTRC_MACOS_THREAD_MAP_H

#include <stdint.h>
#include <sys/types.h>

#define THREAD_MAP_MAX 49152 /* threads noted within a minute; further ones are unknown */

struct thread_map;

/* Returns NULL if there is no memory. */
struct thread_map *thread_map__new(void);
/* Frees it; NULL is allowed. Returns NULL. */
struct thread_map *thread_map__free(struct thread_map *m);

/* Notes that THREAD belongs to PID, as a listing says. */
void thread_map__note(struct thread_map *m, uint64_t thread, pid_t pid);

/* Returns the process of THREAD; 0 if it has ended or is unknown. For a thread that is not known
 * yet, this lists all threads of the system, unless it has done so a moment ago. */
pid_t thread_map__find(struct thread_map *m, uint64_t thread);

#endif
