// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine as a whole: open, detach, free. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/bpf/bpf.h"
#include "engine/bpf/core_types.h"
#include "engine/bpf/drop_reasons.h"
#include "engine/bpf/kernel.h"
#include "engine/bpf/prepare.h"
#include "engine/bpf/request_names.h"
#include "iotrc.skel.h"
#include "iotrc_6_2.skel.h"

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static void detach(struct engine *e)
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	/* sys_enter is detached before sys_exit: from then on a call that ends without having begun
	 * is not one that was refused. */
	if (b->skel && b->n_links)
		b->skel->bss->attached_ns = 0;
	while (b->n_links)
		bpf_link__destroy(b->links[--b->n_links]);
	while (b->n_raw_links)
		close(b->raw_links[--b->n_raw_links]);
}

static void free_engine(struct engine *e)
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	detach(e);
	flows__free(b);
	calls__free(b);
	rings__free(b);
	iotrc_bpf__destroy(b->skel);
	functions__free(&b->functions);
	free(b->links);
	free(b->raw_links);
	free(b->sums_removed.indexes);
	free(b);
}

static void forget_definitions(struct engine *e)
{
	((struct bpf_engine *)e)->skel->data->epoch++;
}

static pid_t own_pid(const struct engine *e)
{
	return ((const struct bpf_engine *)e)->skel->rodata->cfg.own_pid;
}

static const struct reqnames *request_names(const struct engine *e)
{
	return &((const struct bpf_engine *)e)->names;
}

static json_t *drop_reasons(const struct engine *e)
{
	return drop_reasons__read();
}

/* One skeleton serves both objects: they have the same maps, programs and variables. */
static struct iotrc_bpf *open_object(bool from_6_2, const struct bpf_object_open_opts *opts)
{
	struct iotrc_bpf *skel = calloc(1, sizeof(*skel));
	int err;

	_Static_assert(sizeof(*skel) == sizeof(struct iotrc_6_2_bpf), "the same maps and programs");
	_Static_assert(sizeof(*skel->bss) == sizeof(struct iotrc_6_2_bpf__bss),
		       "the same variables");
	_Static_assert(sizeof(*skel->rodata) == sizeof(struct iotrc_6_2_bpf__rodata), "…");
	if (!skel)
		return NULL;
	err = iotrc_bpf__create_skeleton(skel);
	if (!err && from_6_2)
		skel->skeleton->data = (void *)iotrc_6_2_bpf__elf_bytes(&skel->skeleton->data_sz);
	if (!err)
		err = bpf_object__open_skeleton(skel->skeleton, opts);
	if (!err)
		return skel;
	iotrc_bpf__destroy(skel);
	errno = -err;
	return NULL;
}

/* Opens the embedded object, and writes the configuration of this recording into it. */
static int prepare_object(struct bpf_engine *b, const struct engine_config *config,
			  const struct btf *btf, char *problem)
{
	char types[CORE_TYPES_PATH_SIZE];
	/* If the kernel lacks a type, libbpf searches its modules, which needs CAP_SYS_ADMIN,
	 * unless it is told where the types are. */
	LIBBPF_OPTS(bpf_object_open_opts, open, .btf_custom_path = types);
	int err = prepare__register();

	if (err)
		return engine__problem(problem, err, "cannot prepare BPF programs: %s",
				       strerror(-err));
	b->types_fd = core_types__open(types);
	if (b->types_fd < 0)
		return engine__problem(problem, b->types_fd, "cannot make a file in memory: %s",
				       strerror(-b->types_fd));
	b->from_6_2 = kernel__from_6_2(btf);
	b->skel = open_object(b->from_6_2, &open);
	if (!b->skel)
		return engine__problem(problem, -errno, "cannot read the embedded BPF object: %s",
				       strerror(errno));
	err = core_types__write(b->types_fd, btf, bpf_object__btf(b->skel->obj));
	if (err)
		return engine__problem(problem, err, "cannot prepare the kernel's types: %s",
				       strerror(-err));
	setup__programs(b, config->selection, btf);
	b->skel->rodata->cfg.sums = config->sums;
	b->skel->rodata->cfg.wall_ns = clock__real_ns() - clock__event_ns();
	b->init_unseen = kernel__init_unseen(btf);
	err = request_names__read(&b->names, btf);
	return err ? engine__problem(problem, err, "this kernel's BTF has no enum req_op") : 0;
}

static int start(struct bpf_engine *b, const struct engine_config *config, char *problem)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int err;

	if (!btf)
		return engine__problem(
			problem, -errno,
			"this kernel has no type information at /sys/kernel/btf/vmlinux; "
			"it must be built with CONFIG_DEBUG_INFO_BTF=y");
	err = prepare_object(b, config, btf, problem);
	if (!err)
		err = programs__choose_attach(b, config->selection->attach, btf, problem);
	if (!err)
		err = programs__choose(b, btf, problem);
	if (!err)
		err = rings__make(b, problem);
	if (!err)
		err = load__all(b, problem);
	if (b->types_fd >= 0)
		close(b->types_fd);
	if (!err)
		err = sums__prepare(b, problem);
	if (!err)
		err = rings__map(b, problem);
	if (!err)
		err = attach__all(b, problem);
	if (!err)
		err = flows__prepare(b, btf, problem);
	if (!err)
		err = calls__prepare(b, problem);
	btf__free(btf);
	return err;
}

static int open_engine(struct engine **ret, const struct engine_config *config, char *problem)
{
	struct bpf_engine *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return engine__problem(problem, -ENOMEM, "out of memory");
	b->engine.type = &engine_bpf;
	b->epoll_fd = -1;
	b->unfinished_fd = -1;
	b->types_fd = -1;
	b->streams = config->selection->streams;
	b->verbose = config->verbose;
	b->tells_calls = config->calls;
	b->tells_slow = config->selection->slow_ns && !config->sums && b->streams & BIT(STREAM_FS);
	b->process_exit = selection__op(config->selection, FS_PROCESS_EXIT);
	b->n_cpus = MIN(memory__cpus(), MAX_CPUS);
	b->plan = *config->memory;
	b->plan.n_rings = MIN(b->plan.n_rings, b->n_cpus);
	if (!config->verbose)
		libbpf_set_print(silent);
	err = start(b, config, problem);
	if (err) {
		free_engine(&b->engine);
		return err;
	}
	*ret = &b->engine;
	return 0;
}

const struct engine_type engine_bpf = {
	.name = "bpf",
	.serves = programs__serve,
	.open = open_engine,
	.mark = rings__mark,
	.drain = rings__drain,
	.wait = rings__wait,
	.watch = rings__watch,
	.fill = rings__fill,
	.counts = counters__counts,
	.losses = counters__losses,
	.missed = missed__missed,
	.shed = counters__shed,
	.matched = counters__matched,
	.add_cgroup = cgroups__add,
	.forget = forget_definitions,
	.hooks = missed__hooks,
	.limits = limits__list,
	.warning = limits__warning,
	.drop_reasons = drop_reasons,
	.request_names = request_names,
	.own_pid = own_pid,
	.sums = sums__tell,
	.flows = flows__tell,
	.calls = calls__tell,
	.unfinished = calls__unfinished,
	.describe_call = calls__describe,
	.detach = detach,
	.free = free_engine,
};
