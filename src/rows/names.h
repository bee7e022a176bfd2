/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contract's names for numbers. The numbers are Linux's, as in records; a number without a name
 * is written in hexadecimal. A 32-bit program on a 64-bit kernel passes the same numbers: i386 and
 * x86-64 share asm-generic's for each set below (only MAP_32BIT is x86's), and so do arm and
 * arm64. */
#ifndef IOTRC_NAMES_H
#define IOTRC_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* NAME stands for numbers whose bits under MASK equal VALUE. A flag is its own mask; the values of
 * a field have the field's mask; in a set of plain values the mask is all bits. */
struct name {
	uint64_t mask, value;
	const char *name;
	size_t len;
};

struct name_set {
	const struct name *names; /* in the order of output; a composite precedes its parts */
	size_t n_names;
	uint64_t ignored; /* bits without meaning for a reader, left out */
};

#define NAMES_SETS(X) \
	X(open)         /* O_* as passed to open() */ \
	X(open_file)    /* O_* of an open file: f_flags without the kernel's own bits */ \
	X(mode)         /* S_*, with the S_IF* of mknod */ \
	X(at)           /* AT_* of fstatat, statx, linkat, fchownat, … */ \
	X(at_unlink)    /* AT_* of unlinkat: 0x200 is AT_REMOVEDIR */ \
	X(at_access)    /* AT_* of faccessat2: 0x200 is AT_EACCESS */ \
	X(rename)       /* RENAME_* of renameat2 */ \
	X(rwf)          /* RWF_* of preadv2 and pwritev2 */ \
	X(fallocate)    /* FALLOC_FL_* */ \
	X(xattr)        /* XATTR_* of setxattr */ \
	X(access)       /* R_OK|W_OK|X_OK, F_OK */ \
	X(prot)         /* PROT_* */ \
	X(map)          /* MAP_* */ \
	X(mremap)       /* MREMAP_* */ \
	X(msync)        /* MS_* of msync */ \
	X(madvise)      /* MADV_*, words */ \
	X(fadvise)      /* POSIX_FADV_*, words */ \
	X(splice)       /* SPLICE_F_* */ \
	X(sync_range)   /* SYNC_FILE_RANGE_* */ \
	X(flock)        /* LOCK_* of flock */ \
	X(lock_type)    /* F_RDLCK, F_WRLCK, F_UNLCK of struct flock, words */ \
	X(lock_command) /* F_SETLK and its kin, words */ \
	X(close_range)  /* CLOSE_RANGE_* */ \
	X(copy_file_range) \
	X(move_mount)  /* MOVE_MOUNT_* */ \
	X(open_tree)   /* OPEN_TREE_* and AT_* of open_tree */ \
	X(fsopen)      /* FSOPEN_* */ \
	X(fspick)      /* FSPICK_* */ \
	X(fsconfig)    /* FSCONFIG_*, the command */ \
	X(mount_attr)  /* MOUNT_ATTR_* of fsmount and mount_setattr */ \
	X(inode_flags) /* FS_*_FL of FS_IOC_SETFLAGS, the low 24 bits */ \
	X(mount)       /* MS_* of mount */ \
	X(umount)      /* MNT_* and UMOUNT_NOFOLLOW of umount2 */ \
	X(domain)      /* AF_*, words */ \
	X(sock_type)   /* SOCK_*, with SOCK_CLOEXEC and SOCK_NONBLOCK */ \
	X(shut)        /* SHUT_*, words */ \
	X(epoll)       /* EPOLL* events; poll's POLL* are the same numbers */ \
	X(epoll_ctl)   /* EPOLL_CTL_*, words */ \
	X(opt_level)   /* SOL_* and IPPROTO_* of setsockopt, words */ \
	X(opt_so)      /* SO_*, words, like the next */ \
	X(opt_tcp)     /* TCP_* */ \
	X(opt_udp)     /* UDP_* */ \
	X(opt_ip)      /* IP_* and MCAST_* */ \
	X(opt_ipv6)    /* IPV6_* */ \
	X(opt_icmpv6)  /* ICMPV6_* */ \
	X(opt_raw)     /* ICMP_FILTER, IPV6_CHECKSUM of raw sockets */ \
	X(opt_netlink) /* NETLINK_* */ \
	X(opt_packet)  /* PACKET_* */ \
	X(signal)      /* SIG*, words; the real-time ones have none */

#define NAMES_DECLARE(set) extern const struct name_set names_##set;
NAMES_SETS(NAMES_DECLARE)
#undef NAMES_DECLARE

#define NAMES_MAX 512 /* bytes for any value of any set, with the NUL */

/* Writes VALUE as "A|B" and a NUL; bits without a name come last as 0xHEX. Returns the length. A
 * value of 0 without a name yields "". If SIZE, which is at least 1, is less than NAMES_MAX, the
 * text may be cut at the end of a name. Callers must clear bits that are not part of the argument
 * (the upper half of an int in a register). */
size_t names__flags(const struct name_set *set, uint64_t value, char *buf, size_t size);

/* Returns the only name of VALUE, or NULL if it has none. */
const char *names__word(const struct name_set *set, uint64_t value);

/* Returns "ENOENT" for ENOENT (positive), or NULL if unknown. Includes the kernel's internal
 * numbers from 512 on, which a tracer sees if a call is about to be restarted. */
const char *names__errno(int error);

#endif
