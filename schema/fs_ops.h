/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fs operations of the contract: FS_OP(SYMBOL, "name"). Shared by BPF and the program. */
#ifndef IOTRC_FS_OPS_H
#define IOTRC_FS_OPS_H

/* clang-format off */

#define FS_OPS(X) \
	X(OPEN, "open") X(CLOSE, "close") X(READ, "read") X(WRITE, "write") \
	X(FSYNC, "fsync") X(FDATASYNC, "fdatasync") X(SYNC, "sync") X(SYNCFS, "syncfs") \
	X(SYNC_FILE_RANGE, "sync_file_range") X(TRUNCATE, "truncate") X(FALLOCATE, "fallocate") \
	X(READDIR, "readdir") X(GETATTR, "getattr") X(SETATTR, "setattr") X(ACCESS, "access") \
	X(READLINK, "readlink") X(GETXATTR, "getxattr") X(SETXATTR, "setxattr") \
	X(LISTXATTR, "listxattr") X(REMOVEXATTR, "removexattr") X(RENAME, "rename") \
	X(UNLINK, "unlink") X(MKDIR, "mkdir") X(RMDIR, "rmdir") X(LINK, "link") \
	X(SYMLINK, "symlink") X(MKNOD, "mknod") X(CHDIR, "chdir") X(SENDFILE, "sendfile") \
	X(SPLICE, "splice") X(VMSPLICE, "vmsplice") X(TEE, "tee") \
	X(COPY_FILE_RANGE, "copy_file_range") X(CLONE, "clone") X(READAHEAD, "readahead") \
	X(FADVISE, "fadvise") X(MMAP, "mmap") X(MUNMAP, "munmap") X(MREMAP, "mremap") \
	X(MSYNC, "msync") X(MADVISE, "madvise") X(LOCK, "lock") X(MOUNT, "mount") \
	X(UMOUNT, "umount") X(PROCESS_FORK, "process_fork") X(PROCESS_EXEC, "process_exec") \
	X(PROCESS_EXIT, "process_exit") X(UNKNOWN, "unknown")

enum fs_op {
	FS_NONE,
#define FS_OP_ENUM(sym, name) FS_##sym,
	FS_OPS(FS_OP_ENUM)
#undef FS_OP_ENUM
	FS_OP_COUNT
};

#endif
