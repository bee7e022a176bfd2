// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/reap.h"
#include "commands/record.h"
#include "options/command.h"
#include "options/options.h"
#include "platform/descriptors.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/parent_end.h"

/* Descriptor READY gets the session's path once it records. */
static void record(pid_t pid, const char *dir, const struct run_rows *rows,
		   const struct run_engine *tracer, pid_t parent, int ready, int says)
{
	char number[16], message[OPTIONS_MESSAGE_MAX];
	char *argv[] = { "iotrc",    "-q",        "--streams", "fs",   "--no-snapshots",
			 "--output", (char *)dir, "--pid",     number, NULL };
	int nothing = open("/dev/null", O_RDONLY), argc = ARRAY_SIZE(argv) - 1;
	struct options o;

	setpgid(0, 0);
	snprintf(number, sizeof(number), "%d", pid);
	if (dup2(nothing, STDIN_FILENO) < 0 || dup2(ready, STDOUT_FILENO) < 0 ||
	    dup2(says, STDERR_FILENO) < 0)
		_exit(EXIT_CANNOT);
	descriptors__close_from(STDERR_FILENO + 1);
	if (parent_end__signal(SIGTERM, parent))
		_exit(EXIT_CANNOT);
	/* strace writes only about PID and its descendants. */
	if (tracer->fifo)
		argc -= 2;
	argv[argc] = NULL;
	if (options__parse(&o, argc, argv, message)) {
		fprintf(stderr, "%s\n", message);
		_exit(EXIT_CANNOT);
	}
	o.selection.ops = rows->ops;
	o.distinct = rows->distinct;
	o.strace = tracer->fifo;
	o.engine = tracer->name;
	exit(record__run(&o));
}

int run_recorder__start(struct run_recorder *r, pid_t pid, const char *dir,
			const struct run_rows *rows, const struct run_engine *tracer)
{
	pid_t parent = getpid();
	int ready[2];
	char byte;
	ssize_t n;

	r->says = tmpfile();
	if (!r->says || pipe2(ready, O_CLOEXEC))
		return -errno;
	r->pid = fork();
	if (!r->pid)
		record(pid, dir, rows, tracer, parent, ready[1], fileno(r->says));
	close(ready[1]);
	if (r->pid < 0) {
		close(ready[0]);
		return -EAGAIN;
	}
	while ((n = read(ready[0], &byte, 1)) < 0 && errno == EINTR)
		;
	/* The rest of the path stays in the pipe, as it is short. */
	if (n == 1)
		return 0;
	close(ready[0]);
	run_recorder__stop(r);
	return -ECHILD;
}

int run_recorder__stop(struct run_recorder *r)
{
	int status;

	kill(r->pid, SIGINT);
	status = reap(r->pid);
	rewind(r->says);
	return status;
}

void run_recorder__clear(struct run_recorder *r)
{
	if (r->says)
		fclose(r->says);
}
