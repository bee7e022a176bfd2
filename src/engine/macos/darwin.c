// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/darwin.h"

#include <stddef.h>

#include "platform/macros.h"
#include "rows/linux_numbers.h"

/* clang-format off */

/* sys/errno.h of macOS, from 35 on; up to 34 both are the same except EDEADLK. 0: Linux has
 * none. */
static const uint8_t errnos[] = {
	[11] = 35,                                   /* EDEADLK */
	[35] = 11,                                   /* EAGAIN */
	[36] = 115, [37] = 114, [38] = 88, [39] = 89, /* EINPROGRESS EALREADY ENOTSOCK EDESTADDRREQ */
	[40] = 90, [41] = 91, [42] = 92, [43] = 93,  /* EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT */
	[44] = 94, [45] = 95, [46] = 96, [47] = 97,  /* ESOCKTNOSUPPORT ENOTSUP EPFNOSUPPORT EAFNOSUPPORT */
	[48] = 98, [49] = 99, [50] = 100, [51] = 101, /* EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH */
	[52] = 102, [53] = 103, [54] = 104, [55] = 105, /* ENETRESET ECONNABORTED ECONNRESET ENOBUFS */
	[56] = 106, [57] = 107, [58] = 108, [59] = 109, /* EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS */
	[60] = 110, [61] = 111, [62] = 40, [63] = 36, /* ETIMEDOUT ECONNREFUSED ELOOP ENAMETOOLONG */
	[64] = 112, [65] = 113, [66] = 39,           /* EHOSTDOWN EHOSTUNREACH ENOTEMPTY */
	[68] = 87, [69] = 122, [70] = 116, [71] = 66, /* EUSERS EDQUOT ESTALE EREMOTE */
	[77] = 37, [78] = 38,                        /* ENOLCK ENOSYS */
	[84] = 75, [89] = 125, [90] = 43, [91] = 42, /* EOVERFLOW ECANCELED EIDRM ENOMSG */
	[92] = 84, [93] = 61, [94] = 74, [95] = 72,  /* EILSEQ ENOATTR (as ENODATA) EBADMSG EMULTIHOP */
	[96] = 61, [97] = 67, [98] = 63, [99] = 60,  /* ENODATA ENOLINK ENOSR ENOSTR */
	[100] = 71, [101] = 62, [102] = 95, [104] = 131, /* EPROTO ETIME EOPNOTSUPP ENOTRECOVERABLE */
	[105] = 130,                                 /* EOWNERDEAD */
};

struct bits { uint32_t darwin; uint64_t linux_; };

/* fcntl.h; the lowest two bits are the same. Flags that Linux lacks are moved up. */
static const struct bits open_bits[] = {
	{ 0x4, 04000 }, { 0x8, 02000 }, { 0x40, 020000 }, { 0x100, 0400000 }, { 0x200, 0100 },
	{ 0x400, 01000 }, { 0x800, 0200 }, { 0x20000, 0400 }, { 0x100000, 0200000 },
	{ 0x400000, 010000 }, { 0x1000000, 02000000 }, { 0x80, 04010000 },
	{ 0x10, UINT64_C(1) << DARWIN_FLAG_SHIFT }, { 0x20, UINT64_C(1) << (DARWIN_FLAG_SHIFT + 1) },
	{ 0x8000, UINT64_C(1) << (DARWIN_FLAG_SHIFT + 2) },
	{ 0x200000, UINT64_C(1) << (DARWIN_FLAG_SHIFT + 3) },
	{ 0x20000000, UINT64_C(1) << (DARWIN_FLAG_SHIFT + 4) },
	{ 0x40000000, UINT64_C(1) << (DARWIN_FLAG_SHIFT + 5) },
};

/* sys/mman.h: MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_NORESERVE, MAP_ANON */
static const struct bits map_bits[] = {
	{ 0x1, 0x1 }, { 0x2, 0x2 }, { 0x10, 0x10 }, { 0x40, 0x4000 }, { 0x1000, 0x20 },
};

/* fcntl.h: AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW */
static const struct bits at_bits[] = { { 0x20, 0x100 }, { 0x40, 0x400 } };

