/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The address that a call gives, a struct sockaddr. */
#ifndef IOTRC_BPF_SOCKADDR_H
#define IOTRC_BPF_SOCKADDR_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/socket.h"
#include "bpf/uread.h"
#include "schema/records.h"

/* Whose memory an address is in: a call's, or what was kept of it. */
enum memory { OF_USER, OF_KERNEL };

static __always_inline long read_from(enum memory memory, void *to, u32 n, u64 from)
{
	return memory == OF_USER ? uread(to, n, from) : bpf_probe_read_kernel(to, n, (void *)from);
}

/* Puts what a call's sockaddr of LEN bytes says over one end: the remote one of a connect, which
 * an unconnected socket doesn't know, or the local one of a bind that failed. */
static __noinline bool end_from_address(struct conn_ends *ends, u64 address, u32 len, bool remote,
					enum memory memory)
{
	struct {
		u16 family, port;
		u32 v4;
		u8 v6[16];
	} sa = {};

	if (!ends || read_from(memory, &sa.family, sizeof(sa.family), address))
		return false;
	if (sa.family == AF_UNIX) {
		char *to = remote ? ends->un.remote : ends->un.local;
		u32 n = len - sizeof(u16);

		if (ends->family != AF_UNIX || len <= sizeof(u16))
			return false;
		if (n > UNIX_PATH_BYTES)
			n = UNIX_PATH_BYTES;
		if (read_from(memory, to, n, address + sizeof(u16)))
			return false;
		if (remote)
			ends->has_remote = n;
		else
			ends->has_local = n;
		return true;
	}
	if (sa.family == AF_INET && len >= 8) {
		if (read_from(memory, &sa, 8, address))
			return false;
	} else if (sa.family == AF_INET6 && len >= 24) {
		if (read_from(memory, &sa, sizeof(sa), address))
			return false;
	} else {
		return false;
	}
	if (ends->family != AF_INET && ends->family != AF_INET6)
		return false;
	if (sa.family == AF_INET) {
		u8 *to = remote ? ends->ip.remote : ends->ip.local;

		__builtin_memset(to, 0, 16);
		if (ends->family == AF_INET6) { /* as a v6 socket shows it: v4-mapped */
			to[10] = to[11] = 0xff;
			*(u32 *)(to + 12) = sa.v4;
		} else {
			*(u32 *)to = sa.v4;
		}
	} else {
		__builtin_memcpy(remote ? ends->ip.remote : ends->ip.local, sa.v6, 16);
	}
	if (remote) {
		ends->dport = bpf_ntohs(sa.port);
		ends->has_remote = 1;
	} else {
		ends->sport = bpf_ntohs(sa.port);
		ends->has_local = 1;
	}
	return true;
}

#endif
