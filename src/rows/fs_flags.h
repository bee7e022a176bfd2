/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sets of names.h the flags of fs operations belong to. The encoder and the documentation of
 * the operations use this. */
#ifndef IOTRC_FS_FLAGS_H
#define IOTRC_FS_FLAGS_H

/* clang-format off */

/* X(operation of schema/fs_ops.h, set of names.h) */
#define FS_OP_FLAGS(X) \
	X(OPEN, open) X(MKDIR, mode) X(UNLINK, at_unlink) X(RMDIR, at_unlink) X(RENAME, rename) \
	X(GETATTR, at) X(PROCESS_EXEC, at) X(ACCESS, access) X(MKNOD, mode) X(LINK, at) \
	X(FALLOCATE, fallocate) X(FADVISE, fadvise) X(MADVISE, madvise) X(MSYNC, msync) \
	X(MREMAP, mremap) X(SYNC_FILE_RANGE, sync_range) X(SETXATTR, xattr) X(SPLICE, splice) \
	X(TEE, splice) X(COPY_FILE_RANGE, copy_file_range) X(VMSPLICE, splice) X(MOUNT, mount) \
	X(UMOUNT, umount)

/* The kinds (enum fs_kind) that are flags themselves … */
#define FS_KIND_WORDS(X) \
	X(CHMOD) X(CHOWN) X(UTIMES) X(CHROOT) X(PIVOT_ROOT) X(CLOSE_RANGE) \
	X(OPEN_TREE) X(FSMOUNT) X(MOUNT_SETATTR) X(SETFLAGS) X(FSSETXATTR) X(FILE_SETATTR) \
	X(FSOPEN) X(FSCONFIG) X(FSPICK) X(OPEN_TREE_ATTR)

/* … and those that have flags of their own: X(kind, set of names.h) */
#define FS_KIND_FLAGS(X) \
	X(CHMOD, mode) X(FLOCK, flock) X(FCNTL_LOCK, lock_command) X(CLOSE_RANGE, close_range) \
	X(MOVE_MOUNT, move_mount) X(OPEN_TREE, open_tree) X(FSMOUNT, mount_attr) \
	X(MOUNT_SETATTR, at) X(SETFLAGS, inode_flags) X(FSOPEN, fsopen) X(FSPICK, fspick) \
	X(FSCONFIG, fsconfig) X(OPEN_TREE_ATTR, open_tree)

#endif
