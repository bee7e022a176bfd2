/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets, and the addresses of both ends. */
#ifndef IOTRC_BPF_SOCKET_H
#define IOTRC_BPF_SOCKET_H

#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "schema/records.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

#define IPPROTO_TCP 6 /* include/uapi/linux/in.h */
#define IPPROTO_UDP 17

#define TCP_ESTABLISHED 1 /* include/net/tcp_states.h */
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_CLOSE 7
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10

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

/* The struct sock of FILE, which is a socket. */
static __always_inline u64 sock_of(u64 file)
{
	return kread(kread(file, file, private_data), socket, sk);
}

static __always_inline bool is_socket(u64 file)
{
	return inode_format(kread(file, file, f_inode)) == S_IFSOCK;
}

/* Reads both ends of a socket. */
__subprog bool ends_of_sock(struct conn_ends *ends, u64 sk)
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
	/* Not skc_num: the kernel clears it when the connection ends, while the socket is still
	 * open. */
	ends->sport = bpf_ntohs(kread(sk, inet_sock, inet_sport));
	ends->dport = bpf_ntohs(kread(sk, sock, __sk_common.skc_dport));
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

#endif
