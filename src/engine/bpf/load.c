// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/bpf/bpf.h"
#include "engine/bpf/dcache.h"
#include "engine/bpf/makers.h"
#include "engine/bpf/prepare.h"
#include "iotrc.skel.h"
#include "platform/macros.h"

/* Explains what the kernel refused and how to get permission; usually privileges are missing. For
 * root, EACCES comes from the verifier (bpf(2)), whose log says more. */
int load__refused(char *problem, int err, const char *what)
{
	if ((err == -EPERM || err == -EACCES) && geteuid())
		return engine__problem(problem, err,
				       "%s: not permitted; needs root, or CAP_BPF and CAP_PERFMON: "
				       "run it with sudo",
				       what);
	if (err == -EPERM)
		return engine__problem(
			problem, err,
			"%s: the kernel refuses it to root: kernel lockdown, a user namespace, "
			"or a container without CAP_BPF and CAP_PERFMON",
			what);
	return engine__problem(problem, err, "%s: %s (iotrc -v shows the kernel's log)", what,
			       strerror(-err));
}

/* Returns the kernel's function or raw tracepoint that P attaches to, or NULL. */
static const char *attach_target(const struct program *p)
{
	static const char *const kinds[] = { "tp_btf/", "fentry/", "fexit/" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(p->name, kinds[i], strlen(kinds[i])))
			return p->name + strlen(kinds[i]);
	return NULL;
}

/* Selects PROG, which may be NULL, for loading, to be attached where P says. */
static int want_loaded(struct bpf_program *prog, const struct program *p)
{
	if (!prog)
		return 0;
	bpf_program__set_autoload(prog, true);
	return attach_target(p) ? bpf_program__set_attach_target(prog, 0, attach_target(p)) : 0;
}

/* Selects PROG, an iterator over TARGET, for loading. */
static int want_iterator(struct bpf_program *prog, const char *target)
{
	bpf_program__set_autoload(prog, true);
	return bpf_program__set_attach_target(prog, 0, target);
}

/* Passes the address of the kernel's table of names to the programs. Without it, rows of calls on
 * paths have no inode, but recording is possible. */
static void find_names(struct bpf_engine *b)
{
	struct bpf_program *sample = b->skel->progs.sample_dentry;
	uint64_t table;
	uint32_t shift;

	if (!(b->streams & BIT(STREAM_FS)))
		return;
	if (!dcache__find(bpf_program__fd(sample), &b->skel->bss->sample_bucket,
			  &b->skel->bss->sample_hash, &table, &shift)) {
		b->skel->bss->dcache_shift = shift;
		b->skel->bss->dcache_buckets = table;
	}
	bpf_program__unload(sample);
}

/* Decides which maps of the stream extent are created, and how large they are. */
static void size_extent_maps(struct bpf_engine *b)
{
	bool on = b->streams & BIT(STREAM_EXTENT);
	uint32_t blocks;

	bpf_map__set_autocreate(b->skel->maps.walks, on);
	bpf_map__set_autocreate(b->skel->maps.owners, on);
	bpf_map__set_autocreate(b->skel->maps.works, on);
	bpf_map__set_autocreate(b->skel->maps.makers, on);
	bpf_map__set_autocreate(b->skel->maps.seen_files, on);
	bpf_map__set_autocreate(b->skel->maps.dirty_pages, on);
	bpf_map__set_autocreate(b->skel->maps.bio_notes, on);
	/* Both maps share one part of the memory. */
	if (on && !b->skel->rodata->cfg.task_storage) {
		b->plan.threads /= 2;
		b->plan.dirty_pages /= 2;
	}
	blocks = b->plan.dirty_pages / DIRTY_BLOCK;
	b->skel->rodata->dirty_blocks_mask = blocks - 1;
	bpf_map__set_max_entries(b->skel->maps.dirty_pages, blocks);
	bpf_map__set_max_entries(b->skel->maps.bio_notes, b->plan.bio_notes);
}

static void prepare_flows(struct bpf_engine *b)
{
	bool on = b->streams & BIT(STREAM_NW_FLOW);

	bpf_map__set_autocreate(b->skel->maps.flows, on);
	bpf_map__set_autocreate(b->skel->maps.flow_scratch, on);
	bpf_map__set_autocreate(b->skel->maps.flow_sockets, on);
	bpf_program__set_autoload(b->skel->progs.end_gone_sockets, on && !b->counts_by_functions);
	bpf_map__set_max_entries(b->skel->maps.flows, b->plan.in_flight);
	bpf_map__set_max_entries(b->skel->maps.flow_sockets, b->plan.flow_sockets);
}

