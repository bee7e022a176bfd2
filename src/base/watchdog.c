// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/watchdog.h"

/* If the watcher itself did not run for this long (the whole program was stopped), it draws no
 * conclusion. */
#define BLIND_NS (WATCHDOG_NS / 2)

bool watchdog__look(struct watchdog *d, uint64_t steps, bool idle, uint64_t now)
{
	bool moved = steps != d->steps || idle || now - d->looked_ns > BLIND_NS, was = d->stuck;

	d->looked_ns = now;
	d->steps = steps;
	if (moved)
		d->since_ns = now;
	d->stuck = now - d->since_ns >= WATCHDOG_NS;
	d->stalls += d->stuck && !was;
	return d->stuck != was;
}
