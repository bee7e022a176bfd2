/* SPDX-License-Identifier: GPL-2.0-only */
#include "collector.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "iotrc.skel.h"
#include "syscalls.h"
#include "tracepoint.h"

#define RINGS_BYTES (64u << 20)     /* of all event rings together */
#define RING_BYTES_MIN (1u << 20)
#define RING_BYTES_MAX (16u << 20)


#define BIT(stream) (1u << (stream))
#define SYSCALL_STREAMS (BIT(STREAM_FS) | BIT(STREAM_NW_CONN))
#define ALL_CAPTURED (BIT(STREAM_CAPTURED) - 1)

/* Which programs serve which streams; a stream that is off loads nothing. */
static const struct program {
	enum hook hook;
	const char *name, *program;
	uint32_t streams;
	bool classic; /* see raw_preemptible() */
} programs[] = {
	{ HOOK_SYS_ENTER, "tp_btf/sys_enter", "on_sys_enter", SYSCALL_STREAMS, false },
	{ HOOK_SYS_EXIT, "tp_btf/sys_exit", "on_sys_exit", SYSCALL_STREAMS, false },
	{ HOOK_SYS_ENTER, "raw_syscalls/sys_enter", "on_sys_enter_classic", SYSCALL_STREAMS, true },
	{ HOOK_SYS_EXIT, "raw_syscalls/sys_exit", "on_sys_exit_classic", SYSCALL_STREAMS, true },
	{ HOOK_PROCESS_FORK, "tp_btf/sched_process_fork", "on_process_fork", ALL_CAPTURED, false },
	{ HOOK_PROCESS_EXIT, "tp_btf/sched_process_exit", "on_process_exit", BIT(STREAM_FS), false },
	{ HOOK_PROCESS_EXIT, "tp_btf/sched_process_exit", "on_process_exit_last", BIT(STREAM_FS), false },
	{ HOOK_PROCESS_EXIT, "sched/sched_process_exit", "on_process_exit_classic", BIT(STREAM_FS), true },
	{ HOOK_BLOCK_GETRQ, "tp_btf/block_getrq", "on_block_getrq", BIT(STREAM_BLOCK), false },
	{ HOOK_BLOCK_FRONTMERGE, "tp_btf/block_bio_frontmerge", "on_block_frontmerge", BIT(STREAM_BLOCK), false },
	{ HOOK_BLOCK_INSERT, "tp_btf/block_rq_insert", "on_block_insert", BIT(STREAM_BLOCK), false },
	{ HOOK_BLOCK_ISSUE, "tp_btf/block_rq_issue", "on_block_issue", BIT(STREAM_BLOCK), false },
	{ HOOK_BLOCK_COMPLETE, "tp_btf/block_rq_complete", "on_block_complete", BIT(STREAM_BLOCK), false },
};
#define N_PROGRAMS (sizeof(programs) / sizeof(*programs))

struct collector {
	struct iotrc_bpf *skel;
	struct ring *definitions;
	struct ring *rings[MAX_CPUS];
	size_t n_rings;
	int ring_fds[MAX_CPUS];
	int epoll_fd;
	unsigned int n_cpus;
	uint32_t streams;
	bool process_exit;
	struct bpf_link *links[N_PROGRAMS];
};

static int problem_of(char *problem, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int problem_of(char *problem, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, COLLECTOR_PROBLEM_MAX, format, args);
	va_end(args);
	return err;
}

/* What the kernel refuses, and how to be let: the privileges are what is missing most often. */
static int refused(char *problem, int err, const char *what)
{
	if (err == -EPERM || err == -EACCES)
		return problem_of(problem, err, "%s: %s", what,
				  geteuid() ? "not permitted; needs root, or CAP_BPF and CAP_PERFMON: run it with sudo" :
					      "the kernel refuses it to root: kernel lockdown, or a container "
					      "without CAP_BPF and CAP_PERFMON");
	return problem_of(problem, err, "%s: %s (-v shows the kernel's log)", what, strerror(-err));
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* ---- what this kernel can do, from its BTF ---- */

static unsigned int tracepoint_args(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? btf_vlen(t) : 0;
}

static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
}

/* Since BPF programs may sleep on the tracepoints of system calls (about 7.1) the raw ones are run with
 * preemption on. A thread that is preempted in a program keeps the kernel from running it for
 * any other on that CPU, and what those do is missed (1 call in 10, with more threads than CPUs).
 * Classic tracepoints keep preemption off. */
static bool raw_preemptible(const struct btf *btf)
{
	return has_function(btf, "trace_call_bpf_faultable");
}

/* PREEMPT_RT says so in the kernel's version text. */
static bool preemptible(const struct btf *btf)
{
	struct utsname u;

	return uname(&u) || strstr(u.version, "PREEMPT_RT") || raw_preemptible(btf);
}

