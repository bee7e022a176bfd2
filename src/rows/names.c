// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/names.h"

#include <stdio.h>
#include <string.h>

#include "platform/macros.h"

/* clang-format off */

/* Linux's numbers, from asm-generic/errno.h, as an index, because failed calls are frequent. Second
 * names of a number (EWOULDBLOCK, EDEADLOCK, ENOTSUP) are left out. */
static const char *const errno_names[] = {
	[1] = "EPERM", [2] = "ENOENT", [3] = "ESRCH", [4] = "EINTR", [5] = "EIO", [6] = "ENXIO",
	[7] = "E2BIG", [8] = "ENOEXEC", [9] = "EBADF", [10] = "ECHILD", [11] = "EAGAIN",
	[12] = "ENOMEM", [13] = "EACCES", [14] = "EFAULT", [15] = "ENOTBLK", [16] = "EBUSY",
	[17] = "EEXIST", [18] = "EXDEV", [19] = "ENODEV", [20] = "ENOTDIR", [21] = "EISDIR",
	[22] = "EINVAL", [23] = "ENFILE", [24] = "EMFILE", [25] = "ENOTTY", [26] = "ETXTBSY",
	[27] = "EFBIG", [28] = "ENOSPC", [29] = "ESPIPE", [30] = "EROFS", [31] = "EMLINK",
	[32] = "EPIPE", [33] = "EDOM", [34] = "ERANGE", [35] = "EDEADLK", [36] = "ENAMETOOLONG",
	[37] = "ENOLCK", [38] = "ENOSYS", [39] = "ENOTEMPTY", [40] = "ELOOP", [42] = "ENOMSG",
	[43] = "EIDRM", [44] = "ECHRNG", [45] = "EL2NSYNC", [46] = "EL3HLT", [47] = "EL3RST",
	[48] = "ELNRNG", [49] = "EUNATCH", [50] = "ENOCSI", [51] = "EL2HLT", [52] = "EBADE",
	[53] = "EBADR", [54] = "EXFULL", [55] = "ENOANO", [56] = "EBADRQC", [57] = "EBADSLT",
	[59] = "EBFONT", [60] = "ENOSTR", [61] = "ENODATA", [62] = "ETIME", [63] = "ENOSR",
	[64] = "ENONET", [65] = "ENOPKG", [66] = "EREMOTE", [67] = "ENOLINK", [68] = "EADV",
	[69] = "ESRMNT", [70] = "ECOMM", [71] = "EPROTO", [72] = "EMULTIHOP", [73] = "EDOTDOT",
	[74] = "EBADMSG", [75] = "EOVERFLOW", [76] = "ENOTUNIQ", [77] = "EBADFD", [78] = "EREMCHG",
	[79] = "ELIBACC", [80] = "ELIBBAD", [81] = "ELIBSCN", [82] = "ELIBMAX", [83] = "ELIBEXEC",
	[84] = "EILSEQ", [85] = "ERESTART", [86] = "ESTRPIPE", [87] = "EUSERS", [88] = "ENOTSOCK",
	[89] = "EDESTADDRREQ", [90] = "EMSGSIZE", [91] = "EPROTOTYPE", [92] = "ENOPROTOOPT",
	[93] = "EPROTONOSUPPORT", [94] = "ESOCKTNOSUPPORT", [95] = "EOPNOTSUPP",
	[96] = "EPFNOSUPPORT", [97] = "EAFNOSUPPORT", [98] = "EADDRINUSE", [99] = "EADDRNOTAVAIL",
	[100] = "ENETDOWN", [101] = "ENETUNREACH", [102] = "ENETRESET", [103] = "ECONNABORTED",
	[104] = "ECONNRESET", [105] = "ENOBUFS", [106] = "EISCONN", [107] = "ENOTCONN",
	[108] = "ESHUTDOWN", [109] = "ETOOMANYREFS", [110] = "ETIMEDOUT", [111] = "ECONNREFUSED",
	[112] = "EHOSTDOWN", [113] = "EHOSTUNREACH", [114] = "EALREADY", [115] = "EINPROGRESS",
	[116] = "ESTALE", [117] = "EUCLEAN", [118] = "ENOTNAM", [119] = "ENAVAIL",
	[120] = "EISNAM", [121] = "EREMOTEIO", [122] = "EDQUOT", [123] = "ENOMEDIUM",
	[124] = "EMEDIUMTYPE", [125] = "ECANCELED", [126] = "ENOKEY", [127] = "EKEYEXPIRED",
	[128] = "EKEYREVOKED", [129] = "EKEYREJECTED", [130] = "EOWNERDEAD",
	[131] = "ENOTRECOVERABLE", [132] = "ERFKILL", [133] = "EHWPOISON",
	/* The kernel's internal errors, which no program should see and no header for programs has
	 * (include/linux/errno.h; since 2.6 only the last few were added). */
	[512] = "ERESTARTSYS",
	"ERESTARTNOINTR",
	"ERESTARTNOHAND",
	"ENOIOCTLCMD",
	[516] = "ERESTART_RESTARTBLOCK",
	"EPROBE_DEFER",
	"EOPENSTALE",
	"ENOPARAM",
	[521] = "EBADHANDLE",
	"ENOTSYNC",
	"EBADCOOKIE",
	"ENOTSUPP",
	"ETOOSMALL",
	"ESERVERFAULT",
	[527] = "EBADTYPE",
	"EJUKEBOX",
	"EIOCBQUEUED",
	"ERECALLCONFLICT",
	"ENOGRACE",
};

/* clang-format on */

/* Returns the new length, or LEN if the name does not fit. */
static size_t append_name(char *buf, size_t len, size_t size, const char *name, size_t name_len)
{
	size_t bar = len ? 1 : 0;

	if (bar + name_len >= size - len)
		return len;
	if (bar)
		buf[len] = '|';
	memcpy(buf + len + bar, name, name_len);
	return len + bar + name_len;
}

size_t names__flags(const struct name_set *set, uint64_t value, char *buf, size_t size)
{
	uint64_t left;
	size_t len = 0, end;

	value &= ~set->ignored;
	left = value;
	for (size_t i = 0; i < set->n_names; i++) {
		const struct name *n = &set->names[i];

		/* VALUE decides about the names that stand for 0; LEFT decides about the others, so
		 * that the parts of a composite are not repeated. */
		if ((value & n->mask) != n->value || (left & n->mask) != n->value)
			continue;
		end = append_name(buf, len, size, n->name, n->len);
		if (end == len)
			goto out;
		len = end;
		left &= ~n->value;
	}
	if (left) {
		char hex[sizeof("0x") + 16];
		int n = snprintf(hex, sizeof(hex), "0x%jx", (uintmax_t)left);

		len = append_name(buf, len, size, hex, (size_t)n);
	}
out:
	buf[len] = '\0';
	return len;
}

const char *names__word(const struct name_set *set, uint64_t value)
{
	for (size_t i = 0; i < set->n_names; i++)
		if (set->names[i].value == value)
			return set->names[i].name;
	return NULL;
}

const char *names__errno(int error)
{
	if (error < 0 || (size_t)error >= ARRAY_SIZE(errno_names))
		return NULL;
	return errno_names[error];
}
