// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "platform/machine_id.h"
#include "platform/macros.h"

#define S 1000000000ull

static const char *const zones[] = {
	"UTC",
	"Europe/Berlin",
	"America/New_York",
	"Asia/Kolkata",
	"Australia/Lord_Howe",
	"America/St_Johns",
	"Pacific/Chatham",
	"Africa/Casablanca",
	"EST5EDT",
	"XYZ-3:17",
};

static struct clock *clock_in(const char *zone)
{
	struct clock *c;

	setenv("TZ", zone, 1);
	cr_assert_eq(clock__new(&c), 0);
	return c;
}

/* The libc's rendering. */
static void oracle(uint64_t real_ns, char out[64])
{
	time_t t = real_ns / S;
	struct tm tm;
	char text[32];

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(out, 64, "%s.%06u", text, (unsigned int)(real_ns % S / 1000));
}

static void assert_wall(struct clock *c, uint64_t mono_ns, uint64_t real_ns)
{
	char want[64], got[CLOCK_WALL_LEN + 1] = "";

	oracle(real_ns, want);
	clock__wall(c, mono_ns, got);
	cr_assert_str_eq(got, want, "%s: %s, should be %s", getenv("TZ"), got, want);
}

static uint64_t random64(void)
{
	return (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();
}

Test(clock, wall_is_localtimes)
{
	struct clock_offset list[CLOCK_OFFSETS_MAX];
	const uint64_t y2000 = 946684800 * S, y2100 = 4102444800 * S;

	srand(1);
	for (size_t z = 0; z < ARRAY_SIZE(zones); z++) {
		struct clock *c = clock_in(zones[z]);
		uint64_t real = y2000;

		cr_assert_eq(clock__offsets(c, list), 1);
		for (int i = 0; i < 20000; i++) {
			if (i % 4 == 0)
				real = y2000 + random64() % (y2100 - y2000);
			else
				real += random64() % (i % 4 == 1 ? S : 7200 * S);
			assert_wall(c, real - list[0].offset_ns, real);
			assert_wall(c, real - S / 2 - list[0].offset_ns, real - S / 2);
		}
		/* Each day of the calendar, leap years of all kinds included. */
		for (uint64_t day = 0; day < 80000; day++)
			assert_wall(c, y2000 + day * 86400 * S - list[0].offset_ns,
				    y2000 + day * 86400 * S);
		clock__free(c);
	}
}

/* Second by second around each change of the UTC offset in two years. */
Test(clock, wall_at_zone_changes)
{
	struct clock_offset list[CLOCK_OFFSETS_MAX];

	for (size_t z = 0; z < ARRAY_SIZE(zones); z++) {
		struct clock *c = clock_in(zones[z]);
		long before = 0;

		clock__offsets(c, list);
		for (time_t t = 1704067200; t < 1704067200 + 2 * 366 * 86400; t += 900) {
			struct tm tm;

			localtime_r(&t, &tm);
			for (int d = -3; tm.tm_gmtoff != before && d <= 3; d++)
				assert_wall(c, (t + d) * S + 999999999 - list[0].offset_ns,
					    (t + d) * S + 999999999);
			before = tm.tm_gmtoff;
		}
		clock__free(c);
	}
}

Test(clock, each_offset_holds_from_its_start)
{
	struct clock *c = clock_in("CET-1CEST,M3.5.0,M10.5.0/3");
	struct clock_offset list[CLOCK_OFFSETS_MAX];
	uint64_t m;
	int64_t o;

	clock__offsets(c, list);
	m = list[0].from_mono_ns;
	o = list[0].offset_ns;

	/* Noise and small slews are no step, until they add up to one. */
	cr_assert_not(clock__observe(c, m + 1 * S, o + 499000));
	cr_assert_not(clock__observe(c, m + 2 * S, o - 499000));
	cr_assert(clock__observe(c, m + 3 * S, o + 501000));
	cr_assert_not(clock__observe(c, m + 4 * S, o + 900000));
	cr_assert(clock__observe(c, m + 5 * S, o + 1002000));
	cr_assert(clock__observe(c, m + 6 * S, o - 1000 * S));
	cr_assert_eq(clock__offsets(c, list), 4);

	assert_wall(c, m - 5 * S, m - 5 * S + o);
	assert_wall(c, m + 3 * S - 1, m + 3 * S - 1 + o);
	assert_wall(c, m + 3 * S, m + 3 * S + o + 501000);
	assert_wall(c, m + 6 * S - 1, m + 6 * S - 1 + o + 1002000);
	assert_wall(c, m + 6 * S, m + 6 * S + o - 1000 * S);
	assert_wall(c, m + 3 * S - 1, m + 3 * S - 1 + o);
	clock__free(c);
}

/* A session across the end of summer time: the list of offsets says which 02:30 a row means. */
Test(clock, zone_changes_are_listed)
{
	struct clock *c = clock_in("CET-1CEST,M3.5.0,M10.5.0/3");
	struct clock_offset list[CLOCK_OFFSETS_MAX];
	const uint64_t change = 1729990800 * S; /* 2024-10-27 01:00:00 UTC: +02:00 to +01:00 */
	int64_t o = 1729900000 * S;
	uint64_t from;

	clock__offsets(c, list);
	from = list[0].from_mono_ns;
	/* Back to that day. */
	cr_assert(clock__observe(c, from + S, o - (int64_t)from));
	o -= from;
	cr_assert_not(clock__observe(c, change - o - 1, o));
	cr_assert(clock__observe(c, change - o + 3 * 3600 * S, o));
	cr_assert_not(clock__observe(c, change - o + 4 * 3600 * S, o));
	cr_assert_eq(clock__offsets(c, list), 3);
	cr_assert_eq(list[1].utc_offset_s, 7200);
	cr_assert_eq(list[2].utc_offset_s, 3600);
	cr_assert_eq(list[2].from_mono_ns, change - o);
	cr_assert_eq(list[2].offset_ns, o);
	assert_wall(c, change - o - 1, change - 1);
	assert_wall(c, change - o, change);
	clock__free(c);
}

Test(clock, list_is_bounded)
{
	struct clock *c = clock_in("UTC");
	struct clock_offset list[CLOCK_OFFSETS_MAX];
	uint64_t m;
	int64_t o;

	clock__offsets(c, list);
	m = list[0].from_mono_ns;
	o = list[0].offset_ns;
	for (int i = 1; i < 2 * CLOCK_OFFSETS_MAX; i++)
		cr_assert_eq(clock__observe(c, m + i * S, o + i * S), i < CLOCK_OFFSETS_MAX);
	cr_assert_eq(clock__offsets(c, list), CLOCK_OFFSETS_MAX);
	assert_wall(c, m + 5000 * S, m + 5000 * S + o + (CLOCK_OFFSETS_MAX - 1) * S);
	clock__free(c);
}

Test(clock, time_namespaces)
{
	static const struct {
		const char *text;
		bool is;
		int64_t ns;
	} rows[] = {
		{ "monotonic           1000         5\nboottime               0         0\n", true,
		  INT64_C(1000000000005) },
		{ "boottime               7         0\nmonotonic            -3 500000000\n", true,
		  INT64_C(-2500000000) },
		{ "boottime 7 0\n", false, 42 },
		{ "nonsense", false, 42 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		FILE *f = fmemopen((char *)rows[i].text, strlen(rows[i].text), "r");
		int64_t ns = 42;

		cr_expect_eq(clock__parse_namespace(f, &ns), rows[i].is);
		cr_expect_eq(ns, rows[i].ns, "%s", rows[i].text);
		fclose(f);
	}
	cr_expect(!clock__parse_namespace(NULL, NULL));
}

Test(clock, now_is_now)
{
	struct clock *c = clock_in("IST-5:30");
	struct clock_offset list[CLOCK_OFFSETS_MAX];
	int64_t off = clock__real_ns() - clock__mono_ns();

	clock__offsets(c, list);
	cr_assert_lt(llabs(list[0].offset_ns - off), 1000000);
	cr_assert_eq(list[0].utc_offset_s, 19800);
	cr_assert_not(clock__poll(c, clock__mono_ns() + S));
	cr_assert_eq(clock__offsets(c, list), 1);
	cr_assert_null(clock__free(c));
	cr_assert_null(clock__free(NULL));
}

Test(clock, iso8601_is_strftimes)
{
	srand(2);
	for (size_t z = 0; z < ARRAY_SIZE(zones); z++) {
		struct clock *c = clock_in(zones[z]);

		for (int i = 0; i < 2000; i++) {
			uint64_t real = 946684800 * S + random64() % (3000000000 * S);
			char got[CLOCK_ISO8601_SIZE], want[64], day[32], zone[16];
			time_t t = real / S;
			struct tm tm;

			localtime_r(&t, &tm);
			strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
			strftime(zone, sizeof(zone), "%z", &tm);
			snprintf(want, sizeof(want), "%s.%03d%.3s:%s", day,
				 (int)(real % S / 1000000), zone, zone + 3);
			clock__iso8601(real, got);
			cr_assert_str_eq(got, want);
		}
		clock__free(c);
	}
}

Test(machine_id, is_sha256sums)
{
	char want[MACHINE_ID_SIZE] = "", got[MACHINE_ID_SIZE] = "", other[MACHINE_ID_SIZE] = "";
	const char *id = "0123456789abcdef0123456789abcdef";
	FILE *f = popen(
		"printf 0123456789abcdef0123456789abcdef | sha256sum | cut -c-16 | tr a-f A-F",
		"r");

	cr_assert_eq(fscanf(f, "%16s", want), 1);
	pclose(f);
	cr_assert_eq(machine_id__hash(id, 32, got), 0);
	cr_assert_str_eq(got, want);
	cr_assert_eq(machine_id__hash(" \t0123456789abcdef0123456789abcdef \n", 36, other), 0);
	cr_assert_str_eq(other, want);
	cr_assert_eq(machine_id__hash(" \n", 2, other), -ENOENT);
	cr_assert_eq(machine_id__hash("uninitialized\n", 14, other), -ENOENT);
	cr_assert_eq(machine_id__hash("00000000000000000000000000000000\n", 33, other), -ENOENT);
	cr_assert_str_eq(other, want);
}

Test(machine_id, of_this_machine)
{
	char want[MACHINE_ID_SIZE] = "", got[MACHINE_ID_SIZE] = "";
	FILE *f = popen("for f in /etc/machine-id /var/lib/dbus/machine-id; do "
			"id=$(tr -d '[:space:]' 2>/dev/null < $f); [ -z \"$id\" ] && continue; "
			"printf %s \"$id\" | sha256sum | cut -c-16 | tr a-f A-F; break; done",
			"r");
	bool has_id = fscanf(f, "%16s", want) == 1;

	pclose(f);
	cr_assert_eq(machine_id__get(got), has_id ? 0 : -ENOENT);
	cr_assert_str_eq(got, want);
}
