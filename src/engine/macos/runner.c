// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <time.h>
#include <unistd.h>

#include "base/reap.h"

#define LOOK_MS 100
#define PATIENCE_MS 3000 /* for a dtrace that is to end, and writes the rest of its buffers */
#define DELAY_MS 1000    /* delay before a restart; doubled each time … */
#define DELAY_MAX_MS 60000
#define LASTED_MS 60000 /* … unless it has run for this long */
#define OURS_MAX 1024   /* descriptors that the runner closes */
#define PIPE_BYTES (1024 * 1024)

struct job {
	char *const *argv;
	int out, said, control; /* the runner's ends */
	pid_t child;            /* 0: none */
	bool ending;
};

/* Only functions that may be called between fork() and exec() in a program with threads: the runner
 * is forked and never executes anything itself. */
static void say(int fd, const char *text, int number)
{
	char line[64], digits[12];
	size_t len = 0, n = sizeof(digits);
	unsigned int rest = number < 0 ? 0 : (unsigned int)number;

	while (*text && len < sizeof(line) - sizeof(digits))
		line[len++] = *text++;
	do {
		digits[--n] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	while (n < sizeof(digits))
		line[len++] = digits[n++];
	line[len++] = '\n';
	(void)!write(fd, line, len);
}

static pid_t spawn(char *const argv[], int out, int said)
{
	pid_t pid = fork();
	int nothing;

	if (pid)
		return pid;
	nothing = open("/dev/null", O_RDWR);
	(void)dup2(nothing, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(said, STDERR_FILENO);
	execvp(argv[0], argv);
	say(STDERR_FILENO, "it cannot be executed: error ", errno);
	_exit(127);
}

static void nap(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* Ends the child with SIGNAL, or kills it. */
static void end_child(struct job *j, int signal)
{
	kill(j->child, signal);
	for (int ms = 0; ms < PATIENCE_MS; ms += LOOK_MS) {
		if (waitpid(j->child, NULL, WNOHANG) == j->child) {
			j->child = 0;
			return;
		}
		nap(LOOK_MS);
	}
	kill(j->child, SIGKILL);
	reap(j->child);
	j->child = 0;
}

/* Waits up to MS for a command of the engine, and executes it. */
static void listen_for(struct job *j, int ms)
{
	struct pollfd p = { .fd = j->control, .events = POLLIN };
	char word;

	if (poll(&p, 1, ms) <= 0)
		return;
	if (read(j->control, &word, 1) != 1 || word == RUNNER_END)
		j->ending = true;
	else if (word == RUNNER_RESTART && j->child)
		kill(j->child, SIGKILL);
}

/* The reader of dtrace's output sees its end at once, although the kernel may need long to remove
 * hundreds of probes. */
static void close_ours(struct job *j)
{
	close(j->out);
	close(j->said);
}

/* Waits until it ends, or is to end. Returns for how many ms it has run. */
static int wait_for_child(struct job *j)
{
	int status = 0, ms = 0;

	while (!j->ending) {
		listen_for(j, LOOK_MS);
		ms = MIN(ms + LOOK_MS, LASTED_MS);
		if (waitpid(j->child, &status, WNOHANG) == j->child) {
			j->child = 0;
			say(j->said, RUNNER_ENDED, reaped_code(status));
			return ms;
		}
	}
	close_ours(j);
	end_child(j, SIGINT);
	return ms;
}

static void run(struct job *j)
{
	int delay = DELAY_MS;

	while (!j->ending) {
		int lasted;

		j->child = spawn(j->argv, j->out, j->said);
		if (j->child < 0)
			j->child = 0;
		lasted = j->child ? wait_for_child(j) : 0;
		delay = lasted >= LASTED_MS ? DELAY_MS : delay;
		for (int ms = 0; ms < delay && !j->ending; ms += LOOK_MS)
			listen_for(j, LOOK_MS);
		delay = MIN(2 * delay, DELAY_MAX_MS);
	}
	_exit(0);
}

static void become_runner(struct job *j)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t none;
	int nothing;

	/* Ctrl+C is for iotrc, not for dtrace. */
	setsid();
	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		sigaction(s, &normal, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	nothing = open("/dev/null", O_RDWR);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		(void)dup2(nothing, fd);
	for (int fd = STDERR_FILENO + 1; fd < OURS_MAX; fd++)
		if (fd != j->out && fd != j->said && fd != j->control)
			close(fd);
	run(j);
}

static int make_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		if (pipe2(pipes[i], O_CLOEXEC))
			return -errno;
	(void)fcntl(pipes[0][0], F_SETFL, O_NONBLOCK);
	(void)fcntl(pipes[1][0], F_SETFL, O_NONBLOCK);
#ifdef F_SETPIPE_SZ
	(void)fcntl(pipes[0][1], F_SETPIPE_SZ, PIPE_BYTES); /* or as large as it is */
#endif
	return 0;
}

static void close_pipes(int pipes[3][2])
{
	for (int i = 0; i < 3; i++)
		for (int end = 0; end < 2; end++)
			if (pipes[i][end] >= 0)
				close(pipes[i][end]);
}

int runner__start(struct runner *ret, char *const argv[])
{
	int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, err = make_pipes(pipes);
	pid_t pid = err ? -1 : fork();

	if (!err && !pid)
		become_runner(
			&(struct job){ argv, pipes[0][1], pipes[1][1], pipes[2][0], 0, false });
	if (pid < 0) {
		err = err ? err : -errno;
		close_pipes(pipes);
		return err;
	}
	close(pipes[0][1]);
	close(pipes[1][1]);
	close(pipes[2][0]);
	*ret = (struct runner){ pipes[0][0], pipes[1][0], pipes[2][1] };
	return 0;
}

int runner__once(char *const argv[], char *ret, size_t size)
{
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	char rest[4096];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = spawn(argv, ends[1], ends[1]);
	close(ends[1]);
	while (pid > 0 &&
	       ((n = read(ends[0], rest, sizeof(rest))) > 0 || (n < 0 && errno == EINTR)))
		for (ssize_t i = 0; i < n && len + 1 < size; i++)
			ret[len++] = rest[i];
	ret[len] = 0;
	close(ends[0]);
	status = pid < 0 ? -ECHILD : reap(pid);
	if (status < 0)
		return -ECHILD;
	return reaped_code(status);
}
