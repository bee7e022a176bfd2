// SPDX-License-Identifier: GPL-2.0-or-later
/* The flags of open(): a file of their own because they come from the kernel's header, which can't
 * be included beside glibc's. glibc says O_LARGEFILE is 0 on 64-bit machines; the kernel's value is
 * the one that stands in f_flags. */
#ifdef __linux__
#include <linux/fcntl.h>
#else
#include <fcntl.h>
#endif

#include "rows/names.h"

/* clang-format off */

#define FLAG(n) { (n), (n), #n, sizeof(#n) - 1 }
#define FIELD(m, n) { (m), (n), #n, sizeof(#n) - 1 }

/* Bits that the kernel keeps for itself in f_flags; no header for programs has them.
 * FMODE_EXEC: set by do_open_execat(). FMODE_NONOTIFY, FMODE_NONOTIFY_PERM (6.14 has both; before,
 * the one was bit 26): set on fanotify's own files (include/linux/fs.h). */
#define FMODE_EXEC (1u << 5)
#define FMODE_NONOTIFY (1u << 25)
#define FMODE_NONOTIFY_PERM (1u << 26)

static const struct name open_names[] = {
	FIELD(O_ACCMODE, O_RDONLY),
	FIELD(O_ACCMODE, O_WRONLY),
	FIELD(O_ACCMODE, O_RDWR),
	FIELD(O_ACCMODE, O_ACCMODE), /* 3: neither reads nor writes, for ioctl alone */
	FLAG(O_CREAT),
	FLAG(O_EXCL),
	FLAG(O_NOCTTY),
	FLAG(O_TRUNC),
	FLAG(O_APPEND),
	FLAG(O_NONBLOCK),
	FLAG(O_SYNC),
	FLAG(O_DSYNC),
#ifdef FASYNC
	{ FASYNC, FASYNC, "O_ASYNC", sizeof("O_ASYNC") - 1 }, /* FASYNC in the kernel's header */
#else
	FLAG(O_ASYNC),
#endif
#ifdef O_TMPFILE
	FLAG(O_TMPFILE), /* holds O_DIRECTORY */
#endif
	FLAG(O_DIRECTORY),
	FLAG(O_NOFOLLOW),
	FLAG(O_CLOEXEC),
#ifdef O_DIRECT
	FLAG(O_DIRECT),
#endif
#ifdef O_NOATIME
	FLAG(O_NOATIME),
#endif
#ifdef O_PATH
	FLAG(O_PATH),
#endif
};

const struct name_set names_open = {
	.names = open_names,
	.n_names = sizeof(open_names) / sizeof(open_names[0]),
#ifdef __linux__
	/* The kernel sets O_LARGEFILE on what a 64-bit process opens: it tells nothing. */
	.ignored = O_LARGEFILE,
#endif
};

const struct name_set names_open_file = {
	.names = open_names,
	.n_names = sizeof(open_names) / sizeof(open_names[0]),
#ifdef __linux__
	.ignored = O_LARGEFILE | FMODE_EXEC | FMODE_NONOTIFY | FMODE_NONOTIFY_PERM,
#endif
};
