// SPDX-License-Identifier: GPL-2.0-or-later
/* loops OPERATION [FILE] CALLS: repeats an operation, on FILE, which has at least 128 KiB; those
 * that iotrc does not record, such as getppid, take no file. Prints 'NS CALLS CPU': the nanoseconds
 * that one operation took, by CLOCK_MONOTONIC around the loop only, so that the start of the
 * process or of a tracer is not included; the number of operations, with those of the warm-up; and
 * the nanoseconds of CPU that the process used for these. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/workloads/uring.h"

#define PAGE 4096
#define LARGE (128 * 1024)
#define WARM_UP 1000 /* operations before the measurement */
#define COMPONENTS 30
#define ENTRIES 1000 /* of the directory that is read */
#define FILES 100000 /* of stat-100000 */
#define THREADS_MAX 1000
#define DEPTH 32 /* requests to a ring at a time */
#define NAME_MAX_BYTES 4096

struct work {
	int fd, out, epoll, memory, entries;
	int turn; /* of do_stat_many() and do_lock() */
	struct ring ring;
	aio_context_t aio;
	const char *file;
	char other[NAME_MAX_BYTES], deep[NAME_MAX_BYTES];
	char *page; /* a mapping */
};

static char buf[LARGE];

static bool do_pread(struct work *w)
{
	return pread(w->fd, buf, PAGE, 0) == PAGE;
}

static bool do_byte(struct work *w)
{
	return pread(w->fd, buf, 1, 0) == 1;
}

static bool do_large(struct work *w)
{
	return pread(w->fd, buf, LARGE, 0) == LARGE;
}

static bool do_write(struct work *w)
{
	return pwrite(w->out, buf, PAGE, 0) == PAGE;
}

static bool do_stat(struct work *w)
{
	struct stat st;

	return !stat(w->file, &st);
}

/* Of each in turn, in the order in which they were made. */
static bool do_stat_many(struct work *w)
{
	char name[NAME_MAX_BYTES];
	struct stat st;

	snprintf(name, sizeof(name), "%s.many/%d", w->file, w->turn++ % FILES);
	return !stat(name, &st);
}

static bool do_deep(struct work *w)
{
	struct stat st;

	return !stat(w->deep, &st);
}

/* Relative to a directory that is open, as find(1) does. */
static bool do_stat_at(struct work *w)
{
	struct stat st;

	return !fstatat(w->entries, "entry0000", &st, AT_SYMLINK_NOFOLLOW);
}

static bool do_open(struct work *w)
{
	int fd = open(w->file, O_RDONLY);

	return fd >= 0 && !close(fd);
}

static bool do_rename(struct work *w)
{
	char name[NAME_MAX_BYTES + 2];

	snprintf(name, sizeof(name), "%s2", w->other);
	return !rename(w->other, name) && !rename(name, w->other);
}

static bool do_fault(struct work *w)
{
	w->page[0] = 1;
	return !madvise(w->page, PAGE, MADV_DONTNEED);
}

/* The whole directory, in as many calls as it takes. */
static bool do_readdir(struct work *w)
{
	long n;

	if (lseek(w->entries, 0, SEEK_SET))
		return false;
	while ((n = syscall(SYS_getdents64, w->entries, buf, sizeof(buf))) > 0)
		;
	return !n;
}

static bool do_fsync(struct work *w)
{
	return !fsync(w->memory);
}

/* A lock, and its end in the next call. */
static bool do_lock(struct work *w)
{
	struct flock lock = { .l_whence = SEEK_SET, .l_start = 1 << 30, .l_len = 1 };

	lock.l_type = w->turn++ % 2 ? F_UNLCK : F_WRLCK;
	return !fcntl(w->out, F_SETLK, &lock);
}

/* DEPTH reads at once. */
static bool do_ring(struct work *w)
{
	bool ok = true;

	for (int i = 0; i < DEPTH; i++)
		ring__ask(&w->ring, IORING_OP_READ, w->fd, buf, PAGE, 0);
	ring__go(&w->ring, DEPTH);
	for (int i = 0; i < DEPTH; i++)
		ok &= ring__take(&w->ring, NULL, NULL) == PAGE;
	return ok;
}

/* The same by kernel AIO. */
static bool do_aio(struct work *w)
{
	static struct iocb requests[DEPTH], *list[DEPTH];
	struct io_event events[DEPTH];
	long n = 0, got;

	for (int i = 0; i < DEPTH; i++) {
		requests[i] = (struct iocb){ .aio_lio_opcode = IOCB_CMD_PREAD,
					     .aio_fildes = (uint32_t)w->fd,
					     .aio_buf = (uintptr_t)buf,
					     .aio_nbytes = PAGE };
		list[i] = &requests[i];
	}
	if (syscall(SYS_io_submit, w->aio, DEPTH, list) != DEPTH)
		return false;
	for (; n < DEPTH; n += got) {
		got = syscall(SYS_io_getevents, w->aio, 1, DEPTH, events, NULL);
		if (got <= 0)
			return false;
		for (long i = 0; i < got; i++)
			if (events[i].res != PAGE)
				return false;
	}
	return true;
}

