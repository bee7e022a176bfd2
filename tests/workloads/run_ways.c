// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways to reach a file, for `iotrc run`: each argument names one, which has a directory of its own
 * with a file `in` that it reads, and creates a file `out` there. Nothing is opened read-only if
 * another way is to read it. Linked statically: an LD_PRELOAD sees nothing. */
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifdef __x86_64__
#include "calls32.h"
#endif
#include "uring.h"

#define CHILDREN 1000

static const char *self; /* this program */
static char buf[4096];

static int both(const char *name)
{
	return OK(SYS(openat, AT_FDCWD, name, O_RDWR));
}

static int made(const char *name)
{
	return OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
}

static void by_raw(void)
{
	long n = OK(SYS(read, both("in"), buf, sizeof(buf)));

	OK(SYS(write, made("out"), buf, n));
}

static void by_splice(void)
{
	int pipe_fds[2];

	OK(pipe(pipe_fds));
	IS(3, splice(both("in"), NULL, pipe_fds[1], NULL, 3, 0));
	IS(3, splice(pipe_fds[0], NULL, made("out"), NULL, 3, 0));
}

static void by_sendfile(void)
{
	IS(3, sendfile(made("out"), both("in"), NULL, 3));
}

static void by_copy_file_range(void)
{
	IS(3, copy_file_range(both("in"), NULL, made("out"), NULL, 3, 0));
}

static void by_vectors(void)
{
	struct iovec two[] = { { buf, 1 }, { buf + 1, 2 } };

	IS(3, preadv(both("in"), two, 2, 0));
	IS(3, pwritev(made("out"), two, 2, 0));
}

static void by_mapping(void)
{
	int out = OK(open("out", O_RDWR | O_CREAT, 0644));
	char *from = mmap(NULL, 3, PROT_READ, MAP_SHARED, both("in"), 0), *to;

	OK(ftruncate(out, 3));
	to = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
	memcpy(to, from, 3);
}

static void by_aio(void)
{
	aio_context_t context = 0;
	struct iocb read_it = { .aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_fildes = both("in"),
				.aio_buf = (uintptr_t)buf,
				.aio_nbytes = 3 };
	struct iocb write_it = { .aio_lio_opcode = IOCB_CMD_PWRITE,
				 .aio_fildes = made("out"),
				 .aio_buf = (uintptr_t)buf,
				 .aio_nbytes = 3 };
	struct iocb *one[] = { &read_it }, *other[] = { &write_it };
	struct io_event event;

	OK(SYS(io_setup, 2, &context));
	IS(1, SYS(io_submit, context, 1, one));
	IS(1, SYS(io_getevents, context, 1, 1, &event, NULL));
	IS(1, SYS(io_submit, context, 1, other));
	IS(1, SYS(io_getevents, context, 1, 1, &event, NULL));
}

static void by_uring(void)
{
	struct ring ring;
	struct io_uring_sqe *sqe;
	int in, out;

	if (ring__new(&ring, 0))
		exit(77);
	sqe = ring__next(&ring, IORING_OP_OPENAT, AT_FDCWD);
	sqe->addr = (uintptr_t) "in";
	sqe->open_flags = O_RDWR;
	in = ring__one(&ring);
	sqe = ring__next(&ring, IORING_OP_OPENAT, AT_FDCWD);
	sqe->addr = (uintptr_t) "out";
	sqe->open_flags = O_WRONLY | O_CREAT;
	sqe->len = 0644;
	out = ring__one(&ring);
	sqe = ring__next(&ring, IORING_OP_READ, in);
	sqe->addr = (uintptr_t)buf;
	sqe->len = 3;
	IS(3, ring__one(&ring));
	sqe = ring__next(&ring, IORING_OP_WRITE, out);
	sqe->addr = (uintptr_t)buf;
	sqe->len = 3;
	IS(3, ring__one(&ring));
}

#ifdef __x86_64__
/* open, read, creat, write by i386's numbers */
static void by_32_bits(void)
{
	char *low = calls32__memory(4096);
	int in, out;

	strcpy(low, "in");
	in = OK((int)SYS32(5, (uintptr_t)low, O_RDWR));
	strcpy(low, "out");
	out = OK((int)SYS32(8, (uintptr_t)low, 0644));
	IS(3, (int)SYS32(3, in, (uintptr_t)low, 3));
	IS(3, (int)SYS32(4, out, (uintptr_t)low, 3));
}
#endif

