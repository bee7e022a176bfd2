/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classic tracepoints, attached through perf events. */
#ifndef IOTRC_TRACEPOINT_H
#define IOTRC_TRACEPOINT_H

struct bpf_link;
struct bpf_program;

/* Returns the id of the tracepoint NAME ("category/event"), or a negative errno if tracefs cannot
 * be read. It need not be mounted. */
int tracepoint__id(const char *name);

/* Opens a perf event of the tracepoint NAME. A program that is attached to it runs on all CPUs.
 * Returns its descriptor, which the caller closes, or a negative errno. */
int tracepoint__open(const char *name);

/* Attaches PROG to the tracepoint NAME on all CPUs until the link is destroyed. Returns NULL and
 * sets errno on failure. */
struct bpf_link *tracepoint__attach(struct bpf_program *prog, const char *name);

#endif
