// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/cpus.h"

#include <errno.h>

#ifdef __linux__
#include <bpf/libbpf.h>
#include <sched.h>

unsigned int cpus__possible(void)
{
	int n = libbpf_num_possible_cpus();

	return n < 1 ? 1 : n;
}

int cpus__call_on(int cpu, void (*run)(void *arg), void *arg)
{
	cpu_set_t before, only;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	if (sched_getaffinity(0, sizeof(before), &before) ||
	    sched_setaffinity(0, sizeof(only), &only))
		return -errno;
	run(arg);
	sched_setaffinity(0, sizeof(before), &before);
	return 0;
}
#else
#include <unistd.h>

unsigned int cpus__possible(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	return n < 1 ? 1 : n;
}

int cpus__call_on(int cpu, void (*run)(void *arg), void *arg)
{
	return -ENOTSUP;
}
#endif
