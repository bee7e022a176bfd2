// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/record_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "options/command.h"
#include "platform/libc.h"
#include "platform/macros.h"

struct record_signals record_signals = { .wake_fd = -1 };
static int waking_fd = -1; /* the other end of the pipe */

void record_signals__wake(void)
{
	ssize_t n = write(waking_fd, "", 1);

	(void)n; /* full is awake enough */
}

/* Dies of SIGNAL, since there is nothing to end: a shell or a service manager then knows that it
 * was stopped. Any other write might block. */
static void die_of(int signal)
{
	static const char text[] = "iotrc: " RECORD_SIGNALS_EARLY "\n";
	struct sigaction normal = { .sa_handler = SIG_DFL };
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0) > 0 && p.revents & POLLOUT)
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	sigaction(signal, &normal, NULL);
	raise(signal); /* delivered when the handler returns */
}

/* Only exits: any write might block. */
static void note_signal_of_recording(int signal)
{
	int saved = errno;

	if (signal == SIGHUP) {
		record_signals.rotate_requested = 1;
	} else if (signal == SIGUSR1) {
		record_signals.counters_requested = 1;
	} else if (record_signals.recorded) {
		_exit(record_signals.code_recorded);
	} else if (record_signals.loading) {
		die_of(signal);
	} else if (record_signals.stops++) {
		_exit(EXIT_LOST);
	}
	record_signals__wake();
	errno = saved;
}

int record_signals__catch(void)
{
	struct sigaction action = { .sa_handler = note_signal_of_recording,
				    .sa_flags = SA_RESTART };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	record_signals.wake_fd = fds[0];
	waking_fd = fds[1];
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
	/* A recording goes on if the reader of its stdout or stderr exits. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that is too large is an error of the write */
	return 0;
}
