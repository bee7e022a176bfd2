/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of tests that only root can do. Without root they are skips that say so; for root, as whom
 * CI runs, what can't be done is a failure. */
#ifndef IOTRC_TESTS_ROOT_H
#define IOTRC_TESTS_ROOT_H

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static inline void root__skip_unless(void)
{
	if (geteuid())
		cr_skip_test("the rest needs root");
}

/* Ends the test unless OK, which root is expected to reach; WHAT was tried, and errno says why
 * not. */
static inline void root__expect(bool ok, const char *what)
{
	if (ok)
		return;
	if (geteuid())
		cr_skip_test("needs root: %s", what);
	cr_assert_fail("root cannot %s: %s", what, strerror(errno));
}

/* A tmpfs at DIR, in a mount namespace of the test's own process, with which it goes. */
static inline void root__tmpfs(const char *dir, const char *options)
{
	root__expect(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
			     !mount("tmpfs", dir, "tmpfs", 0, options),
		     "mount a tmpfs");
}

#endif
