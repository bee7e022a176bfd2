// SPDX-License-Identifier: GPL-2.0-or-later
/* The counters of the BPF programs: shared memory with a slot per CPU. */
#include <string.h>
#include <sys/param.h>

#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"

void counters__counts(struct engine *e, enum stream stream, struct engine_counts *ret)
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	for (unsigned int cpu = 0; cpu < b->n_cpus; cpu++) {
		const struct stream_count *n = &b->skel->bss->slots[cpu].streams[stream];

		ret->seen += __atomic_load_n(&n->seen, __ATOMIC_RELAXED);
		ret->filtered += __atomic_load_n(&n->filtered, __ATOMIC_RELAXED);
		ret->lost += __atomic_load_n(&n->lost, __ATOMIC_RELAXED);
		ret->shed += __atomic_load_n(&n->shed, __ATOMIC_RELAXED);
	}
}

void counters__shed(struct engine *e, uint64_t ops)
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	__atomic_store_n(&b->skel->bss->shed_ops, ops, __ATOMIC_RELAXED);
}

void counters__matched(const struct engine *e, struct matched *ret)
{
	const struct bpf_engine *b = (const struct bpf_engine *)e;
	const volatile struct filters_met *met = &b->skel->bss->filters_met;

	for (int i = 0; i < MAX_FILTERED; i++) {
		ret->excluded_commands |= met->excluded[i] << i;
		ret->cgroups |= met->cgroups[i] << i;
		ret->uids |= met->uids[i] << i;
	}
}

/* Reads how many are LOST, and returns the time of the last one. If more are lost meanwhile, the
 * next call reports them; count and time then still match, unless losses are faster than this
 * loop. */
static uint64_t read_loss(const struct stream_count *n, uint64_t *lost)
{
	uint64_t to;
	int tries = 8;

	do {
		*lost = __atomic_load_n(&n->lost, __ATOMIC_ACQUIRE);
		to = __atomic_load_n(&n->lost_last_ns, __ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&n->lost, __ATOMIC_ACQUIRE) != *lost && --tries);
	return to;
}

static void tell_lost(struct bpf_engine *b, unsigned int cpu, enum stream stream,
		      engine_loss_fn tell, void *arg)
{
	struct stream_count *n = &b->skel->bss->slots[cpu].streams[stream];
	uint64_t lost, to, *reported = &b->lost_reported_ns[cpu][stream];
	struct engine_loss loss = { .stream = stream, .cause = ENGINE_LOST, .cpu = cpu };

	if (__atomic_load_n(&n->lost, __ATOMIC_ACQUIRE) == n->acked)
		return;
	to = read_loss(n, &lost);
	/* Losses since the last acknowledgement have left the time of the first one unchanged. */
	loss.count = lost - n->acked;
	loss.from_ns = MAX(n->lost_first_ns, *reported);
	loss.to_ns = *reported = MAX(to, *reported);
	tell(arg, &loss);
	__atomic_store_n(&n->acked, lost, __ATOMIC_RELEASE);
}

static void tell_shed(struct bpf_engine *b, unsigned int cpu, engine_loss_fn tell, void *arg)
{
	uint64_t *reported = &b->shed_reported[cpu],
		 shed = __atomic_load_n(&b->skel->bss->slots[cpu].streams[STREAM_FS].shed,
					__ATOMIC_ACQUIRE);
	struct engine_loss loss = {
		.stream = STREAM_FS, .cause = ENGINE_SHED, .count = shed - *reported, .cpu = cpu
	};

	if (loss.count)
		tell(arg, &loss);
	*reported = shed;
}

void counters__losses(struct engine *e, engine_loss_fn tell, void *arg)
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	for (unsigned int cpu = 0; cpu < b->n_cpus; cpu++) {
		for (int s = 0; s < STREAM_CAPTURED; s++)
			tell_lost(b, cpu, s, tell, arg);
		tell_shed(b, cpu, tell, arg);
	}
}
