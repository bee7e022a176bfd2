// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/mman.h> /* MAP_HUGE_*, and names newer than the C library */

#include "rows/names.h"
#include "rows/names_linux.h"

/* clang-format off */

/* By way of 32 bits: some headers have bit 31 as a negative int. */
#define FLAG(n) \
	{ \
		(uint32_t)(n), (uint32_t)(n), #n, sizeof(#n) - 1 \
	}
#define FIELD(m, n) \
	{ \
		(uint32_t)(m), (uint32_t)(n), #n, sizeof(#n) - 1 \
	}
#define WORD(n) \
	{ \
		UINT64_MAX, (uint32_t)(n), #n, sizeof(#n) - 1 \
	}

#define SET(set) \
	const struct name_set names_##set = { \
		.names = set##_names, \
		.n_names = sizeof(set##_names) / sizeof(set##_names[0]), \
	}

static const struct name mode_names[] = {
	{ UINT64_MAX, 0, "0", 1 }, /* a mode of no bits is a value, not the lack of one */
	FIELD(S_IFMT, S_IFREG),
	FIELD(S_IFMT, S_IFDIR),
	FIELD(S_IFMT, S_IFLNK),
	FIELD(S_IFMT, S_IFCHR),
	FIELD(S_IFMT, S_IFBLK),
	FIELD(S_IFMT, S_IFIFO),
	FIELD(S_IFMT, S_IFSOCK),
	FLAG(S_ISUID),
	FLAG(S_ISGID),
	FLAG(S_ISVTX),
	FLAG(S_IRUSR),
	FLAG(S_IWUSR),
	FLAG(S_IXUSR),
	FLAG(S_IRGRP),
	FLAG(S_IWGRP),
	FLAG(S_IXGRP),
	FLAG(S_IROTH),
	FLAG(S_IWOTH),
	FLAG(S_IXOTH),
};
SET(mode);

static const struct name at_names[] = {
	FLAG(AT_SYMLINK_NOFOLLOW),
	FLAG(AT_SYMLINK_FOLLOW),
	FLAG(AT_NO_AUTOMOUNT),
	FLAG(AT_EMPTY_PATH),
	FIELD(AT_STATX_SYNC_TYPE, AT_STATX_FORCE_SYNC),
	FIELD(AT_STATX_SYNC_TYPE, AT_STATX_DONT_SYNC),
	FLAG(AT_RECURSIVE),
};
SET(at);

static const struct name at_unlink_names[] = {
	FLAG(AT_REMOVEDIR),
};
SET(at_unlink);

static const struct name at_access_names[] = {
	FLAG(AT_EACCESS),
	FLAG(AT_SYMLINK_NOFOLLOW),
	FLAG(AT_EMPTY_PATH),
};
SET(at_access);

static const struct name rename_names[] = {
	FLAG(RENAME_NOREPLACE),
	FLAG(RENAME_EXCHANGE),
	FLAG(RENAME_WHITEOUT),
};
SET(rename);

static const struct name rwf_names[] = {
	FLAG(RWF_HIPRI),     FLAG(RWF_DSYNC),  FLAG(RWF_SYNC),
	FLAG(RWF_NOWAIT),    FLAG(RWF_APPEND), FLAG(RWF_NOAPPEND),
	FLAG(RWF_ATOMIC),
	FLAG(RWF_DONTCACHE),
	FLAG(RWF_NOSIGNAL),
};
SET(rwf);

static const struct name fallocate_names[] = {
	FLAG(FALLOC_FL_KEEP_SIZE),      FLAG(FALLOC_FL_PUNCH_HOLE), FLAG(FALLOC_FL_NO_HIDE_STALE),
	FLAG(FALLOC_FL_COLLAPSE_RANGE), FLAG(FALLOC_FL_ZERO_RANGE), FLAG(FALLOC_FL_INSERT_RANGE),
	FLAG(FALLOC_FL_UNSHARE_RANGE),
	FLAG(FALLOC_FL_WRITE_ZEROES),
};
SET(fallocate);

