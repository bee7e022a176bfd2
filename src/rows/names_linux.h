/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of Linux's that headers may be too old for: what a program does on a newer kernel has the
 * same name wherever iotrc was built. From include/uapi of Linux 6.18, with the version that added
 * each. */
#ifndef IOTRC_NAMES_LINUX_H
#define IOTRC_NAMES_LINUX_H

#ifdef __linux__

/* linux/fs.h */
#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20 /* 6.9 */
#endif
#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40 /* 6.11 */
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80 /* 6.14 */
#endif
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100 /* 6.18 */
#endif

/* linux/falloc.h */
#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES 0x80 /* 6.17 */
#endif

/* linux/fcntl.h; glibc has them under _GNU_SOURCE since 2.28 and 2.32 */
#ifndef AT_STATX_SYNC_TYPE
#define AT_STATX_SYNC_TYPE 0x6000
#define AT_STATX_FORCE_SYNC 0x2000
#define AT_STATX_DONT_SYNC 0x4000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* asm-generic/fcntl.h; taken out of the header in 5.16 */
#ifndef LOCK_MAND
#define LOCK_MAND 32
#define LOCK_READ 64
#define LOCK_WRITE 128
#endif

/* linux/mman.h, asm-generic/mman-common.h */
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08 /* 6.11 */
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 /* 5.7 */
#endif
#ifndef MADV_COLD
#define MADV_COLD 20 /* 5.4 */
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* 5.14 */
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24 /* 5.18 */
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* 6.1 */
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* 6.13 */
#define MADV_GUARD_REMOVE 103
#endif

/* linux/mount.h */
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* 5.10 */
#endif
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x100 /* 5.15 */
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200 /* 6.5 */
#endif

/* linux/socket.h */
#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef AF_MCTP
#define AF_MCTP 45 /* 5.15 */
#endif

#endif
#endif
