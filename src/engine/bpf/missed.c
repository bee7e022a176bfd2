// SPDX-License-Identifier: GPL-2.0-or-later
/* How often each hook fired, and events for which the kernel ran no program. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"

static uint64_t hook_fired(const struct bpf_engine *b, enum hook hook)
{
	uint64_t fired = 0;

	for (unsigned int cpu = 0; cpu < b->n_cpus; cpu++) {
		const struct cpu_slot *slot = &b->skel->bss->slots[cpu];

		fired += slot->fired[hook];
		if (hook == HOOK_SYS_ENTER || hook == HOOK_SYS_EXIT)
			for (int s = 0; s < STREAM_CAPTURED; s++)
				if (SYSCALL_STREAMS & BIT(s))
					fired += slot->streams[s].seen;
	}
	return fired;
}

/* Returns how often the kernel did not run the program PROG_FD because it was already running on
 * that CPU (counted since 5.12). This does not use bpf(), which needs privileges up to 5.19: they
 * have been dropped by now. */
static uint64_t runs_missed(int prog_fd)
{
	unsigned long long n = 0;
	char name[64], line[128];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", prog_fd);
	f = fopen(name, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "recursion_misses: %llu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* Whether the program of row I belongs to an earlier row, too: what the kernel counts of a program
 * that serves several hooks is reported with the first of them. */
static bool reported_before(const struct bpf_engine *b, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (b->chosen[j] && !strcmp(programs[j].program, programs[i].program))
			return true;
	return false;
}

/* The kernel does not run a program if an interrupt or (where programs can be preempted) another
 * thread reaches its tracepoint while the same program runs on that CPU. */
static uint64_t times_missed(struct bpf_engine *b, const struct program *p)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(programs__first(b, p)), &info, &len) ?
		       0 :
		       info.recursion_misses;
}

/* Returns how many of the MISSED events of P's first program its second program missed too. While
 * programs run, the counts may be from different moments. */
static uint64_t missed_by_both(const struct bpf_engine *b, const struct program *p, uint64_t missed)
{
	uint64_t taken = 0;

	for (unsigned int cpu = 0; cpu < b->n_cpus; cpu++)
		taken +=
			__atomic_load_n(&b->skel->bss->slots[cpu].taken[p->hook], __ATOMIC_RELAXED);
	return (int64_t)(missed - taken) > 0 ? missed - taken : 0;
}

size_t missed__hooks(struct engine *e, struct manifest_hook *ret)
{
	struct bpf_engine *b = (struct bpf_engine *)e;
	size_t n = 0;

	for (size_t i = 0; i < n_programs; i++) {
		struct bpf_program *prog = programs__first(b, &programs[i]);
		struct manifest_hook *h = &ret[n];

		if (!b->chosen[i] && !b->absent[i])
			continue;
		*h = (struct manifest_hook){
			.name = programs[i].name,
			.streams = programs[i].streams & b->streams,
			.attached = b->chosen[i],
			.gives = b->absent[i] ? programs[i].gives : NULL,
		};
		n++;
		if (b->absent[i])
			continue;
		h->fired = hook_fired(b, programs[i].hook);
		if (!reported_before(b, i))
			h->missed =
				missed_by_both(b, &programs[i], runs_missed(bpf_program__fd(prog)));
	}
	return n;
}

_Static_assert(HOOK_COUNT <= ENGINE_HOOKS_MAX, "there is room for all");
/* Without one of these hooks a row has less information, but exists. */
static const bool of_detail[HOOK_COUNT] = {
	[HOOK_NAME] = true,
	[HOOK_UNLINK] = true,
	[HOOK_RMDIR] = true,
	[HOOK_RENAME] = true,
	[HOOK_PROCESS_FORK] = true,
	[HOOK_BLOCK_GETRQ] = true,
	[HOOK_BLOCK_FRONTMERGE] = true,
	[HOOK_BLOCK_INSERT] = true,
	[HOOK_BLOCK_ISSUE] = true,
	[HOOK_CACHE_SYNC_RA] = true,
	[HOOK_CACHE_ASYNC_RA] = true,
	[HOOK_CACHE_RA] = true,
	[HOOK_CACHE_RA_ORDER] = true,
	[HOOK_FAULT_USER] = true,
	[HOOK_FAULT_KERNEL] = true,
	/* miss_quiet() of bpf/uring_lost.h counts what these miss */
	[HOOK_URING_FLUSH] = true,
	[HOOK_URING_WORK] = true,
	/* two programs for one event: if the first is interrupted, the second one records the other
	 * event */
	[HOOK_SOCK_STATE] = true,
	[HOOK_SOCK_STATE_AGAIN] = true,
	[HOOK_FLOW_STATE] = true,
	[HOOK_FLOW_STATE_AGAIN] = true,
	[HOOK_FLOW_READ] = true,
	[HOOK_SOCKET_CLOSE] = true,
};

void missed__missed(struct engine *e, uint64_t ret[STREAM_CAPTURED])
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	for (size_t i = 0; i < n_programs; i++) {
		const struct program *p = &programs[i];
		uint64_t missed;

		if (!b->chosen[i] || of_detail[p->hook] || reported_before(b, i))
			continue;
		missed = missed_by_both(b, p, times_missed(b, p));
		for (int s = 0; missed && s < STREAM_CAPTURED; s++)
			if (p->streams & b->streams & BIT(s))
				ret[s] += missed;
	}
}
