// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/thread_map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "platform/process_files.h"

#define SLOT_BITS 16
#define SLOTS (1 << SLOT_BITS)
#define REFRESH_NS UINT64_C(5000000)    /* between two listings of threads */
#define FORGET_NS UINT64_C(60000000000) /* after this time, the id may be that of another thread */

_Static_assert(THREAD_MAP_MAX < SLOTS, "a search ends at an empty slot");

struct thread_slot {
	uint64_t thread; /* 0: empty */
	pid_t pid;
};

struct thread_generation {
	size_t n;
	struct thread_slot slots[SLOTS];
};

/* The listings since TURNED_NS, and those before: lines about a thread come after its end. */
struct thread_map {
	uint64_t looked_ns, turned_ns;
	struct thread_generation *now, *before;
	struct thread_generation both[2];
};

struct thread_map *thread_map__new(void)
{
	struct thread_map *m = calloc(1, sizeof(*m));

	if (m) {
		m->now = &m->both[0];
		m->before = &m->both[1];
	}
	return m;
}

struct thread_map *thread_map__free(struct thread_map *m)
{
	free(m);
	return NULL;
}

/* Its slot, or the empty one where it would be. */
static struct thread_slot *slot_of(struct thread_generation *g, uint64_t thread)
{
	size_t i = (size_t)(thread * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS));

	while (g->slots[i].thread && g->slots[i].thread != thread)
		i = (i + 1) & (SLOTS - 1);
	return &g->slots[i];
}

void thread_map__note(struct thread_map *m, uint64_t thread, pid_t pid)
{
	struct thread_generation *g = m->now;
	struct thread_slot *slot = slot_of(g, thread);

	if (!slot->thread && (!thread || g->n == THREAD_MAP_MAX))
		return;
	g->n += !slot->thread;
	*slot = (struct thread_slot){ thread, pid };
}

static void on_thread(void *arg, pid_t pid, uint64_t thread)
{
	thread_map__note(arg, thread, pid);
}

static void list_threads(void *arg, pid_t pid)
{
	process_files__threads(pid, on_thread, arg);
}

static void turn(struct thread_map *m, uint64_t now)
{
	struct thread_generation *oldest = m->before;

	m->before = m->now;
	m->now = oldest;
	memset(oldest, 0, sizeof(*oldest));
	m->turned_ns = now;
}

static pid_t look(struct thread_map *m, uint64_t thread)
{
	const struct thread_slot *slot = slot_of(m->now, thread);

	return slot->pid ? slot->pid : slot_of(m->before, thread)->pid;
}

pid_t thread_map__find(struct thread_map *m, uint64_t thread)
{
	uint64_t now = clock__event_ns();
	bool is_old = now >= m->turned_ns + FORGET_NS;
	pid_t pid = is_old ? 0 : look(m, thread);

	if (pid || (!is_old && now < m->looked_ns + REFRESH_NS))
		return pid;
	if (is_old)
		turn(m, now);
	m->looked_ns = now;
	process_files__processes(list_threads, m);
	return look(m, thread);
}