static const struct name xattr_names[] = {
	FLAG(XATTR_CREATE),
	FLAG(XATTR_REPLACE),
};
SET(xattr);

static const struct name access_names[] = {
	WORD(F_OK),
	FLAG(R_OK),
	FLAG(W_OK),
	FLAG(X_OK),
};
SET(access);

static const struct name prot_names[] = {
	WORD(PROT_NONE),      FLAG(PROT_READ),    FLAG(PROT_WRITE), FLAG(PROT_EXEC),
#ifdef PROT_SEM
	FLAG(PROT_SEM),
#endif
#ifdef PROT_BTI /* arm64 */
	FLAG(PROT_BTI),
#endif
#ifdef PROT_MTE /* arm64 */
	FLAG(PROT_MTE),
#endif
	FLAG(PROT_GROWSDOWN), FLAG(PROT_GROWSUP),
};
SET(prot);

#define MAP_HUGE_FIELD ((uint64_t)MAP_HUGE_MASK << MAP_HUGE_SHIFT)

static const struct name map_names[] = {
	FIELD(MAP_TYPE, MAP_FILE), /* type 0, which mmap refuses */
	FIELD(MAP_TYPE, MAP_SHARED),
	FIELD(MAP_TYPE, MAP_PRIVATE),
	FIELD(MAP_TYPE, MAP_SHARED_VALIDATE),
	FIELD(MAP_TYPE, MAP_DROPPABLE),
	FLAG(MAP_FIXED),
	FLAG(MAP_ANONYMOUS),
#ifdef MAP_32BIT
	FLAG(MAP_32BIT),
#endif
#ifdef MAP_ABOVE4G
	FLAG(MAP_ABOVE4G),
#endif
	FLAG(MAP_GROWSDOWN),
	FLAG(MAP_DENYWRITE),
	FLAG(MAP_EXECUTABLE),
	FLAG(MAP_LOCKED),
	FLAG(MAP_NORESERVE),
	FLAG(MAP_POPULATE),
	FLAG(MAP_NONBLOCK),
	FLAG(MAP_STACK),
	FLAG(MAP_HUGETLB),
	FLAG(MAP_SYNC),
	FLAG(MAP_FIXED_NOREPLACE),
#ifdef MAP_HUGE_16KB
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_16KB),
#endif
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_64KB),
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_512KB),
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_1MB),
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_2MB),
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_8MB),
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_16MB),
#ifdef MAP_HUGE_32MB
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_32MB),
#endif
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_256MB),
#ifdef MAP_HUGE_512MB
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_512MB),
#endif
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_1GB),
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_2GB),
	FIELD(MAP_HUGE_FIELD, MAP_HUGE_16GB),
};
SET(map);

static const struct name mremap_names[] = {
	FLAG(MREMAP_MAYMOVE),
	FLAG(MREMAP_FIXED),
	FLAG(MREMAP_DONTUNMAP),
};
SET(mremap);

static const struct name msync_names[] = {
	FLAG(MS_ASYNC),
	FLAG(MS_INVALIDATE),
	FLAG(MS_SYNC),
};
SET(msync);

static const struct name madvise_names[] = {
	WORD(MADV_NORMAL),
	WORD(MADV_RANDOM),
	WORD(MADV_SEQUENTIAL),
	WORD(MADV_WILLNEED),
	WORD(MADV_DONTNEED),
	WORD(MADV_FREE),
	WORD(MADV_REMOVE),
	WORD(MADV_DONTFORK),
	WORD(MADV_DOFORK),
	WORD(MADV_HWPOISON),
	WORD(MADV_SOFT_OFFLINE),
	WORD(MADV_MERGEABLE),
	WORD(MADV_UNMERGEABLE),
	WORD(MADV_HUGEPAGE),
	WORD(MADV_NOHUGEPAGE),
	WORD(MADV_DONTDUMP),
	WORD(MADV_DODUMP),
	WORD(MADV_WIPEONFORK),
	WORD(MADV_KEEPONFORK),
	WORD(MADV_COLD),
	WORD(MADV_PAGEOUT),
	WORD(MADV_POPULATE_READ),
	WORD(MADV_POPULATE_WRITE),
	WORD(MADV_DONTNEED_LOCKED),
	WORD(MADV_COLLAPSE),
	WORD(MADV_GUARD_INSTALL),
	WORD(MADV_GUARD_REMOVE),
};
SET(madvise);

