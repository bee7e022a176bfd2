// SPDX-License-Identifier: GPL-2.0-or-later
/* growth KIND N DIRECTORY CALLS: makes CALLS operations, one after another, on N objects of a KIND:
 *
 *     threads   pread() in N threads
 *     files     pread() from N open files
 *     names     stat() of N files
 *     depth     open() and close() of a file that is N directories deep
 *     path      stat() of such a file
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
#include <unistd.h>

#define STACK_BYTES (64 * 1024)

struct work {
	long n, calls;
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
	struct work w = { 0 };
	void (*use)(struct work * w, long i) = NULL;
	const char *kind;

	if (argc != 5 || (w.n = atol(argv[2])) <= 0 || (w.calls = atol(argv[4])) <= 0) {
		fputs("usage: growth threads|files|names|depth|path N DIRECTORY CALLS\n", stderr);
		return 2;
	}
	kind = argv[1];
	if (chdir(argv[3]))
		die(argv[3]);
	if (!strcmp(kind, "threads"))
		start_threads(&w);
	else if (!strcmp(kind, "files") || !strcmp(kind, "names"))
		make_files(&w, *kind == 'f'), use = *kind == 'f' ? use_file : use_name;
	else if (!strcmp(kind, "depth") || !strcmp(kind, "path"))
		make_tree(&w), use = *kind == 'd' ? use_depth : use_path;
	else
		return 2;
	for (long i = 0; use && i < w.n; i++)
		use(&w, i);
	tell("ready");
	if (use)
		for (long i = 0; i < w.calls; i++)
			use(&w, i);
	else
		run_threads(&w);
	tell("done");
	return 0;
}
