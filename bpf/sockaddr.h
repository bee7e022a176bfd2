/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The struct sockaddr that a call is given. */
#ifndef IOTRC_BPF_SOCKADDR_H
#define IOTRC_BPF_SOCKADDR_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/socket.h"
#include "bpf/uread.h"
#include "schema/records.h"

/* What an address points to: memory of the calling program, or a copy that was kept. */
enum memory { OF_USER, OF_KERNEL };

static __always_inline long read_from(enum memory memory, void *to, u32 n, u64 from)
{
	return memory == OF_USER ? uread(to, n, from) : bpf_probe_read_kernel(to, n, (void *)from);
}

#define SOCKADDR_BYTES 128 /* struct sockaddr_storage, the longest that the kernel takes */

struct given_address {
	u16 family, port;
	u32 v4;
	u8 v6[16];
};

/* Clears what the socket says about one end. */
static __always_inline void forget_end(struct conn_ends *ends, bool remote)
{
	if (remote)
		ends->has_remote = ends->dport = 0;
	else
		ends->has_local = ends->sport = 0;
}

/* Where an address of FAMILY goes that a call gave for one end. If the socket is of another family,
 * ENDS.given says which one it was, and a local address takes the place of the remote end too. */
static __always_inline void *given_place(struct conn_ends *ends, u16 family, bool remote)
{
	if (family != ends->family && !(family == AF_INET && ends->family == AF_INET6)) {
		ends->given = family;
		if (!remote)
			forget_end(ends, true);
	}
	if (ends->given || family == AF_UNIX)
		return remote ? ends->un.remote : ends->un.local;
	return remote ? ends->ip.remote : ends->ip.local;
}

static __always_inline bool unix_address(struct conn_ends *ends, u64 address, u32 len, bool remote,
					 enum memory memory)
{
	u32 n = len - sizeof(u16);

	if (len <= sizeof(u16))
		return false;
	if (n > UNIX_PATH_BYTES)
		n = UNIX_PATH_BYTES;
	if (read_from(memory, given_place(ends, AF_UNIX, remote), n, address + sizeof(u16)))
		return false;
	if (remote)
		ends->has_remote = n;
	else
		ends->has_local = n;
	return true;
}

static __always_inline bool ip_address(struct conn_ends *ends, const struct given_address *sa,
				       bool remote)
{
	u8 *to = given_place(ends, sa->family, remote);

	if (sa->family == AF_INET6) {
		__builtin_memcpy(to, sa->v6, 16);
	} else {
		__builtin_memset(to, 0, 16);
		if (ends->family == AF_INET6) { /* v4-mapped, as an IPv6 socket shows it */
			to[10] = to[11] = 0xff;
			*(u32 *)(to + 12) = sa->v4;
		} else {
			*(u32 *)to = sa->v4;
		}
	}
	if (remote) {
		ends->dport = bpf_ntohs(sa->port);
		ends->has_remote = 1;
	} else {
		ends->sport = bpf_ntohs(sa->port);
		ends->has_local = 1;
	}
	return true;
}

/* Replaces one end in ENDS by the struct sockaddr of LEN bytes at ADDRESS: the remote end for a
 * connect(), since an unconnected socket does not know it, or the local end for a bind() that
 * failed. ENDS may be of no socket. */
__subprog bool end_from_address(struct conn_ends *ends, u64 address, u32 len, bool remote,
				enum memory memory)
{
	struct given_address sa = {};

	if (!ends || len > SOCKADDR_BYTES || len < sizeof(sa.family) ||
	    read_from(memory, &sa.family, sizeof(sa.family), address))
		return false;
	if (sa.family == AF_UNIX)
		return unix_address(ends, address, len, remote, memory);
	if (sa.family == AF_INET && len >= 8) {
		if (read_from(memory, &sa, 8, address))
			return false;
	} else if (sa.family == AF_INET6 && len >= 24) {
		if (read_from(memory, &sa, sizeof(sa), address))
			return false;
	} else {
		return false;
	}
	return ip_address(ends, &sa, remote);
}

/* Takes the end that a call (CONN_CONNECT or CONN_BIND) was given, if its result RET means that the
 * socket itself does not have it. Returns whether it did. */
static __always_inline bool given_end(struct conn_ends *ends, u8 op, s64 ret, u64 address, u32 len,
				      enum memory memory)
{
	if (op != CONN_CONNECT && (op != CONN_BIND || ret >= 0))
		return false;
	if (ret < 0)
		forget_end(ends, op == CONN_CONNECT);
	return end_from_address(ends, address, len, op == CONN_CONNECT, memory);
}

#endif
