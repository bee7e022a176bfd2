/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of Linux's C library that other systems lack, with the same names and meaning; libc.c
 * implements them. For macOS the compiler includes this in every file (-include), as a missing
 * include would not be noticed on Linux. */
#ifndef IOTRC_LIBC_H
#define IOTRC_LIBC_H

#ifdef __linux__
#include <endian.h>
#else

#include <dirent.h>
#include <libkern/OSByteOrder.h>
#include <signal.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* string.h, stdlib.h */
void *memrchr(const void *s, int c, size_t n);
char *strchrnul(const char *s, int c);
void *mempcpy(void *to, const void *from, size_t n);
void explicit_bzero(void *s, size_t n);
void *reallocarray(void *p, size_t n, size_t size);
int clearenv(void);

/* time.h. APFS sets the times of files from the clock itself. */
#define CLOCK_REALTIME_COARSE CLOCK_REALTIME
/* macOS' CLOCK_MONOTONIC also advances during sleep. */
#define CLOCK_BOOTTIME CLOCK_MONOTONIC

/* sys/stat.h */
#define st_mtim st_mtimespec

/* unistd.h. The descriptors are made and marked in two steps: another thread's child may inherit
 * them in between. */
int pipe2(int fds[2], int flags);
int dup3(int from, int to, int flags);
int fdatasync(int fd);
pid_t gettid(void);
/* All three ids must be equal, because no call sets them separately. For root only. */
int setresuid(uid_t real, uid_t effective, uid_t saved);
int setresgid(gid_t real, gid_t effective, gid_t saved);

/* signal.h. Polls every 10 ms; INFO must be NULL. */
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);

/* dirent.h. versionsort() would compare numbers in names by value. */
#define versionsort alphasort

/* sys/random.h; at most 256 bytes. It never blocks (getentropy(2)). */
#define GRND_NONBLOCK 1
ssize_t getrandom(void *buf, size_t n, unsigned int flags);

/* stdio.h */
#define RENAME_NOREPLACE 1
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags);

/* fcntl.h. A directory cannot be opened for writing, so there are no unnamed files. */
#define O_TMPFILE 0
/* For directories only, and it needs search permission. */
#define O_PATH O_SEARCH
/* fcntl.h. xnu's numbers, of bsd/sys/fcntl_private.h: macOS has had these locks since 10.15. */
#ifndef F_OFD_SETLK
#define F_OFD_SETLK 90
#define F_OFD_GETLK 92
#endif

/* fcntl.h: hints, which may be ignored. */
#define FALLOC_FL_KEEP_SIZE 1
#define SYNC_FILE_RANGE_WRITE 2
int fallocate(int fd, int mode, off_t offset, off_t len);
int sync_file_range(int fd, off_t offset, off_t n, unsigned int flags);

/* unistd.h */
typedef off_t off64_t;
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t n,
			unsigned int flags);

/* endian.h */
#define le64toh(x) OSSwapLittleToHostInt64(x)

/* netinet/in.h: IANA's numbers. */
#define IPPROTO_DCCP 33
#define IPPROTO_UDPLITE 136

#endif
#endif