static const struct name fadvise_names[] = {
	WORD(POSIX_FADV_NORMAL),   WORD(POSIX_FADV_RANDOM),   WORD(POSIX_FADV_SEQUENTIAL),
	WORD(POSIX_FADV_WILLNEED), WORD(POSIX_FADV_DONTNEED), WORD(POSIX_FADV_NOREUSE),
};
SET(fadvise);

static const struct name splice_names[] = {
	FLAG(SPLICE_F_MOVE),
	FLAG(SPLICE_F_NONBLOCK),
	FLAG(SPLICE_F_MORE),
	FLAG(SPLICE_F_GIFT),
};
SET(splice);

static const struct name sync_range_names[] = {
	FLAG(SYNC_FILE_RANGE_WAIT_BEFORE),
	FLAG(SYNC_FILE_RANGE_WRITE),
	FLAG(SYNC_FILE_RANGE_WAIT_AFTER),
};
SET(sync_range);

static const struct name flock_names[] = {
	FLAG(LOCK_SH),   FLAG(LOCK_EX),   FLAG(LOCK_NB),    FLAG(LOCK_UN),
	FLAG(LOCK_MAND), FLAG(LOCK_READ), FLAG(LOCK_WRITE),
};
SET(flock);

static const struct name lock_type_names[] = {
	WORD(F_RDLCK),
	WORD(F_WRLCK),
	WORD(F_UNLCK),
};
SET(lock_type);

static const struct name lock_command_names[] = {
	WORD(F_GETLK),     WORD(F_SETLK),     WORD(F_SETLKW),
	WORD(F_OFD_GETLK), WORD(F_OFD_SETLK), WORD(F_OFD_SETLKW),
};
SET(lock_command);

static const struct name move_mount_names[] = {
	FLAG(MOVE_MOUNT_F_SYMLINKS), FLAG(MOVE_MOUNT_F_AUTOMOUNTS), FLAG(MOVE_MOUNT_F_EMPTY_PATH),
	FLAG(MOVE_MOUNT_T_SYMLINKS), FLAG(MOVE_MOUNT_T_AUTOMOUNTS), FLAG(MOVE_MOUNT_T_EMPTY_PATH),
	FLAG(MOVE_MOUNT_SET_GROUP),
	FLAG(MOVE_MOUNT_BENEATH),
};
SET(move_mount);

#define BIT_WORD(n, name) { (n), (n), #name, sizeof(#name) - 1 }

/* include/uapi/linux/mount.h, fcntl.h */
static const struct name open_tree_names[] = {
	BIT_WORD(0x1, OPEN_TREE_CLONE),      BIT_WORD(0x80000, OPEN_TREE_CLOEXEC),
	BIT_WORD(0x100, AT_SYMLINK_NOFOLLOW), BIT_WORD(0x800, AT_NO_AUTOMOUNT),
	BIT_WORD(0x1000, AT_EMPTY_PATH),     BIT_WORD(0x8000, AT_RECURSIVE),
};
SET(open_tree);

static const struct name mount_attr_names[] = {
	BIT_WORD(0x1, MOUNT_ATTR_RDONLY),        BIT_WORD(0x2, MOUNT_ATTR_NOSUID),
	BIT_WORD(0x4, MOUNT_ATTR_NODEV),         BIT_WORD(0x8, MOUNT_ATTR_NOEXEC),
	BIT_WORD(0x10, MOUNT_ATTR_NOATIME),      BIT_WORD(0x20, MOUNT_ATTR_STRICTATIME),
	BIT_WORD(0x80, MOUNT_ATTR_NODIRATIME),   BIT_WORD(0x100000, MOUNT_ATTR_IDMAP),
	BIT_WORD(0x200000, MOUNT_ATTR_NOSYMFOLLOW),
};
SET(mount_attr);

