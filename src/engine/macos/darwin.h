/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Converts macOS' numbers to Linux's, which records use (rows/linux_numbers.h). Portable: lines of
 * a Mac can be read on any machine. */
#ifndef IOTRC_MACOS_DARWIN_H
#define IOTRC_MACOS_DARWIN_H

#include <stdint.h>

/* Flags of open() that only macOS has are above all of Linux's (rows/names_open.c). */
#define DARWIN_FLAG_SHIFT 56

/* errno; EIO for one that Linux lacks */
int darwin__errno(int error);
/* O_*; S of SOCK_* has the same numbers on both systems */
uint64_t darwin__open_flags(uint64_t flags);
/* AF_* */
uint16_t darwin__family(uint16_t family);
/* MAP_*; PROT_* are the same. */
uint32_t darwin__map_flags(uint32_t flags);
/* AT_* of the calls on attributes, and of unlinkat() */
uint32_t darwin__at_flags(uint32_t flags);
uint32_t darwin__unlink_flags(uint32_t flags);
/* RENAME_* of renameatx_np() */
uint32_t darwin__rename_flags(uint32_t flags);

/* Commands of fcntl(). */
enum darwin_fcntl {
	DARWIN_F_DUPFD = 0,
	DARWIN_F_SETFD = 2,
	DARWIN_F_SETLK = 8,
	DARWIN_F_SETLKW = 9,
	DARWIN_F_FULLFSYNC = 51,
	DARWIN_F_DUPFD_CLOEXEC = 67,
	DARWIN_F_BARRIERFSYNC = 85,
};
#define DARWIN_AT_FDCWD (-2)

#endif
