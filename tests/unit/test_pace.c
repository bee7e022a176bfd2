// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "platform/macros.h"
#include "uploader/pace.h"

#define S NSEC_PER_SEC
#define NOW (1000 * S)

/* The delay after N consecutive failures. */
static uint64_t after(unsigned int n, bool refused, unsigned int retry_after_s, uint32_t random)
{
	struct backoff b = { 0 };

	for (unsigned int i = 0; i < n; i++)
		backoff__failed(&b, NOW, refused, retry_after_s, random);
	cr_assert_eq(b.failures, n);
	return b.not_before_ns - NOW;
}

Test(pace, doubles_up_to_five_minutes)
{
	static const unsigned int seconds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 };

	for (unsigned int i = 0; i < ARRAY_SIZE(seconds); i++) {
		cr_expect_eq(after(i + 1, false, 0, 0), seconds[i] * S / 2);
		cr_expect_eq(after(i + 1, false, 0, UINT32_MAX), seconds[i] * S * 3 / 2);
	}
	cr_expect_eq(after(100000, false, 0, 0), 150 * S);
}

Test(pace, what_is_refused_is_tried_slowly)
{
	cr_expect_eq(after(1, true, 0, 0), 30 * S);
	cr_expect_eq(after(1, true, 0, UINT32_MAX), 90 * S);
	cr_expect_eq(after(2, true, 0, 0), 60 * S);
	cr_expect_eq(after(100, true, 0, UINT32_MAX), 2700 * S);
}

Test(pace, no_sooner_than_requested_and_within_reason)
{
	cr_expect_eq(after(1, false, 17, 0), 17 * S);
	cr_expect_eq(after(1, true, 17, 0), 30 * S);
	cr_expect_eq(after(1, false, 86400, UINT32_MAX), 3600 * S);
}

Test(pace, rate)
{
	struct rate any = { 0 }, r = { .bytes_per_s = 1000 };
	uint64_t now = NOW, sent = 0;

	cr_expect_eq(rate__spend(&any, NOW, UINT64_C(1) << 40), 0);
	/* A sender that waits as told keeps the rate, apart from the first quarter of a second. */
	while (now < NOW + 60 * S) {
		now += rate__spend(&r, now, 97);
		sent += 97;
	}
	cr_expect(sent >= 60000 && sent <= 60000 + 250 + 2 * 97, "%llu", (unsigned long long)sent);
	/* An idle hour is not credited. */
	now += 3600 * S;
	cr_expect_eq(rate__spend(&r, now, 250), 0);
	cr_expect_eq(rate__spend(&r, now, 1000), S);
}
