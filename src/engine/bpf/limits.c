// SPDX-License-Identifier: GPL-2.0-or-later
/* Features for which the kernel is too old or too new. */
#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"
#include "platform/macros.h"

bool limits__no_task_storage(const struct bpf_engine *b)
{
	return !b->skel->rodata->cfg.task_storage;
}

bool limits__nameless_uring(const struct bpf_engine *b)
{
	return b->skel->rodata->cfg.uring_nameless;
}

static bool no_rdonly_cast(const struct bpf_engine *b)
{
	return !b->from_6_2;
}

static bool no_last(const struct bpf_engine *b)
{
	return !b->skel->rodata->cfg.exit_says_last;
}

#define PREEMPTED "programs on raw tracepoints can be preempted, and then miss calls: mount tracefs"

static bool preempted(const struct bpf_engine *b)
{
	return b->skel->rodata->cfg.raw_preemptible && b->attach == ATTACH_RAW;
}

static bool preempted_others(const struct bpf_engine *b)
{
	return b->skel->rodata->cfg.raw_preemptible && b->attach != ATTACH_RAW;
}

static bool measured(const struct bpf_engine *b)
{
	return b->attach_measured;
}

static bool unseen_init(const struct bpf_engine *b)
{
	return b->init_unseen;
}

static const struct {
	bool (*holds)(const struct bpf_engine *b);
	const char *kernels, *text;
	/* clang-format off */
} limits[] = {
	{ limits__no_task_storage, "up to 5.12",
	  "no task storage for tracing programs: the state of threads is kept in a table, whose size --memory "
	  "sets; calls of threads that do not fit into it are counted as lost" },
	{ limits__nameless_uring, "up to 5.17",
	  "io_uring completions do not identify their request: requests in flight with the same user_data are "
	  "counted as lost" },
	{ no_rdonly_cast, "up to 6.1",
	  "no bpf_rdonly_cast: each read of kernel memory costs the traced program about 20 ns more" },
	{ no_last, "up to 6.15",
	  "the kernel does not report which thread of a process ends last: the first one that sees no other alive "
	  "reports the exit" },
	{ preempted, "from 7.1 on, without tracefs", PREEMPTED },
	{ preempted_others, "from 7.1 on",
	  "programs on raw tracepoints can be preempted: block, page cache and sockets have two programs for "
	  "each event; events that both miss are counted" },
	{ measured, "from 7.1 on, with CONFIG_FPROBE",
	  "system calls are hooked by classic tracepoints, or by functions if a recorded call does not cost more then: "
	  "both are measured at the start" },
	{ unseen_init, "where `bpf_prog_aux` has `init_owned` (a patch of some sandboxes)",
	  "no program runs while process 1 runs: its events, and those of interrupts meanwhile, are neither "
	  "recorded nor counted" },
};
/* clang-format on */
_Static_assert(ARRAY_SIZE(limits) <= ENGINE_LIMITS_MAX, "there is room for all");

const char *limits__warning(const struct engine *e)
{
	return preempted((const struct bpf_engine *)e) ? PREEMPTED : NULL;
}

size_t limits__list(const struct engine *e, const char *ret[ENGINE_LIMITS_MAX])
{
	const struct bpf_engine *b = (const struct bpf_engine *)e;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].holds(b))
			ret[n++] = limits[i].holds == measured ? b->attach_text : limits[i].text;
	return n;
}

void limits__print(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		fprintf(out, "| %s | %s |\n", limits[i].kernels, limits[i].text);
}
