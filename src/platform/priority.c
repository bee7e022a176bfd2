// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/priority.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From <linux/ioprio.h>, which exists only since Linux 5.15. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE (3 << 13)

int priority__set(int nice)
{
	/* 0 is the calling thread, not its process, on Linux (setpriority(2), NOTES). */
	int before = getpriority(PRIO_PROCESS, 0);

	setpriority(PRIO_PROCESS, 0, nice);
	return before;
}

/* The kernel does this. */
void priority__pass_on(pthread_attr_t *attr)
{
}

void priority__lower(bool idle)
{
	static const struct sched_param none;
	pid_t tid = gettid();

	setpriority(PRIO_PROCESS, tid, 19);
	sched_setscheduler(tid, idle ? SCHED_IDLE : SCHED_OTHER, &none);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, IOPRIO_IDLE);
}

void priority__raise(pthread_t thread, pid_t tid)
{
	static const struct sched_param none;

	sched_setscheduler(tid, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, tid, getpriority(PRIO_PROCESS, 0));
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, tid, 0);
}
#else
#include <pthread/qos.h>
#include <sys/resource.h>

/* macOS schedules threads by classes (pthread/qos.h); a nice value applies to the whole process. */
int priority__set(int nice)
{
	int before = qos_class_self() == QOS_CLASS_USER_INTERACTIVE ? PRIORITY_URGENT : 0;

	pthread_set_qos_class_self_np(nice < 0 ? QOS_CLASS_USER_INTERACTIVE : QOS_CLASS_DEFAULT, 0);
	return before;
}

/* A new thread gets the class of its attributes, not of its creator (pthread_attr_set_qos_class_np,
 * pthread/qos.h). */
void priority__pass_on(pthread_attr_t *attr)
{
	if (qos_class_self() != QOS_CLASS_UNSPECIFIED)
		pthread_attr_set_qos_class_np(attr, qos_class_self(), 0);
}

void priority__lower(bool idle)
{
	pthread_set_qos_class_self_np(idle ? QOS_CLASS_BACKGROUND : QOS_CLASS_UTILITY, 0);
	setiopolicy_np(IOPOL_TYPE_DISK, IOPOL_SCOPE_THREAD, IOPOL_THROTTLE); /* setiopolicy_np(3) */
}

/* The override lasts until the thread ends. Only the thread itself could change its disk policy. */
void priority__raise(pthread_t thread, pid_t tid)
{
	pthread_override_qos_class_start_np(thread, QOS_CLASS_USER_INITIATED, 0);
}
#endif