/* include/uapi/linux/fs.h */
static const struct name inode_flags_names[] = {
	BIT_WORD(0x1, FS_SECRM_FL),     BIT_WORD(0x2, FS_UNRM_FL),      BIT_WORD(0x4, FS_COMPR_FL),
	BIT_WORD(0x8, FS_SYNC_FL),      BIT_WORD(0x10, FS_IMMUTABLE_FL), BIT_WORD(0x20, FS_APPEND_FL),
	BIT_WORD(0x40, FS_NODUMP_FL),   BIT_WORD(0x80, FS_NOATIME_FL),  BIT_WORD(0x400, FS_NOCOMP_FL),
	BIT_WORD(0x4000, FS_JOURNAL_DATA_FL), BIT_WORD(0x8000, FS_NOTAIL_FL),
	BIT_WORD(0x10000, FS_DIRSYNC_FL), BIT_WORD(0x20000, FS_TOPDIR_FL),
	BIT_WORD(0x80000, FS_EXTENT_FL), BIT_WORD(0x800000, FS_NOCOW_FL),
};
SET(inode_flags);

/* None is defined yet: whatever is asked for is a number. */
const struct name_set names_copy_file_range = { .n_names = 0 };

static const struct name close_range_names[] = {
	FLAG(CLOSE_RANGE_UNSHARE),
	FLAG(CLOSE_RANGE_CLOEXEC),
};
SET(close_range);

static const struct name mount_names[] = {
	FIELD(MS_MGC_MSK, MS_MGC_VAL), /* once required, now stripped: not flags 16 to 31 */
	FLAG(MS_RDONLY),
	FLAG(MS_NOSUID),
	FLAG(MS_NODEV),
	FLAG(MS_NOEXEC),
	FLAG(MS_SYNCHRONOUS),
	FLAG(MS_REMOUNT),
	FLAG(MS_MANDLOCK),
	FLAG(MS_DIRSYNC),
	FLAG(MS_NOSYMFOLLOW),
	FLAG(MS_NOATIME),
	FLAG(MS_NODIRATIME),
	FLAG(MS_BIND),
	FLAG(MS_MOVE),
	FLAG(MS_REC),
	FLAG(MS_SILENT),
	FLAG(MS_POSIXACL),
	FLAG(MS_UNBINDABLE),
	FLAG(MS_PRIVATE),
	FLAG(MS_SLAVE),
	FLAG(MS_SHARED),
	FLAG(MS_RELATIME),
	FLAG(MS_KERNMOUNT),
	FLAG(MS_I_VERSION),
	FLAG(MS_STRICTATIME),
	FLAG(MS_LAZYTIME),
	FLAG(MS_ACTIVE),
	FLAG(MS_NOUSER),
};
SET(mount);

static const struct name umount_names[] = {
	FLAG(MNT_FORCE),
	FLAG(MNT_DETACH),
	FLAG(MNT_EXPIRE),
	FLAG(UMOUNT_NOFOLLOW),
};
SET(umount);

static const struct name domain_names[] = {
	WORD(AF_UNSPEC),     WORD(AF_UNIX),      WORD(AF_INET),     WORD(AF_AX25),
	WORD(AF_IPX),        WORD(AF_APPLETALK), WORD(AF_NETROM),   WORD(AF_BRIDGE),
	WORD(AF_ATMPVC),     WORD(AF_X25),       WORD(AF_INET6),    WORD(AF_ROSE),
	WORD(AF_DECnet),     WORD(AF_NETBEUI),   WORD(AF_SECURITY), WORD(AF_KEY),
	WORD(AF_NETLINK),    WORD(AF_PACKET),    WORD(AF_ASH),      WORD(AF_ECONET),
	WORD(AF_ATMSVC),     WORD(AF_RDS),       WORD(AF_SNA),      WORD(AF_IRDA),
	WORD(AF_PPPOX),      WORD(AF_WANPIPE),   WORD(AF_LLC),      WORD(AF_IB),
	WORD(AF_MPLS),       WORD(AF_CAN),       WORD(AF_TIPC),     WORD(AF_BLUETOOTH),
	WORD(AF_IUCV),       WORD(AF_RXRPC),     WORD(AF_ISDN),     WORD(AF_PHONET),
	WORD(AF_IEEE802154), WORD(AF_CAIF),      WORD(AF_ALG),      WORD(AF_NFC),
	WORD(AF_VSOCK),      WORD(AF_KCM),       WORD(AF_QIPCRTR),  WORD(AF_SMC),
	WORD(AF_XDP),
	WORD(AF_MCTP),
};
SET(domain);

