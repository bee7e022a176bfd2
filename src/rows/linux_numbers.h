/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in records that encoders compare with. Records contain Linux's numbers on any machine
 * (include/uapi of Linux; x86 and arm64 share these). */
#ifndef IOTRC_LINUX_NUMBERS_H
#define IOTRC_LINUX_NUMBERS_H

/* asm-generic/errno-base.h, errno.h */
enum linux_errno {
	LINUX_EIO = 5,
	LINUX_EAGAIN = 11,
	LINUX_ENOMEM = 12,
	LINUX_EBUSY = 16,
	LINUX_ENOSPC = 28,
	LINUX_EBADE = 52,
	LINUX_ENODATA = 61,
	LINUX_ENOLINK = 67,
	LINUX_EREMCHG = 78,
	LINUX_EILSEQ = 84,
	LINUX_EOPNOTSUPP = 95,
	LINUX_ETIMEDOUT = 110,
	LINUX_EREMOTEIO = 121,
};

/* linux/socket.h */
enum linux_family { LINUX_AF_UNIX = 1, LINUX_AF_INET = 2, LINUX_AF_INET6 = 10 };

/* linux/net.h */
enum linux_sock_type { LINUX_SOCK_STREAM = 1, LINUX_SOCK_SEQPACKET = 5 };

/* linux/in.h, linux/socket.h: levels of setsockopt() */
enum linux_level {
	LINUX_IPPROTO_IP = 0,
	LINUX_SOL_SOCKET = 1,
	LINUX_IPPROTO_TCP = 6,
	LINUX_IPPROTO_UDP = 17,
	LINUX_IPPROTO_IPV6 = 41,
	LINUX_IPPROTO_ICMPV6 = 58,
	LINUX_IPPROTO_RAW = 255,
	LINUX_SOL_PACKET = 263,
	LINUX_SOL_NETLINK = 270,
};

/* linux/sched.h */
enum linux_clone {
	LINUX_CLONE_THREAD = 0x10000,
	LINUX_CLONE_NEWNS = 0x20000,
	LINUX_CLONE_NEWUSER = 0x10000000,
};

/* asm-generic/socket.h, linux/in.h, linux/tcp.h: options whose value is not a plain number */
enum linux_option {
	LINUX_SO_LINGER = 13,
	LINUX_SO_RCVTIMEO = 20,
	LINUX_SO_SNDTIMEO = 21,
	LINUX_SO_BINDTODEVICE = 25,
	LINUX_SO_RCVTIMEO_NEW = 66,
	LINUX_SO_SNDTIMEO_NEW = 67,
	LINUX_IP_MULTICAST_IF = 32,
	LINUX_IP_ADD_MEMBERSHIP = 35,
	LINUX_IP_DROP_MEMBERSHIP = 36,
	LINUX_TCP_CONGESTION = 13,
	LINUX_TCP_ULP = 31,
};

#endif
