// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/self_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/mman.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/reap.h"
#include "platform/macros.h"

#define FILE_BYTES (1u << 20)
#define PATIENCE_MS 20000

static int make_file(const char *dir)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof(path), "%s/iotrc-doctor-XXXXXX", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

/* Written to disk, dropped from the page cache, and read back by system calls and through a
 * mapping. */
static int do_file(const char *dir)
{
	static char data[FILE_BYTES];
	int fd = make_file(dir), err = 0;
	volatile char *map;

	if (fd < 0)
		return fd;
	if (write(fd, data, sizeof(data)) != sizeof(data) || fsync(fd)) {
		err = -errno;
	} else {
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		for (size_t at = 0; at < sizeof(data) / 2; at += 4096)
			if (pread(fd, data, 4096, at) != 4096)
				err = -EIO;
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		map = mmap(NULL, sizeof(data), PROT_READ, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED) {
			for (size_t at = 0; at < sizeof(data); at += 4096)
				(void)map[at];
			madvise((void *)map, sizeof(data), MADV_PAGEOUT);
			munmap((void *)map, sizeof(data));
		}
		if (ftruncate(fd, 0))
			err = -errno;
	}
	close(fd);
	return err;
}

static int do_process(const char *dir)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(0);
	if (child < 0)
		return -errno;
	status = reap(child);
	return status < 0 ? status : 0;
}

/* One fsync through a ring. */
static int do_uring(const char *dir)
{
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p), fd, err = 0;
	struct io_uring_sqe *sqe;
	char *sq;

	if (ring < 0)
		return -errno;
	fd = make_file(dir);
	sq = mmap(NULL, p.sq_off.array + 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		  IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (fd < 0) {
		err = fd;
	} else if (sq == MAP_FAILED || sqe == MAP_FAILED) {
		err = -errno;
	} else {
		*sqe = (struct io_uring_sqe){ .opcode = IORING_OP_FSYNC, .fd = fd };
		*(unsigned int *)(sq + p.sq_off.array) = 0;
		atomic_store((_Atomic unsigned int *)(sq + p.sq_off.tail), 1);
		if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
			err = -errno;
	}
	if (fd >= 0)
		close(fd);
	close(ring);
	return err;
}

static int close_both(int a, int b, int err)
{
	close(a);
	close(b);
	return err;
}

/* Accepts CLIENT's connection on SERVER, and sends a byte to it from CLIENT. */
static int pass_byte(int client, int server)
{
	int accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	char byte = 0;
	bool passed = accepted >= 0 && send(client, &byte, 1, MSG_NOSIGNAL) == 1 &&
		      recv(accepted, &byte, 1, 0) == 1;

	if (accepted >= 0)
		close(accepted);
	return passed ? 0 : -1;
}

/* Connects to a port of ours, and to one without a listener, whose answer is dropped. */
static int do_socket(const char *dir)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	socklen_t len = sizeof(a);

	if (bind(server, (struct sockaddr *)&a, len) ||
	    getsockname(server, (struct sockaddr *)&a, &len) || listen(server, 1) ||
	    connect(client, (struct sockaddr *)&a, len) || pass_byte(client, server))
		err = -errno;
	close(client);
	close(server);
	if (!err && sendto(datagram, "", 1, 0, (struct sockaddr *)&a, len) < 0)
		err = -errno;
	close(datagram);
	return err;
}

/* Sends a byte from FROM to TO, and closes both. ADDRESS: that of TO if FROM is not connected. On
 * this machine it has arrived when the call returns. */
static int pass_datagram(int from, int to, const struct sockaddr *address, socklen_t len)
{
	char byte = 0;
	bool passed = sendto(from, &byte, 1, MSG_NOSIGNAL, address, len) == 1 &&
		      recv(to, &byte, 1, MSG_DONTWAIT) == 1;

	return close_both(from, to, passed ? 0 : -errno);
}

/* A packet to the ADDRESS, without a port, of this machine. */
static int pass_packet(struct sockaddr *address, socklen_t len)
{
	int from = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int to = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(to, address, len) || getsockname(to, address, &len))
		return close_both(from, to, -errno);
	return pass_datagram(from, to, address, len);
}

static int do_udp(const char *dir)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return pass_packet((struct sockaddr *)&a, sizeof(a));
}

static int do_udp6(const char *dir)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return pass_packet((struct sockaddr *)&a, sizeof(a));
}

static int do_unix(const char *dir)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = pass_datagram(pair[0], pair[1], NULL, 0);
	if (err || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return err ? err : -errno;
	return pass_datagram(pair[0], pair[1], NULL, 0);
}

/* A directory with a file that is renamed, and both removed again. */
static int do_names(const char *dir)
{
	char path[4096], file[4104], other[4104];
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/iotrc-doctor-XXXXXX", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (!mkdtemp(path))
		return -errno;
	snprintf(file, sizeof(file), "%s/file", path);
	snprintf(other, sizeof(other), "%s/other", path);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || rename(file, other) || unlink(other))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (rmdir(path) && !err)
		err = -errno;
	return err;
}

static void ignore(int number)
{
}

static int do_signal(const char *dir)
{
	struct sigaction act = { .sa_handler = ignore }, before;

	if (sigaction(SIGUSR1, &act, &before) || raise(SIGUSR1))
		return -errno;
	return sigaction(SIGUSR1, &before, NULL) ? -errno : 0;
}

/* ---- the table ---- */