/* See MEMORY_LRU_KEPT. */
static void widen_lru_maps(struct bpf_engine *b)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, b->skel->obj) {
		uint32_t n = bpf_map__max_entries(map);

		if (bpf_map__type(map) == BPF_MAP_TYPE_LRU_HASH)
			bpf_map__set_max_entries(map, n + b->n_cpus * MEMORY_LRU_KEPT);
	}
}

int load__all(struct bpf_engine *b, char *problem)
{
	struct bpf_program *prog;
	int err = 0;

	bpf_object__for_each_program(prog, b->skel->obj)
		bpf_program__set_autoload(prog, false);
	for (size_t i = 0; i < n_programs && !err; i++) {
		if (!b->chosen[i])
			continue;
		err = want_loaded(programs__first(b, &programs[i]), &programs[i]);
		if (!err)
			err = want_loaded(programs__second(b, &programs[i]), &programs[i]);
	}
	if (!err && b->tells_calls)
		err = want_iterator(b->skel->progs.tell_calls, "task");
	if (!err && b->tells_slow)
		err = want_iterator(b->skel->progs.tell_unfinished, "task");
	if (!err && b->streams & BIT(STREAM_NW_FLOW))
		err = want_iterator(b->skel->progs.look_at_flows, "task_file");
	if (err)
		return load__refused(problem, err, "cannot find what BPF programs attach to");
	bpf_program__set_autoload(b->skel->progs.sample_dentry, b->streams & BIT(STREAM_FS));
	bpf_map__set_autocreate(b->skel->maps.task_states, b->skel->rodata->cfg.task_storage);
	bpf_map__set_autocreate(b->skel->maps.words, b->skel->rodata->cfg.raw_preemptible);
	bpf_map__set_autocreate(b->skel->maps.task_states_by_task,
				!b->skel->rodata->cfg.task_storage);
	sums__choose_maps(b);
	size_extent_maps(b);
	prepare_flows(b);
	bpf_map__set_autocreate(b->skel->maps.unfinished_scratch, b->tells_slow);
	bpf_map__set_max_entries(b->skel->maps.task_states_by_task, b->plan.threads);
	bpf_map__set_max_entries(b->skel->maps.definitions, b->plan.definitions_bytes);
	bpf_map__set_max_entries(b->skel->maps.paths_sent, b->plan.paths_sent);
	bpf_map__set_max_entries(b->skel->maps.in_flight, b->plan.in_flight);
	bpf_map__set_max_entries(b->skel->maps.connecting, b->plan.in_flight);
	bpf_map__set_max_entries(b->skel->maps.connect_words, b->plan.in_flight);
	bpf_map__set_max_entries(b->skel->maps.uring_flights, b->plan.in_flight);
	bpf_map__set_max_entries(b->skel->maps.uring_conns, b->plan.uring_conns);
	bpf_map__set_max_entries(b->skel->maps.aio_keys, b->plan.in_flight);
	bpf_map__set_max_entries(b->skel->maps.kept_ends, b->plan.uring_conns);
	bpf_map__set_max_entries(b->skel->maps.uring_paths, b->plan.uring_paths);
	bpf_map__set_max_entries(b->skel->maps.uring_rowless, b->plan.in_flight);
	bpf_map__set_max_entries(b->skel->maps.long_paths, b->plan.uring_paths);
	bpf_map__set_max_entries(b->skel->maps.path_copies, b->plan.uring_paths);
	widen_lru_maps(b);
	/* libbpf prints what the verifier says of programs that it loads itself. */
	err = prepare__load(b->skel, b->verbose ? 1 : b->n_cpus);
	if (err)
		return load__refused(problem, err, "cannot load BPF programs");
	find_names(b);
	if (b->streams & BIT(STREAM_EXTENT))
		err = makers__fill(bpf_map__fd(b->skel->maps.makers));
	return err ? engine__problem(problem, err,
				     "cannot find the code that makes block requests: %s",
				     strerror(-err)) :
		     0;
}
