/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel side: loads the BPF programs that the enabled streams need, attaches them, and gives
 * access to their rings, counters and hooks. */
#ifndef IOTRC_COLLECTOR_H
#define IOTRC_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "bpf/abi.h"
#include "dataset/manifest.h"
#include "dataset/memory.h"
#include "engine/bpf/lane.h"
#include "engine/bpf/ring.h"
#include "schema/selection.h"

struct collector;

/* Why recording can't begin, in words for a person; written on failure only. */
#define COLLECTOR_PROBLEM_MAX 1024

/* Loads and attaches what SELECTION asks for, with maps as large as MEMORY says. VERBOSE: libbpf says on
 * stderr what it does. 0, or a negative errno and PROBLEM. */
int collector__new(struct collector **ret, const struct selection *selection,
		   const struct memory_plan *memory, bool verbose, char *problem);

/* Ends capture; what lies in the rings can still be read. */
void collector__detach(struct collector *c);
struct collector *collector__free(struct collector *c);

struct ring *collector__definitions(struct collector *c);
size_t collector__n_rings(const struct collector *c);
struct ring *collector__ring(struct collector *c, size_t i);

/* One a CPU, or none. */
size_t collector__n_lanes(const struct collector *c);
struct lane *collector__lane(struct collector *c, size_t i);

/* FD, which is borrowed, ends waiting as well when it can be read. 0, or a negative errno. */
int collector__watch(struct collector *c, int fd);

/* Waits until a ring asks to be read or TIMEOUT_MS have gone by. */
void collector__wait(struct collector *c, int timeout_ms);

/* Makes the kernel send every definition anew. */
void collector__raise_epoch(struct collector *c);

/* Leaves out the fs operations in OPS, a bit each; what that costs in rows is counted as shed. */
void collector__shed(struct collector *c, uint64_t ops);

/* The kernel's counters, shared memory: slots of per-CPU counts, MAX_CPUS of them, of which N_CPUS are in use. */
struct cpu_slot *collector__slots(struct collector *c);
unsigned int collector__n_cpus(const struct collector *c);

/* Fills RET (room for HOOK_COUNT) with the hooks in use; returns their number. Names are static. */
size_t collector__hooks(struct collector *c, struct manifest_hook *ret);

/* What this kernel is too old, or too new, for, in words; each static. Returns their number. */
#define COLLECTOR_LIMITS_MAX 8
size_t collector__limits(const struct collector *c, const char *ret[COLLECTOR_LIMITS_MAX]);

/* Our process id as the kernel knows it: getpid() but in a PID namespace. */
pid_t collector__own_pid(const struct collector *c);

/* Whether any BPF program serves STREAM. */
bool collector__serves(enum stream stream);

/* The tables behind it all, as docs/hooks.md. */
void collector__print_tables(FILE *out);

/* Adds to RET how often the kernel has left out a hook that a row of the stream hangs on. Until
 * collector__detach() some of these may be done yet, by a hook's second program. */
void collector__missed(struct collector *c, uint64_t ret[STREAM_CAPTURED]);

/* What a person should know of how it is attached, or NULL. Static text. */
const char *collector__warning(const struct collector *c);

#endif
