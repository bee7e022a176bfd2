// SPDX-License-Identifier: GPL-2.0-or-later
/* Cgroups that are added to the filter of a running recording (bpf/filter.h). */
#include <errno.h>

#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"

int cgroups__add(struct engine *e, uint64_t cgroup)
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	for (uint32_t i = 0; i < ADDED_PROBES; i++) {
		volatile uint64_t *at = (volatile uint64_t *)&b->skel->bss
						->added_cgroups[added_cgroup_at(cgroup, i)];

		if (*at == cgroup)
			return 1;
		if (*at)
			continue;
		__atomic_store_n(at, cgroup, __ATOMIC_RELEASE);
		__atomic_fetch_add(&b->skel->bss->cgroups_epoch, 1, __ATOMIC_RELEASE);
		return 0;
	}
	return -ENOSPC;
}
