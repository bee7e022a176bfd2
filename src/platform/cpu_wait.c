// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/cpu_wait.h"

#ifdef __linux__
#include <inttypes.h>
#include <stdio.h>

uint64_t cpu_wait__ns(void)
{
	FILE *f = fopen("/proc/thread-self/schedstat", "re");
	uint64_t waited = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*u %" SCNu64, &waited) != 1)
		waited = 0;
	fclose(f);
	return waited;
}
#else
uint64_t cpu_wait__ns(void)
{
	return 0;
}
#endif
