/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices a thread that makes no progress: once a second the watcher compares the thread's count of
 * completed work. One struct per watched thread, used only by the watcher. */
#ifndef IOTRC_WATCHDOG_H
#define IOTRC_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/macros.h"

#define WATCHDOG_NS (10 * NSEC_PER_SEC) /* without a step: stuck */

struct watchdog {
	uint64_t steps, since_ns, looked_ns;
	bool stuck;
	uint64_t stalls; /* how many times it was stuck */
};

/* Reports that the thread has completed STEPS by NOW (mono_ns); IDLE: it has nothing to do. Returns
 * true if `stuck` has changed. */
bool watchdog__look(struct watchdog *d, uint64_t steps, bool idle, uint64_t now);

#endif
