/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine of this kernel: its BPF programs, the rings that they write to, and the state of both.
 * Only files of this folder use it; others use engine_bpf (engine.h). */
#ifndef IOTRC_BPF_H
#define IOTRC_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/abi.h"
#include "engine/bpf/attach_cost.h"
#include "engine/bpf/functions.h"
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
#define FLOW_FDS_MAX 64

/* Indexes of groups of sums that have been removed. */
struct sums_removed {
	uint32_t *indexes;
	size_t n, capacity;
};

struct bpf_engine {
	struct engine engine;
	struct iotrc_bpf *skel;
	struct memory_plan plan;
	struct reqnames names;
	unsigned int n_cpus; /* with a slot of their own */
	uint32_t streams;
	bool process_exit; /* its rows are wanted */
	bool tells_faults; /* tracepoints report the faulting address */
	bool from_6_2;     /* the programs are those for kernels from 6.2 on */
	bool init_unseen;
	int types_fd;                /* core_types.h, while the programs are loaded */
	bool verbose;                /* messages of libbpf are printed */
	bool tells_calls;            /* engine__calls() will be called */
	bool tells_slow;             /* engine__unfinished() will be called */
	bool can_overflow, can_skip; /* programs for io_uring's rarer completions are needed */
	bool shares;              /* one program can serve several tracepoints (bpf/shared.bpf.c) */
	bool counts_by_functions; /* count what sockets move in functions: there is no tracepoint */
	enum attach attach;       /* never ATTACH_AUTO */
	bool attach_measured;     /* to choose it */
	char attach_text[160];    /* what was measured */

	/* By row of programs.c. absent: the kernel supports no row of its hook. */
	bool chosen[PROGRAMS_MAX], absent[PROGRAMS_MAX];
	struct functions functions; /* found when programs are attached to them */
	struct bpf_link **links;
	int *raw_links; /* descriptors of links that libbpf does not know */
	size_t n_links, n_raw_links;

	struct bpf_link *flows_link; /* of the iterator over open connections; NULL: none */
	int flow_fds[FLOW_FDS_MAX];  /* such iterators, opened in advance */
	size_t n_flow_fds;
	bool sockets_end_unseen; /* look for those that have ended */

	struct bpf_link *unfinished_link; /* of the iterator of slow calls in progress */
	int unfinished_fd;

	struct ring *definitions;
	struct ring *rings[MAX_CPUS];
	struct lane *lanes[MAX_CPUS];
	size_t n_rings, n_lanes;
	int ring_fds[MAX_CPUS];
	int epoll_fd;
	/* The ends of rings and lanes at the last mark, and the time of the mark. */
	uint64_t marked_ns, ends[MAX_CPUS], lane_ends[MAX_CPUS];
	uint64_t trimmed_ns;
	const struct sink *sink; /* during drain */
	size_t draining;         /* the ring */

	struct sums_removed sums_removed;

	/* What each CPU has lost and shed: reported so far, and until when. */
	uint64_t lost_reported_ns[MAX_CPUS][STREAM_CAPTURED], shed_reported[MAX_CPUS];
};

/* ---- programs.c: which programs serve what, and which of them this kernel supports ---- */

struct program {
	enum hook hook;
	/* where it attaches: the kind, then the name of a tracepoint or function */
	const char *name;
	const char *program; /* its name in bpf/ */
	uint32_t streams;
	uint8_t args; /* the number of arguments it must have; 0: any */
	/* In a hook's first row: what rows lack without it; NULL: recording is impossible. */
	const char *gives;
	bool (*when)(const struct bpf_engine *b); /* whether it is needed; NULL: always */
};

extern const struct program programs[];
extern const size_t n_programs;

/* Decides how system calls are hooked from now on. Returns 0, or a negative errno and PROBLEM. */
int programs__choose_attach(struct bpf_engine *b, enum attach wanted, const struct btf *btf,
			    char *problem);

/* Decides which programs to load: for each wanted hook the first row that the kernel supports. */
int programs__choose(struct bpf_engine *b, const struct btf *btf, char *problem);

/* Returns P's program in the object, and the one that records what the first one misses
 * (bpf/pair.h), or NULL if there is none, or none is needed here. */
struct bpf_program *programs__first(const struct bpf_engine *b, const struct program *p);
struct bpf_program *programs__second(const struct bpf_engine *b, const struct program *p);