static bool do_futex(struct work *w)
{
	static unsigned int word;

	(void)w;
	return !syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool do_epoll(struct work *w)
{
	struct epoll_event event;

	return !epoll_wait(w->epoll, &event, 1, 0);
}

static bool do_getppid(struct work *w)
{
	(void)w;
	return syscall(SYS_getppid) >= 0;
}

static const struct operation {
	const char *name;
	bool (*once)(struct work *w);
	int threads; /* that run at the same time, CALLS operations each; at most THREADS_MAX */
	bool no_file;
} operations[] = {
	{ "pread-1000-threads", do_pread, THREADS_MAX, false },
	{ "stat-100000", do_stat_many, 1, false },
	{ "pread", do_pread, 1, false },
	{ "pread-1", do_byte, 1, false },
	{ "pread-128k", do_large, 1, false },
	{ "pread-2-threads", do_pread, 2, false },
	{ "write", do_write, 1, false },
	{ "stat", do_stat, 1, false },
	{ "stat-deep", do_deep, 1, false },
	{ "stat-at", do_stat_at, 1, false },
	{ "open", do_open, 1, false },
	{ "rename-2", do_rename, 1, false },
	{ "fault", do_fault, 1, false },
	{ "readdir-1000", do_readdir, 1, false },
	{ "fsync", do_fsync, 1, false },
	{ "lock", do_lock, 1, false },
	{ "uring-32", do_ring, 1, false },
	{ "aio-32", do_aio, 1, false },
	{ "epoll", do_epoll, 1, true },
	{ "futex", do_futex, 1, true },
	{ "getppid", do_getppid, 1, true },
};
#define N_OPERATIONS (sizeof(operations) / sizeof(*operations))

static double now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int usage(void)
{
	fputs("usage: loops OPERATION [FILE] CALLS\noperations:", stderr);
	for (size_t i = 0; i < N_OPERATIONS; i++)
		fprintf(stderr, " %s", operations[i].name);
	fputs("\n", stderr);
	return 2;
}

/* Makes nested directories beside FILE, COMPONENTS levels deep. */
static bool make_deep(struct work *w)
{
	size_t len = (size_t)snprintf(w->deep, sizeof(w->deep), "%s.deep", w->file);

	mkdir(w->deep, 0700);
	for (int i = 1; i < COMPONENTS && len < sizeof(w->deep) - 8; i++) {
		len += (size_t)snprintf(w->deep + len, sizeof(w->deep) - len, "/d%02d", i);
		mkdir(w->deep, 0700);
	}
	return !access(w->deep, F_OK);
}

/* Makes a directory of ENTRIES beside FILE. */
static bool make_entries(struct work *w)
{
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "%s.entries", w->file);
	mkdir(name, 0700);
	w->entries = open(name, O_RDONLY | O_DIRECTORY);
	for (int i = 0; w->entries >= 0 && i < ENTRIES; i++) {
		int fd;

		snprintf(name, sizeof(name), "entry%04d", i);
		fd = openat(w->entries, name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || close(fd))
			return false;
	}
	return w->entries >= 0;
}

/* Makes FILES files in a directory beside FILE, unless an earlier process has. */
static bool make_many(struct work *w)
{
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "%s.many/%d", w->file, FILES - 1);
	if (!access(name, F_OK))
		return true;
	snprintf(name, sizeof(name), "%s.many", w->file);
	mkdir(name, 0700);
	for (int i = 0; i < FILES; i++) {
		int fd;

		snprintf(name, sizeof(name), "%s.many/%d", w->file, i);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || close(fd))
			return false;
	}
	return true;
}

static bool prepare(struct work *w, const char *file)
{
	w->epoll = epoll_create1(0);
	w->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->epoll < 0 || w->page == MAP_FAILED)
		return false;
	if (!file)
		return true;
	w->file = file;
	snprintf(w->other, sizeof(w->other), "%s.out", file);
	w->fd = open(file, O_RDONLY);
	w->out = open(w->other, O_WRONLY | O_CREAT, 0600);
	w->memory = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
	return w->fd >= 0 && w->out >= 0 && w->memory >= 0 && !ring__new(&w->ring, 0) &&
	       !syscall(SYS_io_setup, DEPTH, &w->aio) && make_deep(w) && make_entries(w);
}

struct turn {
	const struct operation *op;
	struct work *work;
	long calls;
	bool failed;
	pthread_t thread;
};

static void *take_turn(void *arg)
{
	struct turn *t = arg;

	for (long i = 0; i < t->calls && !t->failed; i++)
		t->failed = !t->op->once(t->work);
	return NULL;
}

/* Makes CALLS operations OP in each of its threads. Returns false if one failed. */
static bool run(const struct operation *op, struct work *w, long calls)
{
	static struct turn turns[THREADS_MAX];
	bool failed = false;
	int n = 1;

	for (int i = 0; i < op->threads; i++)
		turns[i] = (struct turn){ .op = op, .work = w, .calls = calls };
	while (n < op->threads && !pthread_create(&turns[n].thread, NULL, take_turn, &turns[n]))
		n++;
	take_turn(&turns[0]);
	for (int i = 1; i < n; i++)
		pthread_join(turns[i].thread, NULL);
	for (int i = 0; i < n; i++)
		failed |= turns[i].failed;
	return !failed && n == op->threads;
}

int main(int argc, char **argv)
{
	struct work work = { .fd = -1, .out = -1 };
	const struct operation *op = NULL;
	double start, cpu;
	long calls, warm_up;

	for (size_t i = 0; argc > 2 && i < N_OPERATIONS; i++)
		if (!strcmp(argv[1], operations[i].name) && argc == 4 - operations[i].no_file)
			op = &operations[i];
	calls = op ? atol(argv[argc - 1]) : 0;
	if (calls <= 0)
		return usage();
	if (!prepare(&work, op->no_file ? NULL : argv[2]))
		return fail("preparing");
	warm_up = WARM_UP / op->threads;
	if (op->once == do_stat_many && !make_many(&work))
		return fail("preparing");
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (!run(op, &work, warm_up))
		return fail(op->name);
	start = now_ns(CLOCK_MONOTONIC);
	if (!run(op, &work, calls))
		return fail(op->name);
	printf("%.1f %ld %.0f\n", (now_ns(CLOCK_MONOTONIC) - start) / (double)calls,
	       (calls + warm_up) * op->threads, now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	return 0;
}
