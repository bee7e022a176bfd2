// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/socket_fd.h"

static int fd = -1;
static struct sockaddr_un address;
static socklen_t address_len;
static uint64_t watchdog_ns;

static uint64_t read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && atol(pid) != getpid()))
		return 0;
	return strtoull(usec, NULL, 10) * 1000;
}

int notify__begin(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int err = 0;

	if (len) {
		watchdog_ns = read_watchdog();
		if ((*path != '/' && *path != '@') || len < 2 || len >= sizeof(address.sun_path)) {
			err = -EINVAL;
		} else {
			address = (struct sockaddr_un){ .sun_family = AF_UNIX };
			memcpy(address.sun_path, path, len);
			if (*path == '@')
				*address.sun_path = 0; /* abstract: its length ends it */
			address_len = offsetof(struct sockaddr_un, sun_path) + len;
			fd = socket_fd__new(AF_UNIX, SOCK_DGRAM);
			err = fd < 0 ? fd : 0;
		}
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return err;
}

bool notify__wanted(void)
{
	return fd >= 0;
}

uint64_t notify__watchdog_ns(void)
{
	return fd >= 0 ? watchdog_ns : 0;
}

int notify__send(const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	if (fd < 0)
		return 0;
	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -EMSGSIZE;
	return sendto(fd, text, n, MSG_NOSIGNAL, (struct sockaddr *)&address, address_len) < 0 ?
		       -errno :
		       0;
}
