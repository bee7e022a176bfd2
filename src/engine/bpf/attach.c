// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/bpf/bpf.h"
#include "engine/bpf/functions.h"
#include "engine/bpf/tracepoint.h"
#include "iotrc.skel.h"
#include "platform/macros.h"

/* A software event on every online CPU, with a period of 1. */
static int attach_perf(struct bpf_engine *b, struct bpf_program *prog, uint64_t config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR,
	};
	int n_cpus = libbpf_num_possible_cpus();

	for (int cpu = 0; cpu < n_cpus; cpu++) {
		int fd =
			(int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		struct bpf_link *link;

		if (fd < 0 && errno == ENODEV)
			continue;
		if (fd < 0)
			return -errno;
		link = bpf_program__attach_perf_event(prog, fd);
		if (!link) {
			close(fd);
			return -errno;
		}
		b->links[b->n_links++] = link;
	}
	return 0;
}

/* Finds the functions of the wanted system calls, unless they are known already. */
static int find_functions(struct bpf_engine *b)
{
	int err = 0;

	if (!b->functions.calls)
		err = functions__find(&b->functions,
				      (const struct syscall_desc *)b->skel->bss->syscalls,
				      (const struct syscall_desc *)b->skel->bss->syscalls_compat);
	b->skel->bss->secure_computing = b->functions.secure_computing;
	b->skel->bss->ptrace_notify = b->functions.ptrace_notify;
	return err;
}

/* The entries, or the RETURNS, of the wanted system calls. */
static struct bpf_link *attach_functions(struct bpf_engine *b, struct bpf_program *prog,
					 bool returns)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .retprobe = returns);
	int err = find_functions(b);

	if (err) {
		errno = -err;
		return NULL;
	}
	opts.addrs = b->functions.calls;
	opts.cnt = b->functions.n_calls + (returns ? b->functions.n_refusals : 0);
	return bpf_program__attach_kprobe_multi_opts(prog, NULL, &opts);
}

/* A raw tracepoint that tells the program HOOK, as its number. libbpf 1.1 does not have this. */
static int attach_raw(struct bpf_engine *b, const struct bpf_program *prog, const char *tracepoint,
		      enum hook hook)
{
	const struct {
		uint64_t name;
		uint32_t prog_fd, pad;
		uint64_t cookie;
	} attr = { (uintptr_t)tracepoint, bpf_program__fd(prog), 0, hook };
	int fd = (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));

	if (fd < 0)
		return -errno;
	b->raw_links[b->n_raw_links++] = fd;
	return 0;
}

static int attach_one(struct bpf_engine *b, struct bpf_program *prog, const struct program *p)
{
	struct bpf_link *link;

	if (p->hook == HOOK_FAULT_MAJOR)
		return attach_perf(b, prog, PERF_COUNT_SW_PAGE_FAULTS_MAJ);
	if (p->hook == HOOK_FAULT_MINOR)
		return attach_perf(b, prog, PERF_COUNT_SW_PAGE_FAULTS_MIN);
	if (!strncmp(p->name, "raw_tp/", 7))
		return attach_raw(b, prog, p->name + 7, p->hook);
	if (strstr(p->name, "probe.multi/"))
		link = attach_functions(b, prog, p->hook == HOOK_SYS_EXIT);
	else if (!strncmp(p->name, "tp/", 3))
		link = tracepoint__attach(prog, p->name + 3);
	else
		link = bpf_program__attach(prog);
	if (!link)
		return -errno;
	b->links[b->n_links++] = link;
	return 0;
}

/* Above 2, a level that distributions add (Debian, Ubuntu), perf_event_open() needs
 * CAP_SYS_ADMIN. */
static bool perf_is_closed(void)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = 0;

	if (file && fscanf(file, "%d", &level) != 1)
		level = 0;
	if (file)
		fclose(file);
	return level > 2;
}

/* Whether recording is possible without P. A function may be taken: a live patch may exclude other
 * users. */
static bool dispensable(const struct program *p)
{
	return p->gives && (!strncmp(p->name, "fentry/", 7) || !strncmp(p->name, "fexit/", 6));
}

int attach__all(struct bpf_engine *b, char *problem)
{
	/* At most two programs per row; a perf event has a link for each CPU. */
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	b->links = calloc(2 * n_programs + 2 * libbpf_num_possible_cpus(), sizeof(*b->links));
	b->raw_links = calloc(n_programs, sizeof(*b->raw_links));
	if (!b->links || !b->raw_links)
		return engine__problem(problem, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n_programs; i++) {
		const struct program *p = &programs[i];
		int err = b->chosen[i] ? attach_one(b, programs__first(b, p), p) : 0;

		/* After the first program, and before any other program of that tracepoint: they
		 * run in the order in which they were attached. */
		if (!err && b->chosen[i] && programs__second(b, p))
			err = attach_one(b, programs__second(b, p), p);
		if (err && dispensable(p)) {
			b->chosen[i] = false;
			b->absent[i] = true;
			continue;
		}
		if (err == -EACCES && perf_is_closed())
			return engine__problem(
				problem, err,
				"cannot attach to %s: the kernel leaves it to CAP_SYS_ADMIN: grant it, "
				"or sysctl kernel.perf_event_paranoid=2",
				p->name);
		if (err)
			return engine__problem(problem, err, "cannot attach to %s: %s", p->name,
					       strerror(-err));
	}
	b->skel->bss->attached_ns = clock__event_ns();
	return 0;
}
