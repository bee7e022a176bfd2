// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/temporary_dir.h"
#include "base/thread.h"
#include "commands/run_program.h"
#include "dataset/session.h"
#include "engine/engine.h"
#include "platform/descriptors.h"
#include "platform/privileges.h"

#define ERROR_LINES_MAX 20
#define PIPE_BYTES (1024 * 1024) /* the default maximum of an ordinary user */

static int choose_strace(struct run_engine *e, const struct command *c)
{
	char path[PATH_MAX];

	e->name = "strace";
	if (!run_program__find("strace", path))
		return 0;
	return command__cannot(
		c, "strace is not installed: install it (package strace), or run this as "
		   "root, for the bpf engine");
}

/* macOS' own tracers record the whole machine, and start with the recording. */
static int choose_macos(struct run_engine *e, const struct command *c, const char *name)
{
	char path[PATH_MAX];

	e->name = name;
	if (run_program__find(name, path))
		return command__cannot(c, "there is no %s here: it is a program of macOS", name);
	if (geteuid())
		return command__cannot(c, "%s needs root: use sudo", name);
	return 0;
}

/* Only eslogger itself knows whether it may use Endpoint Security: it is started to find out. */
static int choose_either(struct run_engine *e, const struct command *c)
{
	char path[PATH_MAX];
	int code;

	e->why = "macOS; --engine fs_usage does without Full Disk Access";
	code = choose_macos(e, c, "eslogger");
	if (!code && !run_program__find("fs_usage", path))
		e->other = "fs_usage";
	return code;
}

bool run_engine__take_other(struct run_engine *e)
{
	if (!e->other)
		return false;
	e->name = e->other;
	e->other = NULL;
	e->why = "eslogger does not start; --engine eslogger says why";
	return true;
}

int run_engine__choose(struct run_engine *e, const struct command *c, const char *word)
{
	*e = (struct run_engine){ .name = "bpf", .fd = -1 };
	if (word && !strcmp(word, "bpf") && !engine__find(word))
		return command__cannot(c, "--engine %s: it is an engine of Linux", word);
	if (word && !strcmp(word, "strace"))
		return choose_strace(e, c);
	if (word && (!strcmp(word, "eslogger") || !strcmp(word, "fs_usage")))
		return choose_macos(e, c, word);
	if (word && !strcmp(word, "macos"))
		return choose_either(e, c);
	if (word && !strcmp(word, "bpf"))
		return 0;
	if (word && strcmp(word, "auto") != 0) {
		command__usage(c, "--engine: bpf, strace, macos, eslogger, fs_usage or auto");
		return EXIT_USAGE;
	}
#ifdef __APPLE__
	return choose_either(e, c);
#else
	e->why = "root, or CAP_BPF and CAP_PERFMON";
	if (privileges__allow_bpf())
		return 0;
	e->why = privileges__in_user_namespace() ? "in a user namespace, where BPF is refused" :
						   "neither root, nor CAP_BPF and CAP_PERFMON";
	return choose_strace(e, c);
#endif
}

/* The user who runs the command owns DIR and the FIFO. */
static int make_fifo(struct run_engine *e)
{
	uid_t uid;
	gid_t gid;

	session__owner(&uid, &gid);
	if (asprintf(&e->dir, "%s/iotrc-strace-XXXXXX", temporary_dir()) < 0) {
		e->dir = NULL;
		return -ENOMEM;
	}
	if (!mkdtemp(e->dir))
		return -errno;
	if (asprintf(&e->fifo, "%s/output", e->dir) < 0) {
		e->fifo = NULL;
		return -ENOMEM;
	}
	if (asprintf(&e->errors, "%s/errors", e->dir) < 0) {
		e->errors = NULL;
		return -ENOMEM;
	}
	if (mkfifo(e->fifo, 0600))
		return -errno;
	if (uid != (uid_t)-1 && (lchown(e->fifo, uid, gid) || lchown(e->dir, uid, gid)))
		return -errno;
	e->fd = open(e->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (e->fd < 0)
		return -errno;
	descriptors__widen_pipe(e->fd, PIPE_BYTES);
	return 0;
}

int run_engine__begin(struct run_engine *e, const struct command *c)
{
	int err = strcmp(e->name, "strace") != 0 ? 0 : make_fifo(e);

	return err ? command__cannot(c, "cannot make a FIFO for strace: %s", strerror(-err)) : 0;
}

/* Reads and discards while strace writes; returns 0 at the end. */
static int discard(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[4096];

	for (;;) {
		ssize_t n = read(fd, text, sizeof(text));

		if (!n)
			return 0;
		if (n < 0 && (errno != EAGAIN || poll(&p, 1, -1) < 0) && errno != EINTR)
			return -errno;
	}
}

static void *outlive_recorder(void *arg)
{
	const struct run_engine *e = arg;
	siginfo_t info;

	while (waitid(P_PID, e->recorder, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	discard(e->fd);
	return NULL;
}

int run_engine__watch(struct run_engine *e, pid_t recorder)
{
	pthread_t thread;

	e->recorder = recorder;
	return e->fd < 0 ? 0 : thread__start(&thread, "iotrc-discard", outlive_recorder, e);
}

/* In a process of its own: reads as long as strace writes. Without a reader strace would exit, and
 * from then on each call that it traces would fail with ENOSYS (SECCOMP_RET_TRACE without a
 * tracer). */
static void keep_reading(int fd)
{
	int nothing = open("/dev/null", O_RDWR);

	setsid();
	for (int i = 0; i <= STDERR_FILENO; i++)
		(void)dup2(nothing, i);
	(void)dup2(fd, STDERR_FILENO + 1);
	descriptors__close_from(STDERR_FILENO + 2);
	_exit(chdir("/") || discard(STDERR_FILENO + 1));
}

static bool is_written_to(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[4096];
	ssize_t n;

	while ((n = read(fd, text, sizeof(text))) > 0)
		;
	/* Without writers, a read returns end of file; with one, there is no data yet. */
	return n < 0 && errno == EAGAIN && poll(&p, 1, 0) >= 0;
}

void run_engine__errors(const struct run_engine *e, void (*tell)(void *arg, const char *line),
			void *arg)
{
	FILE *f = e->errors ? fopen(e->errors, "re") : NULL;
	char line[512];

	for (int i = 0; f && i < ERROR_LINES_MAX && fgets(line, sizeof(line), f); i++) {
		line[strcspn(line, "\n")] = 0;
		tell(arg, line);
	}
	if (f)
		fclose(f);
}

void run_engine__end(struct run_engine *e)
{
	if (e->fifo)
		unlink(e->fifo);
	if (e->errors)
		unlink(e->errors);
	if (e->dir)
		rmdir(e->dir);
	if (e->fd >= 0 && is_written_to(e->fd) && !fork())
		keep_reading(e->fd);
	/* Its thread, if any, uses the descriptor until we exit. */
	if (e->fd >= 0 && !e->recorder)
		close(e->fd);
	free(e->fifo);
	free(e->errors);
	free(e->dir);
}
