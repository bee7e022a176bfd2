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

/* What is read of a struct sockaddr_in or _in6. */
struct ip_address {
	u16 family, port;
	u32 v4;
	u8 v6[16];
};

static __always_inline bool unix_end(struct conn_ends *ends, u64 address, u32 len, bool remote,
				     enum memory memory)
{
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

static __always_inline void ip_end(struct conn_ends *ends, const struct ip_address *a, bool remote)
{
	u8 *to = remote ? ends->ip.remote : ends->ip.local;

	if (a->family == AF_INET6) {
		__builtin_memcpy(to, a->v6, 16);
	} else {
		__builtin_memset(to, 0, 16);
		if (ends->family == AF_INET6) { /* as a v6 socket shows it: v4-mapped */
			to[10] = to[11] = 0xff;
			*(u32 *)(to + 12) = a->v4;
		} else {
			*(u32 *)to = a->v4;
		}
	}
	if (remote) {
		ends->dport = bpf_ntohs(a->port);
		ends->has_remote = 1;
	} else {
		ends->sport = bpf_ntohs(a->port);
		ends->has_local = 1;
	}
}

/* Replaces one end of ENDS by the call's struct sockaddr, of LEN bytes at ADDRESS: the remote one of a
 * connect, which an unconnected socket doesn't know, or the local one of a bind that failed. */
static __noinline bool end_from_address(struct conn_ends *ends, u64 address, u32 len, bool remote,
					enum memory memory)
{
	struct ip_address a = {};

	if (!ends || read_from(memory, &a.family, sizeof(a.family), address))
		return false;
	if (a.family == AF_UNIX)
		return unix_end(ends, address, len, remote, memory);
	if (a.family == AF_INET && len >= 8) {
		if (read_from(memory, &a, 8, address))
			return false;
	} else if (a.family == AF_INET6 && len >= 24) {
		if (read_from(memory, &a, sizeof(a), address))
			return false;
	} else {
		return false;
	}
	if (ends->family != AF_INET && ends->family != AF_INET6)
		return false;
	ip_end(ends, &a, remote);
	return true;
}

#endif