/* Whether any BPF program serves STREAM. */
bool programs__serve(enum stream stream);

/* Prints the tables of programs, as in docs/hooks.md. */
void programs__print(FILE *out);

/* ---- setup.c: the configuration of the programs ---- */

/* Writes the programs' configuration and their tables of system calls, before they are loaded. */
void setup__programs(struct bpf_engine *b, const struct selection *want, const struct btf *btf);

/* ---- load.c ---- */

/* Loads the programs that programs__choose() chose. Returns 0, or a negative errno and PROBLEM. */
int load__all(struct bpf_engine *b, char *problem);

/* Attaches them in the order of the table. Returns 0, or a negative errno and PROBLEM. */
int attach__all(struct bpf_engine *b, char *problem);

/* Writes to PROBLEM what the kernel refuses and how to get permission; returns ERR. */
int load__refused(char *problem, int err, const char *what);

/* ---- rings.c ---- */

/* The first creates the rings before the programs are loaded, the second maps them afterwards. Both
 * return 0, or a negative errno and PROBLEM. */
int rings__make(struct bpf_engine *b, char *problem);
int rings__map(struct bpf_engine *b, char *problem);
void rings__free(struct bpf_engine *b);

/* The functions of engine.h with the same names. */
void rings__mark(struct engine *e);
void rings__drain(struct engine *e, const struct sink *sink);
/* Passes the definitions available now to SINK. */
void rings__define(struct bpf_engine *b, const struct sink *sink);
void rings__wait(struct engine *e, int timeout_ms);
int rings__watch(struct engine *e, int fd);
struct engine_fill rings__fill(struct engine *e);

/* ---- counters.c: counters of the programs ---- */

/* The functions of engine.h with the same names. */
void counters__counts(struct engine *e, enum stream stream, struct engine_counts *ret);
void counters__losses(struct engine *e, engine_loss_fn tell, void *arg);
void counters__shed(struct engine *e, uint64_t ops);
void counters__matched(const struct engine *e, struct matched *ret);

/* ---- cgroups.c ---- */

/* The function engine__add_cgroup() of engine.h. */
int cgroups__add(struct engine *e, uint64_t cgroup);

/* ---- sums.c: sums that the programs keep instead of sending records ---- */

/* Decides which maps of sums are created. */
void sums__choose_maps(struct bpf_engine *b);

/* If sums are wanted, makes the indexes of all groups free. Returns 0, or a negative errno and
 * PROBLEM. */
int sums__prepare(struct bpf_engine *b, char *problem);

/* The function of engine.h with the same name. */
int sums__tell(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed);

/* ---- calls.c: calls in progress ---- */

/* To be called when all programs are attached. Returns 0, or a negative errno and PROBLEM. */
int calls__prepare(struct bpf_engine *b, char *problem);
void calls__free(struct bpf_engine *b);

/* The functions engine__unfinished(), engine__calls() and engine__describe_call() of engine.h. */
int calls__unfinished(struct engine *e, const struct sink *sink);
int calls__tell(struct engine *e, engine_call_fn tell, void *arg);
bool calls__describe(struct engine *e, long nr, struct engine_call_kind *ret);

/* ---- flows.c: open connections ---- */

/* To be called when all programs are attached. Returns 0, or a negative errno and PROBLEM. */
int flows__prepare(struct bpf_engine *b, const struct btf *btf, char *problem);
void flows__free(struct bpf_engine *b);

/* The function engine__flows() of engine.h. */
int flows__tell(struct engine *e, enum flow_event event, const struct sink *sink);

/* ---- missed.c: events for which the kernel ran no program ---- */

/* The functions of engine.h with the same names. */
void missed__missed(struct engine *e, uint64_t ret[STREAM_CAPTURED]);
size_t missed__hooks(struct engine *e, struct manifest_hook *ret);

/* ---- limits.c: features that need another kernel ---- */

/* The functions engine__limits() and engine__warning() of engine.h. */
size_t limits__list(const struct engine *e, const char *ret[ENGINE_LIMITS_MAX]);
const char *limits__warning(const struct engine *e);

/* Whether the kernel has no task storage; whether it hides the names that io_uring has read. */
bool limits__no_task_storage(const struct bpf_engine *b);
bool limits__nameless_uring(const struct bpf_engine *b);

/* Prints the rows of a table in docs/hooks.md. */
void limits__print(FILE *out);

#endif
