/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine of this kernel: BPF programs, the rings that they write into, and what is known of
 * both. Shared by the files of this folder; all else knows it as engine_bpf (engine.h). */
#ifndef IOTRC_BPF_H
#define IOTRC_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/abi.h"
#include "engine/bpf/lane.h"
#include "engine/bpf/ring.h"
#include "engine/engine.h"

struct bpf_link;
struct bpf_program;
struct btf;
struct iotrc_bpf;

#define BIT(stream) (1u << (stream))
#define SYSCALL_STREAMS \
	(BIT(STREAM_FS) | BIT(STREAM_NW_CONN) | BIT(STREAM_NW_EPOLL) | BIT(STREAM_NW_SOCKOPT))
#define ALL_CAPTURED (BIT(STREAM_CAPTURED) - 1)

#define PROGRAMS_MAX 128

struct bpf_engine {
	struct engine engine;
	struct iotrc_bpf *skel;
	struct memory_plan plan;
	struct reqnames names;
	unsigned int n_cpus; /* with a slot of their own */
	uint32_t streams;
	bool process_exit; /* its rows are wanted */
	bool tells_faults; /* tracepoints say which address faults */
	bool from_6_2;     /* the programs are those for kernels from 6.2 on */
	bool init_unseen;
	bool can_overflow,
		can_skip;   /* io_uring's completions: told of elsewhere, and not told of */
	enum attach attach; /* never ATTACH_AUTO */

	/* By row of programs.c. absent: no row of its hook can be had. */
	bool chosen[PROGRAMS_MAX], absent[PROGRAMS_MAX];
	struct bpf_link **links;
	size_t n_links;

	struct ring *definitions;
	struct ring *rings[MAX_CPUS];
	struct lane *lanes[MAX_CPUS];
	size_t n_rings, n_lanes;
	int ring_fds[MAX_CPUS];
	int epoll_fd;
	/* The ends of rings and lanes, noted by mark, and when that began. */
	uint64_t marked_ns, ends[MAX_CPUS], lane_ends[MAX_CPUS];
	const struct sink *sink; /* during drain */
	size_t draining;         /* the ring */

	/* Of what each CPU has lost and left out: told so far, and until when. */
	uint64_t lost_told_ns[MAX_CPUS][STREAM_CAPTURED], shed_told[MAX_CPUS];
};

/* ---- programs.c: which programs serve what, and which of them this kernel can have ---- */

struct program {
	enum hook hook;
	/* where it attaches: a tracepoint's or a function's name after the kind */
	const char *name;
	const char *program; /* its name in bpf/ */
	uint32_t streams;
	uint8_t args; /* the number it must have; 0: any */
	/* Of a hook's first row: what is missing without it; NULL: no recording is possible. */
	const char *gives;
	bool (*when)(const struct bpf_engine *b); /* where it has a purpose; NULL: everywhere */
};

extern const struct program programs[];
extern const size_t n_programs;

/* How system calls are hooked from now on. 0, or a negative errno and PROBLEM. */
int programs__choose_attach(struct bpf_engine *b, enum attach wanted, const struct btf *btf,
			    char *problem);

/* What to load of the table: for each hook that is wanted the first row that can be had. */
int programs__choose(struct bpf_engine *b, const struct btf *btf, char *problem);

/* P's program in the object; and the one that does what that one is not let do (bpf/pair.h), or
 * NULL: it has none, or none is needed here. */
struct bpf_program *programs__first(const struct bpf_engine *b, const struct program *p);
struct bpf_program *programs__second(const struct bpf_engine *b, const struct program *p);

/* Whether any BPF program serves STREAM. */
bool programs__serve(enum stream stream);

/* The tables behind it all, as docs/hooks.md. */
void programs__print(FILE *out);

/* ---- setup.c: what the programs are told ---- */

/* Writes the programs' configuration and their tables of system calls, before they are loaded. */
void setup__programs(struct bpf_engine *b, const struct selection *want, const struct btf *btf);

/* ---- load.c ---- */

/* Loads what programs__choose() chose. 0, or a negative errno and PROBLEM. */
int load__all(struct bpf_engine *b, char *problem);

/* Attaches it, in the order of the table. 0, or a negative errno and PROBLEM. */
int attach__all(struct bpf_engine *b, char *problem);

/* PROBLEM says what the kernel refuses, and how to be let; returns ERR. */
int load__refused(char *problem, int err, const char *what);

/* ---- rings.c ---- */

/* Makes the rings, before the programs are loaded; maps them, after. 0, or a negative errno and
 * PROBLEM. */
int rings__make(struct bpf_engine *b, char *problem);
int rings__map(struct bpf_engine *b, char *problem);
void rings__free(struct bpf_engine *b);

/* engine.h's of the same names. */
void rings__mark(struct engine *e);
void rings__drain(struct engine *e, const struct sink *sink);
void rings__wait(struct engine *e, int timeout_ms);
int rings__watch(struct engine *e, int fd);
struct engine_fill rings__fill(struct engine *e);

/* ---- counters.c: what the programs have counted. engine.h's of the same names ---- */

void counters__counts(struct engine *e, enum stream stream, struct engine_counts *ret);
void counters__losses(struct engine *e, engine_loss_fn tell, void *arg);
void counters__shed(struct engine *e, uint64_t ops);

/* ---- sums.c: what the programs have summed up, instead of sending records ---- */

/* Makes the groups of what finds no room, where sums are wanted. 0, or a negative errno and
 * PROBLEM. */
int sums__prepare(struct bpf_engine *b, char *problem);

/* engine.h's of the same name. */
int sums__tell(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed);

/* ---- missed.c: what the kernel ran no program for. engine.h's of the same names ---- */

void missed__missed(struct engine *e, uint64_t ret[STREAM_CAPTURED]);
size_t missed__hooks(struct engine *e, struct manifest_hook *ret);

/* ---- limits.c: what this kernel is too old, or too new, for. engine.h's of the same names ---- */

size_t limits__list(const struct engine *e, const char *ret[ENGINE_LIMITS_MAX]);
const char *limits__warning(const struct engine *e);

/* The rows of a table in docs/hooks.md. */
void limits__print(FILE *out);

#endif
