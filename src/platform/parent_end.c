// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/parent_end.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>

int parent_end__signal(int signal, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, signal) < 0)
		return -errno;
	if (getppid() != parent)
		raise(signal);
	return 0;
}
#else
#include <dispatch/dispatch.h>
#include <stdint.h>

static void on_end(void *signal)
{
	kill(getpid(), (int)(intptr_t)signal);
}

int parent_end__signal(int signal, pid_t parent)
{
	dispatch_source_t source =
		dispatch_source_create(DISPATCH_SOURCE_TYPE_PROC, (uintptr_t)parent,
				       DISPATCH_PROC_EXIT, dispatch_get_global_queue(0, 0));

	if (!source)
		return -ENOMEM;
	dispatch_set_context(source, (void *)(intptr_t)signal);
	dispatch_source_set_event_handler_f(source, on_end);
	dispatch_resume(source);
	if (getppid() != parent)
		kill(getpid(), signal);
	return 0;
}
#endif
