// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

#include "platform/macros.h"
#include "rows/linux_numbers.h"
#include "rows/names.h"

#define ADDRESS(set) { #set, &names_##set },
static const struct {
	const char *name;
	const struct name_set *set;
} sets[] = { NAMES_SETS(ADDRESS) };
#define N_SETS (ARRAY_SIZE(sets))

static const char *flags(const struct name_set *set, uint64_t value)
{
	static char buf[NAMES_MAX];
	size_t len = names__flags(set, value, buf, sizeof(buf));

	cr_assert(len == strlen(buf));
	return buf;
}

#define SAYS(set, value, text) \
	cr_expect_str_eq(flags(&names_##set, (uint64_t)(value)), text, "%s: %s", #set, \
			 flags(&names_##set, (uint64_t)(value)))

Test(names, open)
{
	SAYS(open, O_RDONLY, "O_RDONLY");
	SAYS(open, O_RDONLY | O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
	SAYS(open, O_WRONLY | O_CREAT | O_TRUNC, "O_WRONLY|O_CREAT|O_TRUNC");
	SAYS(open, O_RDWR | O_APPEND | O_NONBLOCK, "O_RDWR|O_APPEND|O_NONBLOCK");
	SAYS(open, O_ACCMODE, "O_ACCMODE");
	SAYS(open, O_RDONLY | O_PATH | O_NOFOLLOW, "O_RDONLY|O_NOFOLLOW|O_PATH");
	SAYS(open, O_RDWR | O_TMPFILE, "O_RDWR|O_TMPFILE");
	SAYS(open, O_RDONLY | O_DIRECTORY, "O_RDONLY|O_DIRECTORY");
	SAYS(open, O_WRONLY | O_SYNC, "O_WRONLY|O_SYNC");
	SAYS(open, O_WRONLY | O_DSYNC, "O_WRONLY|O_DSYNC");
	SAYS(open, O_RDONLY | O_ASYNC | O_DIRECT | O_NOATIME | O_EXCL | O_NOCTTY,
	     "O_RDONLY|O_EXCL|O_NOCTTY|O_ASYNC|O_DIRECT|O_NOATIME");
	SAYS(open, (1ull << 40) | O_WRONLY, "O_WRONLY|0x10000000000");
}

/* Bits that the kernel itself keeps in f_flags. */
Test(names, open_file_of_a_64_bit_process)
{
	char path[] = "/tmp/iotrc-names-XXXXXX";
	unsigned long kernel_flags;
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	cr_assert(fcntl(fd, F_SETFL, O_APPEND) == 0);
	kernel_flags = fcntl(fd, F_GETFL);
	close(fd);
	unlink(path);
/* In check-arm64 the kernel is qemu-aarch64, which removes the flag. */
#ifndef __aarch64__
	if (sizeof(long) == 8)
		cr_expect((kernel_flags & ~(unsigned long)(O_RDWR | O_APPEND)) != 0,
			  "no O_LARGEFILE in %lo: this test proves nothing", kernel_flags);
#endif
	SAYS(open, kernel_flags, "O_RDWR|O_APPEND");
	SAYS(open_file, kernel_flags, "O_RDWR|O_APPEND");
}

/* Bits that the kernel uses in f_flags are not flags of open(): they are shown only if a program
 * passes them. */
Test(names, bits_without_a_name)
{
	SAYS(open, O_RDONLY | 0x20, "O_RDONLY|0x20");
	SAYS(open, O_WRONLY | 0x6000000, "O_WRONLY|0x6000000");
	SAYS(open_file, O_RDONLY | 0x20, "O_RDONLY");
	SAYS(open, O_RDONLY | UINT64_C(1) << 37, "O_RDONLY|0x2000000000");
}

Test(names, mode)
{
	SAYS(mode, 0, "0");
	SAYS(mode, 0644, "S_IRUSR|S_IWUSR|S_IRGRP|S_IROTH");
	SAYS(mode, 07777,
	     "S_ISUID|S_ISGID|S_ISVTX|S_IRUSR|S_IWUSR|S_IXUSR|S_IRGRP|S_IWGRP|S_IXGRP"
	     "|S_IROTH|S_IWOTH|S_IXOTH");
	SAYS(mode, S_IFREG | 0400, "S_IFREG|S_IRUSR");
	SAYS(mode, S_IFSOCK, "S_IFSOCK");
	SAYS(mode, S_IFBLK | 0200, "S_IFBLK|S_IWUSR");
}

Test(names, at)
{
	SAYS(at, 0, "");
	SAYS(at, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, "AT_SYMLINK_NOFOLLOW|AT_NO_AUTOMOUNT");
	SAYS(at, AT_EMPTY_PATH, "AT_EMPTY_PATH");
#ifdef AT_STATX_DONT_SYNC
	SAYS(at, AT_STATX_DONT_SYNC, "AT_STATX_DONT_SYNC");
	SAYS(at, AT_STATX_SYNC_TYPE, "0x6000"); /* both at once: not a valid type */
#endif
	SAYS(at_unlink, AT_REMOVEDIR, "AT_REMOVEDIR");
	SAYS(at_access, AT_EACCESS | AT_SYMLINK_NOFOLLOW, "AT_EACCESS|AT_SYMLINK_NOFOLLOW");
}

Test(names, memory)
{
	SAYS(prot, PROT_NONE, "PROT_NONE");
	SAYS(prot, PROT_READ | PROT_EXEC, "PROT_READ|PROT_EXEC");
	SAYS(map, MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, "MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE");
	SAYS(map, MAP_SHARED_VALIDATE | MAP_SYNC, "MAP_SHARED_VALIDATE|MAP_SYNC");
	SAYS(map, MAP_SHARED, "MAP_SHARED");
	SAYS(map, MAP_ANONYMOUS, "MAP_FILE|MAP_ANONYMOUS");
	SAYS(map, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (21u << MAP_HUGE_SHIFT),
	     "MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|MAP_HUGE_2MB");
	SAYS(map, MAP_PRIVATE | MAP_HUGETLB | (34u << MAP_HUGE_SHIFT),
	     "MAP_PRIVATE|MAP_HUGETLB|MAP_HUGE_16GB");
	SAYS(map, MAP_PRIVATE | (22u << MAP_HUGE_SHIFT), "MAP_PRIVATE|0x58000000");
	SAYS(msync, MS_SYNC | MS_INVALIDATE, "MS_INVALIDATE|MS_SYNC");
	SAYS(mremap, MREMAP_MAYMOVE | MREMAP_FIXED, "MREMAP_MAYMOVE|MREMAP_FIXED");
	SAYS(madvise, MADV_NORMAL, "MADV_NORMAL");
	SAYS(madvise, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	SAYS(madvise, 99, "0x63");
}

Test(names, files)
{
	SAYS(rename, RENAME_NOREPLACE, "RENAME_NOREPLACE");
	SAYS(rename, RENAME_EXCHANGE | RENAME_WHITEOUT, "RENAME_EXCHANGE|RENAME_WHITEOUT");
	SAYS(rwf, RWF_NOWAIT | RWF_HIPRI, "RWF_HIPRI|RWF_NOWAIT");
	SAYS(fallocate, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
	     "FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE");
	SAYS(xattr, XATTR_CREATE, "XATTR_CREATE");
	SAYS(access, F_OK, "F_OK");
	SAYS(access, R_OK | W_OK | X_OK, "R_OK|W_OK|X_OK");
	SAYS(fadvise, POSIX_FADV_DONTNEED, "POSIX_FADV_DONTNEED");
	SAYS(splice, SPLICE_F_MOVE | SPLICE_F_MORE, "SPLICE_F_MOVE|SPLICE_F_MORE");
	SAYS(sync_range, SYNC_FILE_RANGE_WRITE, "SYNC_FILE_RANGE_WRITE");
	SAYS(flock, LOCK_EX | LOCK_NB, "LOCK_EX|LOCK_NB");
	SAYS(lock_type, F_RDLCK, "F_RDLCK");
	SAYS(lock_type, F_UNLCK, "F_UNLCK");
	SAYS(mount, MS_RDONLY | MS_NOEXEC | MS_BIND, "MS_RDONLY|MS_NOEXEC|MS_BIND");
	SAYS(mount, MS_MGC_VAL | MS_NOSUID, "MS_MGC_VAL|MS_NOSUID");
	SAYS(mount, 1u << 31, "MS_NOUSER");
	SAYS(umount, MNT_DETACH | UMOUNT_NOFOLLOW, "MNT_DETACH|UMOUNT_NOFOLLOW");
}

Test(names, sockets)
{
	SAYS(sock_type, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	     "SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK");
	SAYS(sock_type, SOCK_SEQPACKET, "SOCK_SEQPACKET");
	SAYS(sock_type, 9, "0x9");
	/* Newer than the headers of many build machines (include/uapi/linux/fs.h, asm-
	 * generic/socket.h). */
	SAYS(rwf, 0x1ff,
	     "RWF_HIPRI|RWF_DSYNC|RWF_SYNC|RWF_NOWAIT|RWF_APPEND|RWF_NOAPPEND|RWF_ATOMIC|RWF_DONTCACHE|RWF_NOSIGNAL");
	cr_expect_str_eq(names__word(&names_opt_so, 84), "SO_INQ");
	cr_expect_str_eq(names__word(&names_opt_tcp, 44), "TCP_RTO_MAX_MS");
	SAYS(epoll, EPOLLIN | EPOLLRDHUP | EPOLLET, "EPOLLIN|EPOLLRDHUP|EPOLLET");
	cr_expect_str_eq(names__word(&names_domain, AF_UNIX), "AF_UNIX");
	cr_expect_str_eq(names__word(&names_domain, AF_INET6), "AF_INET6");
	cr_expect_str_eq(names__word(&names_domain, AF_NETLINK), "AF_NETLINK");
	cr_expect(names__word(&names_domain, 4000) == NULL);
	cr_expect_str_eq(names__word(&names_sock_type, SOCK_DGRAM), "SOCK_DGRAM");
	cr_expect_str_eq(names__word(&names_shut, SHUT_RD), "SHUT_RD");
	cr_expect_str_eq(names__word(&names_shut, SHUT_RDWR), "SHUT_RDWR");
	cr_expect_str_eq(names__word(&names_epoll_ctl, EPOLL_CTL_MOD), "EPOLL_CTL_MOD");
}

/* The C library's own names are the oracle. */
Test(names, errno_is_that_of_the_c_library)
{
#if __GLIBC_PREREQ(2, 32)
	for (int e = 1; e < 512; e++) {
		const char *theirs = strerrorname_np(e), *ours = names__errno(e);

		cr_expect(!theirs == !ours && (!ours || !strcmp(theirs, ours)),
			  "errno %d: %s, C library %s", e, ours ? ours : "-",
			  theirs ? theirs : "-");
	}
	for (int s = 1; s < 32; s++) {
		const char *ours = names__word(&names_signal, (uint64_t)s);

		/* SIGPOLL is the same signal; the kernel and strace call it SIGIO. */
		cr_expect(ours && (s == SIGIO || !strcmp(ours + 3, sigabbrev_np(s))),
			  "signal %d: %s", s, ours);
	}
#endif
	cr_expect(names__errno(0) == NULL);
	cr_expect(names__errno(-ENOENT) == NULL);
	cr_expect(names__errno(INT_MAX) == NULL);
	cr_expect(names__errno(INT_MIN) == NULL);
	cr_expect_str_eq(names__errno(512), "ERESTARTSYS");
	cr_expect_str_eq(names__errno(516), "ERESTART_RESTARTBLOCK");
	cr_expect(names__errno(520) == NULL);
	cr_expect_str_eq(names__errno(524), "ENOTSUPP");
	cr_expect_str_eq(names__errno(531), "ENOGRACE");
	cr_expect(names__errno(532) == NULL);
}

/* The numbers that encoders compare with are those of Linux's headers. */
Test(names, compared_numbers_are_those_of_the_headers)
{
#define SAME(name) \
	{ \
		LINUX_##name, name, #name \
	}
	static const struct {
		int ours, theirs;
		const char *name;
	} numbers[] = {
		SAME(EIO),
		SAME(EAGAIN),
		SAME(ENOMEM),
		SAME(EBUSY),
		SAME(ENOSPC),
		SAME(EBADE),
		SAME(ENODATA),
		SAME(ENOLINK),
		SAME(EREMCHG),
		SAME(EILSEQ),
		SAME(EOPNOTSUPP),
		SAME(ETIMEDOUT),
		SAME(EREMOTEIO),
		SAME(AF_UNIX),
		SAME(AF_INET),
		SAME(AF_INET6),
		SAME(IPPROTO_IP),
		SAME(IPPROTO_TCP),
		SAME(IPPROTO_UDP),
		SAME(IPPROTO_IPV6),
		SAME(IPPROTO_ICMPV6),
		SAME(IPPROTO_RAW),
		SAME(SOL_SOCKET),
		SAME(SOL_PACKET),
		SAME(SOL_NETLINK),
		SAME(SO_LINGER),
		SAME(SO_RCVTIMEO),
		SAME(SO_SNDTIMEO),
		SAME(SO_BINDTODEVICE),
		SAME(SO_RCVTIMEO_NEW),
		SAME(SO_SNDTIMEO_NEW),
		SAME(IP_MULTICAST_IF),
		SAME(IP_ADD_MEMBERSHIP),
		SAME(IP_DROP_MEMBERSHIP),
		SAME(TCP_CONGESTION),
		SAME(TCP_ULP),
	};
#undef SAME

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		cr_expect_eq(numbers[i].ours, numbers[i].theirs, "%s", numbers[i].name);
}

/* No value of any set exceeds NAMES_MAX, and every word is used. */
Test(names, every_set_fits_and_says_each_word)
{
	for (size_t s = 0; s < N_SETS; s++) {
		const struct name_set *set = sets[s].set;
		size_t longest = sizeof("|0xffffffffffffffff");

		cr_expect(flags(set, UINT64_MAX)[0] != '\0', "%s", sets[s].name);
		for (size_t i = 0; i < set->n_names; i++) {
			const struct name *n = &set->names[i];

			cr_expect(n->len == strlen(n->name));
			cr_expect((n->value & ~n->mask) == 0, "%s %s", sets[s].name, n->name);
			cr_expect((n->value & set->ignored) == 0, "%s %s", sets[s].name, n->name);
			cr_expect(strstr(flags(set, n->value), n->name) != NULL, "%s %s",
				  sets[s].name, n->name);
			cr_expect_str_eq(names__word(set, n->value), n->name);
			if (n->mask != UINT64_MAX)
				longest += n->len + 1;
		}
		cr_expect(longest <= NAMES_MAX, "%s: %zu", sets[s].name, longest);
	}
}

/* For any bits, words and hexadecimal rest together give the value again. */
Test(names, text_says_the_value_again)
{
	uint64_t x = 88172645463325252ull;

	for (int round = 0; round < 20000; round++) {
		const struct name_set *set = sets[round % N_SETS].set;
		char buf[NAMES_MAX], *save, *word;
		uint64_t value, again = 0;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		value = (round / N_SETS) % 2 ? x : x & 0xffffffff & (x >> 32);
		names__flags(set, value, buf, sizeof(buf));
		for (word = strtok_r(buf, "|", &save); word; word = strtok_r(NULL, "|", &save)) {
			size_t i;

			if (!strncmp(word, "0x", 2)) {
				again |= strtoull(word, NULL, 16);
				continue;
			}
			for (i = 0; i < set->n_names && strcmp(word, set->names[i].name); i++)
				;
			cr_assert(i < set->n_names, "%s", word);
			again |= set->names[i].value;
		}
		cr_assert(again == (value & ~set->ignored), "%s: 0x%jx as 0x%jx",
			  sets[round % N_SETS].name, (uintmax_t)value, (uintmax_t)again);
	}
}

Test(names, a_short_buffer_is_cut_at_a_word)
{
	uint64_t value = O_WRONLY | O_CREAT | O_TRUNC | (1ull << 40);
	const char *whole = "O_WRONLY|O_CREAT|O_TRUNC|0x10000000000";

	for (size_t size = 1; size <= strlen(whole) + 1; size++) {
		char *buf = malloc(size); /* exact, for AddressSanitizer */
		size_t len = names__flags(&names_open, value, buf, size);

		cr_assert(len < size && strlen(buf) == len);
		cr_expect(!strncmp(buf, whole, len));
		cr_expect(len == 0 || whole[len] == '|' || whole[len] == '\0', "'%s'", buf);
		if (size == strlen(whole) + 1)
			cr_expect_str_eq(buf, whole);
		free(buf);
	}
}
