// SPDX-License-Identifier: GPL-2.0-or-later
/* What a bio was made for, according to the kernel function that is called when it ends, or
 * according to the function of a work item. */
#include "engine/bpf/makers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "platform/macros.h"

/* For 5.10 to 7.2. Bios with other functions are classified by their pages, or remain unknown. */
static const struct {
	const char *symbol;
	enum bio_maker maker;
} functions[] = {
	{ "bio_chain_endio", MAKER_CHAIN },
	{ "end_bio_bh_io_sync", MAKER_BUFFERS },
	{ "iomap_dio_bio_end_io", MAKER_DIRECT },
	{ "blkdev_bio_end_io", MAKER_DEVICE },
	{ "blkdev_bio_end_io_async", MAKER_DEVICE },
	{ "blkdev_bio_end_io_simple", MAKER_DEVICE }, /* until 6.1 or so */
	/* Also of buffers: log blocks of ext4. */
	{ "journal_end_buffer_io_sync", MAKER_JOURNAL },
	{ "ext4_end_buffer_io_sync", MAKER_JOURNAL }, /* of fast commits */
	{ "xlog_bio_end_io", MAKER_JOURNAL },
	{ "xfs_buf_bio_end_io", MAKER_METADATA },
	{ "end_swap_bio_write", MAKER_SWAP },
	{ "end_swap_bio_read", MAKER_SWAP },
	{ "blk_throtl_dispatch_work_fn", MAKER_HELD },
};
_Static_assert(ARRAY_SIZE(functions) * 2 <= MAKERS_MAX, "room for twins of some name");

static int put(int map, const char *symbol, uint64_t addr)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		uint32_t maker = functions[i].maker;

		if (!strcmp(functions[i].symbol, symbol))
			return bpf_map_update_elem(map, &addr, &maker, BPF_ANY);
	}
	return 0;
}

int makers__fill(int map)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	unsigned long addr;
	int err = f ? 0 : -errno;

	while (f && !err && fgets(line, sizeof(line), f))
		if ((strstr(line, "io") || strstr(line, "throtl")) &&
		    sscanf(line, "%lx %*c %255s", &addr, symbol) == 2 && addr)
			err = put(map, symbol, addr);
	if (f)
		fclose(f);
	return err;
}

/* The names of the system calls of each cause, each followed by a blank. */
static const char *const causes[CAUSES] = {
	[CAUSE_FSYNC] = "fsync fdatasync ",
	[CAUSE_SYNC] = "sync syncfs sync_file_range arm_sync_file_range ",
	[CAUSE_MSYNC] = "msync ",
	[CAUSE_O_SYNC] = "write pwrite64 writev pwritev pwritev2 ",
	[CAUSE_TRUNCATE] = "truncate ftruncate truncate64 ftruncate64 ",
	[CAUSE_UNMOUNT] = "umount umount2 ",
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; p && *p; p = strchr(p, ' ') + 1)
		if (!strncmp(p, word, len) && p[len] == ' ')
			return true;
	return false;
}

void makers__call_causes(uint8_t to[MAX_SYSCALLS], const char *const names[MAX_SYSCALLS])
{
	for (size_t nr = 0; nr < MAX_SYSCALLS; nr++)
		for (int cause = 0; names[nr] && cause < CAUSES; cause++)
			if (causes[cause] && has_word(causes[cause], names[nr]))
				to[nr] = cause;
}

/* Each name is followed by a blank. Arguments are counted from 1. */
static const struct {
	const char *calls;
	uint8_t read, written;
} files[] = {
	{ "read pread64 readv preadv preadv2 readahead arm_fadvise64_64 fadvise64 fadvise64_64 ", 1,
	  0 },
	{ "write pwrite64 writev pwritev pwritev2 ftruncate ftruncate64 fallocate ", 1, 1 },
	{ "sendfile sendfile64 ", 2, 1 },
	{ "copy_file_range splice ", 1, 3 },
};

void makers__call_files(uint8_t to[MAX_SYSCALLS], const char *const names[MAX_SYSCALLS])
{
	for (size_t nr = 0; nr < MAX_SYSCALLS; nr++)
		for (size_t i = 0; names[nr] && i < ARRAY_SIZE(files); i++)
			if (has_word(files[i].calls, names[nr]))
				to[nr] = files[i].read << FILE_READ | files[i].written
									      << FILE_WRITTEN;
}
