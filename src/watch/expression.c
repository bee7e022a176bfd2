// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/expression.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "platform/macros.h"
#include "rows/operation.h"
#include "schema/fs_ops.h"
#include "schema/schema.h"
#include "schema/selection.h"

#define OP(name) (UINT64_C(1) << FS_##name)
#define STREAM(name) (UINT32_C(1) << STREAM_##name)

/* clang-format off */

/* Calls that take a path, calls that take a descriptor, and so on: strace(1)'s classes. */
#define FILE_OPS \
	(OP(OPEN) | OP(ACCESS) | OP(GETATTR) | OP(SETATTR) | OP(READLINK) | OP(GETXATTR) | \
	 OP(SETXATTR) | OP(LISTXATTR) | OP(REMOVEXATTR) | OP(RENAME) | OP(UNLINK) | OP(MKDIR) | \
	 OP(RMDIR) | OP(LINK) | OP(SYMLINK) | OP(MKNOD) | OP(CHDIR) | OP(TRUNCATE) | OP(MOUNT) | \
	 OP(UMOUNT) | OP(PROCESS_EXEC))
#define DESC_OPS \
	(OP(READ) | OP(WRITE) | OP(CLOSE) | OP(FSYNC) | OP(FDATASYNC) | OP(SYNCFS) | \
	 OP(SYNC_FILE_RANGE) | OP(TRUNCATE) | OP(FALLOCATE) | OP(READDIR) | OP(GETATTR) | \
	 OP(SENDFILE) | OP(SPLICE) | OP(VMSPLICE) | OP(TEE) | OP(COPY_FILE_RANGE) | OP(CLONE) | \
	 OP(READAHEAD) | OP(FADVISE) | OP(MMAP) | OP(LOCK))
#define MEMORY_OPS (OP(MMAP) | OP(MUNMAP) | OP(MREMAP) | OP(MSYNC) | OP(MADVISE))
#define PROCESS_OPS (OP(PROCESS_FORK) | OP(PROCESS_EXEC) | OP(PROCESS_EXIT))
#define NETWORK \
	(STREAM(NW_CONN) | STREAM(NW_EPOLL) | STREAM(NW_SOCKOPT) | STREAM(NW_DROP) | \
	 STREAM(NW_FLOW))

static const struct {
	const char *name;
	struct expression what;
} classes[] = {
	{ "all",     { (UINT32_C(1) << STREAM_CAPTURED) - 1, ALL_OPS } },
	{ "file",    { STREAM(FS), FILE_OPS } },
	{ "desc",    { STREAM(FS), DESC_OPS } },
	{ "memory",  { STREAM(FS), MEMORY_OPS } },
	{ "process", { STREAM(FS), PROCESS_OPS } },
	{ "network", { NETWORK, 0 } },
	{ "disk",    { STREAM(BLOCK), 0 } },
};

/* clang-format on */

struct expression expression__default(void)
{
	return (struct expression){ STREAM(FS) | STREAM(NW_CONN), ALL_OPS };
}

static bool is_word(const char *word, const char *s, size_t len)
{
	return strlen(word) == len && !memcmp(word, s, len);
}

/* Looks up the LEN bytes of NAME; returns false if they have no meaning. */
static bool find(const char *name, size_t len, struct expression *ret)
{
	int op;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (is_word(classes[i].name, name, len)) {
			*ret = classes[i].what;
			return true;
		}
	for (int s = 0; s < STREAM_CAPTURED; s++)
		if (is_word(schema_streams[s].key, name, len)) {
			*ret = (struct expression){ UINT32_C(1) << s,
						    s == STREAM_FS ? ALL_OPS : 0 };
			return true;
		}
	op = operation__find(name, len);
	if (op < 0)
		return false;
	*ret = (struct expression){ STREAM(FS), UINT64_C(1) << op };
	return true;
}

/* Replaces LISTED by what is shown by default, without LISTED. */
static void invert(struct expression *listed)
{
	struct expression all = expression__default();

	listed->ops = all.ops & ~listed->ops;
	listed->streams = all.streams & ~(listed->streams & ~STREAM(FS));
	if (!listed->ops)
		listed->streams &= ~STREAM(FS);
}

bool expression__has(const struct expression *e, const char *name, size_t len)
{
	int op = operation__find(name, len);

	return op >= 0 && e->ops >> op & 1;
}

int expression__parse(struct expression *ret, const char *list, char why[EXPRESSION_WHY_MAX])
{
	bool inverted = *list == '!';
	struct expression one;

	*ret = (struct expression){ 0 };
	for (const char *s = list + inverted; *s || s == list + inverted;) {
		size_t percent = *s == '%', len = strcspn(s + percent, ",");

		if (!find(s + percent, len, &one)) {
			snprintf(why, EXPRESSION_WHY_MAX,
				 "'%.*s' is no operation, stream or class (file, desc, process, "
				 "memory, network, disk, all)",
				 (int)(len < 60 ? len : 60), s + percent);
			return -EINVAL;
		}
		ret->streams |= one.streams;
		ret->ops |= one.ops;
		s += percent + len;
		s += *s == ',' && s[1];
	}
	if (inverted)
		invert(ret);
	if (!ret->streams) {
		snprintf(why, EXPRESSION_WHY_MAX, "'%.60s' leaves nothing", list);
		return -EINVAL;
	}
	return 0;
}
