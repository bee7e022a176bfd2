// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/tcp_received.h"

#ifdef __linux__
#include <linux/tcp.h> /* glibc's netinet/tcp.h has only the first members */
#include <netinet/in.h>
#include <sys/socket.h>

uint64_t tcp_received__get(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? 0 : info.tcpi_bytes_received;
}
#else
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

uint64_t tcp_received__get(int fd)
{
	struct tcp_connection_info info = { 0 };
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_CONNECTION_INFO, &info, &len) ? 0 :
									       info.tcpi_rxbytes;
}
#endif
