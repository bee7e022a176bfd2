// SPDX-License-Identifier: GPL-2.0-or-later
/* The flags of open(), include/uapi/asm-generic/fcntl.h of Linux. arm and arm64 have numbers of
 * their own for four (arch/arm64/include/uapi/asm/fcntl.h). */
#include "platform/macros.h"
#include "rows/name_table.h"
#include "rows/names.h"

/* clang-format off */

#if defined(__aarch64__) || defined(__arm__)
#define DIRECTORY 040000
#define NOFOLLOW 0100000
#define DIRECT 0200000
#define LARGEFILE 0400000
#else
#define DIRECT 040000
#define LARGEFILE 0100000
#define DIRECTORY 0200000
#define NOFOLLOW 0400000
#endif

/* Bits that only the kernel uses in f_flags; no header for programs defines them. FMODE_EXEC is set
 * by do_open_execat(). FMODE_NONOTIFY and FMODE_NONOTIFY_PERM (both since 6.14; earlier kernels use
 * bit 26) are set on files of fanotify (include/linux/fs.h). */
#define FMODE_EXEC (1u << 5)
#define FMODE_NONOTIFY (1u << 25)
#define FMODE_NONOTIFY_PERM (1u << 26)

static const struct name open_names[] = {
	FIELD(3, 0, O_RDONLY),
	FIELD(3, 1, O_WRONLY),
	FIELD(3, 2, O_RDWR),
	FIELD(3, 3, O_ACCMODE), /* neither reads nor writes; only for ioctl */
	FLAG(0100, O_CREAT),
	FLAG(0200, O_EXCL),
	FLAG(0400, O_NOCTTY),
	FLAG(01000, O_TRUNC),
	FLAG(02000, O_APPEND),
	FLAG(04000, O_NONBLOCK),
	FLAG(04010000, O_SYNC), /* holds O_DSYNC */
	FLAG(010000, O_DSYNC),
	FLAG(020000, O_ASYNC), /* FASYNC in the kernel's header */
	FLAG(020000000 | DIRECTORY, O_TMPFILE),
	FLAG(DIRECTORY, O_DIRECTORY),
	FLAG(NOFOLLOW, O_NOFOLLOW),
	FLAG(02000000, O_CLOEXEC),
	FLAG(DIRECT, O_DIRECT),
	FLAG(01000000, O_NOATIME),
	FLAG(010000000, O_PATH),
	/* macOS' own, in bits that Linux gives no meaning (engine/macos/darwin.h) */
	FLAG(UINT64_C(1) << 56, O_SHLOCK),
	FLAG(UINT64_C(1) << 57, O_EXLOCK),
	FLAG(UINT64_C(1) << 58, O_EVTONLY),
	FLAG(UINT64_C(1) << 59, O_SYMLINK),
	FLAG(UINT64_C(1) << 60, O_NOFOLLOW_ANY),
	FLAG(UINT64_C(1) << 61, O_EXEC),
};

/* The kernel sets O_LARGEFILE for every 64-bit process, so it carries no information. */
const struct name_set names_open = {
	.names = open_names,
	.n_names = ARRAY_SIZE(open_names),
	.ignored = LARGEFILE,
};

const struct name_set names_open_file = {
	.names = open_names,
	.n_names = ARRAY_SIZE(open_names),
	.ignored = LARGEFILE | FMODE_EXEC | FMODE_NONOTIFY | FMODE_NONOTIFY_PERM,
};
