// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/matched.h"

#include <string.h>

static bool is_below(const struct path_prefix *p, const char *path, size_t len)
{
	return len >= p->len && !memcmp(path, p->text, p->len) &&
	       (len == p->len || path[p->len] == '/');
}

/* Prefixes may contain one another, so all are compared until each has matched; then one match
 * suffices. */
bool matched__path(struct matched *m, const struct selection *s, const char *path, size_t len)
{
	bool all = m->paths == (UINT64_C(1) << s->n_paths) - 1, wanted = !s->n_paths;

	for (size_t i = 0; i < s->n_paths && !(all && wanted); i++) {
		if (!is_below(&s->paths[i], path, len))
			continue;
		wanted = true;
		m->paths |= UINT32_C(1) << i;
	}
	return wanted;
}

void matched__task(struct matched *m, const struct selection *s, const struct rec_task *task)
{
	bool known = false;

	for (size_t i = 0; i < s->n_pids; i++) {
		uint32_t pid = s->pids[i];

		if (task->pid != pid && task->ppid != pid)
			continue;
		known = true;
		m->pids |= 1u << i;
	}
	m->strangers |= !known;
	for (size_t i = 0; i < s->n_commands; i++)
		if (!strncmp(task->comm, s->commands[i], COMM_BYTES))
			m->commands |= 1u << i;
}
