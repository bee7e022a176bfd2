/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classic tracepoints, through perf. */
#ifndef IOTRC_TRACEPOINT_H
#define IOTRC_TRACEPOINT_H

struct bpf_link;
struct bpf_program;

/* The kernel's number of the tracepoint NAME, "category/event"; negative errno when tracefs can't
 * be read. It need not be mounted. */
int tracepoint__id(const char *name);

/* Has PROG run by the tracepoint NAME on all CPUs, until the link is destroyed. NULL and errno on
 * failure. */
struct bpf_link *tracepoint__attach(struct bpf_program *prog, const char *name);

#endif
