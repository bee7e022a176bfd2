/* SPDX-License-Identifier: GPL-2.0-only */
#include "src/background.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/privileges.h"

/* Of <linux/ioprio.h>, which is only there since Linux 5.15. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE (3 << 13)

void background__enter(int policy)
{
	static const struct sched_param none;
	pid_t tid = gettid();

	setpriority(PRIO_PROCESS, tid, 19);
	sched_setscheduler(tid, policy, &none);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, IOPRIO_IDLE);
}

void background__hurry(pid_t tid)
{
	static const struct sched_param none;

	sched_setscheduler(tid, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, tid, getpriority(PRIO_PROCESS, 0));
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, 0);
}

#define CAP(name) (UINT64_C(1) << CAP_##name)

/* The system calls, since what glibc makes of them is for all threads. */
int background__drop(uid_t uid, gid_t gid)
{
	bool other = uid != (uid_t)-1 && uid != geteuid();
	int err = other ? privileges__drop(CAP(SETUID) | CAP(SETGID)) : 0;

	if (!err && other && (syscall(SYS_setgroups, 0, NULL) < 0 ||
			      syscall(SYS_setresgid, gid, gid, gid) < 0 ||
			      syscall(SYS_setresuid, uid, uid, uid) < 0))
		err = -errno;
	return err ? err : privileges__drop(0);
}
