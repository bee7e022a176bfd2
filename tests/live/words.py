# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract's words for the numbers that strace shows, from Python's tables or written by hand."""
import fcntl
import os
import stat


def flags(*names, module=None, **values):
    """A table of single bits: names of MODULE, or NAME=VALUE."""
    table = [(getattr(module, n), getattr(module, n), n) for n in names]
    return table + [(v, v, n) for n, v in values.items()]


def field(mask, **values):
    return [(mask, v, n) for n, v in values.items()]


def words(*names):
    """Consecutive numbers from 0 on, each with its word."""
    return [(~0, i, n) for i, n in enumerate(names)]


MODE = (
    words("0")
    + field(0o170000, S_IFREG=stat.S_IFREG, S_IFDIR=stat.S_IFDIR, S_IFLNK=stat.S_IFLNK,
            S_IFCHR=stat.S_IFCHR, S_IFBLK=stat.S_IFBLK, S_IFIFO=stat.S_IFIFO,
            S_IFSOCK=stat.S_IFSOCK)
    + flags("S_ISUID", "S_ISGID", "S_ISVTX", "S_IRUSR", "S_IWUSR", "S_IXUSR", "S_IRGRP", "S_IWGRP",
            "S_IXGRP", "S_IROTH", "S_IWOTH", "S_IXOTH", module=stat)
)
# A value of several bits precedes its parts. O_LARGEFILE means nothing and has no word.
OPEN = (
    field(3, O_RDONLY=0, O_WRONLY=1, O_RDWR=2, O_ACCMODE=3)
    + flags("O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_SYNC", "O_DSYNC",
            "O_ASYNC", "O_TMPFILE", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "O_DIRECT",
            "O_NOATIME", "O_PATH", module=os)
)
LARGEFILE = 0o400000 if os.uname().machine == "aarch64" else 0o100000
AT = flags(AT_SYMLINK_NOFOLLOW=0x100, AT_SYMLINK_FOLLOW=0x400, AT_NO_AUTOMOUNT=0x800,
           AT_EMPTY_PATH=0x1000, AT_STATX_FORCE_SYNC=0x2000, AT_STATX_DONT_SYNC=0x4000,
           AT_RECURSIVE=0x8000)
AT_UNLINK = flags(AT_REMOVEDIR=0x200)
ACCESS = words("F_OK") + flags("R_OK", "W_OK", "X_OK", module=os)
AT_ACCESS = flags(AT_EACCESS=0x200, AT_SYMLINK_NOFOLLOW=0x100, AT_EMPTY_PATH=0x1000, AT_EXECVE_CHECK=0x10000)
RENAME = flags(RENAME_NOREPLACE=1, RENAME_EXCHANGE=2, RENAME_WHITEOUT=4)
RWF = flags(RWF_HIPRI=1, RWF_DSYNC=2, RWF_SYNC=4, RWF_NOWAIT=8, RWF_APPEND=16, RWF_NOAPPEND=32)
FALLOCATE = flags(
    FALLOC_FL_KEEP_SIZE=1, FALLOC_FL_PUNCH_HOLE=2, FALLOC_FL_NO_HIDE_STALE=4,
    FALLOC_FL_COLLAPSE_RANGE=8, FALLOC_FL_ZERO_RANGE=16, FALLOC_FL_INSERT_RANGE=32,
    FALLOC_FL_UNSHARE_RANGE=64, FALLOC_FL_WRITE_ZEROES=128,
)
FADVISE = words(*("POSIX_FADV_" + w for w in "NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED NOREUSE".split()))
MADVISE = [(~0, n, "MADV_" + w) for n, w in {
    0: "NORMAL", 1: "RANDOM", 2: "SEQUENTIAL", 3: "WILLNEED", 4: "DONTNEED", 8: "FREE", 9: "REMOVE",
    10: "DONTFORK", 11: "DOFORK", 12: "MERGEABLE", 13: "UNMERGEABLE", 14: "HUGEPAGE",
    15: "NOHUGEPAGE", 16: "DONTDUMP", 17: "DODUMP", 18: "WIPEONFORK", 19: "KEEPONFORK", 20: "COLD",
    21: "PAGEOUT", 22: "POPULATE_READ", 23: "POPULATE_WRITE",
}.items()]
PROT = words("PROT_NONE") + flags(PROT_READ=1, PROT_WRITE=2, PROT_EXEC=4)
MAP = field(15, MAP_FILE=0, MAP_SHARED=1, MAP_PRIVATE=2, MAP_SHARED_VALIDATE=3) + flags(
    MAP_FIXED=0x10, MAP_ANONYMOUS=0x20, MAP_32BIT=0x40, MAP_GROWSDOWN=0x100, MAP_DENYWRITE=0x800,
    MAP_EXECUTABLE=0x1000, MAP_LOCKED=0x2000, MAP_NORESERVE=0x4000, MAP_POPULATE=0x8000,
    MAP_NONBLOCK=0x10000, MAP_STACK=0x20000, MAP_HUGETLB=0x40000, MAP_FIXED_NOREPLACE=0x100000,
)
MSYNC = flags(MS_ASYNC=1, MS_INVALIDATE=2, MS_SYNC=4)
MREMAP = flags(MREMAP_MAYMOVE=1, MREMAP_FIXED=2, MREMAP_DONTUNMAP=4)
SYNC_RANGE = flags(SYNC_FILE_RANGE_WAIT_BEFORE=1, SYNC_FILE_RANGE_WRITE=2,
                   SYNC_FILE_RANGE_WAIT_AFTER=4)
