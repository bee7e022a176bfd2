// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine knows the calls that began since it was opened. The call of a thread that has made
 * none since then is found in /proc. */
#include "commands/watch_stuck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/shown.h"
#include "base/units.h"
#include "engine/engine.h"
#include "platform/cpus.h"
#include "platform/macros.h"
#include "schema/schema.h"
#include "schema/sums.h"

#define THREADS_MAX 4096 /* that are examined */
#define NAME_MAX_SHOWN 1024
#define PERIOD_MS 1000
#define STEP_MS 50 /* maximum delay of a signal */

struct thread_in {
	uint32_t pid, tid;
	char command[64];
	char state;  /* of /proc/PID/stat: R, S, D, T, ...; 0: it has ended */
	bool known;  /* the engine has seen the call begin */
	bool runs;   /* it is in no call */
	uint64_t ns; /* duration; a minimum if not KNOWN */
	char operation[64];
	char file[NAME_MAX_SHOWN];
};

struct stuck {
	const struct watch_stuck *w;
	uint64_t begun_ns, now_ns;
	struct thread_in *threads;
	size_t n;
	size_t left_out; /* threads beyond THREADS_MAX */
	int output_err;  /* why stdout could not be written: negative errno */
};

static volatile sig_atomic_t stop;

static void stop_stuck(int signal)
{
	stop = 1;
}

/* ---- /proc ---- */

