// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/csv.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "snappers/process_list.h"
#include "snappers/text.h"

#define COMM_MAX 15
#define CMDLINE_MAX 512
/* Further processes have rows, but without CPU use. */
#define PROCESSES_MAX 65536

enum { WINDOWS = 3 };
static const uint64_t windows[WINDOWS] = { 5 * NSEC_PER_SEC, 120 * NSEC_PER_SEC,
					   3600 * NSEC_PER_SEC };

/* Past passes to keep: with about fifty, every span is known to within a twelfth. */
#define SPAN_PARTS 12
#define PASSES_MAX 96

struct timed_process {
	uint32_t pid;
	uint64_t start;             /* as in process_facts */
	uint32_t ticks[PASSES_MAX]; /* CPU time at each pass, modulo 2^32 clock ticks */
	uint32_t first;             /* the first pass in which it was found */
};

struct processes {
	struct process_list source;
	size_t n_passes;
	uint64_t passes[PASSES_MAX];       /* mono ns, ascending */
	struct timed_process *list, *next; /* ascending by pid; a pass builds NEXT */
	size_t n, n_next, capacity, capacity_next;
};

int processes__new(struct processes **ret, const char *proc)
{
	struct processes *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	err = process_list__open(&p->source, proc);
	if (err) {
		free(p);
		return err;
	}
	*ret = p;
	return 0;
}

struct processes *processes__free(struct processes *p)
{
	if (!p)
		return NULL;
	process_list__close(&p->source);
	free(p->list);
	free(p->next);
	free(p);
	return NULL;
}

size_t processes__count(const struct processes *p)
{
	return p->n;
}

uint64_t processes__next(uint64_t first_ns, uint64_t interval_ns, uint64_t now_ns,
			 bool *ret_snapshot)
{
	uint64_t gone = now_ns < first_ns ? 0 : now_ns - first_ns;
	uint64_t next = first_ns + (gone / interval_ns + 1) * interval_ns;
	uint64_t snapshot = next;

	for (int w = 0; w < WINDOWS; w++) {
		/* The first snapshot whose window has not begun. */
		uint64_t begins = (gone + windows[w]) / interval_ns + 1;
		uint64_t at = first_ns + begins * interval_ns - windows[w];

		if (at < next)
			next = at;
	}
	*ret_snapshot = next == snapshot;
	return next;
}

/* ---- the CPU time of the past ---- */

/* The pass nearest to AGO before the last one. */
static size_t pass_of(const struct processes *p, uint64_t ago)
{
	size_t last = p->n_passes - 1, best = last;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < last; i++) {
		uint64_t age = p->passes[last] - p->passes[i];
		uint64_t off = age > ago ? age - ago : ago - age;

		if (off < least) {
			least = off;
			best = i;
		}
	}
	return best;
}

/* Drops passes that are no longer needed and makes room for a new one. KEPT[i] is the former index
 * of the pass that is now i. */
static void thin_out(struct processes *p, uint64_t now, uint32_t kept[PASSES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_passes; i++) {
		bool last = i + 1 == p->n_passes;
		uint64_t age = now - p->passes[i];
		bool too_old = !last && now - p->passes[i + 1] >= windows[WINDOWS - 1];
		/* Its neighbours are close enough to each other to do without it. */
		bool dense = n && !last && p->passes[i + 1] - p->passes[n - 1] < age / SPAN_PARTS;

		if (too_old || dense)
			continue;
		kept[n] = i;
		p->passes[n++] = p->passes[i];
	}
	if (n == PASSES_MAX) {
		memmove(p->passes, p->passes + 1, (n - 1) * sizeof(*p->passes));
		memmove(kept, kept + 1, (n - 1) * sizeof(*kept));
		n--;
	}
	p->passes[n] = now;
	p->n_passes = n + 1;
}

static struct timed_process *add_process(struct processes *p)
{
	if (p->n_next == p->capacity_next) {
		size_t capacity = p->capacity_next ? p->capacity_next * 2 : 512;
		struct timed_process *list;

		if (p->n_next >= PROCESSES_MAX)
			return NULL;
		list = realloc(p->next, capacity * sizeof(*list));
		if (!list)
			return NULL;
		p->next = list;
		p->capacity_next = capacity;
	}
	return &p->next[p->n_next++];
}

