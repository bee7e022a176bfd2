// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/priority.h"

#include <sys/resource.h>

int priority__set(int nice)
{
	/* 0 is the calling thread, not its process, on Linux (setpriority(2), NOTES). */
	int before = getpriority(PRIO_PROCESS, 0);

	setpriority(PRIO_PROCESS, 0, nice);
	return before;
}