static void by_proc(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%ld", OK(open("in", O_PATH)));
	fd = OK(open(path, O_RDWR));
	IS(3, read(fd, buf, 3));
	snprintf(path, sizeof(path), "/dev/fd/%ld", OK(open("out", O_PATH)));
	IS(3, write(OK(open(path, O_WRONLY | O_TRUNC)), buf, 3));
}

/* Its first name is not touched. */
static void by_link(void)
{
	OK(link("in", "other"));
	IS(3, read(both("other"), buf, 3));
	OK(link("other", "out"));
}

static void by_tmpfile(void)
{
	char path[64];
	int fd = OK(open(".", O_TMPFILE | O_WRONLY, 0644));

	IS(3, read(both("in"), buf, 3));
	IS(3, write(fd, buf, 3));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, path, AT_FDCWD, "out", AT_SYMLINK_FOLLOW));
}

/* ---- other processes, each a program of its own ---- */

static void become(const char *what, const char *argument)
{
	execl(self, self, what, argument, NULL);
	exit(98);
}

static void wait_well(void)
{
	int status;

	OK(wait(&status));
	IS(0, status);
}

static void receive(int socket)
{
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec iov = { buf, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fds[2];

	IS(1, recvmsg(socket, &m, 0));
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fds));
	IS(3, read(fds[0], buf, 3));
	IS(3, write(fds[1], buf, 3));
}

/* The process that receives them reads and writes. */
static void by_passing(void)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = "", number[16];
	struct iovec iov = { buf, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int ends[2], fds[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	snprintf(number, sizeof(number), "%d", ends[1]);
	if (!OK(fork()))
		become("receive", number);
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fds)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS };
	fds[0] = both("in");
	fds[1] = made("out");
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	IS(1, sendmsg(ends[0], &m, 0));
	wait_well();
}

static void move_on(void)
{
	IS(3, read(0, buf, 3));
	IS(3, write(1, buf, 3));
}

/* As a shell redirects. */
static void by_inheriting(void)
{
	if (!OK(fork())) {
		OK(dup2(both("in"), 0));
		OK(dup2(made("out"), 1));
		become("move_on", "");
	}
	wait_well();
}

static void *execute(void *arg)
{
	OK(dup2(both("in"), 0));
	OK(dup2(made("out"), 1));
	become("move_on", "");
	return NULL;
}

/* A thread other than the first executes a program: the others end. */
static void by_thread(void)
{
	pthread_t thread;

	if (!OK(fork())) {
		pthread_create(&thread, NULL, execute, NULL);
		for (;;)
			pause();
	}
	wait_well();
}

static void *go_down(void *arg)
{
	OK(mkdir("sub", 0755));
	OK(chdir("sub"));
	return NULL;
}

/* All threads share the working directory. */
static void by_changed_directory(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, go_down, NULL);
	pthread_join(thread, NULL);
	OK(SYS(renameat2, AT_FDCWD, "../in", AT_FDCWD, "moved", 0));
	OK(SYS(renameat2, AT_FDCWD, "moved", AT_FDCWD, "../out", 0));
	OK(SYS(chdir, ".."));
}

/* Each lives only as long as it takes to create a file. */
static void by_children(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		char name[16];

		if (OK(fork()))
			continue;
		snprintf(name, sizeof(name), "child%04d", i);
		made(name);
		_exit(0);
	}
	for (int i = 0; i < CHILDREN; i++)
		wait_well();
}

/* clang-format off */
static const struct {
	const char *name;
	void (*go)(void);
} ways[] = {
	{ "raw", by_raw }, { "splice", by_splice }, { "sendfile", by_sendfile },
	{ "copy_file_range", by_copy_file_range }, { "vectors", by_vectors }, { "mapping", by_mapping },
	{ "aio", by_aio }, { "uring", by_uring }, { "proc", by_proc }, { "link", by_link },
	{ "tmpfile", by_tmpfile }, { "passing", by_passing }, { "inheriting", by_inheriting },
	{ "thread", by_thread }, { "changed_directory", by_changed_directory }, { "children", by_children },
#ifdef __x86_64__
	{ "32_bits", by_32_bits },
#endif
};
/* clang-format on */

static void go(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(ways[i].name, name)) {
			OK(chdir(name));
			ways[i].go();
			OK(chdir(".."));
			return;
		}
	exit(99);
}

int main(int argc, char **argv)
{
	static char path[4096];

	OK(readlink("/proc/self/exe", path, sizeof(path) - 1));
	self = path;
	if (argc > 2 && !strcmp(argv[1], "receive"))
		receive(atoi(argv[2]));
	else if (argc > 2 && !strcmp(argv[1], "move_on"))
		move_on();
	else
		for (int i = 1; i < argc; i++)
			go(argv[i]);
	return 0;
}
