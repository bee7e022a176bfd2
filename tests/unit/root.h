/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of tests that need root. Without root they are skipped with a message; for root, as in CI,
 * a part that cannot be run is a failure. */
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

/* Ends the test unless OK: a failure for root. WHAT was tried, and errno says why it failed. */
static inline void root__expect(bool ok, const char *what)
{
	if (ok)
		return;
	if (geteuid())
		cr_skip_test("needs root: %s", what);
	cr_assert_fail("root cannot %s: %s", what, strerror(errno));
}

/* Mounts a tmpfs at DIR in a mount namespace of the test's own process, so that it disappears with
 * the process. */
static inline void root__tmpfs(const char *dir, const char *options)
{
	root__expect(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
			     !mount("tmpfs", dir, "tmpfs", 0, options),
		     "mount a tmpfs");
}

#endif
