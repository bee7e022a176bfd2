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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/shown.h"
#include "commands/run_shim.h"
#include "dataset/session.h"
#include "platform/macros.h"

#define ENVIRONMENT_MAX (4 * 1024 * 1024) /* bytes of it that are taken over */
#define ANCESTORS_MAX 4                   /* sudo, and its monitor where it has a terminal */

/* ---- the invoking user, under sudo ---- */

/* The parent of process PID if that is sudo, else 0. */
static pid_t sudo_above(pid_t pid)
{
	char path[64], text[512], name[64];
	int parent = 0;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = 0;
	if (sscanf(text, "%*d (%63[^)]) %*c %d", name, &parent) != 2)
		return 0;
	return strcmp(name, "sudo") ? 0 : parent;
}

/* The first process that is sudo, of those right above us; 0: there is none. */
static pid_t outermost_sudo(void)
{
	pid_t pid = getppid(), sudo = 0, parent;

	for (int i = 0; i < ANCESTORS_MAX && (parent = sudo_above(pid)); i++) {
		sudo = pid;
		pid = parent;
	}
	return sudo;
}

/* Takes over the environment that process PID was started with: sudo's own is that of the user,
 * ours is what sudo has left of it. */
static void take_environment(pid_t pid)
{
	char path[64], *text = malloc(ENVIRONMENT_MAX);
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	f = text ? fopen(path, "re") : NULL;
	n = f ? fread(text, 1, ENVIRONMENT_MAX - 1, f) : 0;
	if (f)
		fclose(f);
	if (!n) {
		free(text);
		return;
	}
	text[n] = 0;
	clearenv();
	/* putenv() keeps TEXT. */
	for (size_t i = 0; i < n; i += strlen(text + i) + 1)
		if (strchr(text + i, '='))
			putenv(text + i);
}

struct run_user run_child__user(void)
{
	return (struct run_user){ outermost_sudo() };
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
	if (u->sudo)
		take_environment(u->sudo);
	else if (user)
		setenv("HOME", user->pw_dir, 1);
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

/* ---- the child ---- */

_Noreturn void run_child__not_executed(const char *name, int err)
{
	shown__line(stderr, "iotrc run: %s: %s", name, strerror(err));
	_exit(err == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTED);
}

static void become_command(const struct run_user *u, int gate, char **argv,
			   const struct run_engine *strace)
{
	int err = run_child__become(u);
	char go;

	if (err) {
		fprintf(stderr, "iotrc run: cannot become the invoking user: %s\n", strerror(-err));
		_exit(RUN_NOT_EXECUTED);
	}
	while ((err = (int)read(gate, &go, 1)) < 0 && errno == EINTR)
		;
	if (err != 1)
		_exit(RUN_NOT_EXECUTED);
	if (strace)
		run_child__not_executed("strace",
					-run_shim__execute(argv, strace->fifo, strace->errors));
	execvp(argv[0], argv);
	run_child__not_executed(argv[0], errno);
}

int run_child__new(struct run_child *ret, char **argv, const struct run_engine *strace)
{
	struct run_user user = run_child__user();
	int gate[2];

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	ret->pid = fork();
	if (!ret->pid) {
		close(gate[1]);
		become_command(&user, gate[0], argv, strace);
	}
	close(gate[0]);
	ret->gate = gate[1];
	if (ret->pid > 0)
		return 0;
	close(ret->gate);
	return -EAGAIN;
}

static pid_t command; /* that signals are passed on to */

static void pass_on(int signal, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	/* What the terminal sends, the command has, too. */
	if (signal == SIGTERM || info->si_code <= 0)
		kill(command, signal);
	errno = saved;
}

static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };

static void pass_signals(pid_t pid)
{
	struct sigaction action = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };

	command = pid;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

void run_child__start(struct run_child *c)
{
	ssize_t n;

	pass_signals(c->pid);
	n = write(c->gate, "", 1);
	(void)n; /* a child that is dead already is waited for all the same */
	close(c->gate);
}

void run_child__cancel(struct run_child *c)
{
	close(c->gate);
	waitpid(c->pid, NULL, 0);
}

int run_child__wait(struct run_child *c)
{
	siginfo_t info;
	int status = 0;

	/* Signals are passed on until it is dead, but not once its id may be another's. */
	while (waitid(P_PID, c->pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
	waitpid(c->pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- the rest of the tree ---- */

#define LOOK_MS 100 /* at our children, when no signal says that there is news */
#define CHILDREN "/proc/thread-self/children"

int run_child__adopt(void)
{
	if (access(CHILDREN, R_OK))
		return -errno;
	return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
}

/* Whether we have a child besides OTHER; what has ended is taken away. */
static bool have_children(pid_t other)
{
	FILE *f = fopen(CHILDREN, "re");
	bool any = false;
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid != other && waitpid(pid, NULL, WNOHANG) == 0)
			any = true;
	if (f)
		fclose(f);
	return any;
}

static void no_action(int signal)
{
}

void run_child__wait_for_rest(pid_t other)
{
	struct sigaction action = { .sa_handler = no_action };
	struct timespec look = { .tv_nsec = LOOK_MS * 1000000 };
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	/* Ignored signals don't wait. */
	sigaction(SIGCHLD, &action, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
	while (have_children(other)) {
		int got = sigtimedwait(&set, NULL, &look);

		if (got > 0 && got != SIGCHLD)
			break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
}
