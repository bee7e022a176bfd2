// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "platform/macros.h"
#include "rows/repeats.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

static struct repeats *repeats;

static void setup(void)
{
	cr_assert_eq(repeats__new(&repeats), 0);
	/* The first record of a thread is new, whatever it says. */
	for (uint64_t task = 1; task <= 2; task++)
		cr_assert(!repeats__has(
			repeats,
			&(struct rec_fs){ .type = REC_FS, .op = FS_PROCESS_EXEC, .task = task }));
}

static void teardown(void)
{
	repeats__free(repeats);
}

TestSuite(repeats, .init = setup, .fini = teardown);

/* A record, and the requested path behind it. */
union call {
	struct rec_fs_long rec;
	char bytes[sizeof(struct rec_fs_long) + 64];
};

static bool again(enum fs_op op, uint64_t task, uint64_t path, int64_t ret)
{
	struct rec_fs rec = { .type = REC_FS, .op = op, .task = task, .path = path, .ret = ret };

	return repeats__has(repeats, &rec);
}

static bool repeated(enum fs_op op, uint64_t task, const char *path, int64_t ret, uint64_t ino)
{
	union call c = { .rec = { .fs = { REC_FS_LONG, op, .task = task, .ret = ret },
				  .base = 7,
				  .ino = ino,
				  .len = strlen(path),
				  .has = LONG_HAS_REQUESTED | (ino ? LONG_HAS_INODE : 0) } };

	strcpy(c.bytes + sizeof(c.rec), path);
	return repeats__has(repeats, &c);
}

static bool mapped_again(uint64_t path, uint32_t prot, uint32_t flags)
{
	struct rec_fs_long l = { .fs = { REC_FS_LONG, FS_MMAP, .task = 1, .path = path },
				 .aux = prot,
				 .aux2 = flags,
				 .has = LONG_HAS_PROT };

	return repeats__has(repeats, &l);
}

Test(repeats, a_failure_is_everybodys)
{
	cr_assert(!repeated(FS_OPEN, 1, "a.h", -ENOENT, 0));
	cr_assert(repeated(FS_OPEN, 1, "a.h", -ENOENT, 0));
	cr_assert(repeated(FS_OPEN, 2, "a.h", -ENOENT, 0));
	cr_assert(!repeated(FS_OPEN, 1, "a.h", -EACCES, 0));
	cr_assert(!repeated(FS_OPEN, 1, "b.h", -ENOENT, 0));
	cr_assert(!repeated(FS_OPEN, 1, "a.hh", -ENOENT, 0));
	cr_assert(!repeated(FS_READLINK, 1, "a.h", -ENOENT, 0));
}

Test(repeats, a_look_is_everybodys_while_the_file_is_the_same)
{
	cr_assert(!repeated(FS_GETATTR, 1, "a", 0, 5));
	cr_assert(repeated(FS_GETATTR, 2, "a", 0, 5));
	cr_assert(!repeated(FS_GETATTR, 1, "a", 0, 6));
	cr_assert(!again(FS_READDIR, 1, 9, 100));
	cr_assert(again(FS_READDIR, 1, 9, 0));
}

Test(repeats, a_read_is_its_threads)
{
	cr_assert(!again(FS_READ, 1, 9, 0));
	cr_assert(again(FS_READ, 1, 9, 0));
	cr_assert(!again(FS_READ, 1, 9, 10), "more than nothing is new");
	cr_assert(again(FS_READ, 1, 9, 20));
	cr_assert(again(FS_READ, 1, 9, 0));
	cr_assert(!again(FS_READ, 2, 9, 10));
	cr_assert(again(FS_READ, 2, 9, 0), "less than what it has moved");
	cr_assert(!again(FS_READ, 1, 0, 10) && !again(FS_READ, 1, 0, 10), "of no file");
}

Test(repeats, what_changes_something_never_repeats)
{
	static const enum fs_op ops[] = { FS_OPEN,   FS_WRITE,  FS_TRUNCATE,  FS_SETATTR,
					  FS_RENAME, FS_UNLINK, FS_MKDIR,     FS_RMDIR,
					  FS_LINK,   FS_CLONE,  FS_SENDFILE,  FS_PROCESS_FORK,
					  FS_MKNOD,  FS_SPLICE, FS_FALLOCATE, FS_PROCESS_EXIT };

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		cr_assert(!again(ops[i], 1, 9, 0) && !again(ops[i], 1, 9, 0), "%d", ops[i]);
		cr_assert(!repeated(ops[i], 1, "a", 0, 5) && !repeated(ops[i], 1, "a", 0, 5), "%d",
			  ops[i]);
	}
}

Test(repeats, a_mapping_that_writes_never_repeats)
{
	cr_assert(!mapped_again(9, PROT_READ, MAP_PRIVATE));
	cr_assert(mapped_again(9, PROT_READ | PROT_EXEC, MAP_SHARED));
	cr_assert(mapped_again(9, PROT_WRITE, MAP_PRIVATE));
	cr_assert(!mapped_again(9, PROT_WRITE, MAP_SHARED));
	cr_assert(!mapped_again(9, PROT_WRITE, MAP_SHARED));
	cr_assert(!again(FS_READ, 1, 9, 10), "a read is no mapping");
}

Test(repeats, a_new_thread_is_reported)
{
	cr_assert(!repeated(FS_ACCESS, 1, "a", -ENOENT, 0));
	cr_assert(!repeated(FS_ACCESS, 3, "a", -ENOENT, 0));
	cr_assert(repeated(FS_ACCESS, 3, "a", -ENOENT, 0));
}

Test(repeats, unknown_results_and_other_streams_are_kept)
{
	struct rec_fs rec = { .type = REC_FS, .op = FS_READ, .task = 1, .path = 9, .ret = 1 };

	rec.has = FS_NO_RESULT;
	cr_assert(!repeats__has(repeats, &rec) && !repeats__has(repeats, &rec));
	rec = (struct rec_fs){ .type = REC_BLOCK };
	cr_assert(!repeats__has(repeats, &rec) && !repeats__has(repeats, &rec));
}

/* The table is bounded: it forgets, which only costs rows. */
Test(repeats, many)
{
	uint64_t n = 3000000, kept = 0;

	for (uint64_t i = 1; i <= n; i++)
		kept += again(FS_READ, 1, i, 1);
	cr_assert_eq(kept, 0, "none is taken for another");
	cr_assert(again(FS_READ, 1, n, 1));
}
