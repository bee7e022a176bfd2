/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to each BPF program right before it is loaded: it loses what this recording does not
 * need (trim.h), and calls of kernel functions (kfuncs) that the running kernel lacks. Those are
 * never executed, and the verifier would remove the branch. But 5.13 to 5.15 refuse a program with
 * what libbpf up to 1.2 leaves of such a call, before they check whether it is reachable
 * (add_kfunc_call() of kernel/bpf/verifier.c). */
#ifndef IOTRC_PREPARE_H
#define IOTRC_PREPARE_H

#include <stddef.h>

struct iotrc_bpf;

/* Has all programs prepared that are opened from now on. libbpf then cannot find what a program
 * attaches to; use bpf_program__set_attach_target(). Returns 0, also if it was done before, or a
 * negative errno. None of these functions is thread-safe, like those of libbpf that they call. */
int prepare__register(void);

/* Loads the maps and programs of SKEL, these in THREADS threads. Its read-only data decide what
 * they do not need. Returns 0 or a negative errno. */
int prepare__load(struct iotrc_bpf *skel, size_t threads);

#endif
