// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/csv.h"
#include "platform/macros.h"
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

struct process {
	uint32_t pid;
	uint64_t start; /* clock ticks since boot; identifies a process together with pid */
	uint32_t ticks[PASSES_MAX]; /* CPU time at each pass, modulo 2^32 clock ticks */
	uint32_t first;             /* the first pass in which it was found */
};

struct processes {
	int proc;
	uint64_t tick_ns;
	long page_kb;
	size_t n_passes;
	uint64_t passes[PASSES_MAX]; /* mono ns, ascending */
	struct process *list, *next; /* ascending by pid; a pass builds NEXT */
	size_t n, n_next, room, room_next;
};

struct stat_line {
	uint32_t pid;
	char state;
	const char *name;
	size_t name_len;
	uint64_t ticks, start, vsize;
	int64_t rss;
};

int processes__new(struct processes **ret, const char *proc)
{
	struct processes *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->tick_ns = NSEC_PER_SEC / sysconf(_SC_CLK_TCK);
	p->page_kb = sysconf(_SC_PAGESIZE) / 1024;
	p->proc = open(proc ? proc : "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->proc < 0) {
		int err = -errno;

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
	close(p->proc);
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

/* ---- /proc/PID/stat ---- */

/* The name can contain blanks and parentheses: it ends at the last ')' (proc(5)). */
static bool parse_stat(char *text, size_t len, struct stat_line *ret)
{
	char *open = memchr(text, '(', len), *close = memrchr(text, ')', len);
	unsigned long long field[25] = { 0 };
	char *s;

	text[len] = 0;
	if (!open || !close || close < open || close[1] != ' ')
		return false;
	ret->pid = strtoul(text, NULL, 10);
	ret->name = open + 1;
	ret->name_len = close - open - 1;
	ret->state = close[2];
	s = close + 3;
	for (int i = 4; i <= 24; i++) { /* numbered as in proc(5) */
		char *end;

		field[i] = strtoull(s, &end, 10); /* strtoull also accepts a minus sign */
		if (end == s)
			return false;
		s = end;
	}
	ret->ticks = field[14] + field[15];
	ret->start = field[22];
	ret->vsize = field[23];
	ret->rss = field[24];
	return true;
}

static ssize_t read_file(int proc, const char *pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n = 0, got;
	int fd;

	snprintf(path, sizeof(path), "%.20s/%s", pid, name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buf + n, size - n);
		n += got > 0 ? got : 0;
	} while (got > 0 && (size_t)n < size && strcmp(name, "stat"));
	close(fd);
	return got < 0 ? -errno : n;
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

static struct process *add_process(struct processes *p)
{
	if (p->n_next == p->room_next) {
		size_t room = p->room_next ? p->room_next * 2 : 512;
		struct process *list;

		if (p->n_next >= PROCESSES_MAX)
			return NULL;
		list = realloc(p->next, room * sizeof(*list));
		if (!list)
			return NULL;
		p->next = list;
		p->room_next = room;
	}
	return &p->next[p->n_next++];
}

static int by_pid(const void *key, const void *member)
{
	uint32_t a = *(const uint32_t *)key, b = ((const struct process *)member)->pid;

	return (a > b) - (a < b);
}

/* Carries what is known about the process in LINE over to this pass. NULL if there is no room. */
static struct process *follow(struct processes *p, const struct stat_line *line,
			      const uint32_t kept[PASSES_MAX], size_t *at)
{
	size_t now = p->n_passes - 1;
	struct process *to = add_process(p), *old;

	if (!to)
		return NULL;
	/* The kernel lists processes in this order; if it did not, the search below would still
	 * work. */
	while (*at < p->n && p->list[*at].pid < line->pid)
		(*at)++;
	old = *at < p->n && p->list[*at].pid == line->pid ? &p->list[*at] :
	      p->n ? bsearch(&line->pid, p->list, p->n, sizeof(*p->list), by_pid) :
		     NULL;
	to->pid = line->pid;
	to->start = line->start;
	to->first = now;
	if (old && old->start == line->start) {
		to->first = 0;
		for (size_t i = 0; i < now; i++) {
			to->ticks[i] = old->ticks[kept[i]];
			if (kept[i] < old->first)
				to->first = i + 1;
		}
	}
	to->ticks[now] = line->ticks;
	return to;
}

/* CPU use since pass FROM, in hundredths of a percent of one core. A process that started after it
 * had used none then. -1: unknown. */
static int64_t percent(const struct processes *p, const struct process *q, size_t from,
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
	return (uint64_t)used * p->tick_ns * 1000 / (span / 10);
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
	struct rows *rows;
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

static char *command_line(struct pass *s, const char *pid, char *p)
{
	char args[CMDLINE_MAX + 1], clear[ANONYMIZE_MAX(CMDLINE_MAX)], *end, *field = p;
	ssize_t n = read_file(s->p->proc, pid, "cmdline", args, sizeof(args));
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

static char *hundredths(char *p, int64_t v)
{
	if (v < 0)
		return p;
	p = csv__u64(p, v / 100);
	*p++ = '.';
	return csv__padded(p, v % 100, 2);
}

static int write_row(struct pass *s, const char *pid, const struct stat_line *line,
		     const struct process *q)
{
	struct processes *p = s->p;
	size_t name_len = line->name_len < COMM_MAX ? line->name_len : COMM_MAX;
	uint64_t began_ns = line->start * p->tick_ns;
	uint64_t began_mono_ns = began_ns > s->boot_mono_ns ? began_ns - s->boot_mono_ns : 0;
	int64_t began_real = s->boot_real_ns + began_ns;
	char name[ANONYMIZE_MAX(COMM_MAX)], *end, *to = rows__room(s->rows);
	const char *state = states[line->state & 127];

	to = csv__mem(to, s->wall, CLOCK_WALL_LEN);
	*to++ = ',';
	to = csv__u64(to, line->pid);
	*to++ = ',';
	end = s->anon ? anonymize__name(s->anon, name, line->name, name_len) :
			csv__mem(name, line->name, name_len);
	to = csv__text(to, name, end - name);
	*to++ = ',';
	to = command_line(s, pid, to);
	*to++ = ',';
	to = csv__u64(to, line->vsize / 1024);
	*to++ = ',';
	to = csv__u64(to, line->rss > 0 ? line->rss * p->page_kb : 0);
	*to++ = ',';
	to = text__wall(to, began_real / (int64_t)NSEC_PER_SEC, began_real % NSEC_PER_SEC,
			s->utc_offset_s);
	for (int w = 0; w < WINDOWS; w++) {
		*to++ = ',';
		if (q)
			to = hundredths(to, percent(p, q, s->from[w], began_mono_ns));
	}
	*to++ = ',';
	if (state)
		to = csv__mem(to, state, strlen(state));
	*to++ = ',';
	to = csv__u64(to, s->event_ns);
	*to++ = '\n';
	return rows__add(s->rows, to, s->event_ns);
}

static int take(struct pass *s, const char *pid)
{
	char text[1024];
	ssize_t n = read_file(s->p->proc, pid, "stat", text, sizeof(text) - 1);
	struct stat_line line;
	struct process *q;

	/* The process has ended meanwhile (ENOENT, ESRCH). */
	if (n <= 0 || !parse_stat(text, n, &line))
		return 0;
	q = follow(s->p, &line, s->kept, &s->at);
	return s->rows ? write_row(s, pid, &line, q) : 0;
}

static int by_pid_of(const void *a, const void *b)
{
	return by_pid(&((const struct process *)a)->pid, b);
}

static void end_pass(struct processes *p)
{
	struct process *list = p->list;
	size_t room = p->room;

	p->list = p->next;
	p->n = p->n_next;
	p->room = p->room_next;
	p->next = list;
	p->room_next = room;
	p->n_next = 0;
	for (size_t i = 1; i < p->n; i++)
		if (p->list[i - 1].pid > p->list[i].pid) {
			qsort(p->list, p->n, sizeof(*p->list), by_pid_of);
			break;
		}
}

int processes__pass(struct processes *p, uint64_t now_ns, struct rows *rows, struct clock *clock,
		    struct anonymizer *anon)
{
	struct pass s = { .p = p, .rows = rows, .anon = anon, .now_ns = now_ns };
	char entries[16384];
	int err = 0;
	long n;

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
	if (lseek(p->proc, 0, SEEK_SET) < 0)
		return -errno;
	while (!err && (n = syscall(SYS_getdents64, p->proc, entries, sizeof(entries))) > 0)
		for (long i = 0; !err && i < n;) {
			struct dirent64 *d = (struct dirent64 *)(entries + i);

			i += d->d_reclen;
			if (*d->d_name >= '1' && *d->d_name <= '9')
				err = take(&s, d->d_name);
		}
	end_pass(p);
	return err;
}
