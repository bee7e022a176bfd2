/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The interface of io_uring with user space (include/uapi/linux/io_uring.h), which is the same on
 * every kernel. */
#ifndef IOTRC_BPF_URING_ABI_H
#define IOTRC_BPF_URING_ABI_H

#include "schema/types.h"

#define SETUP_SQE128 (1 << 10)
#define SETUP_NO_SQARRAY (1 << 16)
#define SQE_FIXED_FILE (1 << 0)
#define SQE_CQE_SKIP_SUCCESS (1 << 6) /* since 5.17 */
#define CQE_F_MORE (1 << 1)
#define FSYNC_DATASYNC (1 << 0)
#define SPLICE_FD_IN_FIXED (1U << 31)
#define ACCEPT_MULTISHOT (1 << 0) /* in ioprio, since 5.19 */
#define FILE_INDEX_ALLOC (~0U)    /* any free slot; the result tells which */

#define IORING_OP_READV 1
#define IORING_OP_WRITEV 2
#define IORING_OP_FSYNC 3
#define IORING_OP_ACCEPT 13
#define IORING_OP_OPENAT 18
#define IORING_OP_CLOSE 19
#define IORING_OP_READ 22
#define IORING_OP_WRITE 23
#define IORING_OP_OPENAT2 28
#define IORING_OP_SETXATTR 42
#define IORING_OP_GETXATTR 44
#define IORING_OP_SOCKET 45
#define IORING_OP_READ_MULTISHOT 49

/* In the table of operations, for kernel AIO alone: an opcode that it does not know. */
#define OP_UNKNOWN_TO_AIO 63

struct sqe {
	u8 opcode, flags;
	u16 ioprio;
	s32 fd;
	u64 off, addr;
	u32 len, op_flags;
	u64 user_data;
	u16 buf_index, personality;
	s32 file_index;
	u64 addr3;
};

#endif
