// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/end_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static void block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigprocmask(SIG_BLOCK, set, NULL);
}

#ifdef __linux__
#include <sys/signalfd.h>
#include <sys/syscall.h>

int end_watch__begin(struct end_watch *ret)
{
	sigset_t set;

	block(&set);
	*ret = (struct end_watch){ signalfd(-1, &set, SFD_CLOEXEC), -1 };
	return ret->signals < 0 ? -errno : 0;
}

int end_watch__begin_without_signals(struct end_watch *ret)
{
	*ret = (struct end_watch){ -1, -1 };
	return 0;
}

int end_watch__process(struct end_watch *w, pid_t pid)
{
	w->process = (int)syscall(SYS_pidfd_open, pid, 0);
	return w->process < 0 ? -errno : 0;
}

bool end_watch__wait(const struct end_watch *w, int timeout_ms)
{
	struct pollfd fds[] = { { .fd = w->signals, .events = POLLIN },
				{ .fd = w->process, .events = POLLIN } };

	return poll(fds, 2, timeout_ms) > 0;
}
#else
#include <sys/event.h>

/* One queue reports both, also blocked signals (kqueue(2), EVFILT_SIGNAL). */
int end_watch__begin(struct end_watch *ret)
{
	struct kevent changes[2];
	sigset_t set;

	block(&set);
	*ret = (struct end_watch){ kqueue(), -1 };
	EV_SET(&changes[0], SIGINT, EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
	EV_SET(&changes[1], SIGTERM, EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
	return ret->signals < 0 || kevent(ret->signals, changes, 2, NULL, 0, NULL) < 0 ? -errno : 0;
}

int end_watch__begin_without_signals(struct end_watch *ret)
{
	*ret = (struct end_watch){ kqueue(), -1 };
	return ret->signals < 0 ? -errno : 0;
}

int end_watch__process(struct end_watch *w, pid_t pid)
{
	struct kevent change;

	EV_SET(&change, pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
	return kevent(w->signals, &change, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

bool end_watch__wait(const struct end_watch *w, int timeout_ms)
{
	struct pollfd queue = { .fd = w->signals, .events = POLLIN };

	return poll(&queue, 1, timeout_ms) > 0;
}
#endif

void end_watch__close(struct end_watch *w)
{
	if (w->process >= 0)
		close(w->process);
	if (w->signals >= 0)
		close(w->signals);
}
