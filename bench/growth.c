// SPDX-License-Identifier: GPL-2.0-or-later
/* growth KIND N DIRECTORY CALLS: makes CALLS operations, one after another, on N objects of a KIND:
 *
 *     threads   pread() in N threads
 *     files     pread() from N open files
 *     names     stat() of N files
 *     depth     open() and close() of a file that is N directories deep
 *     path      stat() of such a file
 *     rate      pread() from one file, N times per second
 *     churn     creation, write(), close() and unlink() of a new file, N times per second
 *
 * First it uses each object once and prints 'ready'. A line on standard input starts the
 * operations; after them it prints 'done', and another line ends the program. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)
#define SECOND_NS 1000000000L
#define MOMENT_NS 1000000L /* what is done at a rate is done in bursts, each of one moment */

struct work {
	long n, calls;
	long rate; /* operations per second; 0: as fast as possible */
	int *fds;
	char path[PATH_MAX];
	pthread_t *threads;
	pthread_barrier_t ready, go;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void read_some(int fd)
{
	char buf[4096];

	if (pread(fd, buf, sizeof(buf), 0) != sizeof(buf))
		die("pread");
}

static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, 4096))
		die(path);
	return fd;
}

/* Makes N files, which stay open if KEEP. */
static void make_files(struct work *w, bool keep)
{
	struct rlimit limit = { (rlim_t)w->n + 100, (rlim_t)w->n + 100 };
	char name[32];

	if (keep && setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE");
	w->fds = calloc((size_t)w->n, sizeof(*w->fds));
	if (!w->fds)
		die("memory");
	for (long i = 0; i < w->n; i++) {
		snprintf(name, sizeof(name), "%ld", i);
		w->fds[i] = make_file(name);
		if (!keep)
			close(w->fds[i]);
	}
}

static void make_open_files(struct work *w)
{
	make_files(w, true);
}

static void make_names(struct work *w)
{
	make_files(w, false);
}

/* One file that is open, and a rate. */
static void make_rate(struct work *w)
{
	w->rate = w->n;
	w->n = 1;
	make_files(w, true);
}

static void make_tree(struct work *w)
{
	size_t len = 0;

	for (long i = 0; i < w->n && len < sizeof(w->path) - 16; i++) {
		len += (size_t)snprintf(w->path + len, sizeof(w->path) - len, "%sdir%03ld",
					i ? "/" : "", i);
		if (mkdir(w->path, 0700))
			die(w->path);
	}
	snprintf(w->path + len, sizeof(w->path) - len, "%sfile", len ? "/" : "");
	close(make_file(w->path));
}

static void use_file(struct work *w, long i)
{
	read_some(w->fds[i % w->n]);
}

static void use_name(struct work *w, long i)
{
	struct stat st;
	char name[32];

	snprintf(name, sizeof(name), "%ld", i % w->n);
	if (stat(name, &st))
		die(name);
}

static void use_depth(struct work *w, long i)
{
	int fd = open(w->path, O_RDONLY);

	(void)i;
	if (fd < 0 || close(fd))
		die(w->path);
}

static void use_path(struct work *w, long i)
{
	struct stat st;

	(void)i;
	if (stat(w->path, &st))
		die(w->path);
}

static void *run_thread(void *arg)
{
	struct work *w = arg;

	read_some(w->fds[0]);
	pthread_barrier_wait(&w->ready);
	pthread_barrier_wait(&w->go);
	for (long i = 0; i < w->calls / w->n; i++)
		read_some(w->fds[0]);
	return NULL;
}

static void start_threads(struct work *w)
{
	pthread_attr_t attr;
	char name[] = "file";

	w->fds = malloc(sizeof(*w->fds));
	w->threads = calloc((size_t)w->n, sizeof(*w->threads));
	if (!w->fds || !w->threads)
		die("memory");
	w->fds[0] = make_file(name);
	pthread_barrier_init(&w->ready, NULL, (unsigned)w->n + 1);
	pthread_barrier_init(&w->go, NULL, (unsigned)w->n + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (long i = 0; i < w->n; i++)
		if (pthread_create(&w->threads[i], &attr, run_thread, w))
			die("pthread_create");
	pthread_barrier_wait(&w->ready);
}

static void run_threads(struct work *w)
{
	pthread_barrier_wait(&w->go);
	for (long i = 0; i < w->n; i++)
		pthread_join(w->threads[i], NULL);
}

static void use_new_file(struct work *w, long i)
{
	char name[32];
	int fd;

	(void)w;
	snprintf(name, sizeof(name), "new%ld", i);
	fd = make_file(name);
	if (write(fd, name, sizeof(name)) != sizeof(name) || close(fd) || unlink(name))
		die(name);
}

/* Sleeps until operation I is due, which is begun at START. */
static void wait_for(const struct work *w, const struct timespec *start, long i)
{
	long per_moment = w->rate / (SECOND_NS / MOMENT_NS) + 1;
	struct timespec due = *start;

	if (!w->rate || i % per_moment)
		return;
	due.tv_sec += i / w->rate;
	due.tv_nsec += i % w->rate * (SECOND_NS / w->rate);
	if (due.tv_nsec >= SECOND_NS)
		due.tv_sec++, due.tv_nsec -= SECOND_NS;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static const struct kind {
	const char *name;
	void (*prepare)(struct work *w);
	void (*use)(struct work *w, long i); /* NULL: threads do */
} kinds[] = {
	{ "threads", start_threads, NULL },   { "files", make_open_files, use_file },
	{ "names", make_names, use_name },    { "depth", make_tree, use_depth },
	{ "path", make_tree, use_path },      { "rate", make_rate, use_file },
	{ "churn", make_rate, use_new_file },
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

/* Prints WORD and waits for a line on standard input. */
static void tell(const char *word)
{
	char line[16];

	puts(word);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

int main(int argc, char **argv)
{
	const struct kind *kind = argc == 5 ? find_kind(argv[1]) : NULL;
	struct work w = { 0 };
	struct timespec start;

	if (!kind || (w.n = atol(argv[2])) <= 0 || (w.calls = atol(argv[4])) <= 0) {
		fputs("usage: growth threads|files|names|depth|path|rate|churn N DIRECTORY CALLS\n",
		      stderr);
		return 2;
	}
	if (chdir(argv[3]))
		die(argv[3]);
	kind->prepare(&w);
	for (long i = 0; kind->use && i < w.n; i++)
		kind->use(&w, i);
	tell("ready");
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (long i = 0; kind->use && i < w.calls; i++) {
		wait_for(&w, &start, i);
		kind->use(&w, i);
	}
	if (!kind->use)
		run_threads(&w);
	tell("done");
	return 0;
}
