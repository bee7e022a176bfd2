// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/descendants.h"

#include <errno.h>

#ifdef __linux__
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN "/proc/thread-self/children"

int descendants__prepare(void)
{
	if (access(CHILDREN, R_OK))
		return -errno;
	return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
}

void descendants__follow(pid_t pid)
{
}

static bool look(pid_t other)
{
	FILE *f = fopen(CHILDREN, "re");
	bool any = false;
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid != other && waitpid(pid, NULL, WNOHANG) == 0)
			any = true;
	if (f)
		fclose(f);
	return any;
}

/* The list may lack a child while another one ends (proc(5)). */
bool descendants__any(pid_t other)
{
	bool found = look(other);

	return found || look(other);
}

bool descendants__all_known(void)
{
	return true;
}
#else
#include <libproc.h>
#include <stdlib.h>
#include <sys/event.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/family.h"
#include "platform/macros.h"

#define PROCESSES_MAX (1 << 16)
#define LOOK_MS 100 /* between two listings of all processes */

/* xnu, bsd/sys/proc_info_private.h; p_puniqueid is "parent's unique ID - set on fork/spawn, doesn't
 * change if reparented" (bsd/sys/proc_internal.h). */
#define PROC_PIDUNIQIDENTIFIERINFO 17
struct unique_ids {
	uint8_t uuid[16];
	uint64_t id, parent;
	int32_t version, parent_version;
	uint64_t reserved[2];
};

static struct family family;
static int queue = -1;

static bool ids_of(pid_t pid, struct unique_ids *ret)
{
	return proc_pidinfo(pid, PROC_PIDUNIQIDENTIFIERINFO, 0, ret, sizeof(*ret)) ==
	       (int)sizeof(*ret);
}

/* From now on its forks are reported. It may have forked before: the next listing shows that. */
static void watch(pid_t pid, unsigned int what)
{
	struct kevent change;

	EV_SET(&change, pid, EVFILT_PROC, EV_ADD | EV_CLEAR, what, 0, NULL);
	(void)kevent(queue, &change, 1, NULL, 0, NULL); /* it may have ended */
}

/* Adds processes of a list until none is new: a child may precede its parent in the list. */
static void learn(uint32_t type, uint32_t of)
{
	pid_t *pids = calloc(PROCESSES_MAX, sizeof(*pids));
	int bytes = pids ? proc_listpids(type, of, pids, (int)(PROCESSES_MAX * sizeof(*pids))) : 0;
	bool news = true;

	while (news) {
		news = false;
		for (int i = 0; i < bytes / (int)sizeof(*pids); i++) {
			struct unique_ids ids;

			if (pids[i] <= 0 || !ids_of(pids[i], &ids) ||
			    !family__learn(&family, pids[i], ids.id, ids.parent))
				continue;
			watch(pids[i], NOTE_FORK);
			news = true;
		}
	}
	family.full |= !pids;
	free(pids);
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

int descendants__prepare(void)
{
	queue = kqueue();
	return queue < 0 ? -errno : 0;
}

void descendants__follow(pid_t pid)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * NSEC_PER_MSEC };
	struct unique_ids ids;
	struct kevent event;

	if (!ids_of(pid, &ids))
		return;
	family__begin(&family, pid, ids.id);
	watch(pid, NOTE_FORK | NOTE_EXIT);
	while (!has_ended(pid)) {
		int n = kevent(queue, NULL, 0, &event, 1, &look);

		if (n > 0 && event.fflags & NOTE_FORK)
			learn(PROC_PPID_ONLY, (uint32_t)event.ident);
		else if (!n)
			learn(PROC_ALL_PIDS, 0);
	}
	learn(PROC_ALL_PIDS, 0);
}

bool descendants__any(pid_t other)
{
	learn(PROC_ALL_PIDS, 0);
	/* The first one is the command itself. */
	for (size_t i = 1; i < family.n; i++) {
		struct unique_ids ids;

		if (ids_of(family.members[i].pid, &ids) && ids.id == family.members[i].id)
			return true;
	}
	return false;
}

bool descendants__all_known(void)
{
	return !family.full;
}
#endif