static void probe_kernel(struct capture_config *cfg, const struct btf *btf)
{
	cfg->rdonly_cast = has_function(btf, "bpf_rdonly_cast");
	cfg->task_storage = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
						    BPF_FUNC_get_current_task_btf, NULL) > 0 &&
			    libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) > 0;
	/* The first argument of the type is the tracepoint's own. */
	cfg->classic = raw_preemptible(btf) && tracepoint__id("raw_syscalls/sys_enter") >= 0;
	cfg->exit_says_last = tracepoint_args(btf, "btf_trace_sched_process_exit") == 3;
}

/* ---- configuration ---- */

static bool op_wanted(const struct options *o, const struct syscall_desc *d)
{
	if (!options__stream(o, d->stream))
		return d->props & PROP_CLOSES && options__stream(o, STREAM_NW_CONN);
	if (d->stream != STREAM_FS)
		return true;
	return options__op(o, d->op) || (d->props & PROP_REMOVEDIR && options__op(o, FS_RMDIR)) ||
	       (d->props & PROP_CLOSES && options__stream(o, STREAM_NW_CONN));
}

/* close() serves two streams: with fs off it counts for the other. */
static void choose(const struct options *o, const struct syscall_desc *from, struct syscall_desc *to)
{
	if (!op_wanted(o, from)) {
		if (options__stream(o, STREAM_FS))
			to->props = from->props & PROP_NAMES;
		return;
	}
	*to = *from;
	if (!options__stream(o, to->stream))
		to->stream = STREAM_NW_CONN;
}

static void configure(struct iotrc_bpf *skel, const struct options *o, const struct btf *btf)
{
	struct capture_config *cfg = &skel->rodata->cfg;

	probe_kernel(cfg, btf);
	cfg->own_pid = getpid();
	cfg->scope_all = o->scope_all;
	cfg->close_rows = options__stream(o, STREAM_FS) && options__op(o, FS_CLOSE);
	cfg->nw_conn = options__stream(o, STREAM_NW_CONN);
	cfg->n_pids = o->n_pids;
	for (size_t i = 0; i < o->n_pids; i++)
		cfg->pids[i] = o->pids[i];
	cfg->n_commands = o->n_commands;
	for (size_t i = 0; i < o->n_commands; i++)
		memcpy(cfg->commands[i], o->commands[i], COMM_BYTES);
	cfg->cgroup = o->cgroup_id;
	for (size_t i = 0; i < MAX_SYSCALLS; i++) {
		choose(o, &syscalls_native[i], &skel->rodata->syscalls[i]);
		choose(o, &syscalls_compat[i], &skel->rodata->syscalls_compat[i]);
	}
}

/* ---- rings ---- */

static int make_rings(struct collector *c, char *problem)
{
	uint32_t size = RING_BYTES_MAX;

	while (size > RING_BYTES_MIN && (uint64_t)size * c->n_cpus > RINGS_BYTES)
		size /= 2;
	c->skel->rodata->cfg.ring_bytes = size;
	for (unsigned int i = 0; i < c->n_cpus; i++) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, size, NULL);

		if (fd < 0)
			return refused(problem, fd, "cannot make a BPF ring buffer");
		c->ring_fds[c->n_rings++] = fd;
	}
	return 0;
}

static int map_rings(struct collector *c, char *problem)
{
	struct epoll_event event = { .events = EPOLLIN };
	int err;

	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll_fd < 0)
		return problem_of(problem, -errno, "epoll: %s", strerror(errno));
	err = ring__new(&c->definitions, bpf_map__fd(c->skel->maps.definitions), COLLECTOR_DEFINITIONS_BYTES);
	for (uint32_t i = 0; !err && i < c->n_rings; i++) {
		err = bpf_map_update_elem(bpf_map__fd(c->skel->maps.rings), &i, &c->ring_fds[i], 0);
		if (!err)
			err = ring__new(&c->rings[i], c->ring_fds[i], c->skel->rodata->cfg.ring_bytes);
		if (!err && epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->ring_fds[i], &event))
			err = -errno;
	}
	return err ? problem_of(problem, err, "cannot map the ring buffers: %s", strerror(-err)) : 0;
}

/* ---- load and attach ---- */

static struct bpf_program *program_of(struct collector *c, const struct program *p)
{
	return bpf_object__find_program_by_name(c->skel->obj, p->program);
}

static bool has_classic(enum hook hook)
{
	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (programs[i].hook == hook && programs[i].classic)
			return true;
	return false;
}

static bool program_wanted(const struct collector *c, const struct program *p)
{
	const struct capture_config *cfg = &c->skel->rodata->cfg;
	bool last = cfg->exit_says_last && !cfg->classic;

	if (p->classic ? !cfg->classic : cfg->classic && has_classic(p->hook))
		return false;
	if (p->hook == HOOK_PROCESS_EXIT &&
	    (!c->process_exit || (!p->classic && last != !strcmp(p->program, "on_process_exit_last"))))
		return false;
	return p->streams & c->streams;
}