#define SOCK_TYPE (~(SOCK_CLOEXEC | SOCK_NONBLOCK)) /* the type's field is the rest of the int */

static const struct name sock_type_names[] = {
	FIELD(SOCK_TYPE, SOCK_STREAM),
	FIELD(SOCK_TYPE, SOCK_DGRAM),
	FIELD(SOCK_TYPE, SOCK_RAW),
	FIELD(SOCK_TYPE, SOCK_RDM),
	FIELD(SOCK_TYPE, SOCK_SEQPACKET),
	FIELD(SOCK_TYPE, SOCK_DCCP),
	FIELD(SOCK_TYPE, SOCK_PACKET),
	FLAG(SOCK_CLOEXEC),
	FLAG(SOCK_NONBLOCK),
};
SET(sock_type);

static const struct name shut_names[] = {
	WORD(SHUT_RD),
	WORD(SHUT_WR),
	WORD(SHUT_RDWR),
};
SET(shut);

static const struct name epoll_names[] = {
	FLAG(EPOLLIN),        FLAG(EPOLLPRI),    FLAG(EPOLLOUT),     FLAG(EPOLLERR),
	FLAG(EPOLLHUP),       FLAG(POLLNVAL),    FLAG(EPOLLRDNORM),  FLAG(EPOLLRDBAND),
	FLAG(EPOLLWRNORM),    FLAG(EPOLLWRBAND), FLAG(EPOLLMSG),     FLAG(EPOLLRDHUP),
	FLAG(EPOLLEXCLUSIVE), FLAG(EPOLLWAKEUP), FLAG(EPOLLONESHOT), FLAG(EPOLLET),
};
SET(epoll);

static const struct name epoll_ctl_names[] = {
	WORD(EPOLL_CTL_ADD),
	WORD(EPOLL_CTL_DEL),
	WORD(EPOLL_CTL_MOD),
};
SET(epoll_ctl);

static const struct name signal_names[] = {
	WORD(SIGHUP),    WORD(SIGINT),   WORD(SIGQUIT), WORD(SIGILL),  WORD(SIGTRAP),
	WORD(SIGABRT),   WORD(SIGBUS),   WORD(SIGFPE),  WORD(SIGKILL), WORD(SIGUSR1),
	WORD(SIGSEGV),   WORD(SIGUSR2),  WORD(SIGPIPE), WORD(SIGALRM), WORD(SIGTERM),
#ifdef SIGSTKFLT
	WORD(SIGSTKFLT),
#endif
	WORD(SIGCHLD),   WORD(SIGCONT),  WORD(SIGSTOP), WORD(SIGTSTP), WORD(SIGTTIN),
	WORD(SIGTTOU),   WORD(SIGURG),   WORD(SIGXCPU), WORD(SIGXFSZ), WORD(SIGVTALRM),
	WORD(SIGPROF),   WORD(SIGWINCH), WORD(SIGIO),
#ifdef SIGPWR
	WORD(SIGPWR),
#endif
	WORD(SIGSYS),
};
SET(signal);

/* Indexed: a failed call per row is common. The second names of a number (EWOULDBLOCK, EDEADLOCK,
 * ENOTSUP) are left out. */
