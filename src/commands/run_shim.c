// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/strace/shim.h"
#include "engine/strace/strace.h"
#include "options/command.h"

#define SHIM_ARGS 5 /* iotrc run --become SOCKET COMMAND */

/* A message with one descriptor, or with space for one. */
struct letter {
	struct msghdr message;
	struct iovec text;
	char byte;
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(__alignof__(struct cmsghdr))));
};

static struct msghdr *letter__new(struct letter *l)
{
	*l = (struct letter){ .text = { &l->byte, 1 } };
	l->message = (struct msghdr){ .msg_iov = &l->text,
				      .msg_iovlen = 1,
				      .msg_control = l->control,
				      .msg_controllen = sizeof(l->control) };
	return &l->message;
}

/* Puts descriptor FD into a socket. Returns the end from which it can be received, or a negative
 * errno. A datagram stays in the socket after the other end is closed. */
static int put_aside(int fd)
{
	struct letter l;
	struct msghdr *m = letter__new(&l);
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int ends[2], err = 0;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
		return -errno;
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(ends[0], m, 0) != 1)
		err = -errno;
	close(ends[0]);
	if (!err)
		return ends[1];
	close(ends[1]);
	return err;
}

static int take_back(int socket, int fd)
{
	struct letter l;
	struct msghdr *m = letter__new(&l);
	struct cmsghdr *c;
	int got;

	if (recvmsg(socket, m, 0) != 1)
		return -errno;
	c = CMSG_FIRSTHDR(m);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -EBADF;
	memcpy(&got, CMSG_DATA(c), sizeof(got));
	close(socket);
	if (got == fd)
		return 0;
	if (dup2(got, fd) < 0)
		return -errno;
	close(got);
	return 0;
}

int run_shim__execute(const struct run_plan *plan)
{
	char **argv = plan->argv;
	char self[PATH_MAX] = "", number[16];
	int socket = put_aside(STDERR_FILENO), other, err;
	size_t n = 0;
	char **all;

	while (argv[n])
		n++;
	all = calloc(SHIM_ARGS + n + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	if (socket < 0 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
		err = socket < 0 ? socket : -errno;
		free(all);
		return err;
	}
	snprintf(number, sizeof(number), "%d", socket);
	memcpy(all, (char *[]){ self, "run", STRACE_SHIM, number, (char *)plan->command->name },
	       SHIM_ARGS * sizeof(*all));
	memcpy(all + SHIM_ARGS, argv, n * sizeof(*all));
	all = strace__command(all, plan->strace->fifo);
	other = open(plan->strace->errors, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!all || other < 0 || dup2(other, STDERR_FILENO) < 0)
		return -errno;
	execvp(all[0], all);
	other = errno;
	take_back(socket, STDERR_FILENO);
	return -other;
}

void run_shim__become(char **argv)
{
	int err = take_back(atoi(argv[0]), STDERR_FILENO);
	const struct command *c = command__find(argv[1]);

	if (!err) {
		execvp(argv[2], argv + 2);
		err = -errno;
	}
	run_plan__not_executed(c, argv[2], -err);
}
