// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/dcache.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define SAMPLES_MIN 8
#define SAMPLES_MAX 32
#define FDS_TRIED 256
#define SHIFT_MIN 2 /* 2^30 buckets */
#define SHIFT_MAX 30
#define TABLE_ALIGN 4096
#define BUCKET_BYTES 8 /* struct hlist_bl_head */

static uint64_t table_by(const struct dcache_sample *s, uint32_t shift)
{
	return s->bucket - (uint64_t)(s->hash >> shift) * BUCKET_BYTES;
}

/* Returns how many of the samples agree that the table is at WANTED. */
static size_t agreeing(const struct dcache_sample *samples, size_t n, uint32_t shift,
		       uint64_t table)
{
	size_t ret = 0;

	for (size_t i = 0; i < n; i++)
		ret += table_by(&samples[i], shift) == table;
	return ret;
}

_Bool dcache__solve(const struct dcache_sample *samples, size_t n, uint64_t *ret_table,
		    uint32_t *ret_shift)
{
	for (uint32_t shift = SHIFT_MIN; shift <= SHIFT_MAX; shift++)
		/* Most samples agree on the table, so one of the first half does. */
		for (size_t i = 0; i <= n / 2 && i < n; i++) {
			uint64_t table = table_by(&samples[i], shift);

			if (table % TABLE_ALIGN || agreeing(samples, n, shift, table) * 4 < n * 3)
				continue;
			*ret_table = table;
			*ret_shift = shift;
			return 1;
		}
	return 0;
}

/* Runs the program on the open file FD. */
static int sample(int prog, int fd)
{
	uint64_t args[12] = { fd };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = args, .ctx_size_in = sizeof(args));

	return bpf_prog_test_run_opts(prog, &run);
}

int dcache__find(int prog, const u64 *sample_bucket, const u32 *sample_hash, uint64_t *ret_table,
		 uint32_t *ret_shift)
{
	struct dcache_sample samples[SAMPLES_MAX];
	size_t n = 0;
	char path[64];
	int err = 0;

	/* A new name becomes the first of its bucket (__d_rehash() of fs/dcache.c). These names are
	 * usually new: each process and thread has its own. */
	for (int fd = 0; fd < FDS_TRIED && n < SAMPLES_MAX && !err; fd++) {
		int open_fd;

		snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
		open_fd = open(path, O_PATH | O_CLOEXEC);
		if (open_fd < 0)
			continue;
		err = sample(prog, open_fd);
		samples[n].bucket = *(volatile const u64 *)sample_bucket;
		samples[n++].hash = *(volatile const u32 *)sample_hash;
		close(open_fd);
	}
	if (err)
		return err;
	return n >= SAMPLES_MIN && dcache__solve(samples, n, ret_table, ret_shift) ? 0 : -ENOENT;
}
