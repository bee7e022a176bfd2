// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/terminal_signal.h"

#ifdef __linux__
/* SI_KERNEL, as opposed to SI_USER and the like (sigaction(2)). */
bool terminal_signal__is(const siginfo_t *info)
{
	return info->si_code > 0;
}
#else
#include <unistd.h>

bool terminal_signal__is(const siginfo_t *info)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (tcgetpgrp(fd) == getpgrp())
			return true;
	return false;
}
#endif
