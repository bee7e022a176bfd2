// SPDX-License-Identifier: GPL-2.0-or-later
/* Plays the manager's side of sd_notify(3)'s protocol; `make check-service` tests with systemd
 * itself. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

static int listener(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(a.sun_path, path, strlen(path));
	if (*path == '@')
		*a.sun_path = 0;
	cr_assert_eq(bind(fd, (struct sockaddr *)&a,
			  offsetof(struct sockaddr_un, sun_path) + strlen(path)),
		     0);
	return fd;
}

static void hears(int fd, const char *text)
{
	char buf[2048];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	cr_assert_geq(n, 0, "nothing was sent");
	buf[n] = 0;
	cr_assert_str_eq(buf, text);
}

Test(notify, to_an_abstract_socket)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "@iotrc-notify-%d", getpid());
	fd = listener(path);
	setenv("NOTIFY_SOCKET", path, 1);
	cr_assert_eq(notify__begin(), 0);
	cr_assert(notify__wanted());
	cr_assert_null(getenv("NOTIFY_SOCKET"));
	cr_assert_eq(notify__watchdog_ns(), 0);
	cr_assert_eq(notify__send("READY=1\nSTATUS=%d rows", 97), 0);
	hears(fd, "READY=1\nSTATUS=97 rows");
}

Test(notify, to_a_path_and_the_watchdog)
{
	char path[64], pid[32], big[2000];
	int fd;

	snprintf(path, sizeof(path), "/tmp/iotrc-notify-%d", getpid());
	fd = listener(path);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(notify__begin(), 0);
	cr_assert_eq(notify__watchdog_ns(), UINT64_C(30000000000));
	cr_assert(!getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"));
	cr_assert_eq(notify__send("WATCHDOG=1"), 0);
	hears(fd, "WATCHDOG=1");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	cr_assert_eq(notify__send("STATUS=%s", big), -EMSGSIZE);
	/* A manager that does not read, or has ended, does not block us. */
	for (int i = 0; i < 100000; i++)
		if (notify__send("WATCHDOG=1") == -EAGAIN)
			break;
	cr_assert_eq(notify__send("WATCHDOG=1"), -EAGAIN);
	close(fd);
	cr_assert_eq(notify__send("WATCHDOG=1"), -ECONNREFUSED);
	unlink(path);
	cr_assert_eq(notify__send("WATCHDOG=1"), -ENOENT);
}

Test(notify, where_there_is_no_manager)
{
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "30000000", 1);
	cr_assert_eq(notify__begin(), 0);
	cr_assert(!notify__wanted());
	cr_assert_eq(notify__watchdog_ns(), 0);
	cr_assert_eq(notify__send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "not/absolute", 1);
	cr_assert_eq(notify__begin(), -EINVAL);
	cr_assert(!notify__wanted());
}

Test(notify, a_watchdog_that_is_another_s)
{
	char path[64];

	snprintf(path, sizeof(path), "@iotrc-notify-%d", getpid());
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(notify__begin(), 0);
	cr_assert_eq(notify__watchdog_ns(), 0);
}
