// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "base/watchdog.h"
#include "dataset/memory.h"

#define MIB (UINT64_C(1) << 20)
#define S UINT64_C(1000000000)

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* With any size and machine the parts fit, and none is too small to be useful. */
Test(memory, the_parts_fit)
{
	for (unsigned int cpus = 1; cpus <= 8192; cpus *= 2)
		for (uint64_t bytes = memory__least(cpus); bytes < 65536 * MIB;
		     bytes += bytes / 13) {
			struct memory_plan p;

			memory__plan(&p, bytes, cpus);
			cr_assert_leq(memory__total(&p, cpus), bytes, "%lu MiB, %u CPUs",
				      (unsigned long)(bytes / MIB), cpus);
			cr_assert(is_power_of_two(p.ring_bytes) &&
				  is_power_of_two(p.definitions_bytes) &&
				  is_power_of_two(p.dirty_pages));
			cr_assert(p.n_rings >= 1 && p.n_rings <= cpus);
			cr_assert_geq(p.ring_bytes, 256 << 10);
			cr_assert(!p.lane_bytes ||
				  (is_power_of_two(p.lane_bytes) && p.n_rings == cpus));
			cr_assert_geq(p.definitions_bytes, 64 << 10);
			cr_assert_geq(p.queue_chunks, 22, "two a stream");
			cr_assert_geq(p.paths_bytes, MIB);
			cr_assert_geq(p.tasks_bytes, MIB / 2);
			cr_assert_geq(p.sort_bytes, MIB / 2);
			cr_assert_geq(p.paths_sent, 4096);
			cr_assert_geq(p.paths_max, p.paths_sent,
				      "or the kernel sends all anew, again and again");
			cr_assert_geq(p.in_flight, 512);
			cr_assert_geq(p.uring_paths, 32);
			cr_assert_geq(p.bio_notes, 3 * p.in_flight / 2);
			cr_assert_geq(p.threads, 512);
		}
}

Test(memory, without_a_size_it_is_the_default)
{
	struct memory_plan p, q;

	memory__plan(&p, 0, 2);
	memory__plan(&q, MEMORY_DEFAULT, 2);
	cr_assert(p.ring_bytes == q.ring_bytes && p.queue_chunks == q.queue_chunks);
	cr_assert_eq(p.n_rings, 2);
	cr_assert_eq(p.lane_bytes, p.ring_bytes);
	cr_assert_gt(memory__total(&p, 2), MEMORY_DEFAULT / 4 * 3);
	/* A machine so large that the default would not suffice. */
	memory__plan(&p, 0, 8192);
	cr_assert_leq(memory__total(&p, 8192), memory__least(8192));
}

Test(watchdog, notices_a_thread_that_stands_still)
{
	struct watchdog d = { 0 };
	uint64_t now = 1000 * S;

	for (int i = 0; i < 30; i++, now += S)
		cr_assert(!watchdog__look(&d, i, false, now));
	for (int i = 0; i < 9; i++, now += S)
		cr_assert(!watchdog__look(&d, 29, false, now), "%d s", i);
	cr_assert(watchdog__look(&d, 29, false, now));
	cr_assert(d.stuck);
	cr_assert(!watchdog__look(&d, 29, false, now + S));
	cr_assert(watchdog__look(&d, 30, false, now + 2 * S));
	cr_assert(!d.stuck);
	cr_assert_eq(d.stalls, 1);
}

Test(watchdog, idle_is_not_stuck)
{
	struct watchdog d = { 0 };

	for (uint64_t now = S; now < 100 * S; now += S)
		cr_assert(!watchdog__look(&d, 7, true, now));
}

/* After SIGSTOP and SIGCONT, or a suspended virtual machine. */
Test(watchdog, one_that_was_away_itself_says_nothing)
{
	struct watchdog d = { 0 };

	cr_assert(!watchdog__look(&d, 7, false, 100 * S));
	cr_assert(!watchdog__look(&d, 7, false, 101 * S));
	cr_assert(!watchdog__look(&d, 7, false, 200 * S));
	for (uint64_t now = 201 * S; now < 210 * S; now += S)
		cr_assert(!watchdog__look(&d, 7, false, now));
	cr_assert(watchdog__look(&d, 7, false, 210 * S));
}
