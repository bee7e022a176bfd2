// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/confine.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/landlock.h"
#include "platform/privileges.h"
#include "platform/system_calls.h"

/* An empty session is removed from its parent directory. */
static void allow_dir(const char *dir)
{
	char *parent;

	landlock__allow(dir);
	if (asprintf(&parent, "%s/..", dir) < 0)
		return;
	landlock__allow(parent);
	free(parent);
}

void confine(const struct confinement *c)
{
	char state[32];

	landlock__begin();
	for (int i = 0; i < c->n_dirs; i++)
		allow_dir(c->dirs[i]);
	if (c->target)
		landlock__allow(c->target);
	snprintf(state, sizeof(state), "/proc/self/fd/%d", c->state);
	if (c->state >= 0)
		landlock__allow(state);
	if (privileges__drop(c->keep) || landlock__enter())
		return; /* both require no_new_privs */
	system_calls__restrict(c->network);
}