/* Reads the first line of /proc/PID/task/TID/NAME, without its newline; empty if there is none. */
static void read_proc_line(uint32_t pid, uint32_t tid, const char *name, char *buf, size_t size)
{
	char path[96];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* Reads the target of the thread's link NAME; empty if it cannot be read. */
static void read_link(uint32_t pid, uint32_t tid, const char *name, char *buf, size_t size)
{
	char path[96];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/%s", pid, tid, name);
	n = readlink(path, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

static char state_of(uint32_t pid, uint32_t tid)
{
	char line[512], *end;

	read_proc_line(pid, tid, "stat", line, sizeof(line));
	end = strrchr(line, ')');
	if (!end || end[1] != ' ')
		return '\0';
	return end[2];
}

/* Finds the kernel function in which the thread waits: "[<0>] pipe_read+0x2f0/0x4b0". */
static void innermost(struct thread_in *t)
{
	char line[256], *name, *end;

	read_proc_line(t->pid, t->tid, "stack", line, sizeof(line));
	name = strstr(line, "] ");
	end = name ? strchr(name, '+') : NULL;
	if (end)
		snprintf(t->operation, sizeof(t->operation), "in %.*s", (int)(end - name - 2),
			 name + 2);
}

/* Finds the file of CALL: by its descriptor, or by its path and directory. */
static void find_file(struct thread_in *t, const struct engine_call *call)
{
	char link[32] = "cwd";
	size_t len;

	if (call->fd >= 0 || call->dir_fd >= 0)
		snprintf(link, sizeof(link), "fd/%d", call->fd >= 0 ? call->fd : call->dir_fd);
	*t->file = '\0';
	if (call->fd >= 0 || (*call->path && *call->path != '/'))
		read_link(t->pid, t->tid, link, t->file, sizeof(t->file));
	len = strlen(t->file);
	if (*call->path)
		snprintf(t->file + len, sizeof(t->file) - len, "%s%s", len ? "/" : "", call->path);
}

/* Reads the string at ADDRESS of the process; empty if it cannot be read. */
static void read_string(uint32_t pid, unsigned long long address, char *buf, size_t size)
{
	char path[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = pread(fd, buf, size - 1, (off_t)address);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
}

/* When the scheduler last ran the thread, in ms of its CPU's clock_task (kernel/sched/core.c); 0:
 * unknown. */
static double last_ran_ms(uint32_t pid, uint32_t tid)
{
	char path[96], line[256];
	double ms = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/sched", pid, tid);
	file = fopen(path, "re");
	while (file && !ms && fgets(line, sizeof(line), file))
		sscanf(line, "se.exec_start : %lf", &ms);
	if (file)
		fclose(file);
	return ms;
}

/* The CPU that the thread last ran on, or -1. */
static int last_cpu(uint32_t pid, uint32_t tid)
{
	char line[1024], *at;
	int cpu = -1;

	read_proc_line(pid, tid, "stat", line, sizeof(line));
	at = strrchr(line, ')');
	/* The 39th field (proc(5)); the third begins behind the name. */
	for (int i = 2; at && i < 39; i++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, "%d", &cpu) == 1 ? cpu : -1;
}

static void read_own_clock(void *ms)
{
	*(double *)ms = last_ran_ms(getpid(), gettid());
}

/* The current time of CPU's clock_task, read by running there. 0: unknown. */
static double clock_of_cpu(int cpu)
{
	double ms = 0;

	if (cpu >= 0)
		cpus__call_on(cpu, read_own_clock, &ms);
	return ms;
}

/* A call that began before the engine has lasted at least as long as the engine runs, and at least
 * as long as the thread sleeps. Each CPU has a clock_task, which stops in interrupts and while a
 * hypervisor runs other guests: a difference on one CPU is at most the elapsed time. */
static uint64_t least_ns(const struct stuck *s, const struct thread_in *t)
{
	uint64_t ns = s->now_ns - s->begun_ns;
	double ran, now;

	if (t->state == 'R')
		return ns;
	ran = last_ran_ms(t->pid, t->tid);
	now = ran ? clock_of_cpu(last_cpu(t->pid, t->tid)) : 0;
	return now > ran ? MAX(ns, (uint64_t)((now - ran) * 1e6)) : ns;
}

/* The file that the arguments of a call refer to. */
static void name_by_args(struct thread_in *t, const struct engine_call_kind *kind,
			 const unsigned long long *args)
{
	struct engine_call call = { .fd = -1, .dir_fd = AT_FDCWD, .path = "" };
	char path[256];

	if (kind->fd >= 0)
		call.fd = (int)args[kind->fd];
	if (kind->dir_fd >= 0)
		call.dir_fd = (int)args[kind->dir_fd];
	if (kind->path >= 0) {
		read_string(t->pid, args[kind->path], path, sizeof(path));
		call.path = path;
	}
	find_file(t, &call);
}

/* Finds number and arguments of a call that began before the engine. For a call that is never
 * recorded, shows the kernel function in which it waits. */
static void look_in_proc(const struct stuck *s, struct engine *e, struct thread_in *t)
{
	unsigned long long args[6] = { 0 };
	struct engine_call_kind kind;
	char line[256];
	long nr = -1;

	t->ns = least_ns(s, t);
	read_proc_line(t->pid, t->tid, "syscall", line, sizeof(line));
	if (sscanf(line, "%ld %llx %llx %llx %llx %llx %llx", &nr, &args[0], &args[1], &args[2],
		   &args[3], &args[4], &args[5]) < 7 ||
	    nr < 0) {
		t->runs = t->state == 'R';
		innermost(t);
		return;
	}
	if (engine__describe_call(e, nr, &kind) && kind.operation) {
		snprintf(t->operation, sizeof(t->operation), "%s", kind.operation);
		name_by_args(t, &kind, args);
		return;
	}
	innermost(t);
	if (!*t->operation)
		snprintf(t->operation, sizeof(t->operation), "call %ld", nr);
}

/* ---- the engine ---- */

static struct thread_in *find_thread(struct stuck *s, uint32_t tid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->threads[i].tid == tid)
			return &s->threads[i];
	return NULL;
}

static void on_call(void *arg, const struct engine_call *call)
{
	struct stuck *s = arg;
	struct thread_in *t = find_thread(s, call->tid);

	if (!t)
		return;
	t->known = true;
	t->ns = s->now_ns > call->began_ns ? s->now_ns - call->began_ns : 0;
	snprintf(t->operation, sizeof(t->operation), "%s", call->operation);
	find_file(t, call);
}

/* ---- all threads ---- */

static void add_threads(struct stuck *s, uint32_t pid)
{
	char path[64], comm[32];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		struct thread_in *t = &s->threads[s->n];
		uint32_t tid = strtoul(entry->d_name, NULL, 10);

		if (!tid)
			continue;
		if (s->n == THREADS_MAX) {
			s->left_out++;
			continue;
		}
		*t = (struct thread_in){ .pid = pid, .tid = tid, .state = state_of(pid, tid) };
		read_proc_line(pid, tid, "comm", comm, sizeof(comm));
		shown__copy(t->command, comm, strnlen(comm, 15));
		s->n += !!t->state;
	}
	if (dir)
		closedir(dir);
}

static int longest_first(const void *a, const void *b)
{
	const struct thread_in *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int look(struct stuck *s, struct engine *e)
{
	int err;

	s->n = s->left_out = 0;
	for (size_t i = 0; i < s->w->selection->n_pids; i++)
		add_threads(s, s->w->selection->pids[i]);
	s->now_ns = clock__event_ns();
	err = engine__calls(e, on_call, s);
	for (size_t i = 0; i < s->n; i++)
		if (!s->threads[i].known)
			look_in_proc(s, e, &s->threads[i]);
	qsort(s->threads, s->n, sizeof(*s->threads), longest_first);
	return err;
}

/* ---- printing ---- */

static void print_thread_json(const struct thread_in *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "pid", json_integer(t->pid));
	json_object_set_new(o, "tid", json_integer(t->tid));
	json_object_set_new(o, "command", json_text(t->command));
	json_object_set_new(o, "state", json_stringn(&t->state, 1));
	json_object_set_new(o, "operation", json_text(t->operation));
	json_object_set_new(o, "filename", *t->file ? json_text(t->file) : json_null());
	json_object_set_new(o, t->known ? "duration_ns" : "at_least_ns",
			    json_integer((json_int_t)t->ns));
	json_object_set_new(o, "in_progress", json_true());
	json_text__print(o, JSON_COMPACT);
	json_decref(o);
}

static void print_thread(const struct thread_in *t)
{
	char file[SHOWN_MAX(NAME_MAX_SHOWN)], time[UNITS_SIZE];

	shown__copy(file, t->file, strlen(t->file));
	units__time(time, (double)t->ns);
	printf("%7u %-15s %c %s%8s  %-16s %s\n", t->tid, t->command, t->state, t->known ? " " : ">",
	       time, t->operation, file);
}

static void print_stuck(const struct stuck *s)
{
	size_t shown = 0;

	if (!s->w->json)
		printf("%7s %-15s %c %9s  %-16s %s\n", "TID", "COMMAND", 'S', "FOR", "OPERATION",
		       "FILE");
	for (size_t i = 0; i < s->n; i++) {
		const struct thread_in *t = &s->threads[i];

		if (t->ns < s->w->slow_ns || t->runs)
			continue;
		if (s->w->json)
			print_thread_json(t);
		else
			print_thread(t);
		shown++;
	}
	if (!s->w->json && shown < s->n)
		printf("%zu further threads\n", s->n - shown);
	if (s->left_out)
		fprintf(stderr, "%zu threads beyond the first %d were not examined\n", s->left_out,
			THREADS_MAX);
}

/* ---- the whole ---- */

static bool is_stuck_over(const struct stuck *s)
{
	return stop || !s->n || s->output_err ||
	       (s->w->duration_ns && clock__event_ns() - s->begun_ns >= s->w->duration_ns);
}

static int repeat(struct stuck *s, struct engine *e)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	int err;

	do {
		err = look(s, e);
		if (!s->n)
			break;
		print_stuck(s);
		if (fflush(stdout) || ferror(stdout))
			s->output_err = -errno;
		for (int ms = 0; ms < PERIOD_MS && !is_stuck_over(s); ms += STEP_MS)
			nanosleep(&step, NULL);
		if (!s->w->json && !is_stuck_over(s))
			putchar('\n');
	} while (!err && !is_stuck_over(s));
	return err;
}

static int open_calls_engine(const struct watch_stuck *w, struct selection *selection,
			     struct engine **ret)
{
	struct memory_plan plan;
	struct engine_config config = { .selection = selection,
					.memory = &plan,
					.calls = true,
					.sums = SUM_ON | SUM_NO_QUANTILES };
	char problem[ENGINE_PROBLEM_MAX];

	memory__plan(&plan, memory__least(memory__cpus()), memory__cpus());
	if (engine__open(ret, engines[0], &config, problem))
		return command__cannot(w->command, "cannot record: %s", problem);
	return EXIT_OK;
}

int watch_stuck__run(const struct watch_stuck *w)
{
	struct sigaction action = { .sa_handler = stop_stuck };
	struct selection selection = *w->selection;
	struct stuck s = { .w = w };
	struct engine *e = NULL;
	int code, err;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	selection.streams = 1u << STREAM_FS | 1u << STREAM_NW_CONN | 1u << STREAM_NW_EPOLL;
	selection.ops = ALL_OPS;
	selection.scope_all = true;
	s.threads = malloc(THREADS_MAX * sizeof(*s.threads));
	if (!s.threads)
		return command__cannot(w->command, "out of memory");
	code = open_calls_engine(w, &selection, &e);
	if (!code) {
		fputs("watching\n", stderr);
		s.begun_ns = clock__event_ns();
		err = repeat(&s, e);
		if (err)
			code = command__cannot(w->command, "cannot read calls in progress: %s",
					       strerror(-err));
		else if (s.output_err && s.output_err != -EPIPE)
			code = command__cannot(w->command, "cannot write: %s",
					       strerror(-s.output_err));
		engine__free(e);
	}
	free(s.threads);
	return code;
}
