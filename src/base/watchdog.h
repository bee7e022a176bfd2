/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices a thread that has stopped working: whoever watches looks once a second at the count of
 * what it has done. One such a watched thread, used by the watcher alone. */
#ifndef IOTRC_WATCHDOG_H
#define IOTRC_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#define WATCHDOG_NS UINT64_C(10000000000) /* without a step: stuck */

struct watchdog {
	uint64_t steps, since_ns, looked_ns;
	bool stuck;
	uint64_t stalls; /* how many times it was stuck */
};

/* It has done STEPS by NOW (mono_ns), and has nothing to do if IDLE. True when `stuck` has
 * changed. */
bool watchdog__look(struct watchdog *d, uint64_t steps, bool idle, uint64_t now);

#endif