static int load(struct collector *c, char *problem)
{
	int err;

	for (size_t i = 0; i < N_PROGRAMS; i++)
		bpf_program__set_autoload(program_of(c, &programs[i]), program_wanted(c, &programs[i]));
	bpf_map__set_autocreate(c->skel->maps.task_states, c->skel->rodata->cfg.task_storage);
	bpf_map__set_max_entries(c->skel->maps.definitions, COLLECTOR_DEFINITIONS_BYTES);
	err = iotrc_bpf__load(c->skel);
	return err ? refused(problem, err, "cannot load BPF programs") : 0;
}

static int attach(struct collector *c, char *problem)
{
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct bpf_program *prog = program_of(c, &programs[i]);

		if (!bpf_program__autoload(prog))
			continue;
		c->links[i] = programs[i].classic ? tracepoint__attach(prog, programs[i].name) :
						    bpf_program__attach(prog);
		if (!c->links[i])
			return problem_of(problem, -errno, "cannot attach to %s: %s", programs[i].name,
					  strerror(errno));
	}
	return 0;
}

int collector__new(struct collector **ret, const struct options *o, char *problem)
{
	struct collector *c = calloc(1, sizeof(*c));
	struct btf *btf = NULL;
	int err, n_cpus;

	if (!c)
		return problem_of(problem, -ENOMEM, "out of memory");
	c->epoll_fd = -1;
	c->streams = o->streams;
	if (!o->verbose)
		libbpf_set_print(silent);
	n_cpus = libbpf_num_possible_cpus();
	c->n_cpus = n_cpus < 1 ? 1 : n_cpus > MAX_CPUS ? MAX_CPUS : n_cpus;
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		err = problem_of(problem, -errno, "this kernel gives no type information at /sys/kernel/btf/vmlinux; "
				 "it must be built with CONFIG_DEBUG_INFO_BTF=y");
		goto fail;
	}
	c->skel = iotrc_bpf__open();
	if (!c->skel) {
		err = problem_of(problem, -errno, "cannot read the embedded BPF object: %s", strerror(errno));
		goto fail;
	}
	configure(c->skel, o, btf);
	c->skel->rodata->cfg.atomic_counters = n_cpus > MAX_CPUS || preemptible(btf);
	c->process_exit = options__op(o, FS_PROCESS_EXIT);
	err = make_rings(c, problem);
	if (!err)
		err = load(c, problem);
	if (!err)
		err = map_rings(c, problem);
	if (!err)
		err = attach(c, problem);
	if (err)
		goto fail;
	btf__free(btf);
	*ret = c;
	return 0;
fail:
	btf__free(btf);
	collector__free(c);
	return err;
}

void collector__detach(struct collector *c)
{
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		bpf_link__destroy(c->links[i]);
		c->links[i] = NULL;
	}
}

struct collector *collector__free(struct collector *c)
{
	if (!c)
		return NULL;
	collector__detach(c);
	for (size_t i = 0; i < c->n_rings; i++) {
		ring__free(c->rings[i]);
		close(c->ring_fds[i]);
	}
	ring__free(c->definitions);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	iotrc_bpf__destroy(c->skel);
	free(c);
	return NULL;
}

struct ring *collector__definitions(struct collector *c)
{
	return c->definitions;
}

size_t collector__n_rings(const struct collector *c)
{
	return c->n_rings;
}

struct ring *collector__ring(struct collector *c, size_t i)
{
	return c->rings[i];
}

size_t collector__ring_bytes(const struct collector *c)
{
	return c->skel->rodata->cfg.ring_bytes;
}

void collector__wait(struct collector *c, int timeout_ms)
{
	struct epoll_event event;

	epoll_wait(c->epoll_fd, &event, 1, timeout_ms);
}

void collector__raise_epoch(struct collector *c)
{
	c->skel->data->epoch++;
}

struct cpu_slot *collector__slots(struct collector *c)
{
	return c->skel->bss->slots;
}

unsigned int collector__n_cpus(const struct collector *c)
{
	return c->n_cpus;
}

static uint64_t hook_fired(const struct collector *c, enum hook hook)
{
	uint64_t fired = 0;

	for (unsigned int cpu = 0; cpu < c->n_cpus; cpu++) {
		const struct cpu_slot *slot = &c->skel->bss->slots[cpu];

		fired += slot->fired[hook];
		if (hook == HOOK_SYS_ENTER || hook == HOOK_SYS_EXIT)
			for (int s = 0; s < STREAM_CAPTURED; s++)
				if (SYSCALL_STREAMS & BIT(s))
					fired += slot->streams[s].seen;
	}
	return fired;
}

size_t collector__hooks(struct collector *c, struct manifest_hook *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct bpf_program *prog = program_of(c, &programs[i]);
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);
		struct manifest_hook *h = &ret[n];

		if (!bpf_program__autoload(prog))
			continue;
		*h = (struct manifest_hook){
			.name = programs[i].name,
			.streams = programs[i].streams & c->streams,
			.attached = true,
		};
		h->fired = hook_fired(c, programs[i].hook);
		if (!bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			h->missed = info.recursion_misses;
		n++;
	}
	return n;
}
