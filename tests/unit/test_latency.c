// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdlib.h>

#include "metrics/latency.h"
#include "schema/records.h"

static uint64_t bound_ns(int bucket)
{
	uint64_t ns = 1000;

	while (bucket--)
		ns *= 4;
	return ns;
}

static void add_read(struct latencies *l, uint64_t ns)
{
	struct rec_fs r = { .type = REC_FS, .op = FS_READ, .duration = ns };

	latencies__add(l, &r);
}

static void add_request(struct latencies *l, uint32_t dev, uint32_t flags, uint64_t ns)
{
	struct rec_block r = {
		.type = REC_BLOCK, .dev = dev, .cmd_flags = flags, .issue_ns = 1000, .ns = 1000 + ns
	};

	latencies__add(l, &r);
}

Test(latency, a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed)
{
	for (int i = 0; i < LATENCY_BUCKETS - 1; i++) {
		struct latencies *l = latencies__new();

		add_read(l, bound_ns(i));
		cr_assert_eq(l->fs[FS_READ].buckets[i], 1, "%d", i);
		add_read(l, bound_ns(i) + 1);
		cr_assert_eq(l->fs[FS_READ].buckets[i + 1], 1, "%d", i);
		cr_assert_eq(l->fs[FS_READ].sum_ns, 2 * bound_ns(i) + 1);
		free(l);
	}
}

Test(latency, extremes_have_a_bucket)
{
	struct latencies *l = latencies__new();

	add_read(l, 0);
	add_read(l, 1);
	add_read(l, INT64_MAX);
	cr_assert_eq(l->fs[FS_READ].buckets[0], 2);
	cr_assert_eq(l->fs[FS_READ].buckets[LATENCY_BUCKETS - 1], 1);
	free(l);
}

Test(latency, unknown_durations_are_not_counted)
{
	struct latencies *l = latencies__new();
	struct rec_fs_long end = { .fs = { .type = REC_FS_LONG, .op = FS_PROCESS_EXIT } };
	struct rec_block queued = { .type = REC_BLOCK, .ns = 7 };
	struct rec_conn conn = { .type = REC_CONN };

	add_read(l, DURATION_UNKNOWN);
	latencies__add(l, &end);
	latencies__add(l, &queued);
	latencies__add(l, &conn);
	for (int op = 0; op < FS_OP_COUNT; op++)
		for (int i = 0; i < LATENCY_BUCKETS; i++)
			cr_assert_eq(l->fs[op].buckets[i], 0);
	cr_assert_eq(l->n_blocks, 0);
	free(l);
}

Test(latency, requests_are_matched_by_device_and_operation)
{
	struct latencies *l = latencies__new();

	add_request(l, 8 << 20, 0, 500);
	add_request(l, 8 << 20, 1 | 0x800, 500); /* a write with a flag */
	add_request(l, 8 << 20, 1, 5000);
	add_request(l, 8 << 20 | 1, 1, 500);
	cr_assert_eq(l->n_blocks, 3);
	cr_assert_eq(l->blocks[1].dev, 8 << 20);
	cr_assert_eq(l->blocks[1].op, 1);
	cr_assert_eq(l->blocks[1].latency.buckets[0], 1);
	cr_assert_eq(l->blocks[1].latency.buckets[2], 1);
	free(l);
}

Test(latency, the_number_of_devices_is_bounded)
{
	struct latencies *l = latencies__new();

	for (uint32_t dev = 0; dev < 3 * LATENCY_BLOCK_MAX; dev++)
		add_request(l, dev, 0, 500);
	cr_assert_eq(l->n_blocks, LATENCY_BLOCK_MAX);
	cr_assert_eq(l->other_block.buckets[0], 2 * LATENCY_BLOCK_MAX);
	free(l);
}
