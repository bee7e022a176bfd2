// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/thread_name.h"

#ifdef __linux__
void thread_name__set(pthread_t thread, const char *name)
{
	pthread_setname_np(thread, name);
}
#else
/* A thread can name only itself. */
void thread_name__set(pthread_t thread, const char *name)
{
	if (pthread_equal(thread, pthread_self()))
		pthread_setname_np(name);
}
#endif
