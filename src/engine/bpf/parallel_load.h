/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads BPF programs on several CPUs at the same time. libbpf loads one after the other, and most
 * of the time of a start is the kernel's verifier. So libbpf gets a program that only returns 0 in
 * the place of each; when it is done, the programs themselves are loaded, and each takes over the
 * descriptor that libbpf knows. */
#ifndef IOTRC_PARALLEL_LOAD_H
#define IOTRC_PARALLEL_LOAD_H

#include <stddef.h>

#include "engine/bpf/trim.h"

struct bpf_prog_load_opts;
struct bpf_program;

#define PARALLEL_LOAD_MAX 128

/* A program that is still to be loaded. */
struct pending_load {
	struct bpf_program *program;
	struct bpf_prog_load_opts *opts; /* a copy */
	struct code code;
};

/* Zeroed, it has no programs. */
struct parallel_load {
	struct pending_load pending[PARALLEL_LOAD_MAX];
	size_t n;
};

/* To be called by libbpf's callback before it loads PROGRAM with OPTS. CODE is what will be loaded;
 * its memory is taken over. Returns 0 or a negative errno. */
int parallel_load__add(struct parallel_load *p, struct bpf_program *program,
		       struct bpf_prog_load_opts *opts, struct code *code);

/* Loads them in at most THREADS threads, this one included. To be called when libbpf has loaded the
 * object. Returns 0, or the negative errno of a program that the kernel refused. */
int parallel_load__run(struct parallel_load *p, size_t threads);

/* Frees what it has; to be called in any case. */
void parallel_load__clear(struct parallel_load *p);

#endif
