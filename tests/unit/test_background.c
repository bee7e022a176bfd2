// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include <unistd.h>

#include "base/background.h"
#include "base/clock.h"
#include "platform/macros.h"

#define LIMIT NSEC_PER_SEC

struct work {
	struct background thread;
	int fds[2];
};

static void read_byte(void *arg)
{
	struct work *w = arg;
	char byte;
	ssize_t n = read(w->fds[0], &byte, 1);

	cr_expect_eq(n, 1);
}

/* Does not end while it is requested to, but only when it has worked for longer than the limit. */
static void compute(void *arg)
{
	struct work *w = arg;
	uint64_t begun;

	background__wait(&w->thread, UINT64_MAX);
	begun = clock__mono_ns();
	while (clock__mono_ns() - begun < LIMIT * 3 / 2)
		;
}

Test(background, a_busy_thread_is_waited_for)
{
	struct work w = { 0 };

	cr_assert_eq(background__start(&w.thread, "test", compute, &w), 0);
	cr_expect(background__stop(&w.thread, LIMIT));
	background__done(&w.thread);
}

Test(background, a_thread_that_waits_for_a_disk_is_abandoned)
{
	struct work w = { 0 };
	uint64_t begun;

	cr_assert_eq(pipe(w.fds), 0);
	cr_assert_eq(background__start(&w.thread, "test", read_byte, &w), 0);
	begun = clock__mono_ns();
	cr_expect_not(background__stop(&w.thread, NSEC_PER_SEC / 20));
	cr_expect_geq(clock__mono_ns(), begun + NSEC_PER_SEC / 20);
	cr_expect_not(background__stop(&w.thread, 0), "it is not waited for again");
	cr_assert_eq(write(w.fds[1], "", 1), 1);
	cr_expect(thread__join(&w.thread.thread, UINT64_MAX));
	background__done(&w.thread);
	close(w.fds[0]);
	close(w.fds[1]);
}
