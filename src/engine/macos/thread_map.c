// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/thread_map.h"

#include <stdlib.h>

#include "base/clock.h"
#include "platform/process_files.h"

#define SLOTS (1 << 15)                 /* a power of two; a later thread replaces an earlier one */
#define REFRESH_NS UINT64_C(5000000)    /* between two listings of threads */
#define FORGET_NS UINT64_C(60000000000) /* after this time, the id may be that of another thread */

struct thread_slot {
	uint64_t thread, seen_ns;
	pid_t pid;
};

struct thread_map {
	uint64_t looked_ns;
	struct thread_slot slots[SLOTS];
};

struct thread_map *thread_map__new(void)
{
	return calloc(1, sizeof(struct thread_map));
}

struct thread_map *thread_map__free(struct thread_map *m)
{
	free(m);
	return NULL;
}

static struct thread_slot *slot_of(struct thread_map *m, uint64_t thread)
{
	return &m->slots[thread & (SLOTS - 1)];
}

static void on_thread(void *arg, pid_t pid, uint64_t thread)
{
	struct thread_map *m = arg;

	*slot_of(m, thread) = (struct thread_slot){ thread, m->looked_ns, pid };
}

static void on_process(void *arg, pid_t pid)
{
	process_files__threads(pid, on_thread, arg);
}

pid_t thread_map__find(struct thread_map *m, uint64_t thread)
{
	uint64_t now = clock__event_ns();
	struct thread_slot *slot = slot_of(m, thread);

	if (slot->thread == thread && now < slot->seen_ns + FORGET_NS)
		return slot->pid;
	if (now < m->looked_ns + REFRESH_NS)
		return 0;
	m->looked_ns = now;
	process_files__processes(on_process, m);
	return slot->thread == thread ? slot->pid : 0;
}
