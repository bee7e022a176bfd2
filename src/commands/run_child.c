// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/reap.h"
#include "commands/run_shim.h"
#include "dataset/session.h"
#include "platform/descendants.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/process_files.h"
#include "platform/socket_fd.h"
#include "platform/terminal_signal.h"

#define ENVIRONMENT_MAX (4 * 1024 * 1024) /* bytes of the environment that are taken over */

/* ---- the invoking user, under sudo ---- */

/* Returns our parent if that is sudo, or the monitor that sudo forks when it allocates a terminal,
 * which still has sudo's environment; else 0. Sudo may itself be run by sudo, for another user. */
static pid_t sudo_above(void)
{
	char name[PROCESS_PROGRAM_SIZE];
	pid_t parent = getppid();

	return process_files__program(parent, name) || strcmp(name, "sudo") != 0 ? 0 : parent;
}

/* Takes over the environment with which process PID was started: sudo has the user's; ours is what
 * sudo has left of it. Returns whether it could be read. */
static bool take_environment(pid_t pid)
{
	char *text = malloc(ENVIRONMENT_MAX);
	ssize_t n = text ? process_files__environment(pid, text, ENVIRONMENT_MAX - 1) : 0;

	if (n <= 0) {
		free(text);
		return false;
	}
	text[n] = 0;
	clearenv();
	/* putenv() keeps TEXT. */
	for (size_t i = 0; i < (size_t)n; i += strlen(text + i) + 1)
		if (strchr(text + i, '='))
			putenv(text + i);
	return true;
}

struct run_user run_child__user(void)
{
	return (struct run_user){ sudo_above() };
}

int run_child__become(const struct run_user *u)
{
	struct passwd *user;
	uid_t uid;
	gid_t gid;

	session__owner(&uid, &gid);
	if (uid == (uid_t)-1)
		return 0;
	user = getpwuid(uid);
	if (user ? initgroups(user->pw_name, gid) : setgroups(1, &gid))
		return -errno;
	if (!(u->sudo && take_environment(u->sudo)) && user)
		setenv("HOME", user->pw_dir, 1);
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

/* ---- the child ---- */

static void become_command(const struct run_user *u, int gate, const struct run_plan *plan)
{
	const struct run_engine *strace = plan->strace;
	int err = run_child__become(u);
	char go;

	if (err) {
		command__cannot(plan->command, "cannot become the invoking user: %s",
				strerror(-err));
		_exit(RUN_NOT_EXECUTED);
	}
	while ((err = (int)read(gate, &go, 1)) < 0 && errno == EINTR)
		;
	if (err != 1)
		_exit(RUN_NOT_EXECUTED);
	if (strace)
		run_plan__not_executed(plan->command, "strace", -run_shim__execute(plan));
	execvp(plan->argv[0], plan->argv);
	run_plan__not_executed(plan->command, plan->argv[0], errno);
}

/* ---- signals ---- */

static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
static pid_t running;                       /* the child that they are passed on to */
static char running_stat[32];               /* its /proc/PID/stat */
static volatile sig_atomic_t end_requested; /* by a signal after the end of the child */

#define FIELDS_TO_THREADS \
	17 /* of /proc/PID/stat, from the state to the number of threads (proc(5)) */

/* Whether the child is a zombie, and no thread of it runs on. Its parent cannot wait for it before
 * its tracer has (ptrace(2)). */
static bool is_zombie(void)
{
	char text[512], *at;
	int fd = open(running_stat, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')');
	if (!at || strncmp(at, ") Z", 3) != 0)
		return false;
	at += 2;
	for (int i = 0; at && i < FIELDS_TO_THREADS; i++)
		at = strchr(at + 1, ' ');
	return at && !strncmp(at, " 1 ", 3);
}

/* For the handler of signals. */
static bool has_ended(void)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, running, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid ||
	       is_zombie();
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (has_ended())
		end_requested = 1;
	/* The terminal sends a signal to the command as well. */
	else if (signal == SIGTERM || !terminal_signal__is(info))
		kill(running, signal);
	errno = saved;
}

static void block_signals(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

static void pass_signals(pid_t pid)
{
	struct sigaction action = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };

	running = pid;
	snprintf(running_stat, sizeof(running_stat), "/proc/%d/stat", (int)pid);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* ---- from the outside ---- */

static bool adopts; /* the command's descendants are waited for, too */

int run_child__new(struct run_child *ret, const struct run_plan *plan)
{
	struct run_user user = run_child__user();
	sigset_t old;
	int gate[2], err;

	/* A socket, so that a child that is dead already causes no SIGPIPE. */
	err = socket_fd__pair(gate);
	if (err)
		return err;
	/* No signal ends us while the recorder starts: our temporary files would be left behind. */
	block_signals(&old);
	ret->pid = fork();
	if (ret->pid > 0)
		pass_signals(ret->pid);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!ret->pid) {
		close(gate[1]);
		become_command(&user, gate[0], plan);
	}
	close(gate[0]);
	ret->gate = gate[1];
	if (ret->pid > 0)
		return 0;
	close(ret->gate);
	return -EAGAIN;
}

void run_child__start(struct run_child *c)
{
	/* A child that is dead already is still waited for. */
	(void)send(c->gate, "", 1, MSG_NOSIGNAL);
	close(c->gate);
}

void run_child__cancel(struct run_child *c)
{
	close(c->gate);
	reap(c->pid);
}

int run_child__wait(struct run_child *c)
{
	if (adopts)
		descendants__follow(c->pid);
	return reaped_code(reap(c->pid));
}

/* ---- the rest of the tree ---- */

#define LOOK_MS 100 /* between two checks of our children if no signal comes */

int run_child__adopt(void)
{
	int err = descendants__prepare();

	adopts = !err;
	return err;
}

static void no_action(int signal)
{
}

void run_child__wait_for_rest(pid_t other)
{
	struct sigaction action = { .sa_handler = no_action };
	struct timespec look = { .tv_nsec = LOOK_MS * 1000000 };
	sigset_t news, old;

	/* A signal that comes between two checks waits for the next one. */
	block_signals(&old);
	sigemptyset(&news);
	sigaddset(&news, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &news, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&news, signals[i]);
	/* Ignored signals would not stay pending. */
	sigaction(SIGCHLD, &action, NULL);
	while (!end_requested && descendants__any(other)) {
		int got = sigtimedwait(&news, NULL, &look);

		end_requested = got > 0 && got != SIGCHLD;
	}
	if (!descendants__all_known())
		fputs("iotrc: the command has too many descendants: some are not waited for\n",
		      stderr);
	signal(SIGCHLD, SIG_DFL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}