#define E(n) [n] = #n
static const char *const errno_names[] = {
	E(EPERM),
	E(ENOENT),
	E(ESRCH),
	E(EINTR),
	E(EIO),
	E(ENXIO),
	E(E2BIG),
	E(ENOEXEC),
	E(EBADF),
	E(ECHILD),
	E(EAGAIN),
	E(ENOMEM),
	E(EACCES),
	E(EFAULT),
	E(ENOTBLK),
	E(EBUSY),
	E(EEXIST),
	E(EXDEV),
	E(ENODEV),
	E(ENOTDIR),
	E(EISDIR),
	E(EINVAL),
	E(ENFILE),
	E(EMFILE),
	E(ENOTTY),
	E(ETXTBSY),
	E(EFBIG),
	E(ENOSPC),
	E(ESPIPE),
	E(EROFS),
	E(EMLINK),
	E(EPIPE),
	E(EDOM),
	E(ERANGE),
	E(EDEADLK),
	E(ENAMETOOLONG),
	E(ENOLCK),
	E(ENOSYS),
	E(ENOTEMPTY),
	E(ELOOP),
	E(ENOMSG),
	E(EIDRM),
	E(ECHRNG),
	E(EL2NSYNC),
	E(EL3HLT),
	E(EL3RST),
	E(ELNRNG),
	E(EUNATCH),
	E(ENOCSI),
	E(EL2HLT),
	E(EBADE),
	E(EBADR),
	E(EXFULL),
	E(ENOANO),
	E(EBADRQC),
	E(EBADSLT),
	E(EBFONT),
	E(ENOSTR),
	E(ENODATA),
	E(ETIME),
	E(ENOSR),
	E(ENONET),
	E(ENOPKG),
	E(EREMOTE),
	E(ENOLINK),
	E(EADV),
	E(ESRMNT),
	E(ECOMM),
	E(EPROTO),
	E(EMULTIHOP),
	E(EDOTDOT),
	E(EBADMSG),
	E(EOVERFLOW),
	E(ENOTUNIQ),
	E(EBADFD),
	E(EREMCHG),
	E(ELIBACC),
	E(ELIBBAD),
	E(ELIBSCN),
	E(ELIBMAX),
	E(ELIBEXEC),
	E(EILSEQ),
	E(ERESTART),
	E(ESTRPIPE),
	E(EUSERS),
	E(ENOTSOCK),
	E(EDESTADDRREQ),
	E(EMSGSIZE),
	E(EPROTOTYPE),
	E(ENOPROTOOPT),
	E(EPROTONOSUPPORT),
	E(ESOCKTNOSUPPORT),
	E(EOPNOTSUPP),
	E(EPFNOSUPPORT),
	E(EAFNOSUPPORT),
	E(EADDRINUSE),
	E(EADDRNOTAVAIL),
	E(ENETDOWN),
	E(ENETUNREACH),
	E(ENETRESET),
	E(ECONNABORTED),
	E(ECONNRESET),
	E(ENOBUFS),
	E(EISCONN),
	E(ENOTCONN),
	E(ESHUTDOWN),
	E(ETOOMANYREFS),
	E(ETIMEDOUT),
	E(ECONNREFUSED),
	E(EHOSTDOWN),
	E(EHOSTUNREACH),
	E(EALREADY),
	E(EINPROGRESS),
	E(ESTALE),
	E(EUCLEAN),
	E(ENOTNAM),
	E(ENAVAIL),
	E(EISNAM),
	E(EREMOTEIO),
	E(EDQUOT),
	E(ENOMEDIUM),
	E(EMEDIUMTYPE),
	E(ECANCELED),
	E(ENOKEY),
	E(EKEYEXPIRED),
	E(EKEYREVOKED),
	E(EKEYREJECTED),
	E(EOWNERDEAD),
	E(ENOTRECOVERABLE),
	E(ERFKILL),
	E(EHWPOISON),
	/* The kernel's own, meant never to reach a program and so in no header for one
	 * (include/linux/errno.h, unchanged since 2.6 but for the last few). */
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
#undef E

/* Returns the new length, or LEN itself when the name doesn't fit. */
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

		/* In VALUE for the words that stand for 0, in LEFT lest a composite's parts
		 * follow. */
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
	if (error < 0 || (size_t)error >= sizeof(errno_names) / sizeof(errno_names[0]))
		return NULL;
	return errno_names[error];
}