static int by_pid(const void *key, const void *member)
{
	uint32_t a = *(const uint32_t *)key, b = ((const struct timed_process *)member)->pid;

	return (a > b) - (a < b);
}

/* Carries what is known about the process of FACTS over to this pass. NULL if there is no room. */
static struct timed_process *follow(struct processes *p, const struct process_facts *facts,
				    const uint32_t kept[PASSES_MAX], size_t *at)
{
	size_t now = p->n_passes - 1;
	struct timed_process *to = add_process(p), *old;

	if (!to)
		return NULL;
	/* The kernel lists processes in this order; if it did not, the search below would still
	 * work. */
	while (*at < p->n && p->list[*at].pid < facts->pid)
		(*at)++;
	old = *at < p->n && p->list[*at].pid == facts->pid ? &p->list[*at] :
	      p->n ? bsearch(&facts->pid, p->list, p->n, sizeof(*p->list), by_pid) :
		     NULL;
	to->pid = facts->pid;
	to->start = facts->start;
	to->first = now;
	if (old && old->start == facts->start) {
		to->first = 0;
		for (size_t i = 0; i < now; i++) {
			to->ticks[i] = old->ticks[kept[i]];
			if (kept[i] < old->first)
				to->first = i + 1;
		}
	}
	to->ticks[now] = facts->ticks;
	return to;
}

/* CPU use since pass FROM, in hundredths of a percent of one core. A process that started after it
 * had used none then. -1: unknown. */
static int64_t cpu_hundredths(const struct processes *p, const struct timed_process *q, size_t from,
			      uint64_t began_mono_ns)
{
	size_t now = p->n_passes - 1;
	uint64_t span = p->passes[now] - p->passes[from];
	uint32_t used = q->ticks[now];

	if (from == now || !span)
		return -1;
	if (from >= q->first)
		used -= q->ticks[from];
	else if (began_mono_ns < p->passes[from])
		return -1;
	return (uint64_t)used * p->source.tick_ns * 1000 / (span / 10);
}

/* ---- rows ---- */

static const char *const states[128] = {
	['R'] = "running",      ['S'] = "sleeping", ['D'] = "disk-sleep", ['T'] = "stopped",
	['t'] = "tracing-stop", ['Z'] = "zombie",   ['X'] = "dead",       ['x'] = "dead",
	['I'] = "idle",         ['P'] = "idle", /* parked */
	['K'] = "sleeping",     ['W'] = "sleeping",
};

struct pass {
	struct processes *p;
	struct snap_rows *rows;
	struct anonymizer *anon;
	uint64_t now_ns, event_ns;
	char wall[CLOCK_WALL_LEN];
	int32_t utc_offset_s;
	int64_t boot_real_ns;  /* wall time of the boot, from which process starts are counted */
	uint64_t boot_mono_ns; /* time in suspend: subtracted from a start time to get mono time */
	size_t from[WINDOWS];
	uint32_t kept[PASSES_MAX];
	size_t at;
};

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static char *command_line(struct pass *s, uint32_t pid, char *p)
{
	char args[CMDLINE_MAX + 1], clear[ANONYMIZE_MAX(CMDLINE_MAX)], *end, *field = p;
	ssize_t n = process_list__arguments(&s->p->source, pid, args, sizeof(args));
	bool cut = n > CMDLINE_MAX;

	if (n <= 0)
		return p;
	n = cut ? CMDLINE_MAX : n;
	/* NOLINTNEXTLINE(*.Branch): read() wrote N bytes */
	while (n && !args[n - 1] && !cut)
		n--;
	if (s->anon) {
		end = anonymize__args(s->anon, clear, args, n);
	} else {
		for (ssize_t i = 0; i < n; i++)
			/* NOLINTNEXTLINE(*.Branch): read() wrote N bytes */
			clear[i] = (char)(args[i] ? args[i] : ' ');
		end = clear + n;
	}
	p = csv__escape(p, clear, end - clear);
	if (cut)
		p = csv__mem(p, "...", 3);
	return csv__quote(field, p);
}

