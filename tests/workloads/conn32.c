// SPDX-License-Identifier: GPL-2.0-or-later
/* conn.c by i386's socketcall(), a single call for everything on sockets. With an argument: socket
 * options, for which it prints EVENT FD LEVEL NAME VALUE RESULT */
#ifdef __x86_64__

#include "calls32.h"

/* include/uapi/linux/net.h, whose names are those of system calls here */
enum {
	call_socket = 1,
	call_bind,
	call_connect,
	call_listen,
	call_accept,
	call_getsockname,
	call_shutdown = 13,
	call_setsockopt,
	call_getsockopt,
	call_accept4 = 18,
};
#define SOCKETCALL 102

static const unsigned char n_args[] = { 0, 3, 3, 3, 2, 3, 3, [13] = 2, 5, 5, [18] = 4 };
/* Bytes that an argument points to, by its position: an address, its length, an option's value, its
 * length. */
static const unsigned char pointed[] = { 0, 110, 4, 4, 4 };

/* Values that do not fit into 32 bits are pointers, and are copied to memory that i386 can reach.
 * The arguments are at its very end: nothing can be read after the last. */
static long socketcall(int call, const uint64_t *values)
{
	static char *low;
	uint32_t *args;
	long result;

	if (!low) {
		low = calls32__memory(8192);
		OK(SYS(munmap, low + 4096, 4096L));
	}
	args = (uint32_t *)(low + 4096) - n_args[call];
	for (int i = 0; i < n_args[call]; i++)
		args[i] = values[i] >> 32 && (int64_t)values[i] > 0 ?
				  (uintptr_t)memcpy(low + 128 * i, (void *)values[i], pointed[i]) :
				  values[i];
	result = SYS32(SOCKETCALL, call, (uintptr_t)args);
	for (int i = 0; i < n_args[call]; i++)
		if (args[i] == (uintptr_t)(low + 128 * i) && call != call_bind &&
		    call != call_connect)
			memcpy((void *)values[i], low + 128 * i, pointed[i]);
	return result;
}

#define WIDE(v) (uint64_t)(uintptr_t)(v)
#define SOCKET_(name, a, b, c, d, e, ...) \
	socketcall(call_##name, (uint64_t[]){ WIDE(a), WIDE(b), WIDE(c), WIDE(d), WIDE(e) })
#define SOCKET(name, ...) SOCKET_(name, __VA_ARGS__, 0, 0, 0, 0, 0)
int conn(void);
#define main conn
#include "conn.c"
#undef main

int main(int argc, char **argv)
{
	int fd, value = 1, len = sizeof(value);

	if (argc < 2)
		return conn();
	fd = OK(SOCKET(socket, AF_INET, SOCK_STREAM, 0));
	IS(0, SOCKET(setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(value)));
	printf("SET %d SOL_SOCKET SO_KEEPALIVE 1 0\n", fd);
	IS(0, SOCKET(getsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len));
	printf("GET %d SOL_SOCKET SO_KEEPALIVE %d 0\n", fd, value);
	FAILS(EFAULT, SYS32(SOCKETCALL, call_socket, 8)); /* no arguments there: no row */
	FAILS(EINVAL, SYS32(SOCKETCALL, 77, 8));
	return 0;
}

#else

int main(void)
{
	return 0;
}

#endif
