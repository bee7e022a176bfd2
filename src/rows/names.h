/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers to the words of the contract. The numbers are Linux's, as records carry them; a number
 * without a name is written in hexadecimal. A 32-bit program on a 64-bit kernel passes the same
 * numbers: i386 and x86-64 share asm-generic's for every set below (MAP_32BIT alone is x86's), and
 * so do arm and arm64. */
#ifndef IOTRC_NAMES_H
#define IOTRC_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* NAME stands for the numbers whose bits under MASK are VALUE. A flag is its own mask; the words of
 * a field share the field's mask; in a set of plain words the mask is all bits. */
struct name {
	uint64_t mask, value;
	const char *name;
	size_t len;
};

struct name_set {
	const struct name *names; /* in the order of writing; a composite before its parts */
	size_t n_names;
	uint64_t ignored; /* bits that say nothing to a reader and are left out */
};

#define NAMES_SETS(X) \
	X(open)         /* O_* that open() was asked for */ \
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

#define NAMES_MAX 512 /* bytes that hold any value of any set, with the terminating NUL */

/* Writes VALUE as "A|B", the bits that have no name last as 0xHEX, and a NUL. Returns the length.
 * A value of 0 that the set has no word for gives "". A buffer under NAMES_MAX bytes may cut the
 * text, at the end of a name; SIZE is at least 1. Callers drop what isn't part of the argument (the
 * upper half of an int in a register). */
size_t names__flags(const struct name_set *set, uint64_t value, char *buf, size_t size);

/* The one word for VALUE, or NULL when there is none. */
const char *names__word(const struct name_set *set, uint64_t value);

/* "ENOENT" for ENOENT (positive), or NULL when unknown. Knows the kernel's inner numbers from 512
 * on too, which a tracer sees where a call is about to be restarted. */
const char *names__errno(int error);

#endif