SPLICE = flags(SPLICE_F_MOVE=1, SPLICE_F_NONBLOCK=2, SPLICE_F_MORE=4, SPLICE_F_GIFT=8)
XATTR = flags(XATTR_CREATE=1, XATTR_REPLACE=2)
FLOCK = flags("LOCK_SH", "LOCK_EX", "LOCK_NB", "LOCK_UN", module=fcntl) + flags(LOCK_MAND=32, LOCK_READ=64, LOCK_WRITE=128)
LOCK_COMMAND = {5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW", 12: "F_GETLK", 13: "F_SETLK", 14: "F_SETLKW",
                36: "F_OFD_GETLK", 37: "F_OFD_SETLK", 38: "F_OFD_SETLKW"}
LOCK_TYPE = words("F_RDLCK", "F_WRLCK", "F_UNLCK")
MOUNT = flags(
    MS_RDONLY=1, MS_NOSUID=2, MS_NODEV=4, MS_NOEXEC=8, MS_SYNCHRONOUS=16, MS_REMOUNT=32,
    MS_MANDLOCK=64, MS_DIRSYNC=128, MS_NOSYMFOLLOW=256, MS_NOATIME=1024, MS_NODIRATIME=2048,
    MS_BIND=4096, MS_MOVE=8192, MS_REC=16384, MS_SILENT=32768, MS_POSIXACL=1 << 16,
    MS_UNBINDABLE=1 << 17, MS_PRIVATE=1 << 18, MS_SLAVE=1 << 19, MS_SHARED=1 << 20,
    MS_RELATIME=1 << 21, MS_STRICTATIME=1 << 24, MS_LAZYTIME=1 << 25,
)
UMOUNT = flags(MNT_FORCE=1, MNT_DETACH=2, MNT_EXPIRE=4, UMOUNT_NOFOLLOW=8)
MOVE_MOUNT = flags(
    MOVE_MOUNT_F_SYMLINKS=1, MOVE_MOUNT_F_AUTOMOUNTS=2, MOVE_MOUNT_F_EMPTY_PATH=4,
    MOVE_MOUNT_T_SYMLINKS=16, MOVE_MOUNT_T_AUTOMOUNTS=32, MOVE_MOUNT_T_EMPTY_PATH=64,
)
CLOSE_RANGE = flags(CLOSE_RANGE_UNSHARE=2, CLOSE_RANGE_CLOEXEC=4)


def say(table, value):
    """The words of VALUE, as a set; bits without a name as one hexadecimal number."""
    left, said = value, set()
    for mask, bits, name in table:
        if value & mask == bits and left & mask == bits:
            said.add(name)
            left &= ~bits
    return said | ({hex(left)} if left else set())
