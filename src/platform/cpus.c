// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/cpus.h"

#ifdef __linux__
#include <bpf/libbpf.h>

unsigned int cpus__possible(void)
{
	int n = libbpf_num_possible_cpus();

	return n < 1 ? 1 : n;
}
#else
#include <unistd.h>

unsigned int cpus__possible(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	return n < 1 ? 1 : n;
}
#endif