static const struct {
	const char *what, *provokes; /* targets of hooks, separated by blanks */
	int (*run)(const char *dir);
} tests[] = {
	{ "writing, syncing, reading and mapping a file",
	  " sys_enter sys_exit sys_* block_getrq block_rq_issue"
	  " block_rq_complete block_bio_queue mm_filemap_add_to_page_cache mm_filemap_delete_from_page_cache"
	  " mm_filemap_get_pages filemap_read generic_file_buffered_read mm_filemap_fault filemap_fault"
	  " mm_filemap_map_pages filemap_map_pages page_cache_sync_ra writeback_dirty_folio writeback_dirty_page"
	  " page_fault_user page-faults-maj page-faults-min ",
	  do_file },
	{ "starting and ending a process",
	  " sched_process_fork sched_process_exit sched_process_free ", do_process },
	{ "an fsync through io_uring",
	  " io_uring_submit_req io_uring_submit_sqe io_uring_complete ", do_uring },
	{ "a TCP connection and a packet to a port without a listener",
	  " inet_sock_set_state tcp_rcv_space_adjust kfree_skb sock_send_length sock_recv_length"
	  " sock_close ",
	  do_socket },
	{ "a UDP packet over IPv4", " udp_sendmsg udp_recvmsg ", do_udp },
	{ "a UDP packet over IPv6", " udpv6_sendmsg udpv6_recvmsg ", do_udp6 },
	{ "a stream and a datagram of unix sockets",
	  " unix_stream_sendmsg unix_stream_recvmsg unix_dgram_sendmsg __unix_dgram_recvmsg"
	  " unix_dgram_recvmsg ",
	  do_unix },
	{ "renaming and removing a file, and removing a directory",
	  " do_getname putname security_inode_unlink security_inode_rmdir security_inode_rename ",
	  do_names },
	{ "a signal", " signal_generate signal_deliver ", do_signal },
};
#define COUNT ARRAY_SIZE(tests)
_Static_assert(COUNT <= SELF_TEST_MAX, "self_test.results has a place for each");

static const struct {
	const char *target, *why;
} rare[] = {
	{ "io_uring_req_failed", "an io_uring request that is refused" },
	{ "io_uring_cqe_overflow", "a program that is slow to reap io_uring completions" },
	{ "__io_submit_flush_completions", "an io_uring request with IOSQE_CQE_SKIP_SUCCESS" },
	{ "io_req_complete_post", "such a request run by a worker thread" },
	{ "io_wq_free_work", "such a request run by a worker thread" },
	{ "block_bio_frontmerge", "a request merged in front of an adjacent one" },
	{ "block_rq_insert", "a disk with an I/O scheduler" },
	{ "block_bio_complete", "a bio-based disk, such as md or dm" },
	{ "page_cache_async_ra", "a long sequential read" },
	{ "page_cache_ra_unbounded", "a read-ahead of small folios" },
	{ "page_cache_ra_order", "a read-ahead of large folios" },
	{ "mm_vmscan_lru_shrink_inactive", "memory pressure" },
	{ "mm_vmscan_reclaim_pages", "madvise(MADV_PAGEOUT) of pages mapped only once" },
	{ "__blk_throtl_bio", "a limit (io.max) on a disk" },
	{ "blk_throtl_bio", "a disk that limits can be set for" },
	{ "writeback_queue", "sync(2) of a file system" },
	{ "writeback_start", "dirty pages that are old or many, or sync(2)" },
	{ "writeback_written", "dirty pages that are old or many, or sync(2)" },
	{ "page_fault_kernel", "a page fault inside a system call" },
	{ "tcp_retransmit_skb", "a lost TCP segment" },
	{ "tcp_retransmit_synack", "a lost TCP handshake packet" },
};

static const char *target_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

int self_test__of(const char *name)
{
	char word[128];

	snprintf(word, sizeof(word), " %s ", target_of(name));
	for (size_t i = 0; i < COUNT; i++)
		if (strstr(tests[i].provokes, word))
			return (int)i;
	return -1;
}

const char *self_test__what(int index)
{
	return tests[index].what;
}

const char *self_test__rare(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rare); i++)
		if (!strcmp(rare[i].target, target_of(name)))
			return rare[i].why;
	return NULL;
}

/* ---- the process ---- */

static void perform(const char *dir, int go_fd, int done_fd)
{
	int results[SELF_TEST_MAX] = { 0 };
	char byte;
	ssize_t n;

	/* The process that started this one has ended. */
	if (read(go_fd, &byte, 1) != 1)
		return;
	for (size_t i = 0; i < COUNT; i++)
		results[i] = tests[i].run(dir);
	n = write(done_fd, results, sizeof(results));
	(void)n;
}

int self_test__begin(struct self_test *e, const char *dir)
{
	int go[2], done[2];
	pid_t child;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(done, O_CLOEXEC)) {
		close(go[0]);
		close(go[1]);
		return -errno;
	}
	fflush(NULL);
	child = fork();
	if (!child) {
		/* The process in between exits, so that the other has no known ancestor. */
		if (fork() == 0) {
			close(go[1]);
			close(done[0]);
			perform(dir, go[0], done[1]);
		}
		_exit(0);
	}
	close(go[0]);
	close(done[1]);
	e->go_fd = go[1];
	e->done_fd = done[0];
	if (child < 0)
		return -EAGAIN;
	reap(child);
	return 0;
}

int self_test__run(struct self_test *e)
{
	struct pollfd p = { .fd = e->done_fd, .events = POLLIN };
	int err = write(e->go_fd, "", 1) == 1 ? 0 : -errno;

	if (!err && poll(&p, 1, PATIENCE_MS) != 1)
		err = -ETIMEDOUT;
	if (!err && read(e->done_fd, e->results, sizeof(e->results)) != sizeof(e->results))
		err = -ECHILD;
	close(e->go_fd);
	close(e->done_fd);
	return err;
}
