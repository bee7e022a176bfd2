// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/matched.h"

#include <string.h>

static bool is_below(const struct path_prefix *p, const char *path, size_t len)
{
	return len >= p->len && !memcmp(path, p->text, p->len) &&
	       (len == p->len || path[p->len] == '/');
}

/* Whether PATH lies at or below one of LIST. Prefixes may lie in one another: all are compared
 * until each has MATCHED, then the first suffices. */
static bool is_in(const struct path_list *list, uint32_t *matched, const char *path, size_t len)
{
	bool all = *matched == (UINT64_C(1) << list->n) - 1, in = false;

	for (size_t i = 0; i < list->n && !(all && in); i++) {
		if (!is_below(&list->at[i], path, len))
			continue;
		in = true;
		*matched |= UINT32_C(1) << i;
	}
	return in;
}

bool matched__path(struct matched *m, const struct selection *s, const char *path, size_t len)
{
	bool wanted = !s->paths.n || is_in(&s->paths, &m->paths, path, len);

	return !(s->excluded_paths.n && is_in(&s->excluded_paths, &m->excluded_paths, path, len)) &&
	       wanted;
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
	for (size_t i = 0; i < s->commands.n; i++)
		if (!strncmp(task->comm, s->commands.names[i], COMM_BYTES))
			m->commands |= 1u << i;
}