/* … AT_REMOVEDIR */
static const struct bits unlink_bits[] = { { 0x80, 0x200 } };

/* sys/stdio.h: RENAME_SWAP, RENAME_EXCL */
static const struct bits rename_bits[] = { { 0x2, 0x2 }, { 0x4, 0x1 } };

/* clang-format on */

static uint64_t translate(const struct bits *bits, size_t n, uint64_t flags)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++)
		if ((flags & bits[i].darwin) == bits[i].darwin)
			all |= bits[i].linux_;
	return all;
}

int darwin__errno(int error)
{
	if (error > 0 && error < 35 && error != 11)
		return error;
	return error > 0 && (size_t)error < ARRAY_SIZE(errnos) && errnos[error] ? errnos[error] :
										  LINUX_EIO;
}

uint64_t darwin__open_flags(uint64_t flags)
{
	return (flags & 3) | translate(open_bits, ARRAY_SIZE(open_bits), flags);
}

uint16_t darwin__family(uint16_t family)
{
	return family == 30 ? LINUX_AF_INET6 : family;
}

uint32_t darwin__map_flags(uint32_t flags)
{
	return (uint32_t)translate(map_bits, ARRAY_SIZE(map_bits), flags);
}

uint32_t darwin__at_flags(uint32_t flags)
{
	return (uint32_t)translate(at_bits, ARRAY_SIZE(at_bits), flags);
}

uint32_t darwin__unlink_flags(uint32_t flags)
{
	return (uint32_t)translate(unlink_bits, ARRAY_SIZE(unlink_bits), flags);
}

uint32_t darwin__rename_flags(uint32_t flags)
{
	return (uint32_t)translate(rename_bits, ARRAY_SIZE(rename_bits), flags);
}

#ifdef __APPLE__
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

_Static_assert(EDEADLK == 11 && EAGAIN == 35 && EINPROGRESS == 36 && ECONNREFUSED == 61 &&
		       ELOOP == 62 && ENAMETOOLONG == 63 && ENOTEMPTY == 66 && EDQUOT == 69 &&
		       ENOSYS == 78 && EOVERFLOW == 84 && EILSEQ == 92 && ENOATTR == 93 &&
		       EOPNOTSUPP == 102 && EOWNERDEAD == 105,
	       "errnos[] is of this system");
_Static_assert(O_NONBLOCK == 0x4 && O_APPEND == 0x8 && O_SHLOCK == 0x10 && O_EXLOCK == 0x20 &&
		       O_ASYNC == 0x40 && O_SYNC == 0x80 && O_NOFOLLOW == 0x100 &&
		       O_CREAT == 0x200 && O_TRUNC == 0x400 && O_EXCL == 0x800 &&
		       O_EVTONLY == 0x8000 && O_NOCTTY == 0x20000 && O_DIRECTORY == 0x100000 &&
		       O_SYMLINK == 0x200000 && O_DSYNC == 0x400000 && O_CLOEXEC == 0x1000000 &&
		       O_NOFOLLOW_ANY == 0x20000000,
	       "open_bits[] is of this system");
_Static_assert(MAP_FIXED == 0x10 && MAP_NORESERVE == 0x40 && MAP_ANON == 0x1000 && AF_INET6 == 30,
	       "and so are these");
_Static_assert(AT_FDCWD == DARWIN_AT_FDCWD && AT_SYMLINK_NOFOLLOW == 0x20 && AT_REMOVEDIR == 0x80 &&
		       RENAME_SWAP == 2 && RENAME_EXCL == 4,
	       "…");
_Static_assert(F_DUPFD == DARWIN_F_DUPFD && F_SETFD == DARWIN_F_SETFD &&
		       F_SETLK == DARWIN_F_SETLK && F_SETLKW == DARWIN_F_SETLKW &&
		       F_FULLFSYNC == DARWIN_F_FULLFSYNC &&
		       F_DUPFD_CLOEXEC == DARWIN_F_DUPFD_CLOEXEC &&
		       F_BARRIERFSYNC == DARWIN_F_BARRIERFSYNC,
	       "…");
#endif
