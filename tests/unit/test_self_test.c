// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stddef.h>

#include "commands/self_test.h"
#include "engine/bpf/bpf.h"

/* So that `iotrc doctor` need not rely on other programs to make it fire. */
Test(self_test, each_hook_is_provoked_or_said_to_be_rare)
{
	for (size_t i = 0; i < n_programs; i++)
		cr_expect(self_test__of(programs[i].name) >= 0 || self_test__rare(programs[i].name),
			  "%s", programs[i].name);
}
