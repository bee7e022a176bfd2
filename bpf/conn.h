/* SPDX-License-Identifier: GPL-2.0-only */
/* The two ends of a socket, from the socket itself and from a call's struct sockaddr. */
#ifndef IOTRC_CONN_H
#define IOTRC_CONN_H

#include "kread.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

static __always_inline u16 swap16(u16 v)
{
	return __builtin_bswap16(v);
}

static __always_inline u8 unix_path(u64 unix_sock, char *to)
{
	u64 address = unix_sock ? kread(unix_sock, unix_sock, addr) : 0;
	int len;

	if (!address)
		return 0;
	len = (int)kread(address, unix_address, len) - (int)sizeof(u16); /* sun_family */
	if (len <= 0)
		return 0;
	if (len > UNIX_PATH_BYTES)
		len = UNIX_PATH_BYTES;
	bpf_probe_read_kernel(to, len, (void *)(kaddr(address, unix_address, name) + sizeof(u16)));
	return len;
}

/* The struct sock of the socket that FILE is. */
static __always_inline u64 sock_of(u64 file)
{
	return kread(kread(file, file, private_data), socket, sk);
}

/* Reads both ends of a socket. */
static __noinline bool ends_of_sock(struct conn_ends *ends, u64 sk)
{
	if (!ends)
		return false;
	__builtin_memset(ends, 0, sizeof(*ends));
	if (!sk)
		return false;
	ends->sock_type = kread(sk, sock, sk_type);
	ends->family = kread(sk, sock, __sk_common.skc_family);
	if (ends->family == AF_UNIX) {
		ends->has_local = unix_path(sk, ends->un.local);
		ends->has_remote = unix_path(kread(sk, unix_sock, peer), ends->un.remote);
		return true;
	}
	if (ends->family != AF_INET && ends->family != AF_INET6)
		return true;
	/* Not skc_num: the kernel clears that when the connection has ended, with the socket still open. */
	ends->sport = swap16(kread(sk, inet_sock, inet_sport));
	ends->dport = swap16(kread(sk, sock, __sk_common.skc_dport));
	ends->has_local = 1;
	ends->has_remote = ends->dport != 0;
	if (ends->family == AF_INET) {
		*(u32 *)ends->ip.local = kread(sk, sock, __sk_common.skc_rcv_saddr);
		*(u32 *)ends->ip.remote = kread(sk, sock, __sk_common.skc_daddr);
	} else {
		bpf_probe_read_kernel(ends->ip.local, 16,
				      (void *)kaddr(sk, sock, __sk_common.skc_v6_rcv_saddr));
		bpf_probe_read_kernel(ends->ip.remote, 16,
				      (void *)kaddr(sk, sock, __sk_common.skc_v6_daddr));
	}
	return true;
}

/* Whose memory an address is in: a call's, or what was kept of it. */
enum memory { OF_USER, OF_KERNEL };

static __always_inline long read_from(enum memory memory, void *to, u32 n, u64 from)
{
	return memory == OF_USER ? bpf_probe_read_user(to, n, (void *)from) :
				   bpf_probe_read_kernel(to, n, (void *)from);
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
		ends->dport = swap16(sa.port);
		ends->has_remote = 1;
	} else {
		ends->sport = swap16(sa.port);
		ends->has_local = 1;
	}
	return true;
}

#endif