static char *put_hundredths(char *p, int64_t v)
{
	if (v < 0)
		return p;
	p = csv__u64(p, v / 100);
	*p++ = '.';
	return csv__padded(p, v % 100, 2);
}

static int write_process(struct pass *s, const struct process_facts *facts,
			 const struct timed_process *q)
{
	struct processes *p = s->p;
	size_t name_len = facts->name_len < COMM_MAX ? facts->name_len : COMM_MAX;
	uint64_t began_ns = facts->start * p->source.tick_ns;
	uint64_t began_mono_ns = began_ns > s->boot_mono_ns ? began_ns - s->boot_mono_ns : 0;
	int64_t began_real = s->boot_real_ns + began_ns;
	char name[ANONYMIZE_MAX(COMM_MAX)], *end, *to = snap_rows__line(s->rows);
	const char *state = states[facts->state & 127];

	to = csv__mem(to, s->wall, CLOCK_WALL_LEN);
	*to++ = ',';
	to = csv__u64(to, facts->pid);
	*to++ = ',';
	end = s->anon ? anonymize__name(s->anon, name, facts->name, name_len) :
			csv__mem(name, facts->name, name_len);
	to = csv__text(to, name, end - name);
	*to++ = ',';
	to = command_line(s, facts->pid, to);
	*to++ = ',';
	to = csv__u64(to, facts->virtual_kb);
	*to++ = ',';
	to = csv__u64(to, facts->resident_kb);
	*to++ = ',';
	to = text__wall(to, began_real / (int64_t)NSEC_PER_SEC, began_real % NSEC_PER_SEC,
			s->utc_offset_s);
	for (int w = 0; w < WINDOWS; w++) {
		*to++ = ',';
		if (q)
			to = put_hundredths(to, cpu_hundredths(p, q, s->from[w], began_mono_ns));
	}
	*to++ = ',';
	if (state)
		to = csv__mem(to, state, strlen(state));
	*to++ = ',';
	to = csv__u64(to, s->event_ns);
	*to++ = '\n';
	return snap_rows__add(s->rows, to, s->event_ns);
}

static int take(void *arg, const struct process_facts *facts)
{
	struct pass *s = arg;
	struct timed_process *q = follow(s->p, facts, s->kept, &s->at);

	return s->rows ? write_process(s, facts, q) : 0;
}

static int by_pid_of(const void *a, const void *b)
{
	return by_pid(&((const struct timed_process *)a)->pid, b);
}

static void end_pass(struct processes *p)
{
	struct timed_process *list = p->list;
	size_t capacity = p->capacity;

	p->list = p->next;
	p->n = p->n_next;
	p->capacity = p->capacity_next;
	p->next = list;
	p->capacity_next = capacity;
	p->n_next = 0;
	for (size_t i = 1; i < p->n; i++)
		if (p->list[i - 1].pid > p->list[i].pid) {
			qsort(p->list, p->n, sizeof(*p->list), by_pid_of);
			break;
		}
}

int processes__pass(struct processes *p, uint64_t now_ns, struct snap_rows *rows,
		    struct clock *clock, struct anonymizer *anon)
{
	struct pass s = { .p = p, .rows = rows, .anon = anon, .now_ns = now_ns };
	int err;

	thin_out(p, now_ns, s.kept);
	for (int w = 0; w < WINDOWS; w++)
		s.from[w] = pass_of(p, windows[w]);
	if (rows) {
		uint64_t mono = read_clock(CLOCK_MONOTONIC), boot = read_clock(CLOCK_BOOTTIME);

		s.event_ns = clock__to_event(now_ns);
		clock__wall_shared(clock, s.event_ns, s.wall, &s.utc_offset_s);
		s.boot_real_ns = read_clock(CLOCK_REALTIME) - boot;
		s.boot_mono_ns = boot - mono;
	}
	err = process_list__each(&p->source, take, &s);
	end_pass(p);
	return err;
}
