// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "platform/cond.h"
#include "platform/macros.h"

static void read_byte(void *arg)
{
	char byte;
	ssize_t n = read(*(int *)arg, &byte, 1);

	cr_expect_eq(n, 1);
}

/* A thread whose read() does not return is left behind at the limit. */
Test(thread, join_gives_up_at_its_limit)
{
	struct thread t = { 0 };
	uint64_t begun;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_expect(thread__join(&t, 0), "no thread yet");
	cr_assert_eq(thread__run(&t, "test", read_byte, &fds[0]), 0);
	begun = clock__mono_ns();
	cr_expect_not(thread__join(&t, begun + 50 * NSEC_PER_MSEC));
	cr_expect_geq(clock__mono_ns(), begun + 50 * NSEC_PER_MSEC);
	cr_expect_not(thread__join(&t, begun), "the time is over");
	thread__hurry(&t);
	cr_assert_eq(write(fds[1], "", 1), 1);
	cr_expect(thread__join(&t, UINT64_MAX));
	cr_expect(thread__join(&t, 0), "it has ended");
	close(fds[0]);
	close(fds[1]);
}

Test(thread, conditions_wait_by_the_monotonic_clock)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t due = clock__mono_ns() + 20 * NSEC_PER_MSEC;
	pthread_cond_t cond;

	cond__init(&cond);
	pthread_mutex_lock(&lock);
	while (cond__wait_until(&cond, &lock, due))
		;
	cr_expect_geq(clock__mono_ns(), due);
	cr_expect_not(cond__wait_until(&cond, &lock, 0));
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&cond);
}
