// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the kernel's table of names from names whose buckets are known. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/bpf/dcache.h"

#define N 24

static void make_samples(struct dcache_sample *samples, uint64_t table, uint32_t shift)
{
	for (size_t i = 0; i < N; i++) {
		samples[i].hash = (uint32_t)random() * 2654435761u;
		samples[i].bucket = table + (uint64_t)(samples[i].hash >> shift) * 8;
	}
}

Test(dcache, is_found_whatever_its_size)
{
	struct dcache_sample samples[N];

	srandom(7);
	for (uint32_t shift = 6; shift <= 24; shift++) {
		uint64_t table = UINT64_C(0xffff888100000000) + shift * 0x4000, found = 0;
		uint32_t by = 0;

		make_samples(samples, table, shift);
		cr_assert(dcache__solve(samples, N, &found, &by));
		cr_assert(found == table && by == shift, "shift %u: %u", shift, by);
	}
}

/* A name that is not the first of its bucket gives the address of another name. */
Test(dcache, some_names_may_be_behind_others)
{
	struct dcache_sample samples[N];
	uint64_t table = UINT64_C(0xffff888100000000), found = 0;
	uint32_t by = 0;

	srandom(8);
	make_samples(samples, table, 12);
	for (size_t i = 0; i < N / 5; i++)
		samples[i * 5].bucket = UINT64_C(0xffff88810abc0000) + i * 192 + 8;
	cr_assert(dcache__solve(samples, N, &found, &by));
	cr_assert(found == table && by == 12);
}

Test(dcache, what_does_not_agree_is_no_table)
{
	struct dcache_sample samples[N];
	uint64_t found = 1;
	uint32_t by = 1;

	srandom(9);
	for (size_t i = 0; i < N; i++)
		samples[i] = (struct dcache_sample){ UINT64_C(0xffff888100000000) + random() * 8,
						     random() };
	cr_assert(!dcache__solve(samples, N, &found, &by));
	cr_assert(found == 1 && by == 1, "written only when found");
	cr_assert(!dcache__solve(samples, 0, &found, &by));
}
