// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "engine/bpf/bpf.h"
#include "engine/bpf/kernel.h"
#include "engine/bpf/makers.h"
#include "engine/bpf/syscalls.h"
#include "iotrc.skel.h"

static bool op_wanted(const struct selection *want, const struct syscall_desc *d)
{
	if (d->shape == SHAPE_SOCKETCALL)
		return selection__stream(want, STREAM_NW_CONN) ||
		       selection__stream(want, STREAM_NW_SOCKOPT);
	if (!selection__stream(want, d->stream))
		return d->props & (PROP_CLOSES | PROP_ENDS_FDS) &&
		       selection__stream(want, STREAM_NW_CONN);
	if (d->stream != STREAM_FS || d->shape == SHAPE_AIO)
		return true;
	return selection__op(want, d->op) ||
	       (d->shape == SHAPE_IOCTL && selection__op(want, FS_SETATTR)) ||
	       (d->props & PROP_REMOVEDIR && selection__op(want, FS_RMDIR)) ||
	       (d->props & PROP_EXECVE_CHECK && selection__op(want, FS_ACCESS)) ||
	       (d->props & (PROP_CLOSES | PROP_ENDS_FDS) &&
		selection__stream(want, STREAM_NW_CONN));
}

/* close() serves two streams: if fs is off, it belongs to the other one. */
static void choose_call(const struct selection *want, const struct syscall_desc *from,
			struct syscall_desc *to)
{
	if (!op_wanted(want, from)) {
		if (selection__stream(want, STREAM_FS))
			to->props = from->props & PROP_NAMES;
		return;
	}
	*to = *from;
	if (!selection__stream(want, to->stream))
		to->stream = STREAM_NW_CONN;
}

_Static_assert(MAX_FILTERED == SELECTION_LIST_MAX && COMM_BYTES == SELECTION_COMM_MAX + 1,
	       "lists of filters are copied whole");

void setup__programs(struct bpf_engine *b, const struct selection *want, const struct btf *btf)
{
	struct iotrc_bpf *skel = b->skel;
	struct capture_config *cfg = &skel->rodata->cfg;

	kernel__probe(cfg, btf);
	cfg->atomic_counters = memory__cpus() > MAX_CPUS || kernel__preemptible(btf);
	cfg->own_pid = kernel__own_pid();
	cfg->scope_all = want->scope_all;
	cfg->fs = selection__stream(want, STREAM_FS);
	cfg->exec_rows = selection__stream(want, STREAM_FS) && selection__op(want, FS_PROCESS_EXEC);
	cfg->exit_rows = selection__stream(want, STREAM_FS) && selection__op(want, FS_PROCESS_EXIT);
	cfg->close_rows = selection__stream(want, STREAM_FS) && selection__op(want, FS_CLOSE);
	cfg->nw_conn = selection__stream(want, STREAM_NW_CONN);
	cfg->uring_stream = selection__stream(want, STREAM_FS) ? STREAM_FS : STREAM_NW_CONN;
	cfg->n_pids = want->n_pids;
	for (size_t i = 0; i < want->n_pids; i++)
		cfg->pids[i] = want->pids[i];
	cfg->n_commands = want->commands.n;
	memcpy(cfg->commands, want->commands.names, sizeof(cfg->commands));
	cfg->follow = want->follow;
	cfg->n_excluded = want->excluded_commands.n;
	memcpy(cfg->excluded, want->excluded_commands.names, sizeof(cfg->excluded));
	cfg->n_cgroups = want->n_cgroups;
	cfg->adds_cgroups = want->n_containers;
	cfg->by_cgroup = want->n_cgroups || want->n_containers;
	memcpy(cfg->cgroups, want->cgroups, sizeof(cfg->cgroups));
	cfg->n_uids = want->n_uids;
	memcpy(cfg->uids, want->uids, sizeof(cfg->uids));
	cfg->errors = want->errors;
	cfg->slow_ns = want->slow_ns;
	cfg->cache_sample = want->cache_sample;
	cfg->cache = selection__stream(want, STREAM_CACHE);
	makers__call_causes((uint8_t *)skel->rodata->call_causes[0], syscall_names_native);
	makers__call_causes((uint8_t *)skel->rodata->call_causes[1], syscall_names_compat);
	makers__call_files((uint8_t *)skel->rodata->call_files[0], syscall_names_native);
	makers__call_files((uint8_t *)skel->rodata->call_files[1], syscall_names_compat);
	for (size_t i = 0; i < MAX_SYSCALLS; i++) {
		choose_call(want, &syscalls_native[i], &skel->bss->syscalls[i]);
		choose_call(want, &syscalls_compat[i], &skel->bss->syscalls_compat[i]);
	}
	memcpy(skel->rodata->socketcalls, syscalls_of_socketcall,
	       sizeof(skel->rodata->socketcalls));
	for (size_t i = 0; i < MAX_URING_OPS; i++)
		choose_call(want, &uring_ops[i], &skel->bss->uring_ops[i]);
}
